package iframe_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"html"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/functions/fixture"
)

const maxWeight = 40 << 10 // bytes of document, style and script, compressed

var addresses = regexp.MustCompile(`(?:href|src)="([^"]*assets/[^"]+)"`)

func TestThePage(t *testing.T) {
	f := newFixture()
	for path, pim := range map[string]string{
		"/iframe/panel":                        "https://pim.example.com",
		"/iframe/panel/":                       "https://pim.example.com",
		"/iframe/panel?product%5Buuid%5D=%3Cb": "https://pim.example.com",
		"/iframe/other_pim":                    "https://other.example.com:8443",
	} {
		got := f.call(t, "GET", path, "", "")
		policy := "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors " + pim
		for name, want := range map[string]string{
			"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy, "Cache-Control": "no-store",
			"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
		} {
			if got.Header.Get(name) != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got.Header.Get(name), want)
			}
		}
		if got.Status != 200 || strings.Contains(got.Body, "%3Cb") || strings.Contains(got.Body, "{{") || strings.Contains(got.Body, "<b>") {
			t.Errorf("%s: %d %s", path, got.Status, got.Body)
		}
	}
}

// What the document tells the script is data, whatever a label holds.
func TestWhatThePageKnows(t *testing.T) {
	f := newFixture()
	found := regexp.MustCompile(`data-about="([^"]*)"`).FindStringSubmatch(f.call(t, "GET", "/iframe/panel", "", "").Body)
	if found == nil {
		t.Fatal("nothing")
	}
	var about struct {
		PIM     string
		Label   map[string]string
		Actions []struct {
			Name  string
			Label map[string]string
		}
	}
	if err := json.Unmarshal([]byte(html.UnescapeString(found[1])), &about); err != nil {
		t.Fatal(err)
	}
	if about.PIM != "https://pim.example.com" || about.Label["default"] != `Jobs <b>&"quoted"` || len(about.Actions) != 2 ||
		about.Actions[0].Label["fr_FR"] != "Exporter vers l'ERP" || about.Actions[1].Label["default"] != "fill" {
		t.Errorf("%+v", about)
	}
}

// load is the page as a browser loads it: what the document names, beside each other, and nothing after.
func load(t *testing.T, f *fixtures, address string) (document string, assets map[string]fixture.Answer) {
	t.Helper()
	document, assets = f.call(t, "GET", address, "", "").Body, map[string]fixture.Answer{}
	for _, found := range addresses.FindAllStringSubmatch(document, -1) {
		at := address[:strings.LastIndexByte(address, '/')+1] + found[1]
		r := httptest.NewRequest("GET", at, nil)
		r.Header.Set("Accept-Encoding", "gzip, br")
		assets[at] = f.Send(t, r)
	}
	if len(assets) != 2 {
		t.Fatalf("%s names %d files, want a style and a script", address, len(assets))
	}
	return document, assets
}

func TestThePagesFiles(t *testing.T) {
	f := newFixture()
	for _, address := range []string{"/iframe/panel", "/iframe/panel/"} {
		_, assets := load(t, f, address)
		for at, got := range assets {
			kind := map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}[filepath.Ext(at)]
			if got.Status != 200 || got.Header.Get("Content-Type") != kind || got.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" {
				t.Errorf("%s: %d %v", at, got.Status, got.Header)
			}
			plain := f.call(t, "GET", at, "", "")
			if plain.Header.Get("Content-Encoding") != "" || got.Header.Get("Content-Encoding") != "gzip" || plain.Body != unzipped(t, got.Body) {
				t.Errorf("%s: what is compressed is not what is plain", at)
			}
			if old := f.call(t, "GET", strings.Replace(at, "page.", "page.0", 1), "", ""); old.Status != 404 || old.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("a file of another digest: %d %v", old.Status, old.Header)
			}
		}
	}
}

func TestThePageIsLight(t *testing.T) {
	document, assets := load(t, newFixture(), "/iframe/panel")
	weight := len(zipped(t, document))
	for _, got := range assets {
		weight += len(got.Body)
	}
	t.Logf("%d bytes", weight)
	if weight > maxWeight {
		t.Errorf("%d bytes, at most %d", weight, maxWeight)
	}
}

