package secrets_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/secrets"
)

func TestLookups(t *testing.T) {
	got, warnings, err := secrets.ParseLookups([]byte(`{"auth":{"erp":{"bearer":{"SecretString":"t\n"}}},"pims":{}}`))
	if err != nil || string(got.Auth["erp"]) != `{"bearer":"t"}` || !slices.Equal(warnings, []string{"auth.erp.bearer: trailing newline trimmed", "pims: unknown key, ignored"}) {
		t.Errorf("%s, %q, %v", got.Auth["erp"], warnings, err)
	}
	for _, document := range []string{"", "[]", `{"auth":"s3cret"}`, `{"auth":[]}`} {
		if _, _, err := secrets.ParseLookups([]byte(document)); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", document, err)
		}
	}
}
