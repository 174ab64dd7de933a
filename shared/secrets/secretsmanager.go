package secrets

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// secretsManagerAPI is what this adapter uses of *secretsmanager.Client.
type secretsManagerAPI interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error)
	PutSecretValue(context.Context, *secretsmanager.PutSecretValueInput, ...func(*secretsmanager.Options)) (*secretsmanager.PutSecretValueOutput, error)
	UpdateSecretVersionStage(context.Context, *secretsmanager.UpdateSecretVersionStageInput, ...func(*secretsmanager.Options)) (*secretsmanager.UpdateSecretVersionStageOutput, error)
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

// Labels of versions.
const (
	current = "AWSCURRENT"
	next    = "pim-functions-next" // of a version that is written and may become the current one
)

// Get implements Source. A secret stored as binary is taken as the document's bytes.
func (s *SecretsManager) Get(ctx context.Context, id string) ([]byte, error) {
	document, err := s.get(ctx, id)
	if err != nil {
		return nil, err
	}
	return document.Text, nil
}

// Read implements Documents. The version is the version's ID.
func (s *SecretsManager) Read(ctx context.Context, id string) (Document, error) {
	document, err := s.get(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return Document{}, nil
	}
	return document, err
}

func (s *SecretsManager) get(ctx context.Context, id string) (Document, error) {
	out, err := s.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id, VersionStage: aws.String(current)})
	if _, missing := errors.AsType[*types.ResourceNotFoundException](err); missing {
		return Document{}, fmt.Errorf("%w: %q in secrets manager", ErrNotFound, id)
	}
	if err != nil {
		return Document{}, fmt.Errorf("get secret value: %w", err)
	}
	document := Document{Text: out.SecretBinary, Version: aws.ToString(out.VersionId)}
	if out.SecretString != nil {
		document.Text = []byte(*out.SecretString)
	}
	return document, nil
}

// Replace implements Documents. The text becomes a version without the label AWSCURRENT; then Secrets Manager moves the
// label there, which it does only from the version that has it (AWS: UpdateSecretVersionStage, RemoveFromVersionId). The
// version's ID is made of the text and of what it replaces, so that a call that is repeated makes no second version.
func (s *SecretsManager) Replace(ctx context.Context, id, version string, text []byte) error {
	if done, err := s.compare(ctx, id, version, text); done || err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(id + "\x00" + version + "\x00" + string(text)))
	token, document := hex.EncodeToString(sum[:]), string(text)
	_, err := s.client.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId: &id, SecretString: &document, ClientRequestToken: &token, VersionStages: []string{next},
	})
	if _, missing := errors.AsType[*types.ResourceNotFoundException](err); missing && version == "" {
		_, err = s.client.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: &id, SecretString: &document, ClientRequestToken: &token})
	} else if err == nil {
		move := &secretsmanager.UpdateSecretVersionStageInput{SecretId: &id, VersionStage: aws.String(current), MoveToVersionId: &token}
		if version != "" {
			move.RemoveFromVersionId = &version
		}
		_, err = s.client.UpdateSecretVersionStage(ctx, move)
	}
	// One error says that the version is no longer current, that the same call was here before, and other things.
	if invalid(err) {
		if done, changed := s.compare(ctx, id, version, text); done || changed != nil {
			return changed
		}
	}
	if err != nil {
		return fmt.Errorf("write secret %q: %w", id, err)
	}
	return nil
}

// compare says whether a text is the current one already; ErrChanged if something else is than the version expected.
func (s *SecretsManager) compare(ctx context.Context, id, version string, text []byte) (done bool, err error) {
	switch now, err := s.Read(ctx, id); {
	case err != nil:
		return false, err
	case now.Version != "" && bytes.Equal(now.Text, text):
		return true, nil
	case now.Version != version:
		return false, ErrChanged
	}
	return false, nil
}

func invalid(err error) bool {
	_, parameter := errors.AsType[*types.InvalidParameterException](err)
	_, request := errors.AsType[*types.InvalidRequestException](err)
	_, exists := errors.AsType[*types.ResourceExistsException](err)
	return parameter || request || exists
}

// Name is the name of a secret by its ID, which may be that name or an ARN: Secrets Manager ends ARNs with a hyphen and six
// random characters.
func Name(id string) string {
	_, name, isARN := strings.Cut(id, ":secret:")
	if end := strings.LastIndexByte(name, '-'); isARN && end == len(name)-7 {
		return name[:end]
	}
	return id
}
