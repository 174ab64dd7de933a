package register_test

import (
	"crypto/rand"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/pim-functions/pim-functions/functions/register"
	"github.com/pim-functions/pim-functions/shared/awsconfig"
)

func TestSecretsManagerKeepsDocuments(t *testing.T) {
	endpoint := os.Getenv("AWS_ENDPOINT_URL")
	if endpoint == "" {
		t.Skip("set AWS_ENDPOINT_URL (make test-aws) to run against Secrets Manager")
	}
	client := secretsmanager.NewFromConfig(awsconfig.New(awsconfig.Config{Region: "eu-west-1", AccessKeyID: "test", SecretAccessKey: "test", Endpoint: endpoint}))
	documents, id := register.SecretsManager{Client: client}, "register-"+strings.ToLower(rand.Text())
	if _, err := documents.Get(t.Context(), id); !errors.Is(err, register.ErrNoDocument) {
		t.Fatalf("%v", err)
	}
	for _, text := range []string{`{"a":1}`, `{"a":2}`, `{"a":2}`} {
		if err := documents.Put(t.Context(), id, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := documents.Get(t.Context(), id); err != nil || string(got) != text {
			t.Errorf("%s, %v; want %s", got, err, text)
		}
	}
}
