package signature_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/signature"
)

// The law: a value proves if and only if each of its comma-separated parts is SignAction of one and the same
// secret, but for case, prefix and white space around it; and no changed byte of the body goes unnoticed.
func FuzzVerifyAction(f *testing.F) {
	for _, v := range vectors(f) { // fails if there are none
		f.Add(v.Secret, "", v.body, v.Value, uint(0), uint8(1))
		f.Add("", v.Secret, v.body, strings.ToUpper(v.Value), uint(7), uint8(0x80))
		f.Add("other", v.Secret, v.body, v.WrongReserialised, uint(99), uint8(0x20))
		f.Add("other", v.Secret, v.body, v.Value+", "+v.Value, uint(99), uint8(0x20))
	}
	f.Add("", "", []byte(nil), "", uint(0), uint8(0))
	f.Add("a", "b", []byte("{}"), "sha512=", uint(1), uint8(3))
	f.Fuzz(func(t *testing.T, first, second string, body []byte, value string, at uint, flip uint8) {
		proof := signedBy(first, second)
		verify := func(value string, body []byte) bool {
			verified, err := signature.VerifyAction(proof, map[string]string{"signature": value}, body)
			if err == nil && (verified.Variant() != "signature" || verified.Secret() < 0 || !usable(proof.Secrets[verified.Secret()])) {
				t.Errorf("proven by %q with secret %d", verified.Variant(), verified.Secret())
			}
			return err == nil
		}
		if got, want := verify(value, body), lawful(proof.Secrets, value, body); got != want {
			t.Errorf("value %q proves: %t, by the law: %t", value, got, want)
		}
		for _, secret := range proof.Secrets {
			value := signature.SignAction(secret, body)
			if verify(value, body) != usable(secret) {
				t.Errorf("SignAction's value proves: %t", !usable(secret))
			}
			if !usable(secret) || flip == 0 {
				continue
			}
			if len(body) > 0 {
				tampered := bytes.Clone(body)
				tampered[at%uint(len(body))] ^= flip
				if verify(value, tampered) {
					t.Error("a changed byte of the body went unnoticed")
				}
			}
			digits := []byte(strings.TrimPrefix(value, "sha512="))
			digits[at%uint(len(digits))] ^= flip
			if changed := string(digits); verify(changed, body) != strings.EqualFold("sha512="+changed, value) {
				t.Errorf("a changed digit: %q", changed)
			}
		}
	})
}

// usable secrets have a byte that is not zero: HMAC takes all others for the empty key.
func usable(secret string) bool { return strings.Trim(secret, "\x00") != "" }

// lawful states the law in other words than the code does.
func lawful(secrets []string, value string, body []byte) bool {
	for _, secret := range secrets {
		want := strings.TrimPrefix(signature.SignAction(secret, body), "sha512=")
		all := usable(secret)
		for _, part := range strings.Split(value, ",") {
			got := []byte(strings.Trim(part, " \t"))
			for i, c := range got { // ASCII only: no letter of another alphabet counts as one of ours
				if 'A' <= c && c <= 'Z' {
					got[i] = c + 'a' - 'A'
				}
			}
			all = all && strings.TrimPrefix(string(got), "sha512=") == want
		}
		if all {
			return true
		}
	}
	return false
}
