package secrets_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/pim-functions/pim-functions/shared/secrets"
)

// What every Source must do. put stores a document, new or as the next version.
func testSource(t *testing.T, source secrets.Source, put func(id, document string)) {
	t.Helper()
	get := func(id, want string) {
		t.Helper()
		got, err := source.Get(t.Context(), id)
		if err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", id, got, err)
		}
	}
	if _, err := source.Get(t.Context(), "signing"); !errors.Is(err, secrets.ErrNotFound) {
		t.Errorf("no document: %v", err)
	}
	put("signing", `{"contentful":["one"]}`)
	put("connections", `{"values":{"slack":"☃"}}`)
	get("signing", `{"contentful":["one"]}`)
	get("connections", `{"values":{"slack":"☃"}}`)

	put("signing", `{"contentful":["one","two"]}`)
	get("signing", `{"contentful":["one","two"]}`)

	if _, err := source.Get(t.Context(), "other"); !errors.Is(err, secrets.ErrNotFound) {
		t.Errorf("another document: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := source.Get(ctx, "signing"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secrets.json")
	documents := map[string]json.RawMessage{}
	testSource(t, secrets.NewFile(path), func(id, document string) {
		documents[id] = json.RawMessage(document)
		text, err := json.Marshal(documents)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	})
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
	created := map[string]bool{}
	// The contract's IDs with this run's prefix, so that runs do not meet.
	source := prefixed{secrets.NewSecretsManager(secrets.SecretsManagerConfig{Client: client}), prefix}
	testSource(t, source, func(id, document string) {
		name := prefix + id
		var err error
		if created[id] {
			_, err = client.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: &name, SecretString: &document})
		} else {
			_, err = client.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: &name, SecretString: &document})
			t.Cleanup(func() {
				// t.Context has ended by now.
				client.DeleteSecret(context.Background(), &secretsmanager.DeleteSecretInput{SecretId: &name, ForceDeleteWithoutRecovery: aws.Bool(true)})
			})
		}
		if err != nil {
			t.Fatal(err)
		}
		created[id] = true
	})

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
	secrets.Source
	prefix string
}

func (p prefixed) Get(ctx context.Context, id string) ([]byte, error) {
	return p.Source.Get(ctx, p.prefix+id)
}
