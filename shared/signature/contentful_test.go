package signature_test

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/signature"
)

// contentfulVector is a request whose signature Contentful's own toolkit computed.
type contentfulVector struct {
	Name      string
	Secret    string
	Method    string
	Path      string
	Body      string
	Headers   map[string]string `json:"request_headers"`
	Canonical string            `json:"canonical_string"`
	Signature string
}

func (v contentfulVector) request() signature.ContentfulRequest {
	return signature.ContentfulRequest{Method: v.Method, Paths: []string{v.Path}, Header: maps.Clone(v.Headers), Body: []byte(v.Body)}
}

func (v contentfulVector) sent(tb testing.TB) time.Time {
	tb.Helper()
	at, err := strconv.ParseInt(v.Headers["x-contentful-timestamp"], 10, 64)
	if err != nil {
		tb.Fatal(err)
	}
	return time.UnixMilli(at)
}

func contentfulVectors(tb testing.TB) []contentfulVector {
	tb.Helper()
	text, err := os.ReadFile("testdata/contentful-vectors.json")
	if err != nil {
		tb.Fatal(err)
	}
	var all []contentfulVector
	if err := json.Unmarshal(text, &all); err != nil {
		tb.Fatal(err)
	}
	if len(all) != 5 {
		tb.Fatalf("%d vectors, want 5", len(all))
	}
	return all
}

func TestContentfulVectors(t *testing.T) {
	for _, v := range contentfulVectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			if got := signature.SignContentful(v.Secret, v.Method, v.Path, v.Headers, []byte(v.Body)); got != v.Signature {
				t.Errorf("signed %s, want %s", got, v.Signature)
			}
			call, err := signature.VerifyContentful([]string{v.Secret}, v.request(), v.sent(t))
			if err != nil {
				t.Fatal(err)
			}
			if string(call.Canonical) != v.Canonical || string(call.Body()) != v.Body || call.Secret() != 0 || !call.Sent.Equal(v.sent(t)) {
				t.Errorf("canonical %q, want %q", call.Canonical, v.Canonical)
			}
			if call.Space != v.Headers["x-contentful-space-id"] || call.User != v.Headers["x-contentful-user-id"] || call.Environment != v.Headers["x-contentful-environment-id"] {
				t.Errorf("context %+v", call)
			}
		})
	}
}

