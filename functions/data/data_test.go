package data_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pim-functions/pim-functions/functions/data"
	"github.com/pim-functions/pim-functions/functions/fixture"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/web"
)

const (
	uuid        = "1fd20ad8-ef95-49d7-a581-fb9f8ac0c5ad"
	sampleToken = "sample-token-of-a-data-component"
)

var now = time.Date(2026, 3, 2, 10, 42, 0, 0, time.UTC)

// credentials of the extensions below, each with the header that the PIM adds.
var credentials = map[string]struct {
	kept          secrets.Credential
	header, value string
}{
	"bearer": {secrets.Credential{Type: "bearer", Token: "token-of-the-bearer"}, "Authorization", "Bearer token-of-the-bearer"},
	"basic": {secrets.Credential{Type: "basic", Username: "pim", Password: "password-of-basic"}, "Authorization",
		"Basic " + base64.StdEncoding.EncodeToString([]byte("pim:password-of-basic"))},
	"header":    {secrets.Credential{Type: "header", Name: "X-Api-Key", Value: "value-of-header"}, "X-Api-Key", "value-of-header"},
	"models":    {secrets.Credential{Type: "bearer", Token: "token-of-models"}, "Authorization", "Bearer token-of-models"},
	"other_pim": {secrets.Credential{Type: "bearer", Token: "token-of-other-pim"}, "Authorization", "Bearer token-of-other-pim"},
}

// fixtures is the whole of a data function behind API Gateway.
type fixtures struct {
	*fixture.Fixture
	config  *config.Config
	ledger  *ledger.Memory
	lookups *data.Lookups
	samples bool
}

func newFixture() *fixtures {
	f := &fixtures{
		config: &config.Config{
			PIMs:       map[string]config.PIM{"main": {Name: "main"}},
			Actions:    map[string]config.Action{"send": {Name: "send", Destination: config.Text{"default": "the ERP"}}},
			Extensions: map[string]config.Extension{"button": {Name: "button", PIM: "main", Type: "action"}},
		},
		ledger: ledger.NewMemory(ledger.MemoryConfig{Now: func() time.Time { return now }}),
	}
	document := secrets.Signing{Extensions: map[string]secrets.Extension{
		"signed": {Secrets: []string{"a-secret-that-signs-nothing-here-at-all"}},
		"sample": {Credentials: []secrets.Credential{{Type: "bearer", Token: sampleToken}}},
	}}
	for name, credential := range credentials {
		document.Extensions[name] = secrets.Extension{Credentials: []secrets.Credential{credential.kept}}
	}
	f.Fixture = fixture.New("data", data.MaxBody, document, func() time.Time { return now })
	f.Handler = func() web.Handler {
		return data.New(data.Config{
			Config: f.config, Signing: f.Signing(), Jobs: f.Store, Ledger: f.ledger, Lookups: f.lookups, Samples: f.samples, Now: f.Now, Metrics: f.Sink(),
		})
	}
	for _, name := range append(slices.Collect(maps.Keys(document.Extensions)), "none", "open") {
		e := config.Extension{Name: name, PIM: "main", Type: "data_component", ID: "uuid", Unsigned: name == "open"}
		switch name {
		case "models":
			e.ID = "code"
		case "other_pim":
			e.PIM = "other"
		}
		f.config.Extensions[name] = e
	}
	return f
}

func (f *fixtures) get(t *testing.T, path, header, value string) fixture.Answer {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if header != "" {
		r.Header.Set(header, value)
	}
	got := f.Send(t, r)
	if got.Header.Get("Content-Type") != "application/json" || got.Header.Get("Cache-Control") != "no-store" || !json.Valid([]byte(got.Body)) {
		t.Errorf("%v %s", got.Header, got.Body)
	}
	f.NoLeaks(t, append(f.Secrets(), "julia")...)
	return got
}

