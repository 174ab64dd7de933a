package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDevSaysInOneLineWhyItCannotStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := fmt.Sprint(taken.Addr().(*net.TCPAddr).Port)
	broken := filepath.Join(t.TempDir(), "extensions.yaml")
	if err := os.WriteFile(broken, []byte("pims: {main: {url: \"${PIM_URL}\"}}\nactions:\n  a: {kind: forward, url: \"${ERP_URL}/a\", sort: no}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		set  map[string]string
		args []string
		code int
		says string
	}{
		{"port taken", map[string]string{"PORT": port}, nil, 1, "port " + port + " is taken: set PORT="},
		{"port no number", map[string]string{"PORT": "http"}, nil, 1, "PORT is not a whole number"},
		{"port no port", map[string]string{"PORT": "70000"}, nil, 1, "listen:"},
		{"log level", map[string]string{"LOG_LEVEL": "loud"}, nil, 1, "LOG_LEVEL is none of"},
		{"no configuration", map[string]string{"PORT": "0", "CONFIG_FILE": "nowhere.yaml"}, nil, 1, "read CONFIG_FILE"},
		{"a mistake in it", map[string]string{"PORT": "0", "CONFIG_FILE": broken}, nil, 1, `:3: unknown key "sort"`},
		{"no secrets", map[string]string{"PORT": "0", "SECRETS_FILE": "nowhere.json"}, nil, 1, "read secrets"},
		{"an argument", nil, []string{"fast"}, 2, `unknown command "fast" for "pimctl dev"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errs := pimctl(t, c.set, append([]string{"dev"}, c.args...)...)
			if code != c.code || !strings.Contains(errs, c.says) || out != "" {
				t.Errorf("ends with %d, prints %q and %q", code, out, errs)
			}
		})
	}
}

func TestHelpOfDevListsTheVariables(t *testing.T) {
	code, out, errs := pimctl(t, nil, "dev", "--help")
	if code != 0 || errs != "" {
		t.Errorf("ends with %d, %s", code, errs)
	}
	for _, name := range []string{"PORT", "CONFIG_FILE", "SECRETS_FILE", "PIM_URL", "ERP_URL", "ALLOW_PRIVATE_NETWORK", "DEMO", "LOG_LEVEL"} {
		if !strings.Contains(out, name) {
			t.Errorf("no %s in:\n%s", name, out)
		}
	}
}
