package secrets_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/secrets"
)

func TestParseLinks(t *testing.T) {
	const one, two, three = "the-first-secret-of-32-characters", "the-second-secret-of-32-characters", "the-third-secret-of-32-characters"
	for _, row := range []struct {
		name, document string
		want           []string
		fails          string // a part of the error
	}{
		{"as the stack makes it", `{"current":"` + one + `"}`, []string{one}, ""},
		{"replaced", `{"current":"` + two + `","previous":"` + one + `"}`, []string{two, one}, ""},
		{"replaced twice", `{"current":"` + three + `","previous":["` + two + `","` + one + `"]}`, []string{three, two, one}, ""},
		{"none replaced", `{"current":"` + one + `","previous":null}`, []string{one}, ""},
		{"a newline at the end", `{"current":"` + one + `\n"}`, []string{one}, ""},
		{"pasted", `{"current":{"SecretString":"` + one + `"}}`, []string{one}, ""},
		{"empty", `{}`, nil, "current: expected at least 32 characters"},
		{"short", `{"current":"short"}`, nil, "current: expected at least 32 characters"},
		{"a short one before", `{"current":"` + one + `","previous":"hunter2"}`, nil, "previous: expected at least 32 characters"},
		{"an empty one before", `{"current":"` + one + `","previous":""}`, nil, "previous: expected at least 32 characters"},
		{"another form", `{"current":["` + one + `"]}`, nil, "current: expected a string"},
		{"no JSON", `hunter2`, nil, "not a JSON object"},
	} {
		t.Run(row.name, func(t *testing.T) {
			links, _, err := secrets.ParseLinks([]byte(row.document))
			if (err == nil) != (row.fails == "") || err != nil && (!strings.Contains(err.Error(), row.fails) || strings.Contains(err.Error(), "hunter2")) {
				t.Fatalf("error %v", err)
			}
			if err == nil && !slices.Equal(links.Valid(), row.want) {
				t.Errorf("valid %q", links.Valid())
			}
		})
	}
	if _, warnings, err := secrets.ParseLinks([]byte(`{"current":"` + one + `","previus":"x"}`)); err != nil || len(warnings) != 1 {
		t.Errorf("%q, %v", warnings, err)
	}
}