func TestContentfulRefusals(t *testing.T) {
	v := contentfulVectors(t)[0]
	resign := func(r *signature.ContentfulRequest) {
		r.Header["x-contentful-signature"] = signature.SignContentful(v.Secret, r.Method, r.Paths[0], r.Header, r.Body)
	}
	for _, row := range []struct {
		name   string
		change func(*signature.ContentfulRequest)
		reason string // "": proven
	}{
		{"as it was sent", func(*signature.ContentfulRequest) {}, ""},
		{"a header more, which is not signed", func(r *signature.ContentfulRequest) { r.Header["x-forwarded-for"] = "192.0.2.1" }, ""},
		{"one of several paths", func(r *signature.ContentfulRequest) { r.Paths = []string{"/x", v.Path, "/prod" + v.Path} }, ""},
		{"white space around a value", func(r *signature.ContentfulRequest) {
			r.Header["x-contentful-space-id"] = "\u00a0 yadj1kx9rmg0\t"
		}, ""},
		{"no signature", func(r *signature.ContentfulRequest) { delete(r.Header, "x-contentful-signature") }, signature.SignatureMissing},
		{"signature in upper case", func(r *signature.ContentfulRequest) {
			r.Header["x-contentful-signature"] = strings.ToUpper(v.Signature)
		}, signature.SignatureMalformed},
		{"signature cut", func(r *signature.ContentfulRequest) { r.Header["x-contentful-signature"] = v.Signature[1:] }, signature.SignatureMalformed},
		{"signature twice", func(r *signature.ContentfulRequest) {
			r.Header["x-contentful-signature"] = v.Signature + "," + v.Signature
		}, signature.SignatureMalformed},
		{"another path", func(r *signature.ContentfulRequest) { r.Paths = []string{"/prod" + v.Path} }, signature.SignatureMismatch},
		{"no path", func(r *signature.ContentfulRequest) { r.Paths = nil }, signature.SignatureMismatch},
		{"path with dots", func(r *signature.ContentfulRequest) { r.Paths = []string{"/contentful/../contentful/actions/entries"} }, signature.SignatureMismatch},
		{"path with repeated slashes", func(r *signature.ContentfulRequest) { r.Paths = []string{"//contentful/actions/entries"} }, signature.SignatureMismatch},
		{"path with an encoded slash", func(r *signature.ContentfulRequest) { r.Paths = []string{"/contentful%2Factions/entries"} }, signature.SignatureMismatch},
		{"another method", func(r *signature.ContentfulRequest) { r.Method = "PUT" }, signature.SignatureMismatch},
		{"no method", func(r *signature.ContentfulRequest) { r.Method = "post" }, signature.MethodMalformed},
		{"body re-serialised", func(r *signature.ContentfulRequest) {
			r.Body = []byte(`{"entryIds": "5KsDBWseXY6QegucYAoacS,2uNOpLMJioKeoMq8W44uYc"}`)
		}, signature.SignatureMismatch},
		{"a signed header changed", func(r *signature.ContentfulRequest) { r.Header["x-contentful-space-id"] = "other" }, signature.SignatureMismatch},
		{"no list", func(r *signature.ContentfulRequest) { delete(r.Header, "x-contentful-signed-headers") }, signature.SignedHeadersMissing},
		{"a list of one", func(r *signature.ContentfulRequest) {
			r.Header["x-contentful-signed-headers"] = "x-contentful-timestamp"
			resign(r)
		}, signature.SignedHeadersMalformed},
		{"a list without itself", func(r *signature.ContentfulRequest) {
			r.Header["x-contentful-signed-headers"] = "content-type,x-contentful-timestamp"
			resign(r)
		}, signature.SignedHeadersMalformed},
		{"a list without the timestamp", func(r *signature.ContentfulRequest) {
			r.Header["x-contentful-signed-headers"] = "content-type,x-contentful-signed-headers"
			resign(r)
		}, signature.SignedHeadersMalformed},
		{"a list that names one twice", func(r *signature.ContentfulRequest) {
			r.Header["x-contentful-signed-headers"] += ",content-type"
			resign(r)
		}, signature.SignedHeadersMalformed},
		{"a list that names an absent header", func(r *signature.ContentfulRequest) {
			r.Header["x-contentful-signed-headers"] += ",x-absent"
			resign(r)
		}, signature.SignedHeadersMalformed},
		{"no timestamp", func(r *signature.ContentfulRequest) { r.Header["x-contentful-timestamp"] = " "; resign(r) }, signature.TimestampMissing},
		{"timestamp in seconds", func(r *signature.ContentfulRequest) { r.Header["x-contentful-timestamp"] = "1767225600"; resign(r) }, signature.TimestampMalformed},
		{"timestamp with a fraction", func(r *signature.ContentfulRequest) {
			r.Header["x-contentful-timestamp"] = "1767225600000.5"
			resign(r)
		}, signature.TimestampMalformed},
		{"timestamp with a sign", func(r *signature.ContentfulRequest) {
			r.Header["x-contentful-timestamp"] = "+1767225600000"
			resign(r)
		}, signature.TimestampMalformed},
		{"30 seconds old", func(r *signature.ContentfulRequest) { r.Header["x-contentful-timestamp"] = "1767225570000"; resign(r) }, signature.TimestampOld},
		{"just not 30 seconds old", func(r *signature.ContentfulRequest) { r.Header["x-contentful-timestamp"] = "1767225570001"; resign(r) }, ""},
		{"60 seconds ahead", func(r *signature.ContentfulRequest) { r.Header["x-contentful-timestamp"] = "1767225660000"; resign(r) }, ""},
		{"more than 60 seconds ahead", func(r *signature.ContentfulRequest) { r.Header["x-contentful-timestamp"] = "1767225660001"; resign(r) }, signature.TimestampAhead},
	} {
		t.Run(row.name, func(t *testing.T) {
			request := v.request()
			row.change(&request)
			_, err := signature.VerifyContentful([]string{v.Secret}, request, v.sent(t))
			if row.reason == "" && err != nil || row.reason != "" && (err == nil || err.Error() != "unproven: "+row.reason) {
				t.Errorf("got %v, want %q", err, row.reason)
			}
		})
	}
}

func TestContentfulSecrets(t *testing.T) {
	v := contentfulVectors(t)[0]
	other := strings.Repeat("c", 64)
	for _, row := range []struct {
		name    string
		secrets []string
		secret  int // index, -1: refused
		reason  string
	}{
		{"the second", []string{other, v.Secret}, 1, ""},
		{"beside one that is too short", []string{"short", v.Secret}, 1, ""},
		{"another", []string{other}, -1, signature.SignatureMismatch},
		{"of 63 characters", []string{v.Secret[1:]}, -1, signature.NoProofConfigured},
		{"with a newline", []string{v.Secret + "\n"}, -1, signature.NoProofConfigured},
		{"none", nil, -1, signature.NoProofConfigured},
		{"of zero bytes", []string{strings.Repeat("\x00", 64)}, -1, signature.NoProofConfigured},
	} {
		t.Run(row.name, func(t *testing.T) {
			call, err := signature.VerifyContentful(row.secrets, v.request(), v.sent(t))
			if call.Secret() != row.secret || row.reason == "" && err != nil || row.reason != "" && (err == nil || err.Error() != "unproven: "+row.reason) {
				t.Errorf("secret %d, %v", call.Secret(), err)
			}
		})
	}
}

