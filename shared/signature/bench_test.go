package signature_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha512"
	"fmt"
	"testing"

	"github.com/pim-functions/pim-functions/shared/signature"
)

// The floor is the HMAC that no verification can do without.
func BenchmarkVerifyAction(b *testing.B) {
	for _, size := range []int{600, 20 << 10} {
		body := bytes.Repeat([]byte("a"), size)
		header := map[string]string{"signature": signature.SignAction(secret, body)}
		proof := signedBy(secret)
		b.Run(fmt.Sprintf("floor/%dB", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				mac := hmac.New(sha512.New, []byte(secret))
				mac.Write(body)
				mac.Sum(nil)
			}
		})
		b.Run(fmt.Sprintf("verify/%dB", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := signature.VerifyAction(proof, header, body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
