package local

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/local/cloud"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

func TestOnStartOneButtonIsPressedAndItsWayPrinted(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	var out, errs transcript
	ended := make(chan error)
	go func() { ended <- Run(ctx, Options{Lookup: none, AllowPrivate: true, Demo: true, Log: &errs}, &out) }()
	for !strings.Contains(out.String(), "Ctrl-C") {
		select {
		case err := <-ended:
			t.Fatalf("ended with %v: %s", err, errs.String())
		case <-time.After(5 * time.Millisecond):
		}
	}
	interrupt()
	if err := <-ended; err != nil {
		t.Errorf("ends with %v: %s", err, errs.String())
	}
	text, last := out.String(), 0
	for _, step := range []string{
		"runs at http://localhost:", "signed ", "verified ", "answered ", "recorded ", "delivered ", "Idempotency-Key export_to_erp-", "succeeded  3 of 3",
		"go run ./functions/pimctl send action-product-grid http://localhost:", "Stopped. Jobs ended: 1. Nothing is left.",
	} {
		at := strings.Index(text[last:], step)
		if at < 0 {
			t.Fatalf("%q is missing, or too early, in:\n%s", step, text)
		}
		last += at
	}
	if strings.Contains(errs.String(), "POST /actions") {
		t.Errorf("the log talks into the demonstration:\n%s", errs.String())
	}
}

func TestSampleSecretsFitTheProjectsExtensions(t *testing.T) {
	f := open(t)
	signing, err := f.signing.Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sample := func(place, secret string) {
		if !strings.HasPrefix(secret, "sample-") || len(secret) < 32 {
			t.Errorf("%s: %q is no sample of at least 32 characters", place, secret)
		}
	}
	for name, extension := range f.config.Extensions {
		if extension.Type != "action" && extension.Type != "iframe" {
			continue
		}
		own := signing.Extensions[name].Secrets
		switch {
		case len(own) == 0:
			t.Errorf("%s has no secret", name)
		case name == preferred && own[0] != "the_secret_need_tobe_32_characthers_long":
			t.Errorf("%s has another secret than shared/senders", name)
		case name != preferred:
			sample(name, own[0])
		}
	}
	for pim, all := range signing.EventPlatform {
		sample(pim, all[0])
	}
	for pim, all := range signing.EventsAPI {
		sample(pim, all[0])
	}
	sample("contentful", signing.Contentful[0])
	if len(signing.Contentful[0]) != 64 {
		t.Errorf("Contentful's secrets have 64 characters, the sample %d", len(signing.Contentful[0]))
	}
	document, err := f.cloud.Secrets.Get(t.Context(), cloud.Connections)
	if err != nil {
		t.Fatal(err)
	}
	connections, warnings, err := secrets.ParseConnections(document)
	if err != nil || len(warnings) > 0 {
		t.Fatalf("%v %v", err, warnings)
	}
	if got, want := connections.Values["slack"], f.URL()+"/_local/destination/slack"; got != want {
		t.Errorf("slack is at %q, want %q", got, want)
	}
}

func TestVariablesOfTheProcessFillTheConfiguration(t *testing.T) {
	file := filepath.Join(t.TempDir(), "extensions.yaml")
	text := "pims: {main: {url: \"${PIM_URL}\"}}\nactions:\n  a: {kind: forward, url: \"${SINK}/a\"}\nextensions:\n" +
		"  a: {pim: main, type: link, positions: [pim.product.header], label: {default: A}, url: \"${PIM_URL}/a\"}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	set := map[string]string{"SINK": "http://127.0.0.1:1", "PIM_URL": "https://own.example.com"}
	lookup := func(name string) (string, bool) { value, ok := set[name]; return value, ok }
	system, err := Open(t.Context(), Options{ConfigFile: file, Lookup: lookup, Log: &transcript{}})
	if err != nil {
		t.Fatal(err)
	}
	system.Start()
	defer system.Stop()
	if got := system.config.PIMs["main"].URL; got != "https://own.example.com" {
		t.Errorf("PIM at %q", got)
	}
	if system.config.Stage != config.Local {
		t.Errorf("stage %q", system.config.Stage)
	}
}
