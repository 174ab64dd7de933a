package iframe_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/fixture"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/signature"
)

// calls are those that a token opens.
var calls = []struct{ method, path string }{
	{"POST", "/verify"}, {"GET", "/jobs"}, {"POST", "/jobs"}, {"GET", "/jobs/ID"}, {"POST", "/jobs/ID/retry"}, {"POST", "/jobs/ID/cancel"}, {"GET", "/jobs/ID/files"},
}

func TestVerify(t *testing.T) {
	f := newFixture()
	got := f.call(t, "POST", "/iframe/panel/verify", f.token("panel", julia), "")
	answer := decoded[struct {
		UserID, UserUUID string
		ExpiresAt        time.Time
	}](t, got)
	if got.Status != 200 || answer.UserID != "1" || answer.UserUUID != julia || answer.ExpiresAt.Sub(now).Round(time.Second) != time.Hour {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if got.Line["user"] != julia || got.Line["extension"] != "panel" || got.Line["outcome"] != "verified" || got.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v %v", got.Line, got.Header)
	}
}

// Every token against every extension, on every call: its own alone is opened by it.
func TestATokenOpensItsOwnExtensionAlone(t *testing.T) {
	for _, from := range panels {
		for _, to := range panels {
			for _, c := range calls {
				f := newFixture()
				got := f.call(t, c.method, "/iframe/"+to+c.path, f.token(from, julia), "{}")
				if proven := got.Status != 401; proven != (from == to) {
					t.Errorf("the token of %s on %s %s of %s: %d", from, c.method, c.path, to, got.Status)
				}
				if got.Status == 401 && (got.Body != fixture.Unproven || got.Line["reason"] != "signature_mismatch") {
					t.Errorf("%s %v", got.Body, got.Line)
				}
			}
		}
	}
}

func TestUnprovenCallsAreRefused(t *testing.T) {
	f := newFixture()
	sign := func(payload string) string {
		return signature.SignJWT(document().Extensions["panel"].Secrets[0], []byte(payload))
	}
	good := f.token("panel", julia)
	for _, row := range []struct {
		name, extension, header, reason string
	}{
		{"no header", "panel", "", "token_missing"},
		{"no token", "panel", "Bearer", "token_missing"},
		{"an empty token", "panel", "Bearer  ", "token_missing"},
		{"no scheme", "panel", good, "token_missing"},
		{"another scheme", "panel", "Basic " + good, "token_missing"},
		{"two tokens", "panel", "Bearer " + good + "," + good, "token_malformed"},
		{"garbage", "panel", "Bearer ...", "token_malformed"},
		{"8 KB of a", "panel", "Bearer " + strings.Repeat("a", 8000), "token_malformed"},
		{"a signature over garbage", "panel", "Bearer " + sign("garbage"), "token_malformed"},
		{"expired", "panel", "Bearer " + sign(`{"exp":1700000000,"userId":"1"}`), "token_expired"},
		{"issued tomorrow", "panel", "Bearer " + sign(`{"iat":1772534520,"exp":1772538120,"userId":"1"}`), "token_ahead"},
		{"no exp", "panel", "Bearer " + sign(`{"userId":"1"}`), "token_times"},
		{"no user", "panel", "Bearer " + sign(`{"exp":1772450520}`), "token_user"},
		{"a secret of 31 characters", "short", "Bearer " + good, "no_proof_configured"},
		{"a secret that another extension has", "twin", "Bearer " + good, "no_proof_configured"},
		{"a credential in place of a secret", "credential", "Bearer a-token", "no_proof_configured"},
		{"nothing configured", "nothing", "Bearer " + good, "no_proof_configured"},
	} {
		t.Run(row.name, func(t *testing.T) {
			for _, c := range calls {
				f := newFixture()
				r := httptest.NewRequest(c.method, "/iframe/"+row.extension+c.path+"?user[email]=julia%40example.com", nil)
				r.Header["Authorization"] = []string{row.header}
				got := f.Send(t, r)
				if got.Status != 401 || got.Body != fixture.Unproven || got.Line["reason"] != row.reason {
					t.Errorf("%s %s: %d %v %s, want %s", c.method, c.path, got.Status, got.Line["reason"], got.Body, row.reason)
				}
				if (got.Line["level"] == "ERROR") != (row.reason == "no_proof_configured") {
					t.Errorf("logged as %v", got.Line["level"])
				}
				checkLeaks(t, f, row.header)
			}
		})
	}
}

// checkLeaks looks for what no log may hold.
func checkLeaks(t *testing.T, f *fixtures, header string) {
	t.Helper()
	_, token, _ := strings.Cut(header, " ")
	f.NoLeaks(t, append(f.Secrets(), "julia@example.com", "julia%40", "user[email]", token)...)
}

func TestNothingOfAProvenCallLeaks(t *testing.T) {
	f := newFixture()
	token := f.token("panel", julia)
	for _, c := range calls {
		f.call(t, c.method, "/iframe/panel"+c.path+"?user[email]=julia%40example.com", token, start(press1, "send", uuidA))
	}
	checkLeaks(t, f, "Bearer "+token)
}

func TestSecretsThatARotationAddsProve(t *testing.T) {
	f := newFixture()
	expired := signature.SignJWT("new-secret-of-panel-with-32-characters", []byte(`{"exp":1,"userId":"1"}`))
	if got := f.call(t, "POST", "/iframe/panel/verify", expired, ""); got.Status != 401 || f.Refetches() != 0 {
		t.Errorf("an expired token: %d after %d fetches", got.Status, f.Refetches())
	}
	f.Document.Extensions["panel"] = secrets.Extension{Secrets: []string{"rotated-secret-of-panel-32-characters!"}}
	rotated := signature.SignJWT("rotated-secret-of-panel-32-characters!", []byte(`{"exp":1772450520,"userId":"1","userUuid":"`+julia+`"}`))
	if got := f.call(t, "POST", "/iframe/panel/verify", rotated, ""); got.Status != 200 || f.Refetches() != 1 {
		t.Errorf("a rotated secret: %d after %d fetches", got.Status, f.Refetches())
	}
}

// Whoever holds no token learns nothing of what the page's calls are for.
func TestUnknownPagesRefuseAsKnownOnesDo(t *testing.T) {
	for _, token := range []string{"", "a.b.c", newFixture().token("panel", julia)} {
		for _, c := range calls {
			for _, name := range []string{"nobody", "button"} {
				got := newFixture().call(t, c.method, "/iframe/"+name+c.path, token, "{}")
				if got.Status != 401 || got.Body != fixture.Unproven || got.Line["reason"] != "name_unknown" {
					t.Errorf("%s %s of %s: %d %s %v", c.method, c.path, name, got.Status, got.Body, got.Line["reason"])
				}
			}
		}
	}
}

// Before June 2025 tokens named no UUID: such a user is proven, and has no jobs that could be found.
func TestAUserWithoutUUID(t *testing.T) {
	f := newFixture()
	f.Record(t, jobs.Job{ID: "nobody", PIM: "main", State: jobs.Succeeded})
	for _, c := range calls {
		path := strings.Replace(c.path, "ID", "nobody", 1)
		got := f.call(t, c.method, "/iframe/panel"+path, f.token("panel", ""), start(press1, "send", uuidA))
		if want := map[bool]int{true: 200, false: 403}[path == "/verify"]; got.Status != want {
			t.Errorf("%s %s: %d %s", c.method, path, got.Status, got.Body)
		}
	}
}
