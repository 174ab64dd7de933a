package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/env"
	"github.com/pim-functions/pim-functions/shared/senders"
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
		{"no configuration", map[string]string{"PORT": "0", "CONFIG_FILE": "nowhere.yaml"}, nil, 1, "read the configuration: open nowhere.yaml"},
		{"a mistake in it", map[string]string{"PORT": "0", "CONFIG_FILE": broken}, nil, 1, `:3: unknown key "sort"`},
		{"no secrets", map[string]string{"PORT": "0", "SECRETS_FILE": "nowhere.json"}, nil, 1, "read secrets"},
		{"a flag wins over its variable", map[string]string{"PORT": "0", "CONFIG_FILE": broken}, []string{"--config", "nowhere.yaml"}, 1, "open nowhere.yaml"},
		{"no secrets, by flag", map[string]string{"PORT": "0"}, []string{"--secrets", "nowhere.json"}, 1, "read secrets"},
		{"port taken, by flag", map[string]string{"PORT": "0"}, []string{"--port", port}, 1, "port " + port + " is taken"},
		{"a port that is no number", nil, []string{"--port", "http"}, 2, "invalid argument"},
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

// What is sent with nothing but its name proves itself to what dev starts: the sample secrets are those of both.
func TestDevTakesEverySample(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	read, write := io.Pipe()
	defer read.Close()
	ended := make(chan int, 1)
	go func() {
		p := process{
			in: strings.NewReader(""), out: write, errs: io.Discard, now: time.Now,
			variables: env.Read(func(name string) (string, bool) { return "off", name == "DEMO" }),
		}
		ended <- run(ctx, p, []string{"dev", "--port", "0"})
		write.Close()
	}()
	lines := bufio.NewReader(read)
	first, err := lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, lines)
	base := regexp.MustCompile(`http://localhost:\d+`).FindString(first)
	sent := 0
	for _, name := range senders.Samples() {
		sample, err := senders.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, posted := sample.Sender(); !posted {
			continue
		}
		sent++
		if code, out, errs := pimctl(t, nil, "send", name, base); code != succeeded {
			t.Errorf("%s ends with %d: %s%s", name, code, out, errs)
		}
	}
	if sent < 60 {
		t.Errorf("only %d samples were sent", sent)
	}
	interrupt()
	if code := <-ended; code != succeeded {
		t.Errorf("dev ends with %d", code)
	}
}
