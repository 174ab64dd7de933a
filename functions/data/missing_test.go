package data_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/functions/data"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

func TestWhatTheLookupSecretLacks(t *testing.T) {
	c := &config.Config{Extensions: map[string]config.Extension{
		"history": {}, "open": {Lookup: &config.Lookup{}}, "stock": {Lookup: &config.Lookup{Auth: "erp"}},
	}}
	for _, row := range []struct{ auth, want string }{
		{`{"bearer":"s3cret"}`, ""},
		{``, `extension stock looks nothing up: auth "erp" is not in the lookup secret`},
		{`{"token":"s3cret"}`, `extension stock looks nothing up: auth "erp" in the lookup secret has another form; use {"bearer":"…"}`},
	} {
		got := strings.Join(data.Missing(c, secrets.Lookups{Auth: map[string]json.RawMessage{"erp": json.RawMessage(row.auth)}}), "\n")
		if (row.want == "") != (got == "") || !strings.HasPrefix(got, row.want) || strings.Contains(got, "s3cret") {
			t.Errorf("%s: %s", row.auth, got)
		}
	}
}
