// Package doctor explains to people why a request is not proven: what the verification looked at, and which usual
// mistake of a sender would make the signature match. The local system and the command line show it to a developer.
//
// It is not for production. It never shows a secret, a credential or more than the first 8 digits of a signature; even
// so it tells an unproven caller far too much, and it computes dozens of HMACs for one request. Verification itself is
// package signature, which this package only asks.
package doctor

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/pim-functions/pim-functions/shared/signature"
)

// report is an explanation: lines of text.
type report struct{ strings.Builder }

func (r *report) line(format string, args ...any) { fmt.Fprintf(r, format+"\n", args...) }

// verdict writes what the verification decided.
func (r *report) verdict(verified signature.Verified, err error) {
	switch {
	case err != nil:
		r.line("refused: %s", reason(err))
	case verified.Secret() >= 0:
		r.line("verified by header %s with secret %d", verified.Variant(), verified.Secret())
	default:
		r.line("verified: %s", verified.Variant())
	}
}

// secrets writes which of the configured secrets are unusable or look mistyped.
func (r *report) secrets(secrets []string) {
	for i, secret := range secrets {
		switch {
		case empty(secret):
			r.line("secret %d is empty: it never matches", i)
		case strings.TrimSpace(secret) != secret:
			r.line("secret %d has white space around it, which counts as part of it", i)
		}
	}
}

func (r *report) body(body []byte) {
	what := "JSON"
	switch {
	case len(body) == 0:
		what = "empty"
	case !json.Valid(body):
		what = "not JSON"
	}
	r.line("body: %d bytes, %s", len(body), what)
}

// mismatch writes which usual mistake would make one of the headers match, if any would.
func (r *report) mismatch(names []string, header map[string]string, secrets []string, size int, bodies []candidateBody) {
	found := false
	for _, name := range names {
		for value := range strings.SplitSeq(header[name], ",") {
			for _, hint := range hints(secrets, trim(value), size, bodies) {
				found = true
				r.line("header %s %s", name, hint)
			}
		}
	}
	if !found {
		r.line("no secret matches, whichever way it was tried: as received, re-serialised (compact, with PHP's escapes, with spaces), " +
			"with and without a final newline, in and out of base64, with and without a timestamp in front, SHA-256 and SHA-512, secrets trimmed")
	}
}

// reason is the stable code of a refusal.
func reason(err error) string {
	refusal, ok := errors.AsType[*signature.Error](err)
	if !ok {
		return err.Error()
	}
	return refusal.Reason
}

// empty says whether verification ignores the secret because everybody could sign with it.
func empty(secret string) bool {
	_, err := signature.VerifyAction(signature.ActionProof{Secrets: []string{secret}}, nil, nil)
	return reason(err) == signature.NoProofConfigured
}

// digest says whether a value is the hex digits of a digest of so many bytes.
func digest(value string, size int) bool {
	return len(value) == hex.EncodedLen(size) && isHex(value)
}

// describe256 says what is wrong with the form of a header that carries a bare HMAC-SHA256.
func describe256(joined string) string {
	if trim(joined) == "" {
		return "missing"
	}
	var parts []string
	for value := range strings.SplitSeq(joined, ",") {
		switch value = trim(value); {
		case digest(value, sha256.Size):
			parts = append(parts, "well formed, "+shorten(value))
		case value == "":
			parts = append(parts, "nothing there")
		case isHex(value):
			parts = append(parts, fmt.Sprintf("%d hex digits instead of %d", len(value), hex.EncodedLen(sha256.Size)))
		default:
			parts = append(parts, fmt.Sprintf("%d characters that are not all hex digits; there is no prefix here", len(value)))
		}
	}
	return strings.Join(parts, "; and ")
}

// shorten keeps of a signature what a developer needs to tell two apart.
func shorten(digits string) string { return digits[:min(8, len(digits))] + "…" }

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdefABCDEF") == "" }

// trim takes off the white space that HTTP allows around a value (RFC 9110 section 5.6.3).
func trim(value string) string { return strings.Trim(value, " \t") }
