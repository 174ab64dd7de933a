package action_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/action"
	"github.com/pim-functions/pim-functions/functions/fixture"
	"github.com/pim-functions/pim-functions/shared/signature"
)

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
		{"malformed", "", "", 0, headers(map[string][]string{"Signature": {"sha256=GOOD"}}), 401, "signature_malformed"},
		{"two that disagree", "", "", 0, headers(map[string][]string{"Signature": {"GOOD", strings.Repeat("0", 128)}}), 401, "signatures_disagree"},
		{"signed with another secret", "", "", 0, signedBy(strings.Repeat("x", 32)), 401, "signature_mismatch"},
		{"signed with another extension's secret", "", "", 0, signedBy(secretGuard), 401, "signature_mismatch"},
		{"not even parsed when unproven", "", "hello", 0, signedBy(strings.Repeat("x", 32)), 401, "signature_mismatch"},

		{"no credential", "guarded", "", 0, signedBy(secretGuard), 401, "credential_missing"},
		{"wrong credential", "guarded", "", 0, bearing("another"), 401, "credential_mismatch"},
		{"credential without signature", "guarded", "", 0, func(r *http.Request, body []byte) { bearing(bearer)(r, body); unsigned(r, body) }, 401, "signature_missing"},
		{"credential alone, missing", "credential", "", 0, unsigned, 401, "credential_missing"},
		{"credential alone, wrong", "credential", "", 0, bearing("another"), 401, "credential_mismatch"},
		{"credential alone, stale", "credential", "", 10 * time.Minute, bearing(bearerAlone), 401, "timestamp_old"},

		{"no proof configured", "none", "", 0, unsigned, 401, "no_proof_configured"},
		{"published sample", "sample", "", 0, signedBy(sampleOurs), 401, "no_proof_configured"},

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
		{"unknown extension", "nobody", "", 0, nil, 401, "name_unknown"},
		{"unknown extension, unsigned", "nobody", "", 0, unsigned, 401, "name_unknown"},
		{"no extension", "", "", 0, func(r *http.Request, _ []byte) { r.URL.Path = "/actions" }, 401, "name_unknown"},
		{"an extension that is no action", "panel", "", 0, unsigned, 401, "name_unknown"},
		{"unknown extension, wrong method", "nobody", "", 0, method("GET"), 405, "method_not_allowed"},
		{"GET", "", "", 0, method("GET"), 405, "method_not_allowed"},
		{"PUT", "", "", 0, method("PUT"), 405, "method_not_allowed"},
		{"OPTIONS", "", "", 0, method("OPTIONS"), 405, "method_not_allowed"},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFixture()
			extension, text := row.extension, row.body
			if extension == "" {
				extension = "export"
			}
			if text == "" {
				text = press
			} else if text == "EMPTY" {
				text = ""
			}
			body := f.stampAt(text, -row.age)
			signed := ""
			if own := document().Extensions[extension].Secrets; len(own) > 0 {
				signed = signature.SignAction(own[0], body)
			}
			r := request("/actions/"+extension+"?user[email]=julia%40example.com", body, signed)
			if row.change != nil {
				row.change(r, body)
			}
			got := f.Send(t, r)
			if got.Status != row.status || got.Line["reason"] != row.reason || got.Line["status"] != float64(row.status) {
				t.Errorf("got %d %v, want %d %s", got.Status, got.Line["reason"], row.status, row.reason)
			}
			if message(t, got) == "" {
				t.Errorf("answer %s", got.Body)
			}
			if row.status == 401 && got.Body != fixture.Unproven {
				t.Errorf("a 401 of its own: %s", got.Body)
			}
			if row.status == 405 && got.Header.Get("Allow") != "POST" {
				t.Errorf("405 without allow: %v", got.Header)
			}
			if row.reason == "too_many_items" && !strings.Contains(message(t, got), "500") {
				t.Errorf("message %q", message(t, got))
			}
			if (got.Line["level"] == "ERROR") != (row.reason == "no_proof_configured") {
				t.Errorf("logged as %v", got.Line["level"])
			}
			if calls := f.Store.Calls; calls > 0 && row.reason != "job_too_large" {
				t.Errorf("%d store calls", calls)
			}
			if f.Depth() != 0 {
				t.Error("queued")
			}
			checkLeaks(t, f, r)
		})
	}
}
