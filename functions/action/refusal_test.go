package action_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/action"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/signature"
)

// unprovenText is what every caller gets who is not proven, byte for byte.
const unprovenText = `{"success":false,"message":"The request could not be verified.","error":"unproven"}`

// TestRefusals is the list of what is refused. Whatever the refusal: one typed answer, one log line with a reason,
// nothing recorded or queued, and no secret, signature, body or e-mail in the log.
func TestRefusals(t *testing.T) {
	good := func(body []byte) string { return signature.SignAction(secretNew, body) }
	headers := func(set map[string][]string) func(*http.Request, []byte) {
		return func(r *http.Request, body []byte) {
			r.Header.Del("Signature")
			for name, values := range set {
				for _, value := range values {
					r.Header.Add(name, strings.ReplaceAll(value, "GOOD", strings.TrimPrefix(good(body), "sha512=")))
				}
			}
		}
	}
	signedBy := func(secret string) func(*http.Request, []byte) {
		return func(r *http.Request, body []byte) { r.Header.Set("Signature", signature.SignAction(secret, body)) }
	}
	unsigned := func(r *http.Request, _ []byte) { r.Header.Del("Signature") }
	bearing := func(token string) func(*http.Request, []byte) {
		return func(r *http.Request, body []byte) {
			signedBy(secretGuard)(r, body)
			r.Header.Set("Authorization", "Bearer "+token)
		}
	}
	method := func(name string) func(*http.Request, []byte) {
		return func(r *http.Request, _ []byte) { r.Method = name }
	}
	asGroup := func(name string) string {
		return strings.Replace(press, `"name":"Redactor"`, `"name":"`+name+`"`, 1)
	}
	codes := make([]string, 501)
	for i := range codes {
		codes[i] = fmt.Sprintf(`"code%d"`, i)
	}

	for _, row := range []struct {
		name      string
		extension string                      // "": export
		body      string                      // "": press
		age       time.Duration               // of the timestamp
		change    func(*http.Request, []byte) // nil: signed as it should be
		status    int
		reason    string
	}{
		{"no signature", "", "", 0, unsigned, 401, "signature_missing"},
		{"empty signature", "", "", 0, headers(map[string][]string{"Signature": {""}}), 401, "signature_missing"},
		{"prefix alone", "", "", 0, headers(map[string][]string{"Signature": {"sha512="}}), 401, "signature_malformed"},
		{"doubled in one value", "", "", 0, headers(map[string][]string{"Signature": {"GOODGOOD"}}), 401, "signature_malformed"},
		{"two that disagree", "", "", 0, headers(map[string][]string{"Signature": {"GOOD", strings.Repeat("0", 128)}}), 401, "signatures_disagree"},
		{"two that disagree, joined by a comma", "", "", 0, headers(map[string][]string{"Signature": {"GOOD," + strings.Repeat("0", 128)}}), 401, "signatures_disagree"},
		{"two headers that disagree", "", "", 0, headers(map[string][]string{"Signature": {"GOOD"}, "X-Akeneo-Signature": {strings.Repeat("0", 128)}}), 401, "signatures_disagree"},
		{"odd length", "", "", 0, headers(map[string][]string{"Signature": {"GOOD0"}}), 401, "signature_malformed"},
		{"length of SHA-256", "", "", 0, headers(map[string][]string{"Signature": {strings.Repeat("0", 64)}}), 401, "signature_malformed"},
		{"not hex", "", "", 0, headers(map[string][]string{"Signature": {strings.Repeat("z", 128)}}), 401, "signature_malformed"},
		{"another prefix", "", "", 0, headers(map[string][]string{"Signature": {"sha256=GOOD"}}), 401, "signature_malformed"},
		{"a header whose name only ends in signature", "", "", 0, headers(map[string][]string{"X-Other-Signature": {"GOOD"}}), 401, "signature_missing"},
		{"signed with another secret", "", "", 0, signedBy(strings.Repeat("x", 32)), 401, "signature_mismatch"},
		{"signed with another extension's secret", "", "", 0, signedBy(secretGuard), 401, "signature_mismatch"},
		{"signed with nothing", "", "", 0, signedBy(""), 401, "signature_mismatch"},
		{"of other bytes", "", "", 0, func(r *http.Request, body []byte) { r.Header.Set("Signature", good(append(body, '\n'))) }, 401, "signature_mismatch"},
		{"not even parsed when unproven", "", "hello", 0, signedBy(strings.Repeat("x", 32)), 401, "signature_mismatch"},

		{"no credential", "guarded", "", 0, signedBy(secretGuard), 401, "credential_missing"},
		{"wrong credential", "guarded", "", 0, bearing("another"), 401, "credential_mismatch"},
		{"credential without signature", "guarded", "", 0, func(r *http.Request, body []byte) { bearing(bearer)(r, body); unsigned(r, body) }, 401, "signature_missing"},
		{"credential alone, missing", "credential", "", 0, unsigned, 401, "credential_missing"},
		{"credential alone, wrong", "credential", "", 0, bearing("another"), 401, "credential_mismatch"},
		{"credential alone, stale", "credential", "", 10 * time.Minute, bearing(bearerAlone), 401, "timestamp_old"},

		{"no proof configured", "none", "", 0, unsigned, 401, "no_proof_configured"},
		{"empty secret", "empty", "", 0, signedBy(""), 401, "no_proof_configured"},
		{"one secret of two empty", "half_empty", "", 0, signedBy("secret-of-half-empty-32-characters!!"), 401, "no_proof_configured"},
		{"secret of 31 characters", "short", "", 0, signedBy("31-characters-are-one-too-few.."), 401, "no_proof_configured"},
		{"secret shared by two", "twin_a", "", 0, signedBy(secretShared), 401, "no_proof_configured"},
		{"secret shared by two, the other", "twin_b", "", 0, signedBy(secretShared), 401, "no_proof_configured"},
		{"published sample", "sample", "", 0, signedBy(sampleOurs), 401, "no_proof_configured"},
		{"the vendor's sample", "vendor", "", 0, signedBy(sampleVendor), 401, "no_proof_configured"},
		{"credential without a value", "token_less", "", 0, func(r *http.Request, _ []byte) { r.Header.Set("Authorization", "Bearer ") }, 401, "no_proof_configured"},
		{"credential of a type that does not reach us", "typeless", "", 0, bearing(bearer), 401, "no_proof_configured"},

		{"ten minutes old", "", "", 10 * time.Minute, nil, 401, "timestamp_old"},
		{"ten minutes ahead", "", "", -10 * time.Minute, nil, 401, "timestamp_ahead"},
		{"a year ahead", "", "", -365 * 24 * time.Hour, nil, 401, "timestamp_ahead"},
		{"in milliseconds", "", strings.Replace(press, "NOW", "NOW000", 1), 0, nil, 401, "timestamp_ahead"},
		{"zero", "", `{"timestamp":0}`, 0, nil, 401, "timestamp_old"},
		{"largest number", "", `{"timestamp":9223372036854775807}`, 0, nil, 401, "timestamp_ahead"},
		{"no timestamp", "", `{"data":{}}`, 0, nil, 400, "timestamp_missing"},
		{"timestamp negative", "", `{"timestamp":-1}`, 0, nil, 400, "timestamp_invalid"},
		{"timestamp a float", "", `{"timestamp":1739948408.5}`, 0, nil, 400, "timestamp_invalid"},
		{"timestamp a string", "", `{"timestamp":"1739948408"}`, 0, nil, 400, "timestamp_invalid"},

		{"empty body", "", "EMPTY", 0, nil, 400, "body_empty"},
		{"not JSON", "", "hello", 0, nil, 400, "body_not_json"},
		{"not UTF-8", "", "{\"data\":\"\xff\"}", 0, nil, 400, "body_not_utf8"},
		{"nested 10,000 deep", "", strings.Repeat("[", 10000) + strings.Repeat("]", 10000), 0, nil, 400, "body_too_deep"},
		{"duplicate keys", "", `{"timestamp":NOW,"timestamp":NOW}`, 0, nil, 400, "duplicate_key"},
		{"501 items", "", `{"data":{"productModelCodes":[` + strings.Join(codes, ",") + `]},"timestamp":NOW}`, 0, nil, 400, "too_many_items"},
		{"a UUID that is none", "", `{"data":{"productUuid":"1"},"timestamp":NOW}`, 0, nil, 400, "item_invalid"},
		{"a byte over 1 MiB", "", strings.Repeat(" ", action.MaxBody+1), 0, nil, 413, "body_too_large"},
		{"a byte over 1 MiB, unproven", "", strings.Repeat(" ", action.MaxBody+1), 0, unsigned, 413, "body_too_large"},
		{"more params than a record holds", "many", `{"new":"` + strings.Repeat("a", 400<<10) + `","timestamp":NOW}`, 0, nil, 413, "job_too_large"},

		{"not allowed to press", "managers", "", 0, nil, 403, "not_allowed"},
		{"a group in another case", "managers", asGroup("manager"), 0, nil, 403, "not_allowed"},
		{"unknown extension", "nobody", "", 0, unsigned, 404, "extension_unknown"},
		{"no extension", "", "", 0, func(r *http.Request, _ []byte) { r.URL.Path = "/actions" }, 404, "extension_unknown"},
		{"an extension that is no action", "panel", "", 0, unsigned, 404, "extension_unknown"},
		{"unknown extension, wrong method", "nobody", "", 0, method("GET"), 404, "extension_unknown"},
		{"GET", "", "", 0, method("GET"), 405, "method_not_allowed"},
		{"PUT", "", "", 0, method("PUT"), 405, "method_not_allowed"},
		{"OPTIONS", "", "", 0, method("OPTIONS"), 405, "method_not_allowed"},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := newDesk()
			extension, text := row.extension, row.body
			if extension == "" {
				extension = "export"
			}
			if text == "" {
				text = press
			} else if text == "EMPTY" {
				text = ""
			}
			body := d.stampAt(text, -row.age)
			signed := ""
			if own := document().Extensions[extension].Secrets; len(own) > 0 {
				signed = signature.SignAction(own[0], body)
			}
			r := request("/actions/"+extension+"?user[email]=julia%40example.com", body, signed)
			if row.change != nil {
				row.change(r, body)
			}
			got := d.send(t, r)
			if got.status != row.status || got.line["reason"] != row.reason || got.line["status"] != float64(row.status) {
				t.Errorf("got %d %v, want %d %s", got.status, got.line["reason"], row.status, row.reason)
			}
			if *got.answer.Success || got.answer.Message == "" || got.answer.Error == "" {
				t.Errorf("answer %s", got.body)
			}
			if row.status == 401 && got.body != unprovenText {
				t.Errorf("a 401 of its own: %s", got.body)
			}
			if row.status == 405 && got.header.Get("Allow") != "POST" {
				t.Errorf("405 without allow: %v", got.header)
			}
			if row.reason == "too_many_items" && !strings.Contains(got.answer.Message, "500") {
				t.Errorf("message %q", got.answer.Message)
			}
			if (got.line["level"] == "ERROR") != (row.reason == "no_proof_configured") {
				t.Errorf("logged as %v", got.line["level"])
			}
			if calls := d.store.calls.Load(); calls > 0 && row.reason != "job_too_large" {
				t.Errorf("%d store calls", calls)
			}
			if d.depth(t) != 0 {
				t.Error("queued")
			}
			checkLeaks(t, d, r)
		})
	}
}

