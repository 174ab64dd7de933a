package secrets_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
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
	read := func(id string) secrets.Document {
		t.Helper()
		document, err := documents.Read(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return document
	}
	replace := func(id, version, text string, want error) {
		t.Helper()
		if err := documents.Replace(t.Context(), id, version, []byte(text)); !errors.Is(err, want) {
			t.Errorf("replace %s by %s: %v, want %v", id, text, err, want)
		}
	}
	if _, err := documents.Get(t.Context(), "signing"); !errors.Is(err, secrets.ErrNotFound) {
		t.Errorf("no document: %v", err)
	}
	if none := read("signing"); none.Version != "" || none.Text != nil {
		t.Errorf("no document: %q", none)
	}
	replace("signing", "another", `{"contentful":["zero"]}`, secrets.ErrChanged)
	for range 2 { // a call that is repeated does no harm
		replace("signing", "", `{"contentful":["one"]}`, nil)
	}
	replace("signing", "", `{"contentful":["other"]}`, secrets.ErrChanged)
	replace("connections", "", `{"values":{"slack":"☃<&>"}}`, nil)
	get("signing", `{"contentful":["one"]}`)
	get("connections", `{"values":{"slack":"☃<&>"}}`)

	one := read("signing")
	if again := read("signing"); again.Version != one.Version || compact(one.Text) != `{"contentful":["one"]}` {
		t.Errorf("read twice: %q and %q", one, again)
	}
	for range 2 {
		replace("signing", one.Version, `{"contentful":["one","two"]}`, nil)
		get("signing", `{"contentful":["one","two"]}`)
	}
	replace("signing", one.Version, `{"contentful":["one","three"]}`, secrets.ErrChanged) // read before "two" came
	get("signing", `{"contentful":["one","two"]}`)
	two := read("signing")
	if two.Version == one.Version {
		t.Error("two texts have one version")
	}
	replace("signing", two.Version, `{"contentful":["one"]}`, nil) // a text that was there before
	get("signing", `{"contentful":["one"]}`)
	replace("signing", two.Version, `{"contentful":["four"]}`, secrets.ErrChanged)

	// Of several who read the same version, one writes; with Update each does, after the other.
	same := read("signing")
	var wrote atomic.Int32
	var all sync.WaitGroup
	for i := range 3 {
		all.Go(func() {
			err := documents.Replace(t.Context(), "signing", same.Version, fmt.Appendf(nil, `{"contentful":["writer %d"]}`, i))
			if err == nil {
				wrote.Add(1)
			} else if !errors.Is(err, secrets.ErrChanged) {
				t.Errorf("writer %d: %v", i, err)
			}
		})
	}
	all.Wait()
	if n := wrote.Load(); n != 1 {
		t.Errorf("%d of 3 writers wrote", n)
	}
	replace("signing", read("signing").Version, `[]`, nil)
	for i := range 3 {
		all.Go(func() {
			err := secrets.Update(t.Context(), documents, "signing", func(text []byte) ([]byte, error) {
				var list []int
				err := json.Unmarshal(text, &list)
				next, _ := json.Marshal(append(list, i))
				return next, err
			})
			if err != nil {
				t.Errorf("update %d: %v", i, err)
			}
		})
	}
	all.Wait()
	var list []int
	if err := json.Unmarshal(read("signing").Text, &list); err != nil || len(list) != 3 {
		t.Errorf("three updates made %v, %v", list, err)
	}

	if _, err := documents.Get(t.Context(), "other"); !errors.Is(err, secrets.ErrNotFound) {
		t.Errorf("another document: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := documents.Get(ctx, "signing"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := documents.Read(ctx, "signing"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := documents.Replace(ctx, "signing", read("signing").Version, []byte(`{}`)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
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
	if err := file.Replace(t.Context(), "connections", "", []byte(`{"b":2}`)); err != nil {
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
		if err := file.Replace(t.Context(), "signing", "", []byte(`{}`)); err == nil {
			t.Errorf("a file that holds %s was overwritten", other)
		}
		if text, _ := os.ReadFile(path); string(text) != other {
			t.Errorf("%s became %s", other, text)
		}
	}
	write(`{}`)
	if err := file.Replace(t.Context(), "signing", "", []byte(`hunter2`)); err == nil || strings.Contains(err.Error(), "hunter") || strings.Contains(err.Error(), "'h'") {
		t.Errorf("%v", err)
	}
	if err := secrets.NewFile(filepath.Join(t.TempDir(), "no", "folder")).Replace(t.Context(), "signing", "", []byte(`{}`)); err == nil {
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

func (p prefixed) Read(ctx context.Context, id string) (secrets.Document, error) {
	return p.Documents.Read(ctx, p.prefix+id)
}

func (p prefixed) Replace(ctx context.Context, id, version string, text []byte) error {
	return p.Documents.Replace(ctx, p.prefix+id, version, text)
}

func (p prefixed) Get(ctx context.Context, id string) ([]byte, error) {
	return p.Documents.Get(ctx, p.prefix+id)
}
