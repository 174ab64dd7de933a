package gate_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pim-functions/pim-functions/shared/gate"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/web"
)

const (
	current = "current-secret-with-32-characters!!"
	rotated = "rotated-secret-with-32-characters!!"
)

// source holds the document that a test changes, and counts its reads.
type source struct {
	document atomic.Pointer[secrets.Signing]
	down     atomic.Pointer[error]
	reads    atomic.Int64
}

func (s *source) Get(context.Context, string) ([]byte, error) {
	s.reads.Add(1)
	if err := s.down.Load(); err != nil {
		return nil, *err
	}
	return json.Marshal(s.document.Load())
}

// keep replaces the secrets of the extension "export".
func (s *source) keep(own ...string) {
	s.document.Store(&secrets.Signing{Extensions: map[string]secrets.Extension{
		"export": {Secrets: own},
		"bearer": {Credentials: []secrets.Credential{{Type: "bearer", Token: "token-of-bearer-with-32-characters"}}},
	}})
}

func newGate(config gate.Config, own ...string) (*gate.Gate, *source) {
	s := &source{}
	s.keep(own...)
	config.Signing = secrets.NewCache(secrets.CacheConfig[secrets.Signing]{Source: s, Parse: secrets.ParseSigning})
	return gate.New(config), s
}

// prove checks a request for an extension as an action does.
func prove(t *testing.T, g *gate.Gate, path gate.Path, header map[string]string) (*web.Request, *web.Error) {
	t.Helper()
	req := &web.Request{Header: header, Body: []byte("body"), Log: &web.Line{}}
	err := g.Prove(t.Context(), req, path, func(signing secrets.Signing) error {
		if err := g.Open(signing, path.Name, false); err != nil {
			return err
		}
		_, err := signature.VerifyAction(gate.ActionProof(signing.Extensions[path.Name], false), req.Header, req.Body)
		return err
	})
	if err == nil {
		return req, nil
	}
	refused, ok := errors.AsType[*web.Error](err)
	if !ok {
		t.Fatalf("untyped: %v", err)
	}
	return req, refused
}

func signedBy(secret string) map[string]string {
	return map[string]string{"signature": signature.SignAction(secret, []byte("body"))}
}

var export = gate.Path{Name: "export", Known: true}

func TestProve(t *testing.T) {
	down := errors.New("throttled")
	for _, row := range []struct {
		name   string
		path   gate.Path
		header map[string]string
		before func(*source) // of the request, after the first read
		reason string        // "": proven
		reads  int64
	}{
		{"a known secret asks nobody", export, signedBy(current), nil, "", 1},
		{"a rotated secret proves after a fetch", export, signedBy(rotated), func(s *source) { s.keep(rotated) }, "", 2},
		{"junk stays junk", export, signedBy("x"), func(s *source) { s.keep(rotated) }, "signature_mismatch", 2},
		{"nothing new is fetched", export, signedBy(rotated), nil, "signature_mismatch", 2},
		{"an outage refuses nothing that is proven", export, signedBy(current), func(s *source) { s.down.Store(&down) }, "", 1},
		{"an outage, and another secret", export, signedBy(rotated), func(s *source) { s.down.Store(&down) }, "signature_mismatch", 2},
		{"unsigned junk fetches nothing", export, nil, nil, "signature_missing", 1},
		{"malformed junk fetches nothing", export, map[string]string{"signature": "x"}, nil, "signature_malformed", 1},
		{"closed by us, and mended since", export, signedBy(rotated), func(s *source) { s.keep("short"); s.keep(rotated) }, "", 2},

		{"an unknown name, unsigned", gate.Path{Name: "nobody"}, nil, nil, "name_unknown", 1},
		{"an unknown name, signed: as much work as for a known one", gate.Path{Name: "nobody"}, signedBy(current), nil, "name_unknown", 2},
		{"a path that is not the function's", gate.Path{}, signedBy(current), nil, "name_unknown", 2},
		{"a name that has secrets and is not configured", gate.Path{Name: "export"}, signedBy(current), nil, "name_unknown", 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			g, s := newGate(gate.Config{}, current)
			if _, refused := prove(t, g, export, signedBy(current)); refused != nil {
				t.Fatal(refused)
			}
			if row.before != nil {
				row.before(s)
			}
			_, refused := prove(t, g, row.path, row.header)
			switch {
			case row.reason == "" && refused != nil:
				t.Errorf("refused: %v", refused)
			case row.reason != "" && (refused == nil || refused.Code != web.Unproven || refused.Reason != row.reason || refused.Message != ""):
				t.Errorf("got %+v, want %s", refused, row.reason)
			}
			if got := s.reads.Load(); got != row.reads {
				t.Errorf("%d reads, want %d", got, row.reads)
			}
		})
	}
}