// checkLeaks looks for what no log may hold.
func checkLeaks(t *testing.T, d *desk, r *http.Request) {
	t.Helper()
	log := d.log.String()
	never := []string{"julia@example.com", "julia%40", bearer, `productUuid`, "productModelCodes"}
	for _, own := range document().Extensions {
		never = append(never, own.Secrets...)
	}
	for _, name := range []string{"Signature", "X-Akeneo-Signature", "Authorization"} {
		for _, value := range r.Header[name] {
			never = append(never, strings.TrimPrefix(strings.TrimPrefix(value, "sha512="), "Bearer "))
		}
	}
	for _, text := range never {
		if text != "" && strings.Contains(log, text) {
			t.Errorf("%q in the log: %s", text, log)
		}
	}
}

func TestBase64Refused(t *testing.T) {
	d := newDesk()
	event := func(body string) string {
		payload, _ := json.Marshal(map[string]any{"rawPath": "/actions/export", "body": body, "isBase64Encoded": true,
			"requestContext": map[string]any{"http": map[string]string{"method": "POST"}}})
		return string(payload)
	}
	for name, row := range map[string]struct {
		body   string
		status string
	}{
		"not base64":              {"{}", `"statusCode":400`},
		"the other alphabet":      {"_-__", `"statusCode":400`},
		"too large once decoded":  {base64.StdEncoding.EncodeToString(bytes.Repeat([]byte(" "), action.MaxBody+1)), `"statusCode":413`},
		"too large while encoded": {strings.Repeat("!", 2*action.MaxBody), `"statusCode":413`},
	} {
		answer, err := d.function().Invoke(t.Context(), []byte(event(row.body)))
		if err != nil || !strings.Contains(string(answer), row.status) {
			t.Errorf("%s: %s %v", name, answer, err)
		}
	}
	if d.store.calls.Load() != 0 {
		t.Error("store called")
	}
}

