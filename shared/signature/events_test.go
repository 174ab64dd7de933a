package signature_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/signature"
)

// eventVector is one request of an event API whose signatures were computed by other software.
type eventVector struct {
	Name       string
	Secrets    []string
	BodyFile   string `json:"body_file"` // "": an empty body
	BodyLength int    `json:"body_length"`
	Headers    map[string]string

	body   []byte
	header map[string]string // Headers, names in lower case
}

func eventVectors(tb testing.TB, file string) []eventVector {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		tb.Fatal(err)
	}
	var all []eventVector
	if err := json.Unmarshal(data, &all); err != nil {
		tb.Fatal(err)
	}
	if len(all) == 0 {
		tb.Fatal("no vectors: every test over them would pass")
	}
	for i := range all {
		v := &all[i]
		if v.BodyFile != "" {
			if v.body, err = os.ReadFile(filepath.Join("testdata", v.BodyFile)); err != nil {
				tb.Fatal(err)
			}
		}
		if len(v.body) != v.BodyLength {
			tb.Fatalf("%s has %d bytes, want %d", v.BodyFile, len(v.body), v.BodyLength)
		}
		v.header = map[string]string{}
		for name, value := range v.Headers {
			v.header[strings.ToLower(name)] = value
		}
	}
	return all
}

// hmac256 is HMAC-SHA256 without anything of ours.
func hmac256(secret string, body []byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return mac.Sum(nil)
}

// The floor is the HMAC that no verification can do without, of ten events in 40 KB.
func BenchmarkVerifyEvents(b *testing.B) {
	const timestamp = "1602565368"
	body := bytes.Repeat([]byte("a"), 40<<10)
	measure := func(name string, verify func() error) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if err := verify(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	measure("floor", func() error { hmac256(secret, body); return nil })
	legacy := map[string]string{"x-akeneo-request-timestamp": timestamp, "x-akeneo-request-signature": signature.SignEventsAPI(secret, timestamp, body)}
	measure("events-api", func() error {
		_, _, err := signature.VerifyEventsAPI([]string{secret}, legacy, body)
		return err
	})
	platform := map[string]string{"x-akeneo-signature-primary": signature.SignEventPlatform(secret, body)}
	measure("event-platform", func() error {
		_, err := signature.VerifyEventPlatform([]string{secret}, platform, body)
		return err
	})
}
