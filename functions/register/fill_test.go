package register_test

import (
	"context"
	"fmt"
	"path/filepath"
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

func TestAnSFTPServerIsAskedFor(t *testing.T) {
	c := load(t, `
environments: {production: {}}
actions: {make: {kind: export, to: {sftp: erp}}, keep: {kind: export, to: files}}
`)
	filled, err := register.FillConnections([]byte(`{"sftp":{"other":{"host":"h"}}}`), c)
	if err != nil || len(filled.Missing) != 1 || !strings.HasPrefix(filled.Missing[0], `sftp.erp: {"host":"…","port":22,`) {
		t.Errorf("%v: %q", err, filled.Missing)
	}
	filled, err = register.FillConnections([]byte(`{"sftp":{"erp":{"host":"h"}}}`), c)
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

func TestWhatALookupDocumentLacks(t *testing.T) {
	const file = `
pims: {main: {url: https://pim.example.com}}
extensions:
  stock: {type: data_component, positions: [pim.product.panel], label: {default: Stock}, pim: main, id: uuid, lookup: {url: "https://erp.example.com/{{.ID}}", auth: erp}}
  open: {type: data_component, positions: [pim.product.panel], label: {default: Open}, pim: main, id: uuid, lookup: {url: "https://erp.example.com/{{.ID}}"}}
`
	for document, missing := range map[string]int{``: 1, `{}`: 1, `{"auth":{"erp":{"bearer":"t"}}}`: 0, `{"auth":{"other":{"bearer":"t"}}}`: 1} {
		filled, err := register.FillLookups([]byte(document), load(t, file))
		if err != nil || len(filled.Missing) != missing || len(filled.Made) > 0 {
			t.Errorf("%s lacks %q and makes %q, %v", document, filled.Missing, filled.Made, err)
		}
	}
}

// meddler is a store in which somebody else writes between our look and our write.
type meddler struct {
	*secrets.File
	write func()
}

func (m meddler) Read(ctx context.Context, id string) (secrets.Document, error) {
	document, err := m.File.Read(ctx, id)
	m.write()
	return document, err
}

func TestWhatSomebodyWritesMeanwhileStays(t *testing.T) {
	file := secrets.NewFile(filepath.Join(t.TempDir(), "secrets.json"))
	times := 0
	documents := register.Documents{Signing: "signing", Connections: "connections", Store: meddler{file, func() {
		if times++; times > 2 {
			return
		}
		err := secrets.Update(t.Context(), file, "signing", func([]byte) ([]byte, error) {
			return fmt.Appendf(nil, `{"extensions":{"export":{"secrets":["theirs %d"]}}}`, times), nil
		})
		if err != nil {
			t.Error(err)
		}
	}}}
	done, err := documents.Fill(t.Context(), load(t, everyType))
	if err != nil || len(done) != 2 || done[0].ID != "signing" || slices.Contains(done[0].Made, "extensions.export.secrets") {
		t.Fatalf("%v, %+v", err, done)
	}
	text, err := file.Get(t.Context(), "signing")
	if err != nil || !strings.Contains(string(text), "theirs 2") || !strings.Contains(string(text), "contentful") {
		t.Errorf("%v: the document is %s", err, text)
	}
	if done, err = documents.Fill(t.Context(), load(t, everyType)); err != nil || len(done[0].Made)+len(done[1].Made) > 0 {
		t.Errorf("filled again: %v, %+v", err, done)
	}
}
