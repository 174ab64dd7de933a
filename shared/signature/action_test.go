package signature_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/signature"
)

const secret = "the_secret_need_tobe_32_characthers_long"

// vector is one request whose signature was computed by other software.
type vector struct {
	Name              string
	Secret            string
	BodyFile          string `json:"body_file"`
	BodyLength        int    `json:"body_length"`
	Header            string
	Value             string
	WrongReserialised string `json:"wrong_value_if_reserialised"`

	body []byte
}

func vectors(tb testing.TB) []vector {
	tb.Helper()
	data, err := os.ReadFile("testdata/action-vectors.json")
	if err != nil {
		tb.Fatal(err)
	}
	var all []vector
	if err := json.Unmarshal(data, &all); err != nil {
		tb.Fatal(err)
	}
	if len(all) == 0 {
		tb.Fatal("no vectors: every test over them would pass")
	}
	for i, v := range all {
		if all[i].body, err = os.ReadFile(filepath.Join("testdata", v.BodyFile)); err != nil {
			tb.Fatal(err)
		}
		if len(all[i].body) != v.BodyLength {
			tb.Fatalf("%s has %d bytes, want %d", v.BodyFile, len(all[i].body), v.BodyLength)
		}
	}
	return all
}

func signedBy(secrets ...string) signature.ActionProof {
	return signature.ActionProof{Secrets: secrets}
}

// reason is the code of a refusal, "" for a nil error.
func reason(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	refusal, ok := errors.AsType[*signature.Error](err)
	if !ok {
		t.Fatalf("%T is not a *signature.Error: %v", err, err)
	}
	return refusal.Reason
}

func TestActionVectors(t *testing.T) {
	reserialised := 0
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			if got := signature.SignAction(v.Secret, v.body); got != v.Value {
				t.Errorf("SignAction = %s, want %s", got, v.Value)
			}
			verified, err := signature.VerifyAction(signedBy(v.Secret), map[string]string{v.Header: v.Value}, v.body)
			if err != nil {
				t.Fatal(err)
			}
			if string(verified.Body()) != string(v.body) || verified.Variant() != v.Header || verified.Secret() != 0 {
				t.Errorf("verified %d bytes by %q with secret %d", len(verified.Body()), verified.Variant(), verified.Secret())
			}
			if v.WrongReserialised == "" {
				return
			}
			reserialised++
			_, err = signature.VerifyAction(signedBy(v.Secret), map[string]string{v.Header: v.WrongReserialised}, v.body)
			if got := reason(t, err); got != signature.SignatureMismatch {
				t.Errorf("signature of re-serialised bytes: %q", got)
			}
		})
	}
	if reserialised == 0 {
		t.Error("no vector has a re-serialised value")
	}
}