func TestNoSecretsToBeHad(t *testing.T) {
	down := errors.New("throttled")
	g, s := newGate(gate.Config{}, current)
	s.down.Store(&down)
	for _, path := range []gate.Path{export, {Name: "nobody"}} {
		if _, refused := prove(t, g, path, signedBy(current)); refused == nil || refused.Code != web.Unavailable || refused.Reason != "secrets_unavailable" {
			t.Errorf("%s: %v", path.Name, refused)
		}
	}
}

// Each weakness closes its extension, is ours to mend, and takes nothing else down.
func TestClosedExtensions(t *testing.T) {
	const good = "a-secret-of-one-extension-32-characters"
	bearer := func(token string) secrets.Extension {
		return secrets.Extension{Credentials: []secrets.Credential{{Type: "bearer", Token: token}}}
	}
	for _, row := range []struct {
		name    string
		own     secrets.Extension
		other   secrets.Extension
		samples bool
		closed  bool
	}{
		{"nothing", secrets.Extension{}, secrets.Extension{}, false, true},
		{"an empty secret", secrets.Extension{Secrets: []string{""}}, secrets.Extension{}, false, true},
		{"one secret of two empty", secrets.Extension{Secrets: []string{good, ""}}, secrets.Extension{}, false, true},
		{"31 characters", secrets.Extension{Secrets: []string{"31-characters-are-one-too-few.."}}, secrets.Extension{}, false, true},
		{"another extension's secret", secrets.Extension{Secrets: []string{good}}, secrets.Extension{Secrets: []string{good}}, false, true},
		{"a published secret", secrets.Extension{Secrets: []string{"sample-secret-of-ours-32-characters!"}}, secrets.Extension{}, false, true},
		{"the vendor's published secret", secrets.Extension{Secrets: []string{"the_secret_need_tobe_32_characthers_long"}}, secrets.Extension{}, false, true},
		{"a published secret, locally", secrets.Extension{Secrets: []string{"sample-secret-of-ours-32-characters!"}}, secrets.Extension{}, true, false},
		{"a good secret", secrets.Extension{Secrets: []string{good}}, bearer("another-token-of-32-characters!!"), false, false},

		{"an empty credential", bearer(""), secrets.Extension{}, false, true},
		{"a credential of a type that does not reach us", secrets.Extension{Credentials: []secrets.Credential{{Type: "oauth2", Value: good}}}, secrets.Extension{}, false, true},
		{"a credential of one character", bearer("x"), secrets.Extension{}, false, true},
		{"a credential of 11 characters", bearer("11-letters."), secrets.Extension{}, false, true},
		{"a short credential, locally", bearer("x"), secrets.Extension{}, true, false},
		{"a published credential", bearer("sample-token-of-ours-on-this-machine"), secrets.Extension{}, false, true},
		{"a published credential, locally", bearer("sample-token-of-ours-on-this-machine"), secrets.Extension{}, true, false},
		{"another extension's credential", bearer(good), bearer(good), false, true},
		{"another extension's password", secrets.Extension{Credentials: []secrets.Credential{{Type: "basic", Username: "a", Password: good}}}, secrets.Extension{Credentials: []secrets.Credential{{Type: "basic", Username: "b", Password: good}}}, false, true},
		{"another extension's credential, locally", bearer(good), bearer(good), true, true},
		{"a good credential", bearer(good), secrets.Extension{}, false, false},
		{"a weak credential beside a good secret", secrets.Extension{Secrets: []string{good}, Credentials: bearer("x").Credentials}, secrets.Extension{}, false, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			g, s := newGate(gate.Config{Samples: row.samples}, current)
			s.document.Store(&secrets.Signing{Extensions: map[string]secrets.Extension{"own": row.own, "other": row.other, "export": {Secrets: []string{current}}}})
			header := map[string]string{}
			if len(row.own.Secrets) > 0 {
				header = signedBy(row.own.Secrets[0])
			}
			for _, c := range row.own.Credentials {
				header["authorization"] = "Bearer " + c.Token
			}
			req, refused := prove(t, g, gate.Path{Name: "own", Known: true}, header)
			switch {
			case !row.closed && refused != nil:
				t.Errorf("closed: %v", refused)
			case row.closed && (refused == nil || refused.Reason != "no_proof_configured" || req.Log.Level != slog.LevelError):
				t.Errorf("got %v at %s", refused, req.Log.Level)
			}
			if _, refused := prove(t, g, export, signedBy(current)); refused != nil {
				t.Errorf("the good one: %v", refused)
			}
		})
	}
}

