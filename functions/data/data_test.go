package data_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/data"
	"github.com/pim-functions/pim-functions/functions/local/gateway"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/web"
)

const (
	uuid        = "1fd20ad8-ef95-49d7-a581-fb9f8ac0c5ad"
	unproven    = `{"success":false,"message":"The request could not be verified.","error":"unproven"}`
	sampleToken = "sample-token-of-a-data-component"
)

var now = time.Date(2026, 3, 2, 10, 42, 0, 0, time.UTC)

// credentials of the extensions below, each with the header that the PIM adds.
var credentials = map[string]struct {
	kept          secrets.Credential
	header, value string
}{
	"bearer": {secrets.Credential{Type: "bearer", Token: "token-of-bearer"}, "Authorization", "Bearer token-of-bearer"},
	"basic": {secrets.Credential{Type: "basic", Username: "pim", Password: "password-of-basic"}, "Authorization",
		"Basic " + base64.StdEncoding.EncodeToString([]byte("pim:password-of-basic"))},
	"header":    {secrets.Credential{Type: "header", Name: "X-Api-Key", Value: "value-of-header"}, "X-Api-Key", "value-of-header"},
	"models":    {secrets.Credential{Type: "bearer", Token: "token-of-models"}, "Authorization", "Bearer token-of-models"},
	"other_pim": {secrets.Credential{Type: "bearer", Token: "token-of-other-pim"}, "Authorization", "Bearer token-of-other-pim"},
}

type holder struct {
	signing secrets.Signing
	err     error
}

func (h holder) Get(context.Context) (secrets.Signing, error) { return h.signing, h.err }
func (h holder) Refresh(context.Context) (secrets.Signing, bool, error) {
	return h.signing, false, nil
}

// down is a store whose reads fail when told to.
type down struct {
	jobs.Store
	err error
}

func (d *down) List(ctx context.Context, q jobs.Query) ([]jobs.Job, bool, error) {
	if d.err != nil {
		return nil, false, d.err
	}
	return d.Store.List(ctx, q)
}

type desk struct {
	holder  holder
	config  *config.Config
	jobs    *down
	ledger  *ledger.Memory
	samples bool
	log     bytes.Buffer
}

func newDesk() *desk {
	clock := func() time.Time { return now }
	d := &desk{
		config: &config.Config{Extensions: map[string]config.Extension{"button": {Name: "button", PIM: "main", Type: "action"}}},
		holder: holder{signing: secrets.Signing{Extensions: map[string]secrets.Extension{
			"signed":   {Secrets: []string{"a-secret-that-signs-nothing-here-at-all"}},
			"typeless": {Credential: &secrets.Credential{Type: "oauth2", Token: "x"}},
			"empty":    {Credential: &secrets.Credential{Type: "bearer"}},
			"sample":   {Credential: &secrets.Credential{Type: "bearer", Token: sampleToken}},
		}}},
		jobs:   &down{Store: jobs.NewMemory(jobs.MemoryConfig{Now: clock})},
		ledger: ledger.NewMemory(ledger.MemoryConfig{Now: clock}),
	}
	for name, credential := range credentials {
		d.holder.signing.Extensions[name] = secrets.Extension{Credential: &credential.kept}
	}
	names := []string{"none", "open"}
	for name := range d.holder.signing.Extensions {
		names = append(names, name)
	}
	for _, name := range names {
		e := config.Extension{Name: name, PIM: "main", Type: "data_component", ID: "uuid", Unsigned: name == "open"}
		switch name {
		case "models":
			e.ID = "code"
		case "other_pim":
			e.PIM = "other"
		}
		d.config.Extensions[name] = e
	}
	return d
}

func (d *desk) get(t *testing.T, path, header, value string) (*httptest.ResponseRecorder, map[string]any) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if header != "" {
		r.Header.Set(header, value)
	}
	return d.send(t, r)
}

func (d *desk) send(t *testing.T, r *http.Request) (*httptest.ResponseRecorder, map[string]any) {
	t.Helper()
	d.log.Reset()
	clock := func() time.Time { return now }
	function := web.New(web.Config{Function: "data", MaxBody: data.MaxBody, Now: clock, Log: slog.New(slog.NewJSONHandler(&d.log, nil)),
		Handler: data.New(data.Config{Config: d.config, Signing: d.holder, Jobs: d.jobs, Ledger: d.ledger, Samples: d.samples, Now: clock})})
	w := httptest.NewRecorder()
	gateway.HTTP(function.Invoke).ServeHTTP(w, r)
	var line map[string]any
	if err := json.Unmarshal(d.log.Bytes(), &line); err != nil {
		t.Fatalf("log %q: %v", d.log.String(), err)
	}
	if w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Cache-Control") != "no-store" || !json.Valid(w.Body.Bytes()) {
		t.Errorf("%v %s", w.Header(), w.Body)
	}
	return w, line
}

