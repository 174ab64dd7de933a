package doctor_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/signature/doctor"
)

func TestAction(t *testing.T) {
	body := []byte(`{"data":{"productModelCodes":["armor/blue"],"name":"\u00c9quipe"},"timestamp":1739948408}`)
	sign := func(over []byte) string { return signature.SignAction(secret, over) }
	var spaced bytes.Buffer
	if err := json.Indent(&spaced, body, "", "\t"); err != nil {
		t.Fatal(err)
	}
	sha := hmac.New(sha256.New, []byte(secret))
	sha.Write(body)
	long := hmac.New(sha512.New, []byte(secret))
	long.Write(body)

	for _, test := range []struct {
		name  string
		proof signature.ActionProof
		value string
		body  []byte
		want  []string
	}{
		{"good", signedBy("x", secret), sign(body), body, []string{"verified by header signature with secret 1", "well formed, with prefix"}},
		{"missing", signedBy(secret), "", body, []string{"refused: signature_missing", "header signature: missing", "header x-akeneo-signature: missing"}},
		{"another secret", signedBy(secret), signature.SignAction("x", body), body, []string{"refused: signature_mismatch", "no secret matches"}},
		{"white space removed on the way", signedBy(secret), sign(body), spaced.Bytes(), []string{"matches secret 0 over the body with the white space"}},
		{"signed with JSON.stringify", signedBy(secret), sign([]byte(`{"data":{"productModelCodes":["armor/blue"],"name":"Équipe"},"timestamp":1739948408}`)), body,
			[]string{"matches secret 0 over the body re-serialised as compact JSON without"}},
		{"signed with json_encode", signedBy(secret), sign([]byte(`{"data":{"productModelCodes":["armor\/blue"],"name":"\u00c9quipe"},"timestamp":1739948408}`)), body,
			[]string{"over the body re-serialised as compact JSON with PHP's escapes"}},
		{"signed with json.dumps", signedBy(secret), sign([]byte(`{"data": {"productModelCodes": ["armor/blue"], "name": "\u00c9quipe"}, "timestamp": 1739948408}`)), body,
			[]string{"over the body re-serialised with spaces"}},
		{"newline lost", signedBy(secret), sign(append(bytes.Clone(body), '\n')), body, []string{"over the body with a newline after it"}},
		{"newline gained", signedBy(secret), sign(body), append(bytes.Clone(body), '\n'), []string{"over the body without its final newline"}},
		{"base64 not undone", signedBy(secret), sign(body), []byte(base64.StdEncoding.EncodeToString(body)), []string{"over the body decoded from base64", "not JSON"}},
		{"signed without a body", signedBy(secret), sign(nil), body, []string{"over an empty body"}},
		{"the Events API's way", signedBy(secret), sign(append([]byte("1739948408."), body...)), body, []string{"timestamp and a dot in front"}},
		{"prefix inside", signedBy(secret), sign(append([]byte("sha512="), body...)), body, []string{"prefix sha512= inside"}},
		{"SHA-256", signedBy(secret), hex.EncodeToString(sha.Sum(nil)), body, []string{"refused: signature_malformed", "64 hex digits", "over the body as received, with SHA-256"}},
		{"SHA-256 with its prefix", signedBy(secret), "sha256=" + hex.EncodeToString(sha.Sum(nil)), body, []string{"a prefix other than sha512=", "with SHA-256"}},
		{"base64 instead of hex", signedBy(secret), base64.StdEncoding.EncodeToString(long.Sum(nil)), body, []string{"over the body as received, in base64"}},
		{"prefix twice", signedBy(secret), "sha512=" + sign(body), body, []string{"signature_malformed", "matches secret 0 over the body as received"}},
		{"repeated, two values", signedBy("x", secret), sign(body) + "," + signature.SignAction("y", body), body, []string{"refused: signatures_disagree", "; and ", "matches secret 1"}},
		{"cut", signedBy(secret), sign(body)[:134], body, []string{"127 hex digits instead of 128"}},
		{"secret with a newline", signedBy(secret + "\n"), sign(body), body, []string{"secret 0 has white space around it", "matches secret 0 without the white space"}},
		{"sender's secret with a newline", signedBy(secret), signature.SignAction(secret+"\n", body), body, []string{"matches secret 0 with a newline after it"}},
		{"secret in quotes", signedBy(`"` + secret + `"`), sign(body), body, []string{"without the quotes"}},
		{"secret in hex", signedBy(hex.EncodeToString([]byte(secret))), sign(body), body, []string{"decoded from hex"}},
		{"empty secret", signedBy(""), sign(body), body, []string{"refused: no_proof_configured", "secret 0 is empty"}},
		{"nothing configured", signature.ActionProof{}, sign(body), body, []string{"nobody may call"}},
		{"unsigned", signature.ActionProof{Unsigned: true}, "", body, []string{"verified: unsigned"}},
		{"unsigned beside a secret", signature.ActionProof{Unsigned: true, Secrets: []string{secret}}, "", nil, []string{"unsigned does not count", "0 bytes, empty"}},
		{"credential missing", signature.ActionProof{Secrets: []string{secret}, Credentials: []signature.Credential{{Type: "header", Name: "X-Key", Value: "hidden"}}}, sign(body), body,
			[]string{"refused: credential_missing", "header x-key: header credential missing", "matches secret 0 over the body as received"}},
		{"credential unusable", signature.ActionProof{Credentials: []signature.Credential{{Type: "basic"}}}, "", body, []string{"refused: no_proof_configured", "it never matches"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			header := map[string]string{"signature": test.value, "authorization": "Bearer hidden-token"}
			got := doctor.Action(test.proof, header, test.body)
			for _, want := range test.want {
				if !strings.Contains(got, want) {
					t.Errorf("says nothing of %q:\n%s", want, got)
				}
			}
			discreet(t, got, append(test.proof.Secrets, "hidden"), test.value)
		})
	}
}

