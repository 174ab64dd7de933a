package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/env"
)

func do(t *testing.T, variables map[string]string, args ...string) (status int, out, err string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status = run(t.Context(), app{out: &stdout, err: &stderr, vars: env.Read(func(name string) (string, bool) {
		value, ok := variables[name]
		return value, ok
	})}, args)
	return status, stdout.String(), stderr.String()
}

func TestTheCommandLine(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "broken.yaml")
	if err := os.WriteFile(broken, []byte("pims: {main: {url: https://x.example}}\nactions: {a: {kind: forwrd}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		args     []string
		status   int
		out, err string
	}{
		{"nothing", nil, 0, "print URL", ""},
		{"help", []string{"--help"}, 0, "print URL", ""},
		{"help of a command", []string{"print", "--help"}, 0, "", "Flags:"},
		{"unknown command", []string{"prnt"}, 2, "", `unknown command "prnt"`},
		{"unknown flag", []string{"check", "--nope"}, 2, "", "-nope"},
		{"check", []string{"check"}, 0, "is good for 4 stages", ""},
		{"check of a broken file", []string{"check", "--config", broken, "--stage", "production"}, 1, "", broken + ":2:"},
		{"check of no file", []string{"check", "--config", "nowhere.yaml"}, 1, "", "nowhere.yaml"},
		{"print", []string{"print", "https://api.example.com"}, 0, `"url": "https://api.example.com/actions/export_to_erp"`, ""},
		{"print of one, flags behind", []string{"print", "https://api.example.com", "jobs_panel", "--stage", "staging"}, 0, "https://acme-staging.cloud.akeneo.com", ""},
		{"print without a URL", []string{"print"}, 2, "", "say where we are"},
		{"print with http", []string{"print", "http://api.example.com"}, 1, "", "want https://HOST"},
		{"print of nobody", []string{"print", "https://api.example.com", "nobody"}, 1, "", `no extension "nobody"`},
		{"print for no stage", []string{"print", "https://api.example.com", "--stage", "nowhere"}, 1, "", "nowhere"},
		{"show without a file", []string{"print", "https://api.example.com", "--show-secrets"}, 2, "", "belong together"},
		{"secrets of nothing", []string{"secrets"}, 2, "", "--signing-id and --connection-id"},
		{"secrets without credentials", []string{"secrets", "--signing-id", "a", "--connection-id", "b"}, 1, "", "AWS_ACCESS_KEY_ID"},
		{"secrets with a word", []string{"secrets", "now"}, 2, "", `takes no "now"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, out, err := do(t, nil, c.args...)
			if status != c.status || !strings.Contains(out, c.out) || !strings.Contains(err, c.err) {
				t.Errorf("status %d\nout: %s\nerr: %s", status, out, err)
			}
		})
	}
}

func TestSecretsAreMadeOnceAndShownOnlyWhenAsked(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secrets.json")
	status, first, _ := do(t, nil, "secrets", "--file", file)
	text, err := os.ReadFile(file)
	if status != 0 || err != nil {
		t.Fatal(status, err)
	}
	status, second, _ := do(t, nil, "secrets", "--file", file)
	if again, _ := os.ReadFile(file); status != 0 || string(again) != string(text) || !strings.Contains(second, "signing: nothing to add.") {
		t.Errorf("a second run: %s", second)
	}
	_, shown, _ := do(t, nil, "secrets", "--file", file, "--show")
	_, entries, _ := do(t, nil, "print", "https://api.example.com", "--secrets", file, "--show-secrets")
	_, hidden, _ := do(t, nil, "print", "https://api.example.com")
	secret := strings.Split(strings.SplitN(string(text), `"export_to_erp": {`, 2)[1], `"`)[3]
	for name, c := range map[string]struct {
		text string
		want bool
	}{"secrets": {first + second, false}, "secrets --show": {shown, true}, "print": {hidden, false}, "print --show-secrets": {entries, true}} {
		if len(secret) != 64 || strings.Contains(c.text, secret) != c.want {
			t.Errorf("%s: shown is %v, want %v", name, !c.want, c.want)
		}
	}
}