func (f *fixtures) happened(t *testing.T, entry ledger.Entry) {
	t.Helper()
	entry.CreatedAt = now
	if _, err := f.ledger.Save(t.Context(), entry); err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsKnownOfAProduct(t *testing.T) {
	f := newFixture()
	product := []jobs.Item{{Type: jobs.Product, ID: uuid}}
	f.Record(t, jobs.Job{ID: "export-1", PIM: "main", Action: "send", Label: "Export to ERP", Items: product, State: jobs.Failed, Message: "no price", User: jobs.User{UUID: "1", Username: "julia"}})
	f.Record(t, jobs.Job{ID: "many", PIM: "main", Action: "send", Items: append(product, jobs.Item{Type: jobs.Product, ID: "2"})})
	f.Record(t, jobs.Job{ID: "elsewhere", PIM: "other", Action: "send", Items: product})
	f.happened(t, ledger.Entry{Key: "event-platform/main/1", PIM: "main", Type: "com.akeneo.pim.v1.product.updated", Entity: "main#product/" + uuid, Time: now.Add(-time.Second), Outcome: ledger.Failed, Reasons: map[string]string{"catalogue": "refused"}})
	want := `{"jobs":[{"action":"Export to ERP","state":"failed","message":"no price","user":"julia","started_at":"2026-03-02T10:42:00Z","updated_at":"2026-03-02T10:42:00Z","job_id":"export-1"}],` +
		`"events":[{"type":"com.akeneo.pim.v1.product.updated","outcome":"failed","failures":{"catalogue":"refused"},"sent_at":"2026-03-02T10:41:59Z","received_at":"2026-03-02T10:42:00Z"}]}`
	for name, path := range map[string]string{"as the PIM writes it": uuid, "in upper case": strings.ToUpper(uuid), "with a final slash": uuid + "/", "with a query": uuid + "?user[email]=julia%40example.com"} {
		got := f.get(t, "/data/bearer/"+path, "Authorization", "Bearer token-of-the-bearer")
		if got.Status != 200 || got.Body != want {
			t.Errorf("%s: %d %s\nwant %s", name, got.Status, got.Body, want)
		}
		if got.Line["extension"] != "bearer" {
			t.Errorf("log %v", got.Line)
		}
	}
}

func TestWhatIsKnownOfAProductModel(t *testing.T) {
	f := newFixture()
	for _, code := range []string{"armor", "a/b", "Ärmel 100 %"} {
		f.Record(t, jobs.Job{ID: jobs.Digest([]byte(code)), PIM: "main", Action: code, Items: []jobs.Item{{Type: jobs.ProductModel, ID: code}}, User: jobs.User{Username: "julia@example.com"}})
		f.happened(t, ledger.Entry{Key: "events-api/main/" + code, PIM: "main", Type: "product_model.updated", Entity: "main#product_model/" + code})
	}
	for path, code := range map[string]string{"armor": "armor", "a%2Fb": "a/b", "%C3%84rmel%20100%20%25": "Ärmel 100 %"} {
		got := f.get(t, "/data/models/"+path, "Authorization", "Bearer token-of-models")
		body := got.Body
		if got.Status != 200 || !strings.Contains(body, `"action":"`+code+`"`) || !strings.Contains(body, `"outcome":"open"`) || strings.Contains(body, "@") || strings.Contains(body, "sent_at") {
			t.Errorf("%s: %d %s", path, got.Status, body)
		}
	}
}

func TestEventsThatWereLostAreShown(t *testing.T) {
	f := newFixture()
	for _, gap := range []ledger.Gap{
		{PIM: "main", Subscription: "a", From: now.Add(-2 * time.Hour), To: now.Add(-time.Hour), Reason: "success rate"},
		{PIM: "main", Subscription: "a", From: now.Add(-time.Minute)},
		{PIM: "other", Subscription: "b", From: now},
	} {
		if err := f.ledger.SaveGap(t.Context(), gap); err != nil {
			t.Fatal(err)
		}
	}
	got := f.get(t, "/data/bearer/"+uuid, "Authorization", "Bearer token-of-the-bearer")
	want := `"events_lost":[{"from":"2026-03-02T10:41:00Z"},{"from":"2026-03-02T08:42:00Z","to":"2026-03-02T09:42:00Z","reason":"success rate"}]`
	if !strings.Contains(got.Body, want) {
		t.Errorf("%s\nwant %s", got.Body, want)
	}
}

func TestNothingIsKnown(t *testing.T) {
	got := newFixture().get(t, "/data/bearer/"+uuid, "Authorization", "Bearer token-of-the-bearer")
	if got.Status != 200 || got.Body != `{"jobs":[],"events":[]}` {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}

// Every credential against every extension: its own alone is opened by it, and shows its own PIM's.
func TestACredentialOpensItsOwnExtensionAlone(t *testing.T) {
	f := newFixture()
	for from, credential := range credentials {
		for to := range credentials {
			got := f.get(t, "/data/"+to+"/"+uuid, credential.header, credential.value)
			if (got.Status == 200) != (from == to) || got.Status != 200 && (got.Status != 401 || got.Body != fixture.Unproven) {
				t.Errorf("the credential of %s on %s: %d %s %v", from, to, got.Status, got.Body, got.Line["reason"])
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	const bearer = "Bearer token-of-the-bearer"
	for _, row := range []struct {
		name, method, path, value string
		status                    int
		reason                    string
	}{
		{"no credential", "GET", "/data/bearer/" + uuid, "", 401, "credential_missing"},
		{"a wrong one", "GET", "/data/bearer/" + uuid, "Bearer x", 401, "credential_mismatch"},
		{"another scheme", "GET", "/data/bearer/" + uuid, "Basic token-of-the-bearer", 401, "credential_mismatch"},
		{"unproven, whatever it names", "GET", "/data/bearer/", "", 401, "credential_missing"},
		{"nothing configured", "GET", "/data/none/" + uuid, bearer, 401, "no_proof_configured"},
		{"a secret, which signs nothing here", "GET", "/data/signed/" + uuid, bearer, 401, "no_proof_configured"},
		{"a published credential", "GET", "/data/sample/" + uuid, "Bearer " + sampleToken, 401, "no_proof_configured"},

		{"no entity", "GET", "/data/bearer", bearer, 400, "entity_invalid"},
		{"an empty placeholder", "GET", "/data/bearer/", bearer, 400, "entity_invalid"},
		{"a UUID that is none", "GET", "/data/bearer/1", bearer, 400, "entity_invalid"},
		{"more than a UUID", "GET", "/data/bearer/" + uuid + "/x", bearer, 400, "entity_invalid"},
		{"no code", "GET", "/data/models/", "Bearer token-of-models", 400, "entity_invalid"},
		{"a code with a control character", "GET", "/data/models/a%00", "Bearer token-of-models", 400, "entity_invalid"},
		{"a code of 256 bytes", "GET", "/data/models/" + strings.Repeat("a", 256), "Bearer token-of-models", 400, "entity_invalid"},

		{"an unknown extension", "GET", "/data/nobody/" + uuid, bearer, 401, "name_unknown"},
		{"an extension of another type", "GET", "/data/button/" + uuid, bearer, 401, "name_unknown"},
		{"no extension", "GET", "/data", bearer, 401, "name_unknown"},
		{"POST", "POST", "/data/bearer/" + uuid, bearer, 405, "method_not_allowed"},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFixture()
			r := httptest.NewRequest(row.method, row.path, nil)
			if row.value != "" {
				r.Header.Set("Authorization", row.value)
			}
			got := f.Send(t, r)
			if got.Status != row.status || got.Line["reason"] != row.reason || (got.Status == 401) != (got.Body == fixture.Unproven) {
				t.Errorf("%d %v, want %d %s: %s", got.Status, got.Line["reason"], row.status, row.reason, got.Body)
			}
			if (got.Line["level"] == "ERROR") != (row.reason == "no_proof_configured") || (row.status == 405) != (got.Header.Get("Allow") == "GET") {
				t.Errorf("%v %v", got.Line["level"], got.Header)
			}
			f.NoLeaks(t, f.Secrets()...)
		})
	}
}

func TestWhatNeedsNoProof(t *testing.T) {
	f := newFixture()
	if got := f.get(t, "/data/open/"+uuid, "", ""); got.Status != 200 {
		t.Errorf("unsigned: %d", got.Status)
	}
	f.samples = true
	if got := f.get(t, "/data/sample/"+uuid, "Authorization", "Bearer "+sampleToken); got.Status != 200 {
		t.Errorf("a sample, locally: %d", got.Status)
	}
}

func TestOutages(t *testing.T) {
	for name, row := range map[string]struct {
		breaks func(*fixtures)
		reason string
	}{
		"records refuse": {func(f *fixtures) { f.Store.Err = errors.New("the database is down") }, "records_unavailable"},
		"records hang":   {func(f *fixtures) { f.Store.Hangs = true }, "records_unavailable"},
		"no secrets":     {func(f *fixtures) { f.Down = errors.New("the manager is down") }, "secrets_unavailable"},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture()
			row.breaks(f)
			start := time.Now()
			got := f.get(t, "/data/bearer/"+uuid, "Authorization", "Bearer token-of-the-bearer")
			if got.Status != 503 || got.Line["reason"] != row.reason || strings.Contains(got.Body, "down") || time.Since(start) > 4*time.Second {
				t.Errorf("%s: %d %s %v after %s", name, got.Status, got.Body, got.Line, time.Since(start))
			}
		})
	}
}

// What is shown beside an outcome is true now: neither a reason that a later try has mended, nor hosts.
func TestWhatIsShownStillHolds(t *testing.T) {
	product := "main#product/" + uuid
	entry := func(outcome ledger.Outcome, outcomes map[string]ledger.Outcome) ledger.Entry {
		return ledger.Entry{Key: "event-platform/main/1", PIM: "main", Type: "t", Entity: product, Outcome: outcome, Outcomes: outcomes, Reasons: map[string]string{"shop": "refused"}}
	}
	for _, row := range []struct {
		name  string
		entry ledger.Entry
		want  string
	}{
		{"applied after a redrive", entry(ledger.Applied, map[string]ledger.Outcome{"shop": ledger.Applied}), `"outcome":"applied","received_at"`},
		{"failed", entry(ledger.Failed, map[string]ledger.Outcome{"shop": ledger.Failed}), `"outcome":"failed","failures":{"shop":"refused"}`},
		{"failed for another subscription", entry(ledger.Failed, map[string]ledger.Outcome{"shop": ledger.Applied, "erp": ledger.Failed}), `"outcome":"failed","received_at"`},
		{"tried, and tried again", entry("", nil), `"outcome":"open","failures":{"shop":"refused"}`},
	} {
		f := newFixture()
		f.happened(t, row.entry)
		if got := f.get(t, "/data/bearer/"+uuid, "Authorization", "Bearer token-of-the-bearer"); !strings.Contains(got.Body, row.want) {
			t.Errorf("%s: %s, want %s", row.name, got.Body, row.want)
		}
	}
	f := newFixture()
	main := f.config.PIMs["main"]
	main.Zone = time.FixedZone("", 3600)
	f.config.PIMs["main"] = main
	f.Record(t, jobs.Job{ID: "a", PIM: "main", Action: "send", Items: []jobs.Item{{Type: jobs.Product, ID: uuid}}, State: jobs.Waiting,
		Cause: jobs.CauseNoAnswer, Message: "127.0.0.1:8191 gave no answer", NextTry: now.Add(time.Hour), GivesUpAt: now.Add(24 * time.Hour)})
	got := f.get(t, "/data/bearer/"+uuid, "Authorization", "Bearer token-of-the-bearer")
	if want := `"message":"The ERP does not answer. Next try 12:42, we stop at 2026-03-03 11:42."`; !strings.Contains(got.Body, want) {
		t.Errorf("%s, want %s", got.Body, want)
	}
}
