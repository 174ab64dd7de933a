package outbound_test

import (
	"testing"

	"github.com/pim-functions/pim-functions/shared/outbound"
)

func TestPages(t *testing.T) {
	for body, want := range map[string]bool{
		"<html><title>Sign in</title></html>": true, " \r\n<!DOCTYPE html>\n": true, "\ufeff<HTML lang=en>": true, "<!-- a --> <!-- b -->\n<html>": true,
		`<?xml version="1.0"?><!DOCTYPE html PUBLIC "x"><html>`: true, `<?xml version="1.0"?><html xmlns="x">`: true, "<head>": true, "<!--": false,
		"": false, "ok": false, "{}": false, `<?xml version="1.0"?><done/>`: false, "<soap:Envelope>": false, `{"html":"<html>"}`: false,
	} {
		if got := outbound.Page([]byte(body)); got != want {
			t.Errorf("%q: %v", body, got)
		}
	}
}
