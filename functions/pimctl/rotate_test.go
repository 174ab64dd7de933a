package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/register"
	"github.com/pim-functions/pim-functions/shared/env"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

// The whole way in the local system, over HTTP: a button is pressed all the time by the played PIM, which gets the new secret
// by its API.
func TestRotateInTheLocalSystem(t *testing.T) {
	t.Parallel()
	s := newEverything(t)
	own := func() []string {
		text, err := secrets.NewFile(s.secrets).Get(t.Context(), "signing")
		if err != nil {
			t.Error(err)
			return []string{""}
		}
		signing, _, err := secrets.ParseSigning(text)
		if err != nil {
			t.Error(err)
			return []string{""}
		}
		return signing.Extensions["button"].Secrets
	}
	first := own()[0]
	press := func() {
		answer, err := http.Post(s.BrowserURL()+"/_local/press/button", "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Error(err)
			return
		}
		defer answer.Body.Close()
		var pressed struct{ Status int }
		if err := json.NewDecoder(answer.Body).Decode(&pressed); err != nil || pressed.Status != http.StatusOK {
			t.Errorf("the press gets %d, %v", pressed.Status, err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	var pressing sync.WaitGroup
	pressing.Go(func() {
		for ctx.Err() == nil {
			press()
			time.Sleep(20 * time.Millisecond)
		}
	})
	var out bytes.Buffer
	variables := env.Read(func(string) (string, bool) { return "", false })
	r := replacing{
		process:       process{out: &out, now: time.Now, variables: variables},
		configuration: configuration{file: s.config, stage: "local", variables: variables},
		documents:     documents{file: s.secrets}, address: address{url: s.BrowserURL()},
	}
	rotator, err := r.rotator(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rotator.Times = register.Times{Settle: 1500 * time.Millisecond, Quiet: time.Second, Links: time.Hour, Poll: 50 * time.Millisecond}
	button := register.Place{Name: "button", Kind: register.OfAction, PIM: "main", Target: "button"}
	if err := r.together(t.Context(), rotator, []register.Place{button}); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
	stop()
	pressing.Wait()
	now := own()
	if len(now) != 1 || now[0] == first {
		t.Errorf("%d secrets, the old one among them: %t", len(now), now[0] == first)
	}
	base, err := register.Origin(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	prober := register.Prober{Base: base, Client: register.ProbeClient(http.DefaultTransport), Now: time.Now}
	for secret, proves := range map[string]bool{first: false, now[0]: true} {
		if answer, err := prober.Ask(t.Context(), button, register.Keys{Secrets: []string{secret}}); err != nil || answer.Proven() != proves {
			t.Errorf("the old secret, or the new one, gets %d, %v", answer.Status, err)
		}
	}
	if strings.Contains(out.String(), now[0]) || strings.Contains(out.String(), first) || strings.Contains(out.String(), "by hand") || !strings.Contains(out.String(), "done: ") {
		t.Errorf("it said:\n%s", out.String())
	}
}

func TestTheWordsOfRotate(t *testing.T) {
	s := newEverything(t)
	variables := map[string]string{"STAGE": "local"}
	files := []string{"--config", s.config, "--secrets", s.secrets, "--url", s.URL()}
	for name, c := range map[string]struct {
		args      []string
		code      int
		out, errs string
	}{
		"no name":               {[]string{"rotate"}, misused, "", "missing NAME"},
		"a name and --all":      {[]string{"rotate", "panel", "--all"}, misused, "", "exclude each other"},
		"--json alone":          {[]string{"rotate", "panel", "--json"}, misused, "", "--json belongs to --status"},
		"an unknown name":       {[]string{"rotate", "pannel"}, misused, "", "there are button, history, panel"},
		"what the PIM makes":    {[]string{"rotate", "events-api.main"}, failed, "", "Regenerate"},
		"status":                {[]string{"rotate", "--status"}, succeeded, "links", ""},
		"status, as JSON":       {[]string{"rotate", "--status", "--json"}, succeeded, `"state": "none"`, ""},
		"a URL that is no URL":  {[]string{"rotate", "panel", "--url", "ftp://x"}, misused, "", "want https"},
		"an URL of the network": {[]string{"rotate", "panel", "--url", "http://example.com"}, misused, "", "want https"},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{c.args[0]}, append(files, c.args[1:]...)...)
			code, out, errs := pimctl(t, variables, args...)
			if code != c.code || !strings.Contains(out, c.out) || !strings.Contains(errs, c.errs) {
				t.Errorf("ends with %d: %s%s", code, out, errs)
			}
		})
	}
	if code, _, errs := pimctl(t, variables, "rotate", "panel"); code != misused || !strings.Contains(errs, "missing URL") {
		t.Errorf("without a URL: %d %s", code, errs)
	}
	code, out, _ := pimctl(t, variables, append([]string{"rotate", "--status", "--json"}, files...)...)
	var all []register.Status
	if err := json.Unmarshal([]byte(out), &all); code != succeeded || err != nil || len(all) != 8 {
		t.Errorf("%v: %d states", err, len(all))
	}
}
