package stack

import (
	"cmp"
	"context"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/senders"
)

// fill fills the secrets as a user does: by hand what only others can give, and `make secrets`, which keeps it. What signs
// links, the stack has made.
func (s *Stack) fill(ctx context.Context) error {
	signing, connections := s.Outputs["SigningSecretId"], s.Outputs["ConnectionSecretId"]
	err := s.put(ctx, signing, map[string]any{"events-api": map[string]any{"main": []string{senders.NewUUID()}}})
	if err != nil {
		return err
	}
	_, err = Run(ctx, []string{"ERP_URL=" + s.config.Destination, "PIM_URL=" + cmp.Or(s.config.PIM, s.config.Destination)}, "make", "--no-print-directory", "secrets",
		"STAGE="+stage, "SIGNING_SECRET_ID="+signing, "CONNECTION_SECRET_ID="+connections)
	if err != nil {
		return err
	}
	value, err := s.secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &signing})
	if err != nil {
		return err
	}
	if s.Signing, _, err = secrets.ParseSigning([]byte(aws.ToString(value.SecretString))); err != nil {
		return err
	}
	value, err = s.secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(s.Outputs["LinkSecretId"])})
	if err != nil {
		return err
	}
	if s.Links, _, err = secrets.ParseLinks([]byte(aws.ToString(value.SecretString))); err != nil {
		return err
	}
	s.Token = senders.NewUUID()
	pim := pimtest.Connect
	return s.put(ctx, connections, map[string]any{
		"pims": map[string]any{"main": map[string]string{
			"client_id": pim.ClientID, "client_secret": pim.ClientSecret, "username": pim.Username, "password": pim.Password,
		}},
		"auth":   map[string]any{"erp": map[string]any{"bearer": s.Token}},
		"values": map[string]any{"slack": s.config.Destination + "/slack"},
	})
}

func (s *Stack) put(ctx context.Context, id string, document any) error {
	text, err := json.Marshal(document)
	if err != nil {
		return err
	}
	_, err = s.secrets.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: &id, SecretString: aws.String(string(text))})
	return err
}
