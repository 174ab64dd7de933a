package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/config"
)

func TestTheCommandLineOfTheConfiguration(t *testing.T) {
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
		{"a command like another", []string{"prnt"}, 2, "", "print"},
		{"check", []string{"check"}, 0, "is good for 4 stages", ""},
		{"check of a broken file", []string{"check", "--config", broken, "--stage", "production"}, 1, "", broken + ":2:"},
		{"check of a broken file, as JSON", []string{"check", "--config", broken, "--json"}, 1, `"line": 2`, ""},
		{"check, as JSON", []string{"check", "--json"}, 0, `"errors": []`, ""},
		{"check with a word", []string{"check", "now"}, 2, "", `unknown command "now"`},
		{"check of no file", []string{"check", "--config", "nowhere.yaml"}, 1, "", "nowhere.yaml"},
		{"print", []string{"print", "https://api.example.com"}, 0, `"url": "https://api.example.com/actions/export_to_erp"`, ""},
		{"print of one, flags behind", []string{"print", "https://api.example.com", "jobs_panel", "--stage", "staging"}, 0, "https://acme-staging.cloud.akeneo.com", ""},
		{"print, as JSON", []string{"print", "--url", "https://api.example.com", "--json"}, 0, `"pim": "main"`, ""},
		{"print without a URL", []string{"print"}, 2, "", "missing URL"},
		{"print with http", []string{"print", "http://api.example.com"}, 2, "", "want https://HOST"},
		{"print of nobody", []string{"print", "https://api.example.com", "nobody"}, 1, "", `no extension "nobody"`},
		{"print for no stage", []string{"print", "https://api.example.com", "--stage", "nowhere"}, 1, "", "nowhere"},
		{"show without a file", []string{"print", "https://api.example.com", "--show-secrets"}, 2, "", "must all be set"},
		{"secrets of nothing", []string{"secrets"}, 2, "", "--signing-id and --connection-id"},
		{"secrets without credentials", []string{"secrets", "--signing-id", "a", "--connection-id", "b"}, 1, "", "AWS_ACCESS_KEY_ID"},
		{"secrets as JSON with secrets", []string{"secrets", "--show", "--json"}, 2, "", "none of the others can be"},
		{"secrets with a word", []string{"secrets", "now"}, 2, "", `unknown command "now"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, out, err := pimctl(t, nil, c.args...)
			if status != c.status || !strings.Contains(out, c.out) || !strings.Contains(err, c.err) {
				t.Errorf("status %d\nout: %s\nerr: %s", status, out, err)
			}
		})
	}
}

func TestSecretsAreMadeOnceAndShownOnlyWhenAsked(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secrets.json")
	status, first, _ := pimctl(t, nil, "secrets", "--secrets", file)
	text, err := os.ReadFile(file)
	if status != 0 || err != nil {
		t.Fatal(status, err)
	}
	status, second, _ := pimctl(t, nil, "secrets", "--secrets", file)
	if again, _ := os.ReadFile(file); status != 0 || string(again) != string(text) || !strings.Contains(second, "signing: nothing to add.") {
		t.Errorf("a second run: %s", second)
	}
	_, shown, _ := pimctl(t, nil, "secrets", "--secrets", file, "--show")
	_, entries, _ := pimctl(t, nil, "print", "https://api.example.com", "--secrets", file, "--show-secrets")
	_, hidden, _ := pimctl(t, nil, "print", "https://api.example.com")
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

// A mistake of every stage is reported once; one of some stages names them.
func TestCheckSaysEachThingOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "extensions.yaml")
	text := `environments: {dev: {X: "http://erp.example.com"}, production: {X: "https://erp.example.com"}}
pims: {main: {url: https://x.example.com}}
actions:
  a: {kind: forward, url: "${X}/a", sort: 1}
extensions:
  a: {pim: main, type: action, positions: [pim.product.heder], label: {default: A}, action: a}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := pimctl(t, nil, "check", "--config", file)
	if code != failed || out != "" || strings.Count(errs, `unknown key "sort"`) != 1 || strings.Contains(errs, "(stage production)") {
		t.Errorf("ends with %d: %s%s", code, out, errs)
	}
	if !strings.Contains(errs, "(stage dev)") || strings.Contains(errs, "(stage production)") {
		t.Errorf("the address without https is of dev alone: %s", errs)
	}
}

func TestStrictMakesWarningsErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "extensions.yaml")
	text := "pims: {main: {url: https://x.example.com}}\nactions: {a: {kind: forward, url: https://erp.example.com/a}}\n" +
		"extensions: {a: {pim: main, type: action, positions: [pim.product.heder], label: {default: A}, action: a}}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := pimctl(t, nil, "check", "--config", file); code != succeeded || !strings.Contains(errs, "warning: "+file+":3:") || !strings.Contains(out, "is good") {
		t.Errorf("ends with %d: %s%s", code, out, errs)
	}
	if code, out, errs := pimctl(t, nil, "check", "--config", file, "--strict"); code != failed || !strings.Contains(errs, "pim.product.heder") || out != "" {
		t.Errorf("strictly, ends with %d: %s%s", code, out, errs)
	}
}

