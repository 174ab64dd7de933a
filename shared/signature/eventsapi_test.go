package signature_test

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/signature"
)

const (
	requestSignature = "x-akeneo-request-signature"
	requestTimestamp = "x-akeneo-request-timestamp"
)

func TestEventsAPIVectors(t *testing.T) {
	for _, v := range eventVectors(t, "events-api-vectors.json") {
		t.Run(v.Name, func(t *testing.T) {
			if got := signature.SignEventsAPI(v.Secrets[0], v.header[requestTimestamp], v.body); got != v.header[requestSignature] {
				t.Errorf("signed %s, want %s", got, v.header[requestSignature])
			}
			verified, sent, err := signature.VerifyEventsAPI(v.Secrets, v.header, v.body)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(verified.Body(), v.body) || verified.Variant() != requestSignature || verified.Secret() != 0 {
				t.Errorf("proven by %q with secret %d", verified.Variant(), verified.Secret())
			}
			if got := strconv.FormatInt(sent.Unix(), 10); got != v.header[requestTimestamp] {
				t.Errorf("sent at %s, want %s", got, v.header[requestTimestamp])
			}
		})
	}
}

func TestEventsAPIHeaders(t *testing.T) {
	const now = "1602565368"
	body := []byte(`{"events":[]}`)
	good := signature.SignEventsAPI(secret, now, body)
	other := signature.SignEventsAPI("another secret", now, body)
	signed := func(timestamp string) map[string]string {
		return map[string]string{requestTimestamp: timestamp, requestSignature: signature.SignEventsAPI(secret, timestamp, body)}
	}
	with := func(value string) map[string]string {
		return map[string]string{requestTimestamp: now, requestSignature: value}
	}
	for _, test := range []struct {
		name   string
		header map[string]string
		want   string // reason; "": proven
	}{
		{"as the PIM signs", with(good), ""},
		{"upper-case digits", with(strings.ToUpper(good)), ""},
		{"white space around", with(" \t" + good + " "), ""},
		{"the same twice", with(good + ", " + good), ""},
		{"beside headers that are not read", map[string]string{requestTimestamp: now, requestSignature: good, "signature": other, "x-akeneo-signature-primary": other}, ""},
		{"far in the past: the window is the caller's", signed("0"), ""},
		{"far ahead: the window is the caller's", signed(strconv.Itoa(math.MaxInt64)), ""},
		{"leading zeros are signed with the rest", signed("0001602565368"), ""},

		{"nothing", nil, "signature_missing"},
		{"empty", with(""), "signature_missing"},
		{"white space alone", with(" \t"), "signature_missing"},
		{"in a header of another scheme", map[string]string{requestTimestamp: now, "x-akeneo-signature-primary": good}, "signature_missing"},
		{"63 digits", with(good[1:]), "signature_malformed"},
		{"65 digits", with(good + "0"), "signature_malformed"},
		{"128 digits, as SHA-512 has", with(good + good), "signature_malformed"},
		{"not hex", with(strings.Repeat("z", 64)), "signature_malformed"},
		{"with a prefix", with("sha256=" + good), "signature_malformed"},
		{"a comma behind", with(good + ","), "signature_malformed"},
		{"two that disagree", with(good + "," + other), "signatures_disagree"},

		{"no timestamp", map[string]string{requestSignature: good}, "timestamp_missing"},
		{"empty timestamp, signed", signed(""), "timestamp_missing"},
		{"timestamp that is no number, signed", signed("yesterday"), "timestamp_malformed"},
		{"negative", signed("-1"), "timestamp_malformed"},
		{"with a sign", signed("+1602565368"), "timestamp_malformed"},
		{"a fraction", signed("1602565368.5"), "timestamp_malformed"},
		{"hexadecimal", signed("0x5f853a38"), "timestamp_malformed"},
		{"more than 63 bits", signed("9223372036854775808"), "timestamp_malformed"},
		{"two timestamps", signed(now + "," + now), "timestamp_malformed"},

		{"another secret", with(other), "signature_mismatch"},
		{"another body", with(signature.SignEventsAPI(secret, now, append(body, '\n'))), "signature_mismatch"},
		{"another timestamp", with(signature.SignEventsAPI(secret, "1602565369", body)), "signature_mismatch"},
		{"another spelling of the timestamp", map[string]string{requestTimestamp: "01602565368", requestSignature: good}, "signature_mismatch"},
		{"of the body alone", with(signature.SignEventPlatform(secret, body)), "signature_mismatch"},
		{"signed without a secret", with(signature.SignEventsAPI("", now, body)), "signature_mismatch"},
		{"zeros", with(strings.Repeat("0", 64)), "signature_mismatch"},
	} {
		t.Run(test.name, func(t *testing.T) {
			verified, sent, err := signature.VerifyEventsAPI([]string{secret}, test.header, body)
			if got := reason(t, err); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if err != nil && (verified.Body() != nil || !sent.IsZero()) {
				t.Error("a refused request gives its body or time away")
			}
		})
	}
}