func (d *desk) record(t *testing.T, j jobs.Job) {
	t.Helper()
	j.CreatedAt, j.Total = now, len(j.Items)
	if _, err := d.jobs.Create(t.Context(), j, nil); err != nil {
		t.Fatal(err)
	}
}

func (d *desk) happened(t *testing.T, entry ledger.Entry) {
	t.Helper()
	entry.CreatedAt = now
	if _, err := d.ledger.Save(t.Context(), entry); err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsKnownOfAProduct(t *testing.T) {
	d := newDesk()
	product := []jobs.Item{{Type: jobs.Product, ID: uuid}}
	d.record(t, jobs.Job{ID: "export-1", PIM: "main", Action: "send", Label: "Export to ERP", Items: product, State: jobs.Failed, Message: "no price", User: jobs.User{UUID: "1", Username: "julia"}})
	d.record(t, jobs.Job{ID: "many", PIM: "main", Action: "send", Items: append(product, jobs.Item{Type: jobs.Product, ID: "2"})})
	d.record(t, jobs.Job{ID: "elsewhere", PIM: "other", Action: "send", Items: product})
	d.happened(t, ledger.Entry{Key: "event-platform/main/1", PIM: "main", Type: "com.akeneo.pim.v1.product.updated", Entity: "main#product/" + uuid, Time: now.Add(-time.Second), Outcome: ledger.Failed, Reasons: map[string]string{"catalogue": "refused"}})
	want := `{"jobs":[{"action":"Export to ERP","state":"failed","message":"no price","user":"julia","started_at":"2026-03-02T10:42:00Z","updated_at":"2026-03-02T10:42:00Z","job_id":"export-1"}],` +
		`"events":[{"type":"com.akeneo.pim.v1.product.updated","outcome":"failed","failures":{"catalogue":"refused"},"sent_at":"2026-03-02T10:41:59Z","received_at":"2026-03-02T10:42:00Z"}]}`
	for name, path := range map[string]string{"as the PIM writes it": uuid, "in upper case": strings.ToUpper(uuid), "with a final slash": uuid + "/", "with a query": uuid + "?user[email]=julia%40example.com"} {
		got, line := d.get(t, "/data/bearer/"+path, "Authorization", "Bearer token-of-bearer")
		if got.Code != 200 || got.Body.String() != want {
			t.Errorf("%s: %d %s\nwant %s", name, got.Code, got.Body, want)
		}
		if log := d.log.String(); line["extension"] != "bearer" || strings.Contains(log, "token-of") || strings.Contains(log, "julia") {
			t.Errorf("log %s", log)
		}
	}
}

func TestWhatIsKnownOfAProductModel(t *testing.T) {
	d := newDesk()
	for _, code := range []string{"armor", "a/b", "Ärmel 100 %"} {
		d.record(t, jobs.Job{ID: jobs.Digest([]byte(code)), PIM: "main", Action: code, Items: []jobs.Item{{Type: jobs.ProductModel, ID: code}}, User: jobs.User{Username: "julia@example.com"}})
		d.happened(t, ledger.Entry{Key: "events-api/main/" + code, PIM: "main", Type: "product_model.updated", Entity: "main#product_model/" + code})
	}
	for path, code := range map[string]string{"armor": "armor", "a%2Fb": "a/b", "%C3%84rmel%20100%20%25": "Ärmel 100 %"} {
		got, _ := d.get(t, "/data/models/"+path, "Authorization", "Bearer token-of-models")
		body := got.Body.String()
		if got.Code != 200 || !strings.Contains(body, `"action":"`+code+`"`) || !strings.Contains(body, `"outcome":"open"`) || strings.Contains(body, "@") || strings.Contains(body, "sent_at") {
			t.Errorf("%s: %d %s", path, got.Code, body)
		}
	}
}

func TestEventsThatWereLostAreShown(t *testing.T) {
	d := newDesk()
	for _, gap := range []ledger.Gap{
		{PIM: "main", Subscription: "a", From: now.Add(-2 * time.Hour), To: now.Add(-time.Hour), Reason: "success rate"},
		{PIM: "main", Subscription: "a", From: now.Add(-time.Minute)},
		{PIM: "other", Subscription: "b", From: now},
	} {
		if err := d.ledger.SaveGap(t.Context(), gap); err != nil {
			t.Fatal(err)
		}
	}
	got, _ := d.get(t, "/data/bearer/"+uuid, "Authorization", "Bearer token-of-bearer")
	want := `"events_lost":[{"from":"2026-03-02T10:41:00Z"},{"from":"2026-03-02T08:42:00Z","to":"2026-03-02T09:42:00Z","reason":"success rate"}]`
	if !strings.Contains(got.Body.String(), want) {
		t.Errorf("%s\nwant %s", got.Body, want)
	}
}

func TestNothingIsKnown(t *testing.T) {
	got, _ := newDesk().get(t, "/data/bearer/"+uuid, "Authorization", "Bearer token-of-bearer")
	if got.Code != 200 || got.Body.String() != `{"jobs":[],"events":[]}` {
		t.Errorf("%d %s", got.Code, got.Body)
	}
}

// Every credential against every extension: its own alone is opened by it, and shows its own PIM's.
func TestACredentialOpensItsOwnExtensionAlone(t *testing.T) {
	d := newDesk()
	for from, credential := range credentials {
		for to := range credentials {
			got, line := d.get(t, "/data/"+to+"/"+uuid, credential.header, credential.value)
			if (got.Code == 200) != (from == to) || got.Code != 200 && (got.Code != 401 || got.Body.String() != unproven) {
				t.Errorf("the credential of %s on %s: %d %s %v", from, to, got.Code, got.Body, line["reason"])
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	const bearer = "Bearer token-of-bearer"
	for _, row := range []struct {
		name, method, path, value string
		status                    int
		reason                    string
	}{
		{"no credential", "GET", "/data/bearer/" + uuid, "", 401, "credential_missing"},
		{"a wrong one", "GET", "/data/bearer/" + uuid, "Bearer x", 401, "credential_mismatch"},
		{"another scheme", "GET", "/data/bearer/" + uuid, "Basic token-of-bearer", 401, "credential_mismatch"},
		{"unproven, whatever it names", "GET", "/data/bearer/", "", 401, "credential_missing"},
		{"nothing configured", "GET", "/data/none/" + uuid, bearer, 401, "no_proof_configured"},
		{"a secret, which signs nothing here", "GET", "/data/signed/" + uuid, bearer, 401, "no_proof_configured"},
		{"a credential of a type that does not reach us", "GET", "/data/typeless/" + uuid, "Bearer x", 401, "no_proof_configured"},
		{"an empty credential", "GET", "/data/empty/" + uuid, "Bearer ", 401, "no_proof_configured"},
		{"a published credential", "GET", "/data/sample/" + uuid, "Bearer " + sampleToken, 401, "no_proof_configured"},

		{"no entity", "GET", "/data/bearer", bearer, 400, "entity_invalid"},
		{"an empty placeholder", "GET", "/data/bearer/", bearer, 400, "entity_invalid"},
		{"a UUID that is none", "GET", "/data/bearer/1", bearer, 400, "entity_invalid"},
		{"more than a UUID", "GET", "/data/bearer/" + uuid + "/x", bearer, 400, "entity_invalid"},
		{"no code", "GET", "/data/models/", "Bearer token-of-models", 400, "entity_invalid"},
		{"a code with a control character", "GET", "/data/models/a%00", "Bearer token-of-models", 400, "entity_invalid"},
		{"a code of 256 bytes", "GET", "/data/models/" + strings.Repeat("a", 256), "Bearer token-of-models", 400, "entity_invalid"},

		{"an unknown extension", "GET", "/data/nobody/" + uuid, bearer, 404, "extension_unknown"},
		{"an extension of another type", "GET", "/data/button/" + uuid, bearer, 404, "extension_unknown"},
		{"no extension", "GET", "/data", bearer, 404, "extension_unknown"},
		{"POST", "POST", "/data/bearer/" + uuid, bearer, 405, "method_not_allowed"},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := newDesk()
			r := httptest.NewRequest(row.method, row.path, nil)
			if row.value != "" {
				r.Header.Set("Authorization", row.value)
			}
			got, line := d.send(t, r)
			if got.Code != row.status || line["reason"] != row.reason || (got.Code == 401) != (got.Body.String() == unproven) {
				t.Errorf("%d %v, want %d %s: %s", got.Code, line["reason"], row.status, row.reason, got.Body)
			}
			if (line["level"] == "ERROR") != (row.reason == "no_proof_configured") || (row.status == 405) != (got.Header().Get("Allow") == "GET") {
				t.Errorf("%v %v", line["level"], got.Header())
			}
			if strings.Contains(d.log.String(), "token-of") {
				t.Errorf("log %s", d.log.String())
			}
		})
	}
}

func TestWhatNeedsNoProof(t *testing.T) {
	d := newDesk()
	if got, _ := d.get(t, "/data/open/"+uuid, "", ""); got.Code != 200 {
		t.Errorf("unsigned: %d", got.Code)
	}
	d.samples = true
	if got, _ := d.get(t, "/data/sample/"+uuid, "Authorization", "Bearer "+sampleToken); got.Code != 200 {
		t.Errorf("a sample, locally: %d", got.Code)
	}
}

func TestOutages(t *testing.T) {
	d := newDesk()
	d.jobs.err = errors.New("the database is down")
	got, line := d.get(t, "/data/bearer/"+uuid, "Authorization", "Bearer token-of-bearer")
	if got.Code != 503 || line["reason"] != "records_unavailable" || strings.Contains(got.Body.String(), "down") {
		t.Errorf("%d %s %v", got.Code, got.Body, line)
	}
	d.holder.err = errors.New("throttled")
	if got, line := d.get(t, "/data/bearer/"+uuid, "Authorization", "Bearer token-of-bearer"); got.Code != 503 || line["reason"] != "secrets_unavailable" {
		t.Errorf("%d %v", got.Code, line)
	}
}
