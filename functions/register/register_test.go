package register_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/functions/register"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func load(t *testing.T, text string) *config.Config {
	t.Helper()
	c, err := config.Load(config.Source{File: "extensions.yaml", Text: []byte(text), Stage: "production"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const everyType = `
environments: {production: {}}
pims: {main: {url: "https://acme.cloud.akeneo.com"}}
actions:
  send: {kind: forward, url: "https://erp.example.com", auth: erp}
  tell: {kind: notify, channel: slack, url: secret:slack, text: a}
extensions:
  export: {pim: main, type: action, positions: [pim.product.header, pim.product-grid.action-bar], label: {default: "It's \"$HOME\" & <more>", fr_FR: Exporter}, action: send, userEmails: [a@example.com], version: "1"}
  open: {pim: main, type: action, positions: [pim.product.header], label: {default: Open}, action: send, unsigned: true}
  panel: {pim: main, type: iframe, positions: [pim.product.tab], label: {default: Panel}, actions: [send]}
  data: {pim: main, type: data_component, positions: [pim.product.panel], label: {default: Data}, id: uuid}
  shop: {pim: main, type: link, positions: [pim.product.header], label: {default: Shop}, url: "https://shop.example.com/%sku%"}
subscriptions:
  new: {pim: main, api: event-platform, events: [com.akeneo.pim.v1.product.updated], action: send}
  old: {pim: main, api: events-api, events: [product.updated], action: send}
notifications: {main: {action: tell}}
contentful: {actions: {notify: {category: Notification.v1.0, action: tell}}}
`

func printed(t *testing.T, signing *secrets.Signing, names ...string) string {
	t.Helper()
	entries, err := register.Entries(load(t, everyType), "https://api.example.com", signing, names...)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := register.Print(&b, entries); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPrintIsAsInItsGoldenFile(t *testing.T) {
	got, golden := printed(t, nil), filepath.Join("testdata", "print.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || got != string(want) {
		t.Errorf("%v; differs (go test ./functions/register -update, then read the change):\n%s", err, got)
	}
}

// TestThePrintedCallsRun gives every printed call to a shell whose curl writes its body down: what arrives is the
// printed JSON with the secret filled in, whatever characters a label has.
func TestThePrintedCallsRun(t *testing.T) {
	text := printed(t, nil)
	calls := regexp.MustCompile(`(?ms)^curl .*?^'$`).FindAllString(text, -1)
	if len(calls) != 6 {
		t.Fatalf("%d calls printed, want 6", len(calls))
	}
	for _, call := range calls {
		command := exec.Command("sh", "-euc", `curl() { for last; do :; done; printf '%s' "$last"; }`+"\n"+call)
		command.Env = []string{"PATH=" + os.Getenv("PATH"), "PIM_TOKEN=t", "HOME=/home", "SECRET_EXPORT=s-export", "SECRET_PANEL=s-panel", "SECRET_DATA=s-data"}
		out, err := command.CombinedOutput()
		var body struct {
			Name          string
			Configuration pim.ExtensionConfiguration
			Credentials   []pim.ExtensionCredential
		}
		if err != nil || json.Unmarshal(out, &body) != nil {
			t.Fatalf("%v\n%s\n%s", err, call, out)
		}
		if strings.HasPrefix(body.Name, "export") && (body.Configuration.DefaultLabel != `It's "$HOME" & <more>` || body.Configuration.Secret != "s-export") {
			t.Errorf("arrived: %s", out)
		}
		if body.Name == "data" && body.Credentials[0].Value != "s-data" {
			t.Errorf("arrived: %s", out)
		}
	}
}

func TestRealSecretsAndCredentials(t *testing.T) {
	signing := &secrets.Signing{Extensions: map[string]secrets.Extension{
		"export": {Secrets: []string{"old", "new"}, Credentials: []secrets.Credential{{Type: "basic", Username: "u", Password: "p"}}},
		"data":   {Credentials: []secrets.Credential{{Type: "header", Name: "X-Key", Value: "v"}}},
	}}
	text := printed(t, signing)
	for _, want := range []string{`"secret": "new"`, `"type": "Basic Auth"`, `"username": "u"`, `"header_key": "X-Key"`, `"header_value": "v"`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(text, `"old"`) {
		t.Error("the old secret is given to the PIM")
	}
}

func TestOnlyWhatIsNamed(t *testing.T) {
	if text := printed(t, nil, "panel"); strings.Contains(text, "/actions/export") || !strings.Contains(text, "https://api.example.com/iframe/panel") {
		t.Error(text)
	}
	if _, err := register.Entries(load(t, everyType), "https://api.example.com", nil, "nobody"); err == nil || !strings.Contains(err.Error(), `no extension "nobody"`) {
		t.Errorf("%v", err)
	}
}

func TestBase(t *testing.T) {
	for raw, want := range map[string]string{
		"https://abc.example.com": "https://abc.example.com", "https://abc.example.com/prod/": "https://abc.example.com/prod",
		"": "", "http://abc.example.com": "", "abc.example.com": "", "https://abc.example.com/?a=b": "", "https://u:p@abc.example.com": "",
	} {
		got, err := register.Base(raw)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", raw, got, err)
		}
	}
}

// The PIM fills in what stands between percent signs.
func TestTheAddressOfALookup(t *testing.T) {
	c := &config.Config{
		PIMs:       map[string]config.PIM{"main": {Name: "main", URL: "https://pim.example.com"}},
		Extensions: map[string]config.Extension{"stock": {Name: "stock", PIM: "main", Type: "data_component", ID: "attribute", Attribute: "sku", Positions: []string{"pim.product.panel"}}},
	}
	entries, err := register.Entries(c, "https://api.example.com", nil)
	if err != nil || len(entries) != 1 || entries[0].Configuration.URL != "https://api.example.com/data/stock/%sku%" {
		t.Errorf("%+v, %v", entries, err)
	}
}