func TestSignatureHeader(t *testing.T) {
	body := []byte(`{"data":{},"timestamp":1739948408}`)
	good := signature.SignAction(secret, body)
	digits := strings.TrimPrefix(good, "sha512=")
	other := signature.SignAction("another_secret_that_has_32_characters", body)

	const name, older, oldest = "signature", "x-akeneo-signature", "x-akeneo-request-signature"
	for _, test := range []struct {
		name   string
		header map[string]string
		want   string // reason of the refusal, or the variant that proved
	}{
		{"as the PIM sends it", map[string]string{name: good}, name},
		{"older header", map[string]string{older: digits}, older},
		{"oldest header", map[string]string{oldest: digits}, oldest},
		{"without prefix", map[string]string{name: digits}, name},
		{"upper-case digits", map[string]string{name: "sha512=" + strings.ToUpper(digits)}, name},
		{"upper-case prefix", map[string]string{name: "SHA512=" + digits}, name},
		{"white space around", map[string]string{name: " \t" + good + " "}, name},
		{"repeated, the same", map[string]string{name: good + "," + good}, name},
		{"repeated, the same in another spelling", map[string]string{name: good + ", " + strings.ToUpper(digits)}, name},
		{"several headers that agree", map[string]string{name: good, older: digits, oldest: strings.ToUpper(digits)}, name},
		{"an empty header beside a good one", map[string]string{name: "", older: good}, older},

		{"no header at all", nil, "signature_missing"},
		{"empty", map[string]string{name: ""}, "signature_missing"},
		{"white space alone", map[string]string{name: " \t "}, "signature_missing"},
		{"another header's name ends the same", map[string]string{"x-signature": good}, "signature_missing"},
		{"name in upper case: not what API Gateway gives", map[string]string{"Signature": good}, "signature_missing"},

		{"prefix alone", map[string]string{name: "sha512="}, "signature_malformed"},
		{"comma alone", map[string]string{name: ","}, "signature_malformed"},
		{"good and nothing", map[string]string{name: good + ","}, "signature_malformed"},
		{"doubled prefix", map[string]string{name: "sha512=" + good}, "signature_malformed"},
		{"another prefix", map[string]string{name: "sha256=" + digits}, "signature_malformed"},
		{"prefix without its sign", map[string]string{name: "sha512" + digits}, "signature_malformed"},
		{"a long s in the prefix", map[string]string{name: "ſha512=" + digits}, "signature_malformed"},
		{"one digit short", map[string]string{name: good[:len(good)-1]}, "signature_malformed"},
		{"one digit more", map[string]string{name: good + "0"}, "signature_malformed"},
		{"one byte short", map[string]string{name: good[:len(good)-2]}, "signature_malformed"},
		{"half of it, as SHA-256 has", map[string]string{name: digits[:64]}, "signature_malformed"},
		{"twice in one value", map[string]string{name: digits + digits}, "signature_malformed"},
		{"not hex", map[string]string{name: strings.Repeat("z", 128)}, "signature_malformed"},
		{"digits of another script", map[string]string{name: strings.Repeat("٣", 64)}, "signature_malformed"},
		{"a space inside", map[string]string{name: digits[:64] + " " + digits[65:]}, "signature_malformed"},
		{"a newline at the end", map[string]string{name: good + "\n"}, "signature_malformed"},
		{"a NUL at the end", map[string]string{name: good + "\x00"}, "signature_malformed"},
		{"a megabyte", map[string]string{name: strings.Repeat("a", 1<<20)}, "signature_malformed"},
		{"malformed beside a good one", map[string]string{name: good, older: "junk"}, "signature_malformed"},

		{"repeated, two values", map[string]string{name: good + "," + other}, "signatures_disagree"},
		{"repeated, the good one last", map[string]string{name: other + "," + good}, "signatures_disagree"},
		{"two headers that disagree", map[string]string{name: good, older: other}, "signatures_disagree"},
		{"two headers that disagree, the good one second", map[string]string{name: other, older: good}, "signatures_disagree"},

		{"another secret", map[string]string{name: other}, "signature_mismatch"},
		{"another body", map[string]string{name: signature.SignAction(secret, append(body, '\n'))}, "signature_mismatch"},
		{"signed without a secret", map[string]string{name: signature.SignAction("", body)}, "signature_mismatch"},
		{"zeros", map[string]string{name: strings.Repeat("0", 128)}, "signature_mismatch"},
	} {
		t.Run(test.name, func(t *testing.T) {
			verified, err := signature.VerifyAction(signedBy(secret), test.header, body)
			got := reason(t, err)
			if err == nil {
				got = verified.Variant()
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if err != nil && verified.Body() != nil {
				t.Error("a refused request gives its body away")
			}
		})
	}
}

func TestSecrets(t *testing.T) {
	body := []byte(`{"timestamp":1739948408}`)
	for _, test := range []struct {
		name     string
		secrets  []string
		signWith string
		want     string
		index    int
	}{
		{"the first of two", []string{"old", "new"}, "old", "", 0},
		{"the second of two", []string{"old", "new"}, "new", "", 1},
		{"the same twice: the first counts", []string{"same", "same"}, "same", "", 0},
		{"beside an empty one", []string{"", "new"}, "new", "", 1},
		{"none of two", []string{"old", "new"}, "older", "signature_mismatch", -1},
		{"an empty one beside a good one matches nothing", []string{"", "new"}, "", "signature_mismatch", -1},
		{"an empty one alone", []string{""}, "", "no_proof_configured", -1},
		{"empty ones alone", []string{"", ""}, "", "no_proof_configured", -1},
		{"one of zero bytes alone, which is the empty key", []string{"\x00\x00"}, "", "no_proof_configured", -1},
		{"one of zero bytes beside a good one", []string{"\x00", "new"}, "", "signature_mismatch", -1},
		{"none", nil, "", "no_proof_configured", -1},
		{"newline inside", []string{"line\nline"}, "line\nline", "", 0},
		{"newline at the end is part of it", []string{"secret\n"}, "secret", "signature_mismatch", -1},
		{"quote", []string{`it's "quoted"`}, `it's "quoted"`, "", 0},
		{"dollar", []string{"$HOME ${HOME} $$"}, "$HOME ${HOME} $$", "", 0},
		{"multibyte", []string{"clé-ключ-鍵-🔑"}, "clé-ключ-鍵-🔑", "", 0},
		{"multibyte in another normal form", []string{"cl\u00e9"}, "cle\u0301", "signature_mismatch", -1},
		{"not UTF-8", []string{"\xff\xfe"}, "\xff\xfe", "", 0},
		{"longer than the hash's block", []string{strings.Repeat("k", 200)}, strings.Repeat("k", 200), "", 0},
		{"upper case differs", []string{"Secret"}, "secret", "signature_mismatch", -1},
	} {
		t.Run(test.name, func(t *testing.T) {
			header := map[string]string{"signature": signature.SignAction(test.signWith, body)}
			verified, err := signature.VerifyAction(signedBy(test.secrets...), header, body)
			if got := reason(t, err); got != test.want {
				t.Fatalf("got %q, want %q", got, test.want)
			}
			if verified.Secret() != test.index {
				t.Errorf("matched secret %d, want %d", verified.Secret(), test.index)
			}
		})
	}
}

func TestBodies(t *testing.T) {
	for name, body := range map[string][]byte{
		"nil":             nil,
		"empty":           {},
		"not JSON":        []byte("hello"),
		"not UTF-8":       {0xff, 0x00, 0xfe},
		"carriage return": []byte("{}\r\n"),
		"byte order mark": []byte("\ufeff{}"),
		"a megabyte":      []byte(strings.Repeat("a", 1<<20)),
	} {
		t.Run(name, func(t *testing.T) {
			header := map[string]string{"signature": signature.SignAction(secret, body)}
			if _, err := signature.VerifyAction(signedBy(secret), header, body); err != nil {
				t.Error(err)
			}
			tampered := append([]byte(" "), body...)
			_, err := signature.VerifyAction(signedBy(secret), header, tampered)
			if got := reason(t, err); got != signature.SignatureMismatch {
				t.Errorf("a byte more: %q", got)
			}
		})
	}
}
