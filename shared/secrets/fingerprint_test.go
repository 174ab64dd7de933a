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
