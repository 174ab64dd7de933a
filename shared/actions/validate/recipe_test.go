package validate_test

import (
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/actions"
	"github.com/pim-functions/pim-functions/shared/actions/validate"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/outbound"
	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
)

// The README's recipe loads, and finds in the played PIM's products what they lack: every fourth has no description.
func TestTheRecipeInTheREADMEWorks(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, recipe, found := strings.Cut(string(text), "```yaml\n")
	recipe, _, _ = strings.Cut(recipe, "```")
	if !found || strings.Count(recipe, "\n") > 15 {
		t.Fatalf("no recipe of at most 15 lines:\n%s", recipe)
	}
	loaded, err := config.Load(config.Source{File: "README.md", Text: []byte(recipe), Stage: "local", Kinds: actions.Checks(), Lookup: func(name string) (string, bool) {
		return "https://" + strings.ToLower(strings.ReplaceAll(name, "_", "-")) + ".example.com", strings.HasSuffix(name, "_URL")
	}})
	if err != nil {
		t.Fatal(err)
	}
	action, err := validate.Kind{}.Open(loaded.Actions["shop-ready"].Section, engine.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	if then := loaded.Actions["shop-ready"].Then; then["done"] != "publish" || then["not_done"] != "tell" {
		t.Errorf("then %v", then)
	}

	server := httptest.NewServer(pimtest.New(pimtest.Config{Now: time.Now}))
	defer server.Close()
	client := outbound.New(outbound.Config{AllowPrivate: true, Now: time.Now})
	credential := pim.Credential{
		ClientID: pimtest.Connect.ClientID, ClientSecret: pimtest.Connect.ClientSecret, Username: pimtest.Connect.Username, Password: pimtest.Connect.Password,
	}
	played := pim.New(pim.Config{Outbound: client, URL: server.URL, Tokens: pim.NewTokens(pim.TokensConfig{Outbound: client, URL: server.URL, Credential: credential})})
	reads := action.(engine.Reader).Reads()
	page, err := played.Page(t.Context(), pim.Search{Kind: pim.TypeProduct, Read: pim.Read{Attributes: reads.Attributes, Complete: reads.Complete}})
	if err != nil || len(page.Products) != 100 {
		t.Fatalf("%d products, %v", len(page.Products), err)
	}
	result := check(t, action, "en_US", page.Products...)
	incomplete := 0
	for _, failure := range result.Failures {
		if strings.Contains(failure.Reason, "not complete for ecommerce, en_US: 80%") {
			incomplete++
		}
	}
	if incomplete < 10 || incomplete > 40 || len(result.Failures) > 60 {
		t.Errorf("%d of %d failures are of completeness", incomplete, len(result.Failures))
	}
}