// What is not signed is not said, whoever wrote it into the request.
func TestContentfulContextIsSignedOrLeftOut(t *testing.T) {
	v := contentfulVectors(t)[4] // signs itself and the timestamp alone
	request := v.request()
	request.Header["x-contentful-space-id"], request.Header["x-contentful-user-id"] = "space", "user"
	call, err := signature.VerifyContentful([]string{v.Secret}, request, v.sent(t))
	if err != nil || call.Space != "" || call.User != "" {
		t.Errorf("call %+v, %v", call, err)
	}
}

func TestContentfulQueryInAnotherOrderIsAnotherRequest(t *testing.T) {
	v := contentfulVectors(t)[4] // GET /api/resources?a=1&b=2
	request := v.request()
	request.Paths = []string{"/api/resources?b=2&a=1"}
	if _, err := signature.VerifyContentful([]string{v.Secret}, request, v.sent(t)); err == nil {
		t.Error("a query in another order verifies")
	}
	request = v.request()
	request.Body = []byte("{}")
	if _, err := signature.VerifyContentful([]string{v.Secret}, request, v.sent(t)); err == nil {
		t.Error("a GET with a body verifies")
	}
}

// What is signed here is proven here, and nothing that arrives breaks the verification.
func FuzzContentful(f *testing.F) {
	vectors := contentfulVectors(f)
	for _, v := range vectors {
		f.Add(v.Method, v.Path, v.Headers["x-contentful-signed-headers"], v.Headers["x-contentful-timestamp"], v.Signature, []byte(v.Body))
	}
	f.Add("POST", "/a%20b?%zz?x", ",,x-contentful-timestamp", "-1", strings.Repeat("0", 64), []byte("\xff"))
	secret := vectors[0].Secret
	f.Fuzz(func(t *testing.T, method, path, list, at, value string, body []byte) {
		header := map[string]string{"x-contentful-signed-headers": list, "x-contentful-timestamp": at, "x-contentful-signature": value, "content-type": "a"}
		request := signature.ContentfulRequest{Method: method, Paths: []string{path}, Header: header, Body: body}
		_, before := signature.VerifyContentful([]string{secret}, request, vectors[0].sent(t))
		signed := signature.SignContentful(secret, method, path, header, body)
		if before == nil && value != signed {
			t.Errorf("proven by %q, signed %q", value, signed)
		}
		header["x-contentful-signature"] = signed
		_, err := signature.VerifyContentful([]string{secret}, request, vectors[0].sent(t))
		if err != nil && slices.Contains([]string{"unproven: " + signature.SignatureMismatch, "unproven: " + signature.SignatureMissing, "unproven: " + signature.SignatureMalformed}, err.Error()) {
			t.Errorf("signed here, and not proven here: %v", err)
		}
	})
}

// Contentful's toolkit takes no time before 2020; what is later than the year 9999 is none.
func TestContentfulTimesAtTheirLimits(t *testing.T) {
	secret := strings.Repeat("s", 64)
	for timestamp, want := range map[string]string{
		"1577836800000": "timestamp_malformed", "1577836800001": "timestamp_old",
		"253402300799999": "timestamp_ahead", "253402300800000": "timestamp_malformed",
	} {
		header := map[string]string{"x-contentful-timestamp": timestamp, "x-contentful-signed-headers": "x-contentful-signed-headers,x-contentful-timestamp"}
		header["x-contentful-signature"] = signature.SignContentful(secret, "POST", "/a", header, nil)
		request := signature.ContentfulRequest{Method: "POST", Paths: []string{"/a"}, Header: header}
		_, err := signature.VerifyContentful([]string{secret}, request, time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC))
		if got := reason(t, err); got != want {
			t.Errorf("%s: %q, want %q", timestamp, got, want)
		}
	}
}

// What stands around a header's value is signed without it as far as JavaScript's trim takes it off (ECMAScript: WhiteSpace
// and LineTerminator), which is more than HTTP's white space and less than Unicode's.
func TestContentfulSignsValuesAsJavaScriptTrimsThem(t *testing.T) {
	sign := func(value string) string {
		return signature.SignContentful("s", "POST", "/", map[string]string{"x-a": value, "x-contentful-signed-headers": "x-a,x-contentful-signed-headers"}, nil)
	}
	spaces := []rune{'\t', '\n', '\v', '\f', '\r', ' ', 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000, 0xFEFF}
	for r := rune(0x2000); r <= 0x200A; r++ {
		spaces = append(spaces, r)
	}
	for _, r := range spaces {
		if sign(string(r)+"v w"+string(r)) != sign("v w") {
			t.Errorf("%U is signed", r)
		}
	}
	for _, r := range []rune{0, 0x1F, 0x85, 0x180E, 0x1FFF, 0x200B, 0x2060, 'x'} {
		if sign(string(r)+"v") == sign("v") {
			t.Errorf("%U is not signed", r)
		}
	}
}
