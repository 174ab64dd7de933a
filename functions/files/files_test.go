package files_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/files"
	"github.com/pim-functions/pim-functions/functions/fixture"
	"github.com/pim-functions/pim-functions/shared/files/address"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/web"
)

const (
	current  = "the-current-secret-of-links-32-characters"
	previous = "the-previous-secret-of-links-32-characters"
	later    = "the-secret-that-comes-next-of-32-characters"
	digest   = "0123456789abcdef01234567-"
)

var now = time.Date(2026, 3, 2, 10, 42, 0, 0, time.UTC)

// fixtures is a files function behind API Gateway, with one job that made two files.
type fixtures struct {
	*fixture.Fixture
	links    map[string]any // the document of links
	down     error          // of every fetch of it
	fetches  int
	storeErr error
	signErr  error
	job      string
	cache    *secrets.Cache[secrets.Links]
}

// source is what a secrets.Source gives.
func (f *fixtures) source(context.Context, string) ([]byte, error) {
	f.fetches++
	if f.down != nil {
		return nil, f.down
	}
	return json.Marshal(f.links)
}

type source func(context.Context, string) ([]byte, error)

func (s source) Get(ctx context.Context, id string) ([]byte, error) { return s(ctx, id) }

// records are the fixture's jobs, with a switch.
type records struct{ f *fixtures }

func (r records) Get(ctx context.Context, id string) (jobs.Job, error) {
	if r.f.storeErr != nil {
		return jobs.Job{}, r.f.storeErr
	}
	return r.f.Store.Get(ctx, id)
}

// signer is an address.Signer that says what it was asked for.
type signer struct{ f *fixtures }

func (s signer) Sign(_ context.Context, method, key, name string) (string, error) {
	return "https://bucket.example.com/" + url.PathEscape(method+" "+key+" as "+name), s.f.signErr
}

func newFixture(t *testing.T) *fixtures {
	t.Helper()
	f := &fixtures{
		Fixture: fixture.New("files", files.MaxBody, secrets.Signing{}, func() time.Time { return now }),
		links:   map[string]any{"current": current, "previous": previous},
	}
	f.cache = secrets.NewCache(secrets.CacheConfig[secrets.Links]{Source: source(f.source), Parse: secrets.ParseLinks, Now: func() time.Time { return f.Now() }})
	f.Handler = func() web.Handler {
		return files.New(files.Config{Links: f.cache, Jobs: records{f}, Signer: signer{f}, Now: f.Now, Metrics: f.Sink()})
	}
	created, err := f.Store.Create(t.Context(), jobs.Job{ID: "export_all-AAAAAAAAAAAAAAAAAAAAAA", State: jobs.Succeeded}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"few.csv", "é à.csv"} {
		created.Files = append(created.Files, jobs.File{Name: name, Key: "export/7d/" + created.ID + "/" + name, Bytes: 7, Until: now.Add(7 * 24 * time.Hour)})
	}
	created.Files = append(created.Files, jobs.File{Name: "ended.csv", Key: "export/1d/x", Until: now})
	if _, err := f.Store.Save(t.Context(), created); err != nil {
		t.Fatal(err)
	}
	f.job = created.ID
	return f
}

// link is a link's path and query, as whoever got it calls it.
func link(secret, kind, job, name string, until time.Time) string {
	at := address.Link("https://x.example.com", secret, signature.Link{Kind: kind, Job: job, Name: name, Until: until})
	return strings.Replace(strings.TrimPrefix(at, "https://x.example.com"), "/"+kind+"/", "/files/", 1)
}

func (f *fixtures) get(t *testing.T, method, target string) fixture.Answer {
	t.Helper()
	return f.Send(t, httptest.NewRequest(method, target, nil))
}

