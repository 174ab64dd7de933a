package iframe_test

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/signature"
)

// unprovenText is what every caller gets who is not proven, byte for byte.
const unprovenText = `{"success":false,"message":"The request could not be verified.","error":"unproven"}`

// calls are those that a token opens.
var calls = []struct{ method, path string }{
	{"POST", "/verify"}, {"GET", "/jobs"}, {"POST", "/jobs"}, {"GET", "/jobs/ID"}, {"POST", "/jobs/ID/retry"}, {"POST", "/jobs/ID/cancel"},
}

func TestVerify(t *testing.T) {
	d := newDesk()
	got := d.call(t, "POST", "/iframe/panel/verify", d.token("panel", julia), "")
	answer := decoded[struct {
		UserID, UserUUID string
		ExpiresAt        time.Time
	}](t, got)
	if got.status != 200 || answer.UserID != "1" || answer.UserUUID != julia || answer.ExpiresAt.Sub(now).Round(time.Second) != time.Hour {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got.line["user"] != julia || got.line["extension"] != "panel" || got.line["outcome"] != "verified" || got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v %v", got.line, got.header)
	}
}

// Every token against every extension, on every call: its own alone is opened by it.
func TestATokenOpensItsOwnExtensionAlone(t *testing.T) {
	for _, from := range panels {
		for _, to := range panels {
			for _, c := range calls {
				d := newDesk()
				got := d.call(t, c.method, "/iframe/"+to+c.path, d.token(from, julia), "{}")
				if proven := got.status != 401; proven != (from == to) {
					t.Errorf("the token of %s on %s %s of %s: %d", from, c.method, c.path, to, got.status)
				}
				if got.status == 401 && (got.body != unprovenText || got.line["reason"] != "signature_mismatch") {
					t.Errorf("%s %v", got.body, got.line)
				}
			}
		}
	}
}

func TestUnprovenCallsAreRefused(t *testing.T) {
	d := newDesk()
	sign := func(payload string) string {
		return signature.SignJWT(document().Extensions["panel"].Secrets[0], []byte(payload))
	}
	good := d.token("panel", julia)
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
				d := newDesk()
				r := httptest.NewRequest(c.method, "/iframe/"+row.extension+c.path+"?user[email]=julia%40example.com", nil)
				r.Header["Authorization"] = []string{row.header}
				got := d.send(t, r)
				if got.status != 401 || got.body != unprovenText || got.line["reason"] != row.reason {
					t.Errorf("%s %s: %d %v %s, want %s", c.method, c.path, got.status, got.line["reason"], got.body, row.reason)
				}
				if (got.line["level"] == "ERROR") != (row.reason == "no_proof_configured") {
					t.Errorf("logged as %v", got.line["level"])
				}
				checkLeaks(t, d, row.header)
			}
		})
	}
}

// checkLeaks looks for what no log may hold.
func checkLeaks(t *testing.T, d *desk, header string) {
	t.Helper()
	never := []string{"julia@example.com", "julia%40", "user[email]", "a-token"}
	for _, own := range document().Extensions {
		never = append(never, own.Secrets...)
	}
	if _, token, _ := strings.Cut(header, " "); len(token) > 3 {
		never = append(never, token)
	}
	for _, text := range never {
		if strings.Contains(d.log.String(), text) {
			t.Errorf("%q in the log: %s", text, d.log.String())
		}
	}
}

func TestNothingOfAProvenCallLeaks(t *testing.T) {
	d := newDesk()
	token := d.token("panel", julia)
	for _, c := range calls {
		d.call(t, c.method, "/iframe/panel"+c.path+"?user[email]=julia%40example.com", token, start(press1, "send", uuidA))
	}
	checkLeaks(t, d, "Bearer "+token)
}

func TestSecretsAreFetchedAgainWhenASignatureFails(t *testing.T) {
	rotated := document()
	rotated.Extensions["panel"] = secrets.Extension{Secrets: []string{"rotated-secret-of-panel-32-characters!"}}
	payload := []byte(`{"exp":1772450520,"userId":"1","userUuid":"` + julia + `"}`)
	for _, row := range []struct {
		name, token string
		vault       vault
		status      int
		asked       int
	}{
		{"the newer secret asks nobody", signature.SignJWT("new-secret-of-panel-with-32-characters", payload), vault{signing: document()}, 200, 0},
		{"a rotated one proves after a fetch", signature.SignJWT("rotated-secret-of-panel-32-characters!", payload), vault{signing: document(), rotated: &rotated}, 200, 1},
		{"junk stays junk", signature.SignJWT("nobody's", payload), vault{signing: document(), rotated: &rotated}, 401, 1},
		{"an expired token asks nobody", signature.SignJWT("new-secret-of-panel-with-32-characters", []byte(`{"exp":1,"userId":"1"}`)), vault{signing: document(), rotated: &rotated}, 401, 0},
		{"no secrets at all", signature.SignJWT("nobody's", payload), vault{err: errors.New("throttled")}, 503, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := newDesk()
			d.vault = &row.vault
			got := d.call(t, "POST", "/iframe/panel/verify", row.token, "")
			if got.status != row.status || d.vault.refreshes != row.asked || strings.Contains(got.body, "throttled") {
				t.Errorf("%d after %d fetches, want %d after %d: %s", got.status, d.vault.refreshes, row.status, row.asked, got.body)
			}
		})
	}
}

// Before June 2025 tokens named no UUID: such a user is proven, and has no jobs that could be found.
func TestAUserWithoutUUID(t *testing.T) {
	d := newDesk()
	d.record(t, jobs.Job{ID: "nobody", PIM: "main", State: jobs.Succeeded})
	for _, c := range calls {
		path := strings.Replace(c.path, "ID", "nobody", 1)
		got := d.call(t, c.method, "/iframe/panel"+path, d.token("panel", ""), start(press1, "send", uuidA))
		if want := map[bool]int{true: 200, false: 403}[path == "/verify"]; got.status != want {
			t.Errorf("%s %s: %d %s", c.method, path, got.status, got.body)
		}
	}
}