// discreet checks that an explanation shows no secret and no signature that could be used.
func discreet(t *testing.T, explanation string, secrets []string, values string) {
	t.Helper()
	for _, s := range secrets {
		if s = strings.TrimSpace(s); len(s) > 1 && strings.Contains(explanation, s) {
			t.Errorf("shows a secret:\n%s", explanation)
		}
	}
	for value := range strings.SplitSeq(values, ",") {
		if digits := strings.TrimPrefix(strings.ToLower(value), "sha512="); len(digits) > 16 && strings.Contains(strings.ToLower(explanation), digits[:16]) {
			t.Errorf("shows more of a signature than its beginning:\n%s", explanation)
		}
	}
}

// The vector's value over re-serialised bytes was made by JavaScript: the explanation must name that cause.
func TestReserialisedVector(t *testing.T) {
	for _, v := range vectors(t) {
		if v.WrongReserialised == "" {
			continue
		}
		got := doctor.Action(signedBy(v.Secret), map[string]string{v.Header: v.WrongReserialised}, v.body)
		if !strings.Contains(got, "JSON.stringify") {
			t.Errorf("%s: does not name JSON.stringify:\n%s", v.Name, got)
		}
	}
}

// An explanation is asked for exactly when something is wrong: nothing that arrives may break it, and its first
// line is what VerifyAction decided.
func FuzzAction(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(v.Secret, v.Value, v.body)
		f.Add(v.Secret, v.WrongReserialised, v.body)
	}
	f.Add("", "sha512=,,=", []byte("[\"\\ud800\",{\"\":1e999}]"))
	f.Add("s", "=", []byte(strings.Repeat("[", 20000)))
	f.Fuzz(func(t *testing.T, secret, value string, body []byte) {
		header := map[string]string{"x-akeneo-signature": value}
		_, err := signature.VerifyAction(signedBy(secret), header, body)
		first, _, _ := strings.Cut(doctor.Action(signedBy(secret), header, body), "\n")
		if strings.HasPrefix(first, "verified") != (err == nil) {
			t.Errorf("VerifyAction says %v, the explanation %q", err, first)
		}
	})
}
