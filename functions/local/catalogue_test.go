package local

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
)

const smallCatalogue = `{
	"channels": [{"code": "web", "labels": {"en_GB": "Web"}, "locales": ["en_GB"], "currencies": ["GBP"], "category_tree": "tree"}],
	"attributes": [{"code": "ref", "type": "pim_catalog_identifier", "is_main_identifier": true}, {"code": "title", "type": "pim_catalog_text", "localizable": true}],
	"categories": [{"code": "tree", "parent": null, "labels": {}}],
	"products": [
		{"uuid": "11111111-1111-4111-8111-111111111111", "family": null, "parent": null, "categories": ["tree"], "values": {
			"ref": [{"locale": null, "scope": null, "data": "KETTLE-1"}], "title": [{"locale": "en_GB", "scope": null, "data": "Kettle"}]}},
		{"uuid": "22222222-2222-4222-8222-222222222222", "family": null, "parent": null, "categories": [], "values": []}]
}`

func TestThePlayedPIMHoldsACatalogueOfOnesOwn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "catalogue.json")
	if err := os.WriteFile(file, []byte(smallCatalogue), 0o600); err != nil {
		t.Fatal(err)
	}
	f := openWith(t, Options{Catalogue: file})
	status, answer := f.inPIM("GET", "/pim", "", nil)
	var shown pimtest.Shown
	if err := json.Unmarshal([]byte(answer), &shown); err != nil || status != 200 {
		t.Fatalf("%d %v", status, err)
	}
	if len(shown.Products) != 2 || shown.Products[0].Identifier != "KETTLE-1" || shown.Products[0].Values["title"][0].Data != "Kettle" || len(shown.Locales) != 1 {
		t.Errorf("the PIM shows %+v", shown)
	}
}

func TestACatalogueThatCannotBeReadIsSaidAtStart(t *testing.T) {
	folder := t.TempDir()
	for name, c := range map[string]struct{ text, want string }{
		"half.json":    {smallCatalogue[:200], "half.json: read catalogue"},
		"empty.json":   {`{}`, "it needs channels and attributes"},
		"nameless.csv": {strings.Replace(smallCatalogue, "22222222-2222-4222-8222-222222222222", "", 1), "product 2 has no uuid"},
	} {
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), Options{Catalogue: file, AllowPrivate: true, Lookup: none, Log: io.Discard}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, err := Open(t.Context(), Options{Catalogue: filepath.Join(folder, "nobody.json"), AllowPrivate: true, Lookup: none, Log: io.Discard}); err == nil || !strings.Contains(err.Error(), "nobody.json") {
		t.Errorf("a file that is not there: %v", err)
	}
}