func TestLinks(t *testing.T) {
	f := newFixture(t)
	until := now.Add(7 * 24 * time.Hour)
	good := link(current, "files", f.job, "few.csv", until)
	path, query, _ := strings.Cut(good, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	proof := values.Get("proof")
	with := func(changes ...string) string { // name, value; "": without it
		changed := url.Values{"until": values["until"], "proof": values["proof"]}
		for i := 0; i < len(changes); i += 2 {
			changed.Set(changes[i], changes[i+1])
			if changes[i+1] == "-" {
				changed.Del(changes[i])
			}
		}
		return path + "?" + changed.Encode()
	}
	key := "export/7d/" + f.job + "/"
	for _, row := range []struct {
		name, method, target string
		status               int
		to                   string // the method, key and name that were signed
		reason               string
	}{
		{"as it was made", "GET", good, 302, "GET " + key + "few.csv as few.csv", ""},
		{"HEAD", "HEAD", good, 302, "HEAD " + key + "few.csv as few.csv", ""},
		{"behind a prefix", "GET", "/pim/prod" + good, 302, "GET " + key + "few.csv as few.csv", ""},
		{"a name to escape", "GET", link(current, "files", f.job, "é à.csv", until), 302, "GET " + key + "é à.csv as é à.csv", ""},
		{"an image that was handed on", "GET", link(current, "files", "media", digest+"front.png", until), 302, "GET media/" + digest + "front.png as front.png", ""},
		{"the secret before", "GET", link(previous, "files", f.job, "few.csv", until), 302, "GET " + key + "few.csv as few.csv", ""},

		{"past its time", "GET", link(current, "files", f.job, "few.csv", now.Add(-time.Second)), 410, "", "link_expired"},
		{"at its time", "GET", link(current, "files", f.job, "few.csv", now), 410, "", "link_expired"},
		{"a file that the job has no more", "GET", link(current, "files", f.job, "ended.csv", until), 410, "", "file_gone"},
		{"a file that it never had", "GET", link(current, "files", f.job, "gone.csv", until), 410, "", "file_gone"},
		{"a job that is gone", "GET", link(current, "files", f.job[:len(f.job)-2]+"BB", "few.csv", until), 410, "", "job_gone"},

		{"one letter of the proof", "GET", with("proof", "A"+proof[1:]), 401, "", "signature_mismatch"},
		{"half the proof", "GET", with("proof", proof[:20]), 401, "", "signature_malformed"},
		{"an empty proof", "GET", with("proof", ""), 401, "", "signature_missing"},
		{"no proof", "GET", with("proof", "-"), 401, "", "signature_missing"},
		{"no until", "GET", with("until", "-"), 401, "", "signature_malformed"},
		{"a later until", "GET", with("until", "1773052921"), 401, "", "signature_mismatch"},
		{"a zero before until", "GET", with("until", "0"+values.Get("until")), 401, "", "signature_malformed"},
		{"past its time, unproven", "GET", with("until", "1"), 401, "", "signature_mismatch"},
		{"no query", "GET", path, 401, "", "signature_missing"},
		{"another name", "GET", strings.Replace(good, "few.csv", "fewer.csv", 1), 401, "", "signature_mismatch"},
		{"another job", "GET", strings.Replace(good, "AA/", "AB/", 1), 401, "", "signature_mismatch"},
		{"a path upwards", "GET", strings.Replace(good, "few.csv", "../few.csv", 1), 401, "", "signature_mismatch"},
		{"no name", "GET", "/files/" + f.job + "?" + query, 401, "", "signature_mismatch"},
		{"no job", "GET", "/files/?" + query, 401, "", "signature_mismatch"},
		{"another kind", "GET", link(current, "callback", f.job, "few.csv", until), 401, "", "signature_mismatch"},
		{"another secret", "GET", link(later, "files", f.job, "few.csv", until), 401, "", "signature_mismatch"},

		{"POST", "POST", good, 405, "", "method_not_allowed"},
		{"DELETE", "DELETE", good, 405, "", "method_not_allowed"},
	} {
		t.Run(row.name, func(t *testing.T) {
			answer := f.get(t, row.method, row.target)
			if answer.Status != row.status {
				t.Fatalf("status %d %s", answer.Status, answer.Body)
			}
			location, _ := url.PathUnescape(strings.TrimPrefix(answer.Header.Get("Location"), "https://bucket.example.com/"))
			if location != row.to {
				t.Errorf("signed %q, want %q", location, row.to)
			}
			if reason, _ := answer.Line["reason"].(string); reason != row.reason {
				t.Errorf("reason %q, want %q", reason, row.reason)
			}
			if row.status == 401 && answer.Body != fixture.Unproven {
				t.Errorf("the unproven learn %s", answer.Body)
			}
			if row.status == 302 && answer.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("header %v", answer.Header)
			}
		})
	}
	f.NoLeaks(t, proof, values.Get("until"), current, previous)
}

// A link that a worker made with a new secret is proven by a function that holds the old document still.
func TestAReplacedSecretRefusesNoLink(t *testing.T) {
	f := newFixture(t)
	until := now.Add(time.Hour)
	old, fresh := link(current, "files", f.job, "few.csv", until), link(later, "files", f.job, "few.csv", until)
	if got := f.get(t, "GET", old).Status; got != 302 {
		t.Fatalf("status %d", got)
	}
	f.links = map[string]any{"current": later, "previous": []string{current, previous}}
	for _, target := range []string{fresh, old, link(previous, "files", f.job, "few.csv", until)} {
		if got := f.get(t, "GET", target).Status; got != 302 {
			t.Errorf("status %d", got)
		}
	}
	if f.fetches != 2 {
		t.Errorf("%d fetches, want one at the start and one at the first mismatch", f.fetches)
	}
}

func TestWhatIsAway(t *testing.T) {
	down := errors.New("down: not for callers")
	for name, row := range map[string]struct {
		fail   func(*fixtures)
		reason string
	}{
		"the secret":      {func(f *fixtures) { f.down = down }, "secrets_unavailable"},
		"no good secret":  {func(f *fixtures) { f.links = map[string]any{"current": "short"} }, "secrets_unavailable"},
		"the records":     {func(f *fixtures) { f.storeErr = down }, "records_unavailable"},
		"the credentials": {func(f *fixtures) { f.signErr = down }, "address_not_signed"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			row.fail(f)
			answer := f.get(t, "GET", link(current, "files", f.job, "few.csv", now.Add(time.Hour)))
			if answer.Status != http.StatusServiceUnavailable || answer.Line["reason"] != row.reason || strings.Contains(answer.Body, "not for callers") {
				t.Errorf("%d %s %v", answer.Status, answer.Body, answer.Line["reason"])
			}
		})
	}
}

func TestTheLogNamesJobAndFile(t *testing.T) {
	f := newFixture(t)
	answer := f.get(t, "GET", link(current, "files", f.job, "few.csv", now.Add(time.Hour)))
	if answer.Line["job"] != f.job || answer.Line["name"] != "few.csv" || answer.Line["result"] != "redirected" {
		t.Errorf("%v", answer.Line)
	}
}