// What would make markup of a string, call a third party, or keep a token is not in the page's own source.
func TestThePagesSource(t *testing.T) {
	sources, err := filepath.Glob("page/*")
	if err != nil || len(sources) < 3 {
		t.Fatalf("%q %v", sources, err)
	}
	forbidden := regexp.MustCompile(`(?i)innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|localStorage|sessionStorage|document\.cookie|indexedDB|https?://|postMessage\([^)]*\*|@import|url\(|style="|onclick="`)
	for _, name := range sources {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if found := forbidden.Find(text); found != nil {
			t.Errorf("%s has %q", name, found)
		}
	}
}

// Both languages say the same things.
func TestEveryTextIsInEveryLanguage(t *testing.T) {
	text, err := os.ReadFile("page/texts.js")
	if err != nil {
		t.Fatal(err)
	}
	before, after, found := strings.Cut(string(text), "\n  fr: {")
	if !found {
		t.Fatal("no French")
	}
	after, _, _ = strings.Cut(after, "\n};")
	keys := func(part string) string {
		found := regexp.MustCompile(`(?:^|[\s{,])('[^' ]+\]'|\w+): ['{]`).FindAllStringSubmatch(part, -1)
		names := make([]string, len(found))
		for i, each := range found {
			names[i] = each[1]
		}
		return strings.Join(names, "\n")
	}
	_, before, _ = strings.Cut(before, "  en: {")
	english, french := keys(before), keys(after)
	if strings.Count(english, "\n") < 60 || english != french {
		t.Errorf("English has\n%s\n\nFrench has\n%s", english, french)
	}
	for _, name := range regexp.MustCompile(`say\('(\w+)'`).FindAllStringSubmatch(scripts(t), -1) {
		if !strings.Contains("\n"+english+"\n", "\n"+name[1]+"\n") {
			t.Errorf("the page says %q, which has no text", name[1])
		}
	}
}

func scripts(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	names, _ := filepath.Glob("page/*.js")
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

func TestRoutes(t *testing.T) {
	f := newFixture()
	for _, row := range []struct {
		name, method, path string
		status             int
		allow              string
	}{
		{"no extension", "GET", "/iframe", 404, ""},
		{"no extension, with a slash", "GET", "/iframe/", 404, ""},
		{"an unknown extension", "GET", "/iframe/nobody", 404, ""},
		{"an extension that is no page", "GET", "/iframe/button", 404, ""},
		{"an unknown route", "GET", "/iframe/panel/else", 404, ""},
		{"below verify", "POST", "/iframe/panel/verify/x", 404, ""},
		{"below a job", "POST", "/iframe/panel/jobs/x/else", 404, ""},
		{"an unknown file", "GET", "/iframe/panel/assets/page.js", 404, ""},
		{"a file of the project", "GET", "/iframe/panel/assets/../iframe.go", 404, ""},
		{"posting to the page", "POST", "/iframe/panel", 405, "GET"},
		{"posting to a file", "POST", "/iframe/panel/assets/x", 405, "GET"},
		{"reading verify", "GET", "/iframe/panel/verify", 405, "POST"},
		{"deleting jobs", "DELETE", "/iframe/panel/jobs", 405, "GET, POST"},
		{"posting to a job", "POST", "/iframe/panel/jobs/x", 405, "GET"},
		{"reading retry", "GET", "/iframe/panel/jobs/x/retry", 405, "POST"},
		{"reading cancel", "GET", "/iframe/panel/jobs/x/cancel", 405, "POST"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := f.call(t, row.method, row.path, f.token("panel", julia), "")
			if got.Status != row.status || got.Header.Get("Allow") != row.allow {
				t.Errorf("%d, allow %q, want %d, %q: %s", got.Status, got.Header.Get("Allow"), row.status, row.allow, got.Body)
			}
		})
	}
}

func zipped(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func unzipped(t *testing.T, text string) string {
	t.Helper()
	r, err := gzip.NewReader(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(plain)
}
