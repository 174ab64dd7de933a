package secrets_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/pim-functions/pim-functions/shared/secrets"
)

// What every Documents must do.
func testDocuments(t *testing.T, documents secrets.Documents) {
	t.Helper()
	get := func(id, want string) {
		t.Helper()
		got, err := documents.Get(t.Context(), id)
		if err != nil || compact(got) != want {
			t.Errorf("%s: %q, %v", id, got, err)
		}
	}
	put := func(id, text string) {
		t.Helper()
		if err := documents.Put(t.Context(), id, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := documents.Get(t.Context(), "signing"); !errors.Is(err, secrets.ErrNotFound) {
		t.Errorf("no document: %v", err)
	}
	put("signing", `{"contentful":["one"]}`)
	put("connections", `{"values":{"slack":"☃<&>"}}`)
	get("signing", `{"contentful":["one"]}`)
	get("connections", `{"values":{"slack":"☃<&>"}}`)

	for range 2 { // a call that is repeated does no harm
		put("signing", `{"contentful":["one","two"]}`)
		get("signing", `{"contentful":["one","two"]}`)
	}
	if _, err := documents.Get(t.Context(), "other"); !errors.Is(err, secrets.ErrNotFound) {
		t.Errorf("another document: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := documents.Get(ctx, "signing"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := documents.Put(ctx, "signing", []byte(`{}`)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	get("signing", `{"contentful":["one","two"]}`)
}

// compact is JSON without the white space that a file may add.
func compact(text []byte) string {
	var b bytes.Buffer
	if json.Compact(&b, text) != nil {
		return string(text)
	}
	return b.String()
}

func TestFile(t *testing.T) {
	testDocuments(t, secrets.NewFile(filepath.Join(t.TempDir(), "secrets.json")))
}

func TestAFileKeepsItsOtherMembersAndItsPrivacy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secrets.json")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"note":"ours","signing":{"a":1}}`)
	file := secrets.NewFile(path)
	if err := file.Put(t.Context(), "connections", []byte(`{"b":2}`)); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(path)
	if got := compact(text); got != `{"connections":{"b":2},"note":"ours","signing":{"a":1}}` {
		t.Errorf("%s", got)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %o", info.Mode().Perm())
	}
	if rest, _ := os.ReadDir(filepath.Dir(path)); len(rest) != 1 {
		t.Errorf("%d files were left", len(rest))
	}
	for _, other := range []string{"nonsense", "null", "[]"} {
		write(other)
		if err := file.Put(t.Context(), "signing", []byte(`{}`)); err == nil {
			t.Errorf("a file that holds %s was overwritten", other)
		}
		if text, _ := os.ReadFile(path); string(text) != other {
			t.Errorf("%s became %s", other, text)
		}
	}
	write(`{}`)
	if err := file.Put(t.Context(), "signing", []byte(`hunter2`)); err == nil || strings.Contains(err.Error(), "hunter") || strings.Contains(err.Error(), "'h'") {
		t.Errorf("%v", err)
	}
	if err := secrets.NewFile(filepath.Join(t.TempDir(), "no", "folder")).Put(t.Context(), "signing", []byte(`{}`)); err == nil {
		t.Error("a file was written into no folder")
	}
}

func TestSecretsManager(t *testing.T) {
	endpoint := os.Getenv("AWS_ENDPOINT_URL")
	if endpoint == "" {
		t.Skip("set AWS_ENDPOINT_URL (make test-aws) to run against Secrets Manager")
	}
	client := secretsmanager.NewFromConfig(aws.Config{
		Region:       os.Getenv("AWS_REGION"),
		BaseEndpoint: &endpoint,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{
				AccessKeyID:     os.Getenv("AWS_ACCESS_KEY_ID"),
				SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
				SessionToken:    os.Getenv("AWS_SESSION_TOKEN"),
			}, nil
		}),
	})
	prefix := "pim-functions-test-" + rand.Text() + "-"
	// The contract's IDs with this run's prefix, so that runs do not meet.
	source := prefixed{secrets.NewSecretsManager(secrets.SecretsManagerConfig{Client: client}), prefix}
	t.Cleanup(func() {
		for _, id := range []string{"signing", "connections"} {
			name := prefix + id
			// t.Context has ended by now.
			client.DeleteSecret(context.Background(), &secretsmanager.DeleteSecretInput{SecretId: &name, ForceDeleteWithoutRecovery: aws.Bool(true)})
		}
	})
	testDocuments(t, source)

	name := prefix + "binary"
	if _, err := client.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: &name, SecretBinary: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	defer client.DeleteSecret(context.Background(), &secretsmanager.DeleteSecretInput{SecretId: &name, ForceDeleteWithoutRecovery: aws.Bool(true)})
	if got, err := source.Get(t.Context(), "binary"); err != nil || string(got) != "{}" {
		t.Errorf("binary: %q, %v", got, err)
	}
}

type prefixed struct {
	secrets.Documents
	prefix string
}

func (p prefixed) Put(ctx context.Context, id string, text []byte) error {
	return p.Documents.Put(ctx, p.prefix+id, text)
}

func (p prefixed) Get(ctx context.Context, id string) ([]byte, error) {
	return p.Documents.Get(ctx, p.prefix+id)
}
