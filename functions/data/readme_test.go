package data_test

import (
	"os"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/config"
)

// The recipe of the README is loaded and used: a lookup by sku, kept for a minute.
func TestTheRecipeInTheREADMEWorks(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(readme), "```yaml\n")
	recipe, _, closed := strings.Cut(after, "```")
	if !found || !closed {
		t.Fatal("the README has no recipe")
	}
	l := newLooking(t, config.Lookup{})
	loaded, err := config.Load(config.Source{File: "README.md", Text: []byte(recipe), Stage: config.Local, Lookup: func(name string) (string, bool) {
		value := map[string]string{"PIM_URL": "https://pim.example.com", "ERP_URL": l.URL}[name]
		return value, value != ""
	}})
	if err != nil || len(loaded.Warnings) > 0 {
		t.Fatal(err, loaded.Warnings)
	}
	stock := loaded.Extensions["stock"]
	stock.Name = "bearer" // whose credential the fixture knows
	l.config.Extensions["bearer"], l.config.PIMs = stock, loaded.PIMs
	for range 2 {
		if got := l.look(t, "SHIRT-001"); got != `{"stock":[{"store":"Lyon","pieces":3}]}` {
			t.Error(got)
		}
	}
	if len(l.requests) != 1 || l.requests[0].URL.Path != "/stock/SHIRT-001" || l.requests[0].Header.Get("Authorization") != "Bearer token-of-the-erp" {
		t.Errorf("asked %v", l.requests)
	}
}
