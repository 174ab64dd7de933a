package config_test

import (
	"strings"
	"testing"
)

func TestSecretsInTexts(t *testing.T) {
	const inside = "secret: stands inside a longer text"
	for _, row := range []struct{ name, text, want string }{
		{"alone", "secret:erp", ""},
		{"a word of its own", "Bearer secret:erp", inside},
		{"after a sign", "https://erp.example.com/?key=secret:erp", inside},
		{"in JSON", `{\"key\": \"secret:erp\"}`, inside},
		{"after one that is none", "secret: secret:erp", "secret: is not followed by a name alone"},
		{"a sentence", "this is a secret: tell nobody", ""},
		{"the end of another word", "top-secret:plan and unsecret:plan", ""},
		{"at the end", "our secret:", ""},
	} {
		_, err := load(`actions: {x: {kind: k, text: "` + row.text + `"}}`)
		if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %q", row.name, err, row.want)
		}
	}
}
