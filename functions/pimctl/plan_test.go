package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/env"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
	"github.com/pim-functions/pim-functions/shared/platformapi/platformtest"
)

// planned is the command line beside a PIM and its Event Platform.
type planned struct {
	t        *testing.T
	pim      *pimtest.PIM
	platform *platformtest.API
	folder   string
	variable map[string]string
}

const plannedFile = `pims: {main: {url: "${PIM_URL}", technical_email: ops@example.com}}
actions: {send: {kind: forward, url: "https://erp.example.com"}}
extensions:
  export:
    pim: main
    type: action
    positions: [pim.product.header]
    label: {default: Export}
    action: send
subscriptions:
  gone: {pim: main, api: event-platform, events: [com.akeneo.pim.v1.product.deleted], action: send}
`

func newPlanned(t *testing.T) *planned {
	p := &planned{t: t, folder: t.TempDir(), pim: pimtest.New(pimtest.Config{Catalogue: &pimtest.Catalogue{}, Now: time.Now})}
	p.platform = platformtest.New(platformtest.Config{Client: p.pim.Client, Now: time.Now})
	mux := http.NewServeMux()
	mux.Handle("/", p.pim)
	mux.Handle(platformtest.Base+"/", p.platform)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	p.platform.At(server.URL)
	p.variable = map[string]string{
		"STAGE": "local", "ALLOW_PRIVATE_NETWORK": "true", "PIM_URL": server.URL, "EVENT_PLATFORM_URL": server.URL + platformtest.Base, "CONFIG_FILE": p.path("extensions.yaml"),
	}
	p.write("extensions.yaml", plannedFile)
	p.write("secrets.json", `{"signing":{},"connections":{"pims":{"main":{"client_id":"1_local","client_secret":"local-secret","username":"pim-functions","password":"local-password"}}}}`)
	return p
}

func (p *planned) path(name string) string { return filepath.Join(p.folder, name) }

func (p *planned) write(name, text string) {
	p.t.Helper()
	if err := os.WriteFile(p.path(name), []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// run runs a command with something typed, and wants its exit code.
func (p *planned) run(want int, typed string, words ...string) (out, errs string) {
	p.t.Helper()
	var stdout, stderr bytes.Buffer
	variables := env.Read(func(name string) (string, bool) { value, ok := p.variable[name]; return value, ok })
	code := run(p.t.Context(), process{in: strings.NewReader(typed), out: &stdout, errs: &stderr, variables: variables, now: time.Now}, append(words, "--url", api, "--secrets", p.path("secrets.json")))
	if code != want {
		p.t.Errorf("%s ends with %d\n%s%s", words, code, &stdout, &stderr)
	}
	if strings.Contains(stdout.String()+stderr.String(), "local-secret") {
		p.t.Error("a secret is printed")
	}
	return stdout.String(), stderr.String()
}

func TestTheWayOfAPlan(t *testing.T) {
	p := newPlanned(t)
	out, _ := p.run(0, "", "plan", "--json")
	var shape struct {
		Changes []struct {
			Op, What, Name string
			PIM            *string
			Fields         []map[string]any
		}
		ByHand []any `json:"by_hand"`
	}
	if err := json.Unmarshal([]byte(out), &shape); err != nil || len(shape.Changes) != 5 || shape.ByHand == nil || shape.Changes[2].PIM == nil || *shape.Changes[2].PIM != "main" || len(shape.Changes[2].Fields) == 0 {
		t.Errorf("%v: %s", err, out)
	}
	p.write("plan.json", out)
	if out, _ := p.run(2, "", "drift"); !strings.Contains(out, "+ create extension export (main)") {
		t.Error(out)
	}
	for _, answer := range []string{"", "no\n", "y\n"} {
		if _, errs := p.run(1, answer, "apply"); !strings.Contains(errs, "nothing was changed") || len(p.pim.UIExtensions()) > 0 {
			t.Error(errs)
		}
	}
	if out, _ := p.run(0, "yes\n", "apply", "--plan", p.path("plan.json")); !strings.Contains(out, "5/5 + create subscription gone (main)") {
		t.Error(out)
	}
	p.run(0, "", "drift")
	if out, _ := p.run(0, "", "apply"); !strings.Contains(out, "Nothing to change.") {
		t.Error(out)
	}
	_, errs := p.run(1, "", "apply", "--yes", "--plan", p.path("plan.json"))
	if !strings.Contains(errs, "the plan is stale") || !strings.Contains(errs, "- create extension export") {
		t.Error(errs)
	}

	p.write("extensions.yaml", strings.Replace(plannedFile, "Export", "Send", 1))
	if out, _ := p.run(0, "", "apply", "--yes"); !strings.Contains(out, `label.default: "Export" → "Send"`) {
		t.Error(out)
	}
	if out, _ := p.run(0, "", "down", "--yes"); !strings.Contains(out, "3 to delete") || len(p.pim.UIExtensions())+len(p.platform.All()) > 0 {
		t.Error(out)
	}
}

// What the PIM refuses stands beside the line that caused it.
func TestWhatThePIMRefusesHasALine(t *testing.T) {
	p := newPlanned(t)
	p.write("extensions.yaml", strings.Replace(plannedFile, "default: Export", "default: "+strings.Repeat("x", 31), 1))
	_, errs := p.run(1, "", "apply", "--yes")
	if want := p.path("extensions.yaml") + ":8: configuration.default_label: This value is too long"; !strings.Contains(errs, want) {
		t.Errorf("no %q in %s", want, errs)
	}
	p.write("extensions.yaml", strings.Replace(plannedFile, "product.deleted", "product.eaten", 1))
	if _, errs := p.run(1, "", "apply", "--yes"); !strings.Contains(errs, ":11: the Event Platform says: unknown event type") {
		t.Error(errs)
	}
}

func TestWhyAPlanCannotBeMade(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(*planned)
		says string
	}{
		{"a wrong password", func(p *planned) {
			p.write("secrets.json", `{"signing":{},"connections":{"pims":{"main":{"client_id":"1_local","client_secret":"local-secret","username":"pim-functions","password":"other"}}}}`)
		}, "correct username and password"},
		{"no connection", func(p *planned) { p.write("secrets.json", `{"signing":{}}`) }, "pims.main of the connection document is not complete"},
		{"no right", func(p *planned) { p.pim.SetExtensions(pimtest.Extensions{Forbidden: true}) }, "Manage your extensions using the API"},
		{"no PIM", func(p *planned) { p.variable["PIM_URL"] = "http://127.0.0.1:1" }, "pim \"main\""},
		{"a page in the PIM's place", func(p *planned) {
			page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>local-secret")) }))
			p.t.Cleanup(page.Close)
			p.variable["PIM_URL"] = page.URL
		}, "pim \"main\""},
		{"an Event Platform that is away", func(p *planned) { p.variable["EVENT_PLATFORM_URL"] = "http://127.0.0.1:1" }, "list subscribers"},
		{"no e-mail", func(p *planned) {
			p.write("extensions.yaml", strings.Replace(plannedFile, ", technical_email: ops@example.com", "", 1))
		}, "technical_email"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPlanned(t)
			c.set(p)
			for _, command := range []string{"plan", "drift"} {
				if _, errs := p.run(1, "", command); !strings.Contains(errs, c.says) {
					t.Errorf("%s: %s", command, errs)
				}
			}
		})
	}
}
