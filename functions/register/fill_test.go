package register_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/functions/register"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

func TestAFreshSigningDocumentIsComplete(t *testing.T) {
	filled, err := register.FillSigning(nil, load(t, everyType))
	if err != nil {
		t.Fatal(err)
	}
	signing, warnings, err := secrets.ParseSigning(filled.Document)
	if err != nil || len(warnings) > 0 {
		t.Fatalf("%v, %v", err, warnings)
	}
	seen := map[string]bool{}
	for name, list := range map[string][]string{
		"export": signing.Extensions["export"].Secrets, "panel": signing.Extensions["panel"].Secrets, "data": {signing.Extensions["data"].Credentials[0].Token},
		"event platform": signing.EventPlatform["main"], "notifications": signing.EventPlatform["main/notifications"], "contentful": signing.Contentful,
	} {
		if len(list) != 1 || len(list[0]) != 64 || seen[list[0]] {
			t.Errorf("%s: %d secrets", name, len(list))
			continue
		}
		seen[list[0]] = true
	}
	if _, made := signing.Extensions["open"]; made || len(signing.EventsAPI) > 0 {
		t.Error("a secret was made up for an unsigned extension, or for the Events API, whose secret the PIM makes")
	}
	if len(filled.Missing) != 1 || !strings.HasPrefix(filled.Missing[0], "events-api.main") {
		t.Errorf("missing: %q", filled.Missing)
	}
	for _, line := range append(filled.Paste, filled.Missing...) {
		for secret := range seen {
			if strings.Contains(line, secret) {
				t.Errorf("a secret is in the words: %s", line)
			}
		}
	}
}

func TestWhatIsThereStays(t *testing.T) {
	const before = `{"own":{"key":[1,2.50]},"extensions":{"export":{"secrets":["current","next"],"note":"é"},"retired":{"secrets":["x"]}},"events-api":{"main":["from the PIM"]},"event-platform":{"main":[]}}`
	filled, err := register.FillSigning([]byte(before), load(t, everyType))
	if err != nil {
		t.Fatal(err)
	}
	compact := strings.Join(strings.Fields(string(filled.Document)), "")
	for _, want := range []string{`"own":{"key":[1,2.50]}`, `"secrets":["current","next"]`, `"note":"é"`, `"retired":{"secrets":["x"]}`, `"main":["fromthePIM"]`} {
		if !strings.Contains(compact, want) {
			t.Errorf("lost: %s in %s", want, compact)
		}
	}
	if slices.Contains(filled.Made, "extensions.export.secrets") || !slices.Contains(filled.Made, "event-platform.main") || len(filled.Missing) > 0 {
		t.Errorf("made %q, missing %q", filled.Made, filled.Missing)
	}
	again, err := register.FillSigning(filled.Document, load(t, everyType))
	if err != nil || len(again.Made) > 0 || string(again.Document) != string(filled.Document) {
		t.Errorf("a second run made %q, %v", again.Made, err)
	}
}

func TestADocumentOfAnotherShapeIsLeftAlone(t *testing.T) {
	for name, text := range map[string]string{
		"not JSON": `{"extensions":`, "an array": `[]`, "extensions a list": `{"extensions":["s3cret"]}`, "an extension a text": `{"extensions":{"export":"s3cret"}}`,
	} {
		if _, err := register.FillSigning([]byte(text), load(t, everyType)); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestConnectionsAreAskedForAndNeverMadeUp(t *testing.T) {
	filled, err := register.FillConnections(nil, load(t, everyType))
	if err != nil || len(filled.Made) > 0 || len(filled.Missing) != 3 || !strings.HasPrefix(filled.Missing[0], "auth.erp: ") || !strings.HasPrefix(filled.Missing[1], "pims.main: ") || !strings.HasPrefix(filled.Missing[2], "values.slack: ") {
		t.Errorf("%v: %q", err, filled.Missing)
	}
	filled, err = register.FillConnections([]byte(`{"auth":{"erp":{"bearer":"t"}},"values":{"slack":"https://x"},"pims":{"main":{"client_id":"c"}}}`), load(t, everyType))
	if err != nil || len(filled.Missing) > 0 {
		t.Errorf("%v: %q", err, filled.Missing)
	}
}

func TestContentfulsCredentialIsAskedForWhereAnActionCallsIt(t *testing.T) {
	c := load(t, `
environments: {production: {}}
actions: {call: {kind: contentful, environment: space1/master, action: notify}}
`)
	filled, err := register.FillConnections(nil, c)
	if err != nil || len(filled.Missing) != 1 || !strings.HasPrefix(filled.Missing[0], "contentful: ") {
		t.Errorf("%v: %q", err, filled.Missing)
	}
	filled, err = register.FillConnections([]byte(`{"contentful":{"token":"t"}}`), c)
	if err != nil || len(filled.Missing) > 0 {
		t.Errorf("%v: %q", err, filled.Missing)
	}
}