func TestEventsAPISecrets(t *testing.T) {
	const now = "1602565368"
	for _, test := range eventSecrets {
		t.Run(test.name, func(t *testing.T) {
			header := map[string]string{requestTimestamp: now, requestSignature: signature.SignEventsAPI(test.signWith, now, nil)}
			verified, _, err := signature.VerifyEventsAPI(test.secrets, header, nil)
			if got := reason(t, err); got != test.want || verified.Secret() != test.index {
				t.Errorf("got %q with secret %d, want %q with %d", got, verified.Secret(), test.want, test.index)
			}
		})
	}
}

// eventSecrets is what lists of secrets prove, in both event APIs.
var eventSecrets = []struct {
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
	{"one of zero bytes alone, which is the empty key", []string{"\x00"}, "", "no_proof_configured", -1},
	{"none", nil, "", "no_proof_configured", -1},
	{"newline at the end is part of it", []string{"secret\n"}, "secret", "signature_mismatch", -1},
	{"multibyte", []string{"clé-ключ-鍵-🔑"}, "clé-ключ-鍵-🔑", "", 0},
	{"longer than the hash's block", []string{strings.Repeat("k", 200)}, strings.Repeat("k", 200), "", 0},
}

func TestEventsAPITimeStandsTheWindow(t *testing.T) {
	now := time.Unix(1602565368, 0)
	for _, test := range []struct {
		timestamp, want string
	}{
		{"1602565368", ""}, {"1602565068", ""}, {"1602565668", ""},
		{"1602565067", "timestamp_old"}, {"0", "timestamp_old"},
		{"1602565669", "timestamp_ahead"}, {strconv.Itoa(math.MaxInt64), "timestamp_ahead"},
	} {
		header := map[string]string{requestTimestamp: test.timestamp, requestSignature: signature.SignEventsAPI(secret, test.timestamp, nil)}
		_, sent, err := signature.VerifyEventsAPI([]string{secret}, header, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := reason(t, signature.Window(now, sent.Unix(), signature.EventsAPIWindow)); got != test.want {
			t.Errorf("%s: %q, want %q", test.timestamp, got, test.want)
		}
	}
}

// The law: a signature proves if and only if it is SignEventsAPI of the header's timestamp and the body, but for
// case; no changed byte of either goes unnoticed.
func FuzzVerifyEventsAPI(f *testing.F) {
	for _, v := range eventVectors(f, "events-api-vectors.json") { // fails if there are none
		f.Add(v.Secrets[0], v.header[requestTimestamp], v.body, v.header[requestSignature], uint(0), uint8(1))
		f.Add("", v.header[requestTimestamp], v.body, strings.ToUpper(v.header[requestSignature]), uint(7), uint8(0x20))
	}
	f.Add("a", "12a", []byte("{}"), "", uint(1), uint8(3))
	f.Fuzz(func(t *testing.T, key, timestamp string, body []byte, value string, at uint, flip uint8) {
		verify := func(timestamp, value string, body []byte) bool {
			header := map[string]string{requestTimestamp: timestamp, requestSignature: value}
			_, sent, err := signature.VerifyEventsAPI([]string{key}, header, body)
			if err == nil && strings.TrimLeft(timestamp, "0") != strings.TrimLeft(strconv.FormatInt(sent.Unix(), 10), "0") {
				t.Errorf("%q was read as %d", timestamp, sent.Unix())
			}
			return err == nil
		}
		signed := signature.SignEventsAPI(key, timestamp, body)
		if verify(timestamp, value, body) && !strings.EqualFold(strings.Trim(value, " \t")[:64], signed) {
			t.Errorf("%q proves", value)
		}
		_, err := strconv.ParseUint(timestamp, 10, 63)
		if want := usable(key) && err == nil; verify(timestamp, signed, body) != want {
			t.Errorf("SignEventsAPI's value of %q proves: %t", timestamp, !want)
		}
		if flip == 0 || !usable(key) {
			return
		}
		message := append([]byte(timestamp+"."), body...)
		message[at%uint(len(message))] ^= flip
		if before, after, ok := strings.Cut(string(message), "."); ok && verify(before, signed, []byte(after)) {
			t.Error("a changed byte went unnoticed")
		}
	})
}

// A signed empty body is the PIM's test whether the address can be reached.
func ExampleVerifyEventsAPI() {
	header := map[string]string{
		"x-akeneo-request-timestamp": "1602565368",
		"x-akeneo-request-signature": signature.SignEventsAPI("the new secret", "1602565368", nil), // what the PIM does
	}
	verified, sent, err := signature.VerifyEventsAPI([]string{"the old secret", "the new secret"}, header, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("sent", sent.UTC(), "and proven with secret", verified.Secret())
	fmt.Println(signature.Window(sent.Add(time.Hour), sent.Unix(), signature.EventsAPIWindow))
	// Output:
	// sent 2020-10-13 05:02:48 +0000 UTC and proven with secret 1
	// unproven: timestamp_old
}
