package register

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

// secretsManagerAPI is the part of *secretsmanager.Client that a SecretsManager calls.
type secretsManagerAPI interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
	PutSecretValue(context.Context, *secretsmanager.PutSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.PutSecretValueOutput, error)
	CreateSecret(context.Context, *secretsmanager.CreateSecretInput, ...func(*secretsmanager.Options)) (*secretsmanager.CreateSecretOutput, error)
}

// SecretsManager is a Documents in AWS Secrets Manager.
type SecretsManager struct{ Client secretsManagerAPI }

// Get implements Documents.
func (s SecretsManager) Get(ctx context.Context, id string) ([]byte, error) {
	value, err := s.Client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id})
	if _, missing := errors.AsType[*types.ResourceNotFoundException](err); missing {
		return nil, ErrNoDocument
	}
	if err != nil {
		return nil, fmt.Errorf("read secret %q: %w", id, err)
	}
	return []byte(aws.ToString(value.SecretString)), nil
}

// Put implements Documents. The token is of the text: a call that is repeated makes no second version.
func (s SecretsManager) Put(ctx context.Context, id string, text []byte) error {
	sum := sha256.Sum256(append([]byte(id+"\x00"), text...))
	token := hex.EncodeToString(sum[:])[:64]
	_, err := s.Client.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: &id, SecretString: aws.String(string(text)), ClientRequestToken: &token})
	if _, missing := errors.AsType[*types.ResourceNotFoundException](err); missing {
		_, err = s.Client.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: &id, SecretString: aws.String(string(text)), ClientRequestToken: &token})
	}
	if err != nil {
		return fmt.Errorf("write secret %q: %w", id, err)
	}
	return nil
}
