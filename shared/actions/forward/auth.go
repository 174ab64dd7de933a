package forward

import (
	"encoding/json"
	"slices"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/credential"
)

// credentialOf reads what `auth: NAME` finds in the connection secret. Its errors never hold a value.
func credentialOf(section config.Section, name string, raw json.RawMessage) (credential.Credential, error) {
	if len(raw) == 0 {
		return credential.Credential{}, section.Errorf("auth", "add it under \"auth\"", "auth %q is not in the connection secret", name)
	}
	found, err := credential.Parse(raw)
	if err == nil && slices.ContainsFunc(ours, found.Sets) {
		err = credential.ErrHeader
	}
	if err != nil {
		return credential.Credential{}, section.Errorf("auth", credential.Forms, "auth %q in the connection secret %s", name, err.Error())
	}
	return found, nil
}
