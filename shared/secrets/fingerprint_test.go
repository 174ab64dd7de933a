package secrets_test

import (
	"testing"

	"github.com/pim-functions/pim-functions/shared/secrets"
)

func TestFingerprint(t *testing.T) {
	one, two := secrets.Fingerprint("a-secret-of-thirty-two-characters"), secrets.Fingerprint("another-of-thirty-two-characters")
	if len(one) != 4 || one == two || one != secrets.Fingerprint("a-secret-of-thirty-two-characters") {
		t.Errorf("%q and %q", one, two)
	}
	for _, credential := range []secrets.Credential{
		{Type: "bearer", Token: "x"}, {Type: "basic", Username: "u", Password: "x"}, {Type: "header", Name: "n", Value: "x"},
	} {
		if got := credential.Fingerprint(); got != secrets.Fingerprint("x") {
			t.Errorf("%s: %q", credential.Type, got)
		}
	}
}

func TestNameOfASecret(t *testing.T) {
	for id, want := range map[string]string{
		"pim-functions/dev/signing": "pim-functions/dev/signing",
		"arn:aws:secretsmanager:eu-west-1:123456789012:secret:pim-functions/dev/signing-AbC123": "pim-functions/dev/signing",
		"arn:aws:secretsmanager:eu-west-1:123456789012:secret:LinkSecret-x1Y2z3W4-aBcDeF":       "LinkSecret-x1Y2z3W4",
		"signing": "signing", "": "", "links-abcdef": "links-abcdef",
	} {
		if got := secrets.Name(id); got != want {
			t.Errorf("%q is named %q", id, got)
		}
	}
}
