package signature_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/signature"
)

const (
	primary   = "x-akeneo-signature-primary"
	secondary = "x-akeneo-signature-secondary"
)

func TestEventPlatformVectors(t *testing.T) {
	for _, v := range eventVectors(t, "event-platform-vectors.json") {
		t.Run(v.Name, func(t *testing.T) {
			for i, name := range []string{primary, secondary}[:len(v.Secrets)] {
				if got := signature.SignEventPlatform(v.Secrets[i], v.body); got != v.header[name] {
					t.Errorf("%s: signed %s, want %s", name, got, v.header[name])
				}
				// Each signature alone, against each secret alone.
				verified, err := signature.VerifyEventPlatform(v.Secrets[i:i+1], v.header, v.body)
				if err != nil || verified.Variant() != name || verified.Secret() != 0 || !bytes.Equal(verified.Body(), v.body) {
					t.Errorf("%s: %v, proven by %q with secret %d", name, err, verified.Variant(), verified.Secret())
				}
			}
			if _, err := signature.VerifyEventPlatform(v.Secrets, v.header, v.body); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestEventPlatformHeaders(t *testing.T) {
	body := []byte(`{"specversion":"1.0"}`)
	first, second := signature.SignEventPlatform("first", body), signature.SignEventPlatform("second", body)
	other := signature.SignEventPlatform("another", body)
	for _, test := range []struct {
		name   string
		header map[string]string
		want   string // the header that proves, or the reason
		secret int
	}{
		{"primary alone", map[string]string{primary: first}, primary, 0},
		{"primary with the second secret: rotated there, not yet here", map[string]string{primary: second}, primary, 1},
		{"secondary alone", map[string]string{secondary: first}, secondary, 0},
		{"both right: the later in the list counts", map[string]string{primary: first, secondary: second}, secondary, 1},
		{"both right, the newest as primary", map[string]string{primary: second, secondary: first}, primary, 1},
		{"primary wrong, secondary right", map[string]string{primary: other, secondary: second}, secondary, 1},
		{"primary malformed, secondary right", map[string]string{primary: "junk", secondary: second}, secondary, 1},
		{"primary twice and different, secondary right", map[string]string{primary: first + "," + other, secondary: second}, secondary, 1},
		{"primary right, secondary wrong", map[string]string{primary: first, secondary: other}, primary, 0},
		{"primary right, secondary malformed", map[string]string{primary: first, secondary: "junk"}, primary, 0},
		{"upper-case digits", map[string]string{primary: strings.ToUpper(first)}, primary, 0},
		{"the same twice", map[string]string{primary: first + "," + first}, primary, 0},
		{"another algorithm is named", map[string]string{primary: first, "x-akeneo-signature-algorithm": "none"}, primary, 0},

		{"nothing", nil, "signature_missing", -1},
		{"both empty", map[string]string{primary: "", secondary: " "}, "signature_missing", -1},
		{"in a header of another scheme", map[string]string{"x-akeneo-request-signature": first}, "signature_missing", -1},
		{"primary malformed", map[string]string{primary: first[1:]}, "signature_malformed", -1},
		{"with a prefix", map[string]string{primary: "sha256=" + first}, "signature_malformed", -1},
		{"secondary malformed", map[string]string{secondary: first + "00"}, "signature_malformed", -1},
		{"two that disagree in one header", map[string]string{primary: first + "," + second}, "signatures_disagree", -1},
		{"both wrong", map[string]string{primary: other, secondary: other}, "signature_mismatch", -1},
		{"primary wrong, secondary malformed", map[string]string{primary: other, secondary: "junk"}, "signature_mismatch", -1},
		{"of other bytes", map[string]string{primary: signature.SignEventPlatform("first", append(body, '\n'))}, "signature_mismatch", -1},
		{"signed without a secret", map[string]string{primary: signature.SignEventPlatform("", body)}, "signature_mismatch", -1},
		{"signed for the Events API", map[string]string{primary: signature.SignEventsAPI("first", "1602565368", body)}, "signature_mismatch", -1},
	} {
		t.Run(test.name, func(t *testing.T) {
			verified, err := signature.VerifyEventPlatform([]string{"first", "second"}, test.header, body)
			got := reason(t, err)
			if err == nil {
				got = verified.Variant()
			}
			if got != test.want || verified.Secret() != test.secret {
				t.Errorf("got %q with secret %d, want %q with %d", got, verified.Secret(), test.want, test.secret)
			}
			if err != nil && verified.Body() != nil {
				t.Error("a refused request gives its body away")
			}
		})
	}
}

func TestEventPlatformSecrets(t *testing.T) {
	body := []byte("{}")
	for _, test := range eventSecrets {
		t.Run(test.name, func(t *testing.T) {
			header := map[string]string{primary: signature.SignEventPlatform(test.signWith, body)}
			verified, err := signature.VerifyEventPlatform(test.secrets, header, body)
			if got := reason(t, err); got != test.want || verified.Secret() != test.index {
				t.Errorf("got %q with secret %d, want %q with %d", got, verified.Secret(), test.want, test.index)
			}
		})
	}
}

// The law: a delivery proves if and only if one of its two headers is SignEventPlatform of one of the secrets, but
// for case; no changed byte of the body goes unnoticed.
func FuzzVerifyEventPlatform(f *testing.F) {
	for _, v := range eventVectors(f, "event-platform-vectors.json") { // fails if there are none
		f.Add(v.Secrets[0], "", v.body, v.header[primary], v.header[secondary], uint(0), uint8(1))
		f.Add("other", v.Secrets[0], v.body, "junk", strings.ToUpper(v.header[primary]), uint(9), uint8(0x20))
	}
	f.Add("", "\x00", []byte(nil), "", "", uint(0), uint8(0))
	f.Fuzz(func(t *testing.T, one, two string, body []byte, first, second string, at uint, flip uint8) {
		secrets := []string{one, two}
		verify := func(first, second string, body []byte) bool {
			_, err := signature.VerifyEventPlatform(secrets, map[string]string{primary: first, secondary: second}, body)
			return err == nil
		}
		lawful := func(value string) bool {
			for _, secret := range secrets {
				// A value with a comma may be the same signature twice.
				part, _, _ := strings.Cut(value, ",")
				if usable(secret) && strings.EqualFold(strings.Trim(part, " \t"), signature.SignEventPlatform(secret, body)) {
					return true
				}
			}
			return false
		}
		proven := verify(first, second, body)
		if proven && !lawful(first) && !lawful(second) {
			t.Errorf("%q and %q prove", first, second)
		}
		if plain := !strings.Contains(first+second, ","); plain && !proven && (lawful(first) || lawful(second)) {
			t.Errorf("%q and %q do not prove", first, second)
		}
		for _, secret := range secrets {
			signed := signature.SignEventPlatform(secret, body)
			if verify(signed, second, body) != usable(secret) && !lawful(second) || verify(first, signed, body) != usable(secret) && !lawful(first) {
				t.Errorf("SignEventPlatform's value proves: %t", !usable(secret))
			}
			if len(body) > 0 && flip != 0 && usable(secret) {
				tampered := bytes.Clone(body)
				tampered[at%uint(len(tampered))] ^= flip
				if verify(signed, signed, tampered) {
					t.Error("a changed byte of the body went unnoticed")
				}
			}
		}
	})
}

// While a secret is being replaced, either signature proves against either secret.
func ExampleVerifyEventPlatform() {
	body := []byte(`{"specversion":"1.0","id":"018e32f9-dfe4-760e-a273-5da1c089dfdb"}`)
	header := map[string]string{ // what the platform does
		"x-akeneo-signature-primary":   signature.SignEventPlatform("the secret of tomorrow", body),
		"x-akeneo-signature-secondary": signature.SignEventPlatform("the secret of today", body),
	}
	verified, err := signature.VerifyEventPlatform([]string{"the secret of today"}, header, body)
	fmt.Println(verified.Variant(), err)
	_, err = signature.VerifyEventPlatform([]string{"the secret of yesterday"}, header, body)
	fmt.Println(err)
	// Output:
	// x-akeneo-signature-secondary <nil>
	// unproven: signature_mismatch
}
