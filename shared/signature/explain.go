package signature

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// ExplainAction tells a developer at a local system, in several lines, what VerifyAction looked at and, where a
// signature does not match, which usual mistake would make it match. It never shows a secret, a credential or more
// than the first 8 digits of a signature; even so it tells far too much for an unproven caller, and it computes
// dozens of HMACs: not for production.
func ExplainAction(proof ActionProof, header map[string]string, body []byte) string {
	var out strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&out, format+"\n", args...) }

	verified, err := VerifyAction(proof, header, body)
	switch {
	case err != nil:
		line("refused: %s", err.(*Error).Reason)
	case verified.Secret() >= 0:
		line("verified by header %s with secret %d", verified.Variant(), verified.Secret())
	default:
		line("verified: %s", verified.Variant())
	}
	explainProof(line, proof)
	for _, name := range actionHeaders {
		line("header %s: %s", name, describeSignature(header[name]))
	}
	if proof.Credential != nil {
		line("header %s: %s", proof.Credential.headerName(), describeCredential(*proof.Credential, header))
	}
	line("body: %s", describeBody(body))
	if err != nil && len(proof.Secrets) > 0 {
		explainMismatch(line, actionHeaders[:], header, proof.Secrets, sha512.Size, bodiesOfAction(header, body))
	}
	return out.String()
}

// explainMismatch says which usual mistake would make a header match, if any would.
func explainMismatch(line func(string, ...any), names []string, header map[string]string, secrets []string, size int, bodies []bodyTried) {
	found := false
	for _, name := range names {
		for value := range strings.SplitSeq(header[name], ",") {
			for _, hint := range hints(secrets, trim(value), size, bodies) {
				found = true
				line("header %s %s", name, hint)
			}
		}
	}
	if !found {
		line("no secret matches, whichever way it was tried: as received, re-serialised (compact, with PHP's escapes, with spaces), " +
			"with and without a final newline, in and out of base64, with and without a timestamp in front, SHA-256 and SHA-512, secrets trimmed")
	}
}

func explainProof(line func(string, ...any), proof ActionProof) {
	switch {
	case len(proof.Secrets) > 0:
		line("configured: %d secrets, any of them proves", len(proof.Secrets))
	case proof.Credential != nil:
		line("configured: no secret, the credential alone proves")
	case proof.Unsigned:
		line("configured: unsigned, everybody may call")
	default:
		line("configured: no secret, no credential, not unsigned: nobody may call")
	}
	explainSecrets(line, proof.Secrets)
	if proof.Credential != nil && !proof.Credential.usable() {
		line("the credential lacks its password, token, name or value, or its type is not basic, bearer or header: it never matches")
	}
	if proof.Unsigned && (len(proof.Secrets) > 0 || proof.Credential != nil) {
		line("unsigned does not count where a secret or a credential is configured")
	}
}

func explainSecrets(line func(string, ...any), secrets []string) {
	for i, secret := range secrets {
		switch {
		case emptyKey(secret):
			line("secret %d is empty: it never matches", i)
		case strings.TrimSpace(secret) != secret:
			line("secret %d has white space around it, which counts as part of it", i)
		}
	}
}

// describeSignature says what is wrong with the form of a signature header's value.
func describeSignature(joined string) string {
	if trim(joined) == "" {
		return "missing"
	}
	var parts []string
	for value := range strings.SplitSeq(joined, ",") {
		digits, prefix := cutActionPrefix(trim(value)), "with prefix"
		if digits == trim(value) {
			prefix = "no prefix"
		}
		_, err := hex.DecodeString(digits)
		_, ok := parseActionSignature(trim(value))
		switch {
		case ok:
			parts = append(parts, fmt.Sprintf("well formed, %s, %s", prefix, shorten(digits)))
		case digits == "":
			parts = append(parts, "nothing there")
		case err == nil && len(digits) == hex.EncodedLen(sha256.Size):
			parts = append(parts, fmt.Sprintf("64 hex digits, as SHA-256 has; SHA-512 has 128, %s", prefix))
		case err == nil || len(digits)%2 == 1 && isHex(digits):
			parts = append(parts, fmt.Sprintf("%d hex digits instead of 128, %s", len(digits), prefix))
		case strings.Contains(digits, "="):
			parts = append(parts, "a prefix other than sha512=, or base64; only hex digits are read")
		default:
			parts = append(parts, fmt.Sprintf("%d characters that are not all hex digits, %s", len(digits), prefix))
		}
	}
	return strings.Join(parts, "; and ")
}

func describeCredential(c Credential, header map[string]string) string {
	err := c.verify(header)
	switch {
	case err == nil:
		return c.Type + " credential matches"
	case err.(*Error).Reason == CredentialMissing:
		return c.Type + " credential missing"
	}
	got := trim(header[c.headerName()])
	switch _, hasBearer := cutScheme(got, "bearer"); {
	case c.Type == BearerCredential && !hasBearer:
		return "bearer credential does not match: the value does not start with Bearer"
	case c.Type == BasicCredential && hasBearer:
		return "basic credential does not match: a Bearer token came instead"
	}
	return c.Type + " credential does not match"
}

func describeBody(body []byte) string {
	what := "JSON"
	switch {
	case len(body) == 0:
		what = "empty"
	case !json.Valid(body):
		what = "not JSON"
	}
	return fmt.Sprintf("%d bytes, %s", len(body), what)
}

// shorten keeps of a signature what a developer needs to tell two apart.
func shorten(digits string) string { return digits[:min(8, len(digits))] + "…" }

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdefABCDEF") == "" }