func TestOneClosedExtensionTakesNothingElseDown(t *testing.T) {
	d := newDesk()
	if got := d.press(t, "twin_a", d.stamp(press)); got.status != 401 || !strings.Contains(fmt.Sprint(got.line["error"]), `"twin_b"`) {
		t.Errorf("closed: %d %v", got.status, got.line)
	}
	if got := d.press(t, "export", d.stamp(press)); got.status != 200 {
		t.Errorf("the other: %d %s", got.status, got.body)
	}
}

func TestSamplesAreAllowedLocally(t *testing.T) {
	d := newDesk()
	d.samples = true
	if got := d.press(t, "sample", d.stamp(press)); got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestSecretsAreFetchedAgainWhenASignatureFails(t *testing.T) {
	rotated := document()
	rotated.Extensions["export"] = secrets.Extension{Secrets: []string{"rotated-secret-of-32-characters!!!!!!"}}
	for _, row := range []struct {
		name   string
		vault  vault
		secret string
		status int
		asked  int
	}{
		{"a known secret asks nobody", vault{signing: document()}, secretOld, 200, 0},
		{"a rotated one proves after a fetch", vault{signing: document(), rotated: &rotated}, "rotated-secret-of-32-characters!!!!!!", 200, 1},
		{"junk stays junk", vault{signing: document(), rotated: &rotated}, strings.Repeat("x", 32), 401, 1},
		{"nothing fetched, nothing tried", vault{signing: document()}, "rotated-secret-of-32-characters!!!!!!", 401, 1},
		{"no secrets at all", vault{err: errors.New("throttled")}, secretNew, 503, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := newDesk()
			d.vault = &row.vault
			body := d.stamp(press)
			got := d.send(t, request("/actions/export", body, signature.SignAction(row.secret, body)))
			if got.status != row.status || d.vault.refreshes != row.asked {
				t.Errorf("%d after %d fetches, want %d after %d", got.status, d.vault.refreshes, row.status, row.asked)
			}
			if row.status == 503 && (got.line["reason"] != "secrets_unavailable" || strings.Contains(got.body, "throttled")) {
				t.Errorf("%v %s", got.line, got.body)
			}
		})
	}
}

func TestOutageOfTheSecretsRefusesNothingThatIsProven(t *testing.T) {
	d := newDesk()
	d.vault.failed = errors.New("throttled")
	if got := d.press(t, "export", d.stamp(press)); got.status != 200 {
		t.Errorf("proven: %d", got.status)
	}
}