func TestCheckSaysWhatTheSecretsLack(t *testing.T) {
	file, documents := filepath.Join(t.TempDir(), "extensions.yaml"), filepath.Join(t.TempDir(), "secrets.json")
	text := "pims: {main: {url: https://x.example.com}}\nactions: {a: {kind: forward, url: https://erp.example.com/a, auth: erp}}\n"
	for name, content := range map[string]string{file: text, documents: `{"signing":{},"connections":{}}`} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if code, _, errs := pimctl(t, nil, "check", "--config", file, "--secrets", documents); code != failed || !strings.Contains(errs, "erp") {
		t.Errorf("ends with %d: %s", code, errs)
	}
	if err := os.WriteFile(documents, []byte(`{"signing":{},"connections":{"auth":{"erp":{"bearer":"t"}}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := pimctl(t, nil, "check", "--config", file, "--secrets", documents); code != succeeded {
		t.Errorf("ends with %d: %s%s", code, out, errs)
	}
}

func TestTheLookupDocumentIsKnown(t *testing.T) {
	file, documents := filepath.Join(t.TempDir(), "extensions.yaml"), filepath.Join(t.TempDir(), "secrets.json")
	text := "pims: {main: {url: https://x.example.com}}\nextensions:\n" +
		"  stock: {pim: main, type: data_component, positions: [pim.product.panel], label: {default: Stock}, id: uuid, lookup: {url: \"https://erp.example.com/{{.ID}}\", auth: shelf}}\n"
	for document, want := range map[string]struct {
		check   int
		missing bool
	}{
		`{"signing":{},"connections":{}}`:                                                {failed, true},
		`{"signing":{},"connections":{},"lookups":{"auth":{"shelf":{"other":"t"}}}}`:     {failed, false},
		`{"signing":{},"connections":{},"lookups":{"auth":{"shelf":{"bearer":"t-0p"}}}}`: {succeeded, false},
	} {
		for name, content := range map[string]string{file: text, documents: document} {
			if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		code, out, errs := pimctl(t, nil, "check", "--config", file, "--secrets", documents)
		if code != want.check || code == failed && !strings.Contains(errs, `auth "shelf"`) || strings.Contains(out+errs, "t-0p") {
			t.Errorf("check with %s ends with %d: %s%s", document, code, out, errs)
		}
		code, out, errs = pimctl(t, nil, "secrets", "--config", file, "--secrets", documents)
		if code != succeeded || strings.Contains(out, "auth.shelf: ") != want.missing {
			t.Errorf("secrets with %s ends with %d: %s%s", document, code, out, errs)
		}
	}
}

func TestCheckSaysWhatAnSFTPServerLacks(t *testing.T) {
	file, documents := filepath.Join(t.TempDir(), "extensions.yaml"), filepath.Join(t.TempDir(), "secrets.json")
	text := "pims: {main: {url: https://x.example.com}}\nactions: {a: {kind: export, formulas: text, to: {sftp: erp}}}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	const login = `"host":"h","username":"u","password":"very secret"`
	for sftp, want := range map[string]string{
		`{}`:                      `extensions.yaml:2: sftp "erp" is not in the connection secret`,
		`{"erp":{` + login + `}}`: `extensions.yaml:2: sftp "erp" in the connection secret has no host_key`,
		`{"erp":{` + login + `,"host_key":"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"}}`: "",
	} {
		if err := os.WriteFile(documents, []byte(`{"signing":{},"connections":{"sftp":`+sftp+`}}`), 0o600); err != nil {
			t.Fatal(err)
		}
		code, _, errs := pimctl(t, nil, "check", "--config", file, "--secrets", documents)
		if (code == succeeded) != (want == "") || !strings.Contains(errs, want) || strings.Contains(errs, "very secret") {
			t.Errorf("%s: ends with %d: %s", sftp, code, errs)
		}
	}
}

func TestSecretsAsJSONHoldNoSecret(t *testing.T) {
	documents := filepath.Join(t.TempDir(), "secrets.json")
	code, out, errs := pimctl(t, nil, "secrets", "--secrets", documents, "--json")
	text, err := os.ReadFile(documents)
	if code != succeeded || err != nil || !strings.Contains(out, `"document": "signing"`) || !strings.Contains(out, `"extensions.export_to_erp.secrets"`) {
		t.Fatalf("ends with %d: %s%s %v", code, out, errs, err)
	}
	secret := strings.Split(strings.SplitN(string(text), `"export_to_erp": {`, 2)[1], `"`)[3]
	if len(secret) != 64 || strings.Contains(out, secret) {
		t.Error("the secret is in the JSON")
	}
}

// What is reported is the file that was read, even if the project's own has changed since this program was built.
func TestCheckNamesTheFileThatItRead(t *testing.T) {
	project, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	changed := t.TempDir()
	if err := os.MkdirAll(filepath.Join(changed, filepath.Dir(config.File)), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(changed, config.File), append(config.Embedded(), '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	for folder, want := range map[string]string{
		project:     config.File + " is good",
		changed:     "built-in extensions.yaml (" + config.File + " is another: build this program again, or use --config) is good",
		t.TempDir(): "built-in extensions.yaml is good",
	} {
		t.Chdir(folder)
		if code, out, errs := pimctl(t, nil, "check"); code != succeeded || !strings.HasPrefix(out, want) {
			t.Errorf("in %s, ends with %d: %s%s", folder, code, out, errs)
		}
	}
}
