package doctor_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/signature/doctor"
)

const explainedAt = "1767613500"

// explainedEvent is as the platform writes it; a JavaScript that parses and prints it loses the escape.
var explainedEvent = []byte(`{"data":{"product":{"uuid":"u"}},"subject":"Mot\u00e9"}`)

func TestEventPlatform(t *testing.T) {
	sign := func(body []byte) string { return signature.SignEventPlatform(secret, body) }
	for _, test := range []struct {
		name    string
		secrets []string
		header  map[string]string
		body    []byte
		want    []string
	}{
		{"good", []string{"x", secret}, map[string]string{"x-akeneo-signature-secondary": sign(explainedEvent)}, explainedEvent,
			[]string{"verified by header x-akeneo-signature-secondary with secret 1", "header x-akeneo-signature-primary: missing"}},
		{"nothing sent", []string{secret}, nil, explainedEvent, []string{"refused: signature_missing", "no secret matches"}},
		{"another secret", []string{secret}, map[string]string{"x-akeneo-signature-primary": signature.SignEventPlatform("x", explainedEvent)}, explainedEvent,
			[]string{"refused: signature_mismatch", "well formed", "no secret matches"}},
		{"re-serialised on the way", []string{secret}, map[string]string{"x-akeneo-signature-primary": sign(explainedEvent)}, append(bytes.Clone(explainedEvent), '\n'),
			[]string{"header x-akeneo-signature-primary matches secret 0 over the body without its final newline"}},
		{"signed with JSON.stringify", []string{secret}, map[string]string{"x-akeneo-signature-primary": sign([]byte(`{"data":{"product":{"uuid":"u"}},"subject":"Moté"}`))}, explainedEvent,
			[]string{"over the body re-serialised as compact JSON without"}},
		{"the Events API's way", []string{secret}, map[string]string{"x-akeneo-signature-primary": signature.SignEventsAPI(secret, explainedAt, explainedEvent), "x-akeneo-request-timestamp": explainedAt}, explainedEvent,
			[]string{"timestamp header and a dot in front"}},
		{"SHA-512", []string{secret}, map[string]string{"x-akeneo-signature-primary": strings.TrimPrefix(signature.SignAction(secret, explainedEvent), "sha512=")}, explainedEvent,
			[]string{"refused: signature_malformed", "128 hex digits instead of 64", "with SHA-512 instead of SHA-256"}},
		{"prefix", []string{secret}, map[string]string{"x-akeneo-signature-primary": "sha256=" + sign(explainedEvent)}, explainedEvent,
			[]string{"refused: signature_malformed", "there is no prefix here", "matches secret 0 over the body as received"}},
		{"base64 instead of hex", []string{secret}, map[string]string{"x-akeneo-signature-primary": base64.StdEncoding.EncodeToString(hexBytes(t, sign(explainedEvent)))}, explainedEvent,
			[]string{"in base64 instead of hex"}},
		{"secret with a newline", []string{secret + "\n"}, map[string]string{"x-akeneo-signature-primary": sign(explainedEvent)}, explainedEvent,
			[]string{"secret 0 has white space around it", "without the white space"}},
		{"empty secret", []string{""}, map[string]string{"x-akeneo-signature-primary": sign(explainedEvent)}, explainedEvent,
			[]string{"refused: no_proof_configured", "secret 0 is empty"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			explains(t, doctor.EventPlatform(test.secrets, test.header, test.body), test.want, test.secrets, test.header)
		})
	}
}

func TestEventsAPI(t *testing.T) {
	for _, test := range []struct {
		name      string
		timestamp string
		value     string
		body      []byte
		want      []string
	}{
		{"good", explainedAt, signature.SignEventsAPI(secret, explainedAt, explainedEvent), explainedEvent, []string{"verified by header x-akeneo-request-signature with secret 0", "timestamp: " + explainedAt}},
		{"timestamp lost", "", signature.SignEventsAPI(secret, explainedAt, explainedEvent), explainedEvent, []string{"refused: timestamp_missing", "timestamp: missing"}},
		{"timestamp is a date", "2026-01-05T11:45:00Z", signature.SignEventsAPI(secret, explainedAt, explainedEvent), explainedEvent, []string{"refused: timestamp_malformed", `"2026-01-05T11:45:00Z"`}},
		{"signed without timestamp", explainedAt, signature.SignEventPlatform(secret, explainedEvent), explainedEvent, []string{"refused: signature_mismatch", "matches secret 0 over the body as received alone, without timestamp and dot"}},
		{"signed without a dot", explainedAt, signature.SignEventPlatform(secret, append([]byte(explainedAt), explainedEvent...)), explainedEvent, []string{"without a dot"}},
		{"newline gained", explainedAt, signature.SignEventsAPI(secret, explainedAt, explainedEvent), append(bytes.Clone(explainedEvent), '\n'), []string{"over the timestamp, a dot and the body without its final newline"}},
		{"signature cut", explainedAt, signature.SignEventsAPI(secret, explainedAt, explainedEvent)[1:], explainedEvent, []string{"63 hex digits instead of 64"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			header := map[string]string{"x-akeneo-request-signature": test.value, "x-akeneo-request-timestamp": test.timestamp}
			explains(t, doctor.EventsAPI([]string{secret}, header, test.body), test.want, []string{secret}, header)
		})
	}
}

func explains(t *testing.T, got string, want, secrets []string, header map[string]string) {
	t.Helper()
	for _, phrase := range want {
		if !strings.Contains(got, phrase) {
			t.Errorf("says nothing of %q:\n%s", phrase, got)
		}
	}
	for _, value := range header {
		if len(value) > 40 { // a signature
			discreet(t, got, secrets, value)
		}
	}
}

func hexBytes(t *testing.T, digits string) []byte {
	t.Helper()
	decoded, err := hex.DecodeString(digits)
	if err != nil {
		t.Fatal(err)
	}
	return decoded
}

// Nothing that arrives may break an explanation, and its first line is what verification decided.
func FuzzEvents(f *testing.F) {
	f.Add("s3cret", explainedAt, signature.SignEventsAPI("s3cret", explainedAt, explainedEvent), explainedEvent)
	f.Add("s3cret", "", signature.SignEventPlatform("s3cret", explainedEvent), explainedEvent)
	f.Add("", "-1", "sha256=,,=", []byte("[\"\\ud800\",{\"\":1e999}]"))
	f.Fuzz(func(t *testing.T, secret, timestamp, value string, body []byte) {
		header := map[string]string{
			"x-akeneo-request-signature": value, "x-akeneo-request-timestamp": timestamp, "x-akeneo-signature-primary": value,
		}
		_, _, err := signature.VerifyEventsAPI([]string{secret}, header, body)
		if got := doctor.EventsAPI([]string{secret}, header, body); strings.HasPrefix(got, "verified") != (err == nil) {
			t.Errorf("VerifyEventsAPI says %v, the explanation %q", err, got)
		}
		_, err = signature.VerifyEventPlatform([]string{secret}, header, body)
		if got := doctor.EventPlatform([]string{secret}, header, body); strings.HasPrefix(got, "verified") != (err == nil) {
			t.Errorf("VerifyEventPlatform says %v, the explanation %q", err, got)
		}
	})
}