// Refusals of unknown and known extensions differ for the log alone.
func TestTheRefusalIsOne(t *testing.T) {
	for _, code := range []web.Code{web.Unproven, web.Forbidden} {
		g, _ := newGate(gate.Config{Refusal: code}, current)
		for _, path := range []gate.Path{export, {Name: "nobody"}, {}} {
			for _, header := range []map[string]string{nil, signedBy("x"), {"signature": "x"}} {
				if _, refused := prove(t, g, path, header); refused == nil || refused.Code != code || refused.Message != "" || refused.Header != nil {
					t.Errorf("%q with %v: %+v", path.Name, header, refused)
				}
			}
		}
	}
}

// Who proves itself by a credential alone: a request for an unknown extension fetches as one for a known does.
func TestUnknownNamesWhereCredentialsProve(t *testing.T) {
	for name, row := range map[string]struct {
		path   gate.Path
		header map[string]string
		reads  int64
	}{
		"known, none":      {gate.Path{Name: "bearer", Known: true}, nil, 1},
		"unknown, none":    {gate.Path{Name: "nobody"}, nil, 1},
		"known, another":   {gate.Path{Name: "bearer", Known: true}, map[string]string{"authorization": "Bearer x"}, 2},
		"unknown, another": {gate.Path{Name: "nobody"}, map[string]string{"authorization": "Bearer x"}, 2},
	} {
		g, s := newGate(gate.Config{Credentials: true}, current)
		if _, refused := prove(t, g, row.path, row.header); refused == nil || s.reads.Load() != row.reads {
			t.Errorf("%s: %v after %d reads, want %d", name, refused, s.reads.Load(), row.reads)
		}
	}
}

// A rotation reaches a sender's machines minutes apart. Nothing that is signed with either secret is refused, as long as
// both are in the list when it begins: not even what is under way. It costs one fetch.
func TestARotationUnderLoadRefusesNothing(t *testing.T) {
	const requests, workers = 10_000, 8
	g, s := newGate(gate.Config{}, current)
	rotate := sync.OnceFunc(func() { s.keep(rotated, current) })
	before, after := signedBy(current), signedBy(rotated)
	var next, refusals atomic.Int64
	var working sync.WaitGroup
	for range workers {
		working.Go(func() {
			for n := next.Add(1); n <= requests; n = next.Add(1) {
				header := before
				if n > requests/3 {
					rotate() // nobody passes before the document is written
					if n%2 == 0 || n > 2*requests/3 {
						header = after
					}
				}
				if _, refused := prove(t, g, export, header); refused != nil {
					refusals.Add(1)
				}
			}
		})
	}
	working.Wait()
	if refusals.Load() != 0 || s.reads.Load() != 2 {
		t.Errorf("%d refused, %d reads; want one at the start and one at the first mismatch", refusals.Load(), s.reads.Load())
	}
	for range 20 {
		if _, refused := prove(t, g, export, signedBy("x")); refused == nil {
			t.Error("junk is proven")
		}
	}
	if s.reads.Load() != 2 {
		t.Errorf("junk has fetched: %d reads", s.reads.Load())
	}
}

func TestMethod(t *testing.T) {
	if err := gate.Method(&web.Request{Method: "POST"}, "GET", "POST"); err != nil {
		t.Error(err)
	}
	err := gate.Method(&web.Request{Method: "post"}, "GET", "POST")
	if refused, ok := errors.AsType[*web.Error](err); !ok || refused.Code != web.Method || refused.Header["allow"] != "GET, POST" {
		t.Errorf("%+v", err)
	}
}
