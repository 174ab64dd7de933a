package credential_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/credential"
	"github.com/pim-functions/pim-functions/shared/outbound"
	"github.com/pim-functions/pim-functions/shared/signature"
)

const signing = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

var now = time.Date(2026, 3, 2, 10, 42, 0, 0, time.UTC)

func TestForms(t *testing.T) {
	for _, c := range []struct{ document, name, want string }{
		{`{"bearer":"t"}`, "Authorization", "Bearer t"},
		{`{"basic":{"username":"u","password":"p:w"}}`, "Authorization", "Basic dTpwOnc="},
		{`{"header":{"name":"x-api-key","value":"v"}}`, "X-Api-Key", "v"},
		{`{"headers":{"X-Client":"c","X-Api-Key":"v"}}`, "X-Api-Key", "v"},
	} {
		own := parse(t, c.document)
		if got := call(t, own, outbound.Request{Header: http.Header{"Authorization": {"another"}, "X-Api-Key": {"another"}}}).Header; strings.Join(got[c.name], "|") != c.want || !own.Sets(c.name) || own.Sets("Accept") {
			t.Errorf("%s: %v", c.document, got)
		}
	}
}

func TestWhatIsNoCredential(t *testing.T) {
	for document, want := range map[string]error{
		``: credential.ErrForm, `{}`: credential.ErrForm, `"s3cret"`: credential.ErrForm, `{"token":"s3cret"}`: credential.ErrForm, `{"bearer":"s3cret"}{}`: credential.ErrForm,
		`{"bearer":"s3cret","sign":{"secret":"` + signing + `"}}`:                                                credential.ErrForm,
		`{"bearer":"s3cret\r\nX: y"}`:                                                                            credential.ErrHeader,
		`{"headers":{"Content-Length":"s3cret"}}`:                                                                credential.ErrHeader,
		`{"oauth2":{"token_url":"https://x.example/t","client_id":"a"}}`:                                         credential.ErrForm,
		`{"oauth2":{"token_url":"https://x.example/t","client_id":"a","client_secret":"s3cret","audience":"b"}}`: credential.ErrForm,
		`{"oauth2":{"token_url":"x.example/t","client_id":"a","client_secret":"s3cret"}}`:                        credential.ErrToken,
		`{"oauth2":{"token_url":"ftp://x.example/t","client_id":"a","client_secret":"s3cret"}}`:                  credential.ErrToken,
		`{"oauth2":{"token_url":"https://a:s3cret@x.example/t","client_id":"a","client_secret":"s3cret"}}`:       credential.ErrToken,
		`{"sign":{"secret":"s3cret"}}`:                                                                           credential.ErrSecret,
		`{"sign":{}}`:                                                                                            credential.ErrSecret,
	} {
		if _, err := credential.Parse([]byte(document)); err != want || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", document, err)
		}
	}
}

func TestACredentialDoesNotPrintItself(t *testing.T) {
	for _, document := range []string{`{"bearer":"s3cret"}`, `{"oauth2":{"token_url":"https://x.example/t","client_id":"a","client_secret":"s3cret"}}`, `{"sign":{"secret":"` + signing + `"}}`} {
		c := parse(t, document)
		if text := fmt.Sprintf("%v %+v %#v %s", c, c, &c, c); strings.Contains(text, "s3cret") || strings.Contains(text, "MfKQ") {
			t.Error(text)
		}
	}
}

func TestASignedCall(t *testing.T) {
	for _, c := range []struct{ name, key, id string }{
		{"the key is the id", "job-1/0-4", "job-1/0-4"},
		{"a key with a full stop", "event-platform/main/a.b/s", strings.Repeat("f", 64)},
	} {
		got := call(t, parse(t, `{"sign":{"secret":"`+signing+`"}}`), outbound.Request{Header: http.Header{"Idempotency-Key": {c.key}}, Body: []byte(`{"items":[]}`)})
		header := map[string]string{}
		for name := range got.Header {
			header[strings.ToLower(name)] = got.Header.Get(name)
		}
		if _, err := signature.VerifyStandardWebhooks([]string{signing}, header, []byte(got.body), now); err != nil {
			t.Errorf("%s: %v, %v", c.name, err, header)
		}
		if id := header["webhook-id"]; c.id == c.key && id != c.id || len(id) != len(c.id) {
			t.Errorf("%s: id %s", c.name, id)
		}
	}
}

type sent struct {
	http.Header
	body string
}

// call makes a call and returns what arrived.
func call(t *testing.T, c credential.Credential, r outbound.Request) (got sent) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = sent{r.Header, string(body)}
	}))
	defer server.Close()
	r.Method, r.URL = http.MethodPost, server.URL
	before := len(r.Header)
	client := credential.New(outbound.New(outbound.Config{AllowPrivate: true, Now: func() time.Time { return now }}))
	if _, err := client.Do(t.Context(), c, r); err != nil {
		t.Fatal(err)
	}
	if len(r.Header) != before {
		t.Error("the caller's headers were changed")
	}
	return got
}
