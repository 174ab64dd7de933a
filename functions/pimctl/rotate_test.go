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
	"github.com/pim-functions/pim-functions/shared/senders"
)

// The whole way in the local system, over HTTP: a page is used by somebody whose PIM gets the new secret by hand.
func TestRotateInTheLocalSystem(t *testing.T) {
	t.Parallel()
	s := newEverything(t)
	base, err := register.Origin(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	newest := func() (secret string, count int) {
		text, err := secrets.NewFile(s.secrets).Get(t.Context(), "signing")
		if err != nil {
			t.Error(err)
			return "", 0
		}
		signing, _, err := secrets.ParseSigning(text)
		if err != nil {
			t.Error(err)
			return "", 0
		}
		list := signing.Extensions["panel"].Secrets
		return list[len(list)-1], len(list)
	}
	first, _ := newest()
	use := func(secret string) int {
		page := senders.Iframe{Extension: "panel", Secret: secret, User: senders.NewUUID(), At: time.Now()}
		call, err := page.Request(http.MethodPost, "/verify", nil).HTTP(t.Context(), base)
		if err != nil {
			t.Error(err)
			return 0
		}
		answer, err := http.DefaultClient.Do(call)
		if err != nil {
			t.Error(err)
			return 0
		}
		answer.Body.Close()
		return answer.StatusCode
	}

	ctx, stop := context.WithCancel(t.Context())
	var out lockedBuffer
	var using sync.WaitGroup
	using.Go(func() { // the page is in use: with the old secret, until somebody has read what to click
		for ctx.Err() == nil {
			secret := first
			if strings.Contains(out.String(), "System > Extensions > panel") {
				secret, _ = newest()
			}
			if status := use(secret); status != http.StatusOK {
				t.Errorf("the page's user gets %d", status)
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
	r := replacing{
		process:       process{out: &out, now: time.Now, variables: env.Read(func(string) (string, bool) { return "", false })},
		configuration: configuration{file: s.config, stage: "local", variables: env.Read(func(string) (string, bool) { return "", false })},
		documents:     documents{file: s.secrets}, address: address{url: s.URL()},
	}
	loaded, err := r.load()
	if err != nil {
		t.Fatal(err)
	}
	rotator, err := r.rotator(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rotator.Times = register.Times{Settle: 1500 * time.Millisecond, Quiet: time.Second, Links: time.Hour, Poll: 50 * time.Millisecond}
	place, err := register.FindPlace(loaded, "panel")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.together(t.Context(), rotator, []register.Place{place}); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
	stop()
	using.Wait()
	secret, count := newest()
	if secret == first || count != 1 {
		t.Errorf("%d secrets, the old one among them: %t", count, secret == first)
	}
	if old, now := use(first), use(secret); old != http.StatusUnauthorized || now != http.StatusOK {
		t.Errorf("the old secret gets %d, the new one %d", old, now)
	}
	if strings.Contains(out.String(), secret) || strings.Contains(out.String(), first) || !strings.Contains(out.String(), "done: ") {
		t.Errorf("it said:\n%s", out.String())
	}
}

type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
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
