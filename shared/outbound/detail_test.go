package outbound_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/pim-functions/pim-functions/shared/outbound"
)

func TestWhatAnAnswerSaysOfARefusal(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"message", `{"code":422,"message":"no price"}`, "no price"},
		{"error", `{"error":"no price"}`, "no price"},
		{"error as an object", `{"error":{"code":7,"message":"no price"}}`, "no price"},
		{"OAuth", `{"error":"invalid_client","error_description":"unknown client"}`, "unknown client"},
		{"problem details", `{"type":"about:blank","title":"Conflict","detail":"no price"}`, "no price"},
		{"a title alone", `{"title":"no price"}`, "no price"},
		{"errors", `{"errors":[{"property":"price","message":"price is mandatory for SKU-17"}]}`, "price is mandatory for SKU-17"},
		{"errors that name a property", `{"errors":[{"property":"price","message":"is mandatory"}]}`, "price: is mandatory"},
		{"errors as texts", `{"errors":["no price","no name"]}`, "no price; no name"},
		{"errors by field", `{"errors":{"price":["is mandatory"],"name":"is too long"}}`, "name: is too long; price: is mandatory"},
		{"message and errors", `{"message":"Validation failed.","errors":[{"message":"no price"}]}`, "Validation failed: no price"},
		{"an array", `[{"message":"no price"}]`, "no price"},
		{"three of many", `{"errors":["a","b","c","d","e"]}`, "a; b; c"},
		{"three of many fields, without those that say nothing", `{"errors":{"a":"x","b":null,"c":"x","d":"x","e":"x"}}`, "a: x; c: x; d: x"},
		{"a property alone", `{"errors":[{"property":"price"}]}`, ""},
		{"three levels down", `{"error":{"error":{"error":"no price"}}}`, "no price"},
		{"four levels down", `{"error":{"error":{"error":{"error":"no price"}}}}`, ""},
		{"errors in errors, too far down", `{"errors":[{"errors":["no price"]}]}`, ""},
		{"errors in errors by field, too far down", `{"errors":{"a":{"errors":{"b":"no price"}}}}`, ""},
		{"a text alone", `"no price"`, "no price"},
		{"line breaks", `{"message":"no\nprice\u0000\u2028here"}`, "no price  here"},
		{"an answer that is not JSON", `<html>no price</html>`, ""},
		{"an answer that breaks off", `{"message":"no pri`, ""},
		{"nothing that says why", `{"id":7,"message":null,"error":true,"errors":[]}`, ""},
		{"nothing", ``, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := outbound.Detail([]byte(c.body), nil); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestADetailIsCutBeforeTheCharacterThatDoesNotFit(t *testing.T) {
	got := outbound.Detail([]byte(`{"message":"x`+strings.Repeat("é", 500)+`"}`), nil)
	if len(got) > 240 || len(got) < 238 || !utf8.ValidString(got) || !strings.HasSuffix(got, "é") {
		t.Errorf("%d bytes, ends with %q", len(got), got[len(got)-4:])
	}
}

// A destination that repeats what we sent must not show it to a user.
func TestADetailConcealsWhatWasSentInHeaders(t *testing.T) {
	for _, c := range []struct{ name, header, value, says, want string }{
		{"a credential", "Authorization", "Bearer T0PSECRET", "not known: Bearer T0PSECRET", "not known: Bearer …"},
		{"its token alone", "Authorization", "Bearer T0PSECRET", "not known: T0PSECRET", "not known: …"},
		{"a credential without a scheme", "Authorization", "T0PSECRET", "not known: T0PSECRET", "not known: …"},
		{"a key in a header of its own", "X-Api-Key", "T0PSECRET", "not known: T0PSECRET", "not known: …"},
		{"such a key with a space", "X-Api-Key", "T0P SECRET", "not known: T0P SECRET", "not known: …"},
		{"six characters", "X-Api-Key", "abcdef", "not known: abcdef", "not known: …"},
		{"five, which a word may hold", "X-Api-Key", "price", "no price", "no price"},
		{"what is no secret", "Idempotency-Key", "job-0001", "twice: job-0001", "twice: job-0001"},
	} {
		body, _ := json.Marshal(map[string]string{"message": c.says})
		if got := outbound.Detail(body, http.Header{c.header: {c.value}}); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestTheReasonReachesTheUserWithEveryStatusAndNeverTheLog(t *testing.T) {
	for _, status := range []int{400, 401, 403, 404, 409, 422, 429, 500, 503} {
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"message":"no price for julia; `+r.Header.Get("Authorization")+`"}`)
		})
		_, err := local().Do(t.Context(), outbound.Request{Method: "POST", URL: url, KeepErrorBody: true, Header: http.Header{"Authorization": {"Bearer T0PSECRET"}}})
		failed := asError(t, err)
		if !strings.Contains(failed.Reason(), ": no price for julia") || failed.Detail() == "" {
			t.Errorf("%d: %q", status, failed.Reason())
		}
		if strings.Contains(failed.Reason(), "T0PSECRET") {
			t.Errorf("%d: a credential that the destination repeats reaches the user: %q", status, failed.Reason())
		}
		if strings.Contains(err.Error(), "price") || strings.Contains(failed.Summary(), "price") {
			t.Errorf("%d: the destination's text reaches the log: %v", status, err)
		}
	}
}

func FuzzDetail(f *testing.F) {
	for _, seed := range []string{`{"message":"a"}`, `{"errors":[[[["a"]]]]}`, `[]`, `null`, "{\"message\":\"\xff\"}", `{"errors":{"a":{"errors":{"b":1}}}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got := outbound.Detail(body, http.Header{"Authorization": {"Bearer T0PSECRET"}})
		if len(got) > 240 || !utf8.ValidString(got) || strings.ContainsFunc(got, unicode.IsControl) || strings.Contains(got, "T0PSECRET") {
			t.Errorf("%q", got)
		}
	})
}
