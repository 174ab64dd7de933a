package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/functions/local"
	"github.com/pim-functions/pim-functions/shared/config"
)

// What make run says: change a label, plan, apply, and the played PIM shows another button.
func TestTheLocalSystemsPIMIsTold(t *testing.T) {
	system, err := local.Open(t.Context(), local.Options{Lookup: func(string) (string, bool) { return "", false }, AllowPrivate: true, Log: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	system.Start()
	t.Cleanup(func() { system.Stop() })
	file := filepath.Join(t.TempDir(), "extensions.yaml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	told := func(command string, flags ...string) string {
		t.Helper()
		code, out, errs := pimctl(t, nil, append([]string{command, system.BrowserURL(), "--stage", "local", "--config", file}, flags...)...)
		if code != succeeded {
			t.Fatalf("%s ends with %d: %s%s", command, code, out, errs)
		}
		return out
	}

	write(string(config.Embedded()))
	if out := told("plan"); !strings.Contains(out, "Nothing to change.") {
		t.Error(out)
	}
	write(strings.Replace(string(config.Embedded()), "default: Export to ERP", "default: Send it off", 1))
	if out := told("apply", "--yes"); !strings.Contains(out, `label.default: "Export to ERP" → "Send it off"`) || !strings.Contains(out, "The deployment answers them as it should.") {
		t.Error(out)
	}
	played := http.Client{}
	response, err := played.Get(system.BrowserURL() + "/_local/senders")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	_, pim, _ := strings.Cut(string(text), `"PIM_URL":"`)
	pim, _, _ = strings.Cut(strings.ReplaceAll(pim, " ", ""), `"`)
	shown, err := played.Get(pim + "/pim")
	if err != nil {
		t.Fatal(err)
	}
	defer shown.Body.Close()
	if page, _ := io.ReadAll(shown.Body); !strings.Contains(string(page), "Send it off") || strings.Contains(string(page), "Export to ERP") {
		t.Errorf("the PIM at %s does not show the new label", pim)
	}
	if out := told("down", "--yes"); !strings.Contains(out, "9 to delete") && !strings.Contains(out, "to delete") {
		t.Error(out)
	}

	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	at := strings.Replace(other.URL, "127.0.0.1", "localhost", 1)
	if code, _, errs := pimctl(t, nil, "plan", at, "--stage", "local", "--config", file); code != failed || !strings.Contains(errs, "start make run") {
		t.Errorf("ends with %d: %s", code, errs)
	}
}
