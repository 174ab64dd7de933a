package secrets

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// secretsManagerAPI is what this adapter uses of *secretsmanager.Client.
type secretsManagerAPI interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
	PutSecretValue(context.Context, *secretsmanager.PutSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.PutSecretValueOutput, error)
	CreateSecret(context.Context, *secretsmanager.CreateSecretInput, ...func(*secretsmanager.Options)) (*secretsmanager.CreateSecretOutput, error)
}

// SecretsManagerConfig says how to reach AWS Secrets Manager.
type SecretsManagerConfig struct {
	Client secretsManagerAPI // a *secretsmanager.Client
}

// SecretsManager is a Documents: the ID of a document is the secret's name or ARN, and what it returns is the version
// labelled AWSCURRENT. Each Get is a call that costs money and time: put a Cache before it.
type SecretsManager struct {
	client secretsManagerAPI
}

var _ Documents = (*SecretsManager)(nil)

// NewSecretsManager makes a source. It calls nothing.
func NewSecretsManager(config SecretsManagerConfig) *SecretsManager {
	return &SecretsManager{client: config.Client}
}

// Get implements Source. A secret stored as binary is taken as the document's bytes.
func (s *SecretsManager) Get(ctx context.Context, id string) ([]byte, error) {
	out, err := s.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{
		SecretId:     &id,
		VersionStage: aws.String("AWSCURRENT"),
	})
	if _, missing := errors.AsType[*types.ResourceNotFoundException](err); missing {
		return nil, fmt.Errorf("%w: %q in secrets manager", ErrNotFound, id)
	}
	if err != nil {
		return nil, fmt.Errorf("get secret value: %w", err)
	}
	if out.SecretString != nil {
		return []byte(*out.SecretString), nil
	}
	return out.SecretBinary, nil
}

// Put implements Documents. The version's token is made of the text, so that a call that is repeated makes no second
// version.
func (s *SecretsManager) Put(ctx context.Context, id string, text []byte) error {
	sum := sha256.Sum256(append([]byte(id+"\x00"), text...))
	token, document := hex.EncodeToString(sum[:]), string(text)
	_, err := s.client.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: &id, SecretString: &document, ClientRequestToken: &token})
	if _, missing := errors.AsType[*types.ResourceNotFoundException](err); missing {
		_, err = s.client.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: &id, SecretString: &document, ClientRequestToken: &token})
	}
	if err != nil {
		return fmt.Errorf("write secret %q: %w", id, err)
	}
	return nil
}
