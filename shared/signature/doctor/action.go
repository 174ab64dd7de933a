package doctor

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pim-functions/pim-functions/shared/signature"
)

// actionPrefix begins the value of an action's signature header.
const actionPrefix = "sha512="

// Action explains, in several lines, what signature.VerifyAction decides about an action's request. The first line
// begins with "verified" or "refused".
func Action(proof signature.ActionProof, header map[string]string, body []byte) string {
	var r report
	verified, err := signature.VerifyAction(proof, header, body)
	r.verdict(verified, err)
	r.proof(proof)
	names := signature.ActionHeaders()
	for _, name := range names {
		r.line("header %s: %s", name, describe512(header[name]))
	}
	for _, c := range proof.Credentials {
		r.line("header %s: %s", credentialHeader(c), describeCredential(c, header))
	}
	r.body(body)
	if err != nil && len(proof.Secrets) > 0 {
		r.mismatch(names, header, proof.Secrets, sha512.Size, bodiesOfAction(header, body))
	}
	return r.String()
}

// proof writes what is configured for the extension.
func (r *report) proof(proof signature.ActionProof) {
	switch {
	case len(proof.Secrets) > 0:
		r.line("configured: %d secrets, any of them proves", len(proof.Secrets))
	case len(proof.Credentials) > 0:
		r.line("configured: no secret, the credential alone proves")
	case proof.Unsigned:
		r.line("configured: unsigned, everybody may call")
	default:
		r.line("configured: no secret, no credential, not unsigned: nobody may call")
	}
	r.secrets(proof.Secrets)
	for i, c := range proof.Credentials {
		if checkCredential(c, nil) == signature.NoProofConfigured {
			r.line("credential %d lacks its password, token, name or value, or its type is not basic, bearer or header: it never matches", i)
		}
	}
	if proof.Unsigned && (len(proof.Secrets) > 0 || len(proof.Credentials) > 0) {
		r.line("unsigned does not count where a secret or a credential is configured")
	}
}

// describe512 says what is wrong with the form of an action's signature header.
func describe512(joined string) string {
	if trim(joined) == "" {
		return "missing"
	}
	var parts []string
	for value := range strings.SplitSeq(joined, ",") {
		value = trim(value)
		digits, prefix := cutActionPrefix(value), "with prefix"
		if digits == value {
			prefix = "no prefix"
		}
		switch {
		case digest(digits, sha512.Size):
			parts = append(parts, fmt.Sprintf("well formed, %s, %s", prefix, shorten(digits)))
		case digits == "":
			parts = append(parts, "nothing there")
		case digest(digits, sha256.Size):
			parts = append(parts, fmt.Sprintf("64 hex digits, as SHA-256 has; SHA-512 has 128, %s", prefix))
		case isHex(digits):
			parts = append(parts, fmt.Sprintf("%d hex digits instead of %d, %s", len(digits), hex.EncodedLen(sha512.Size), prefix))
		case strings.Contains(digits, "="):
			parts = append(parts, "a prefix other than sha512=, or base64; only hex digits are read")
		default:
			parts = append(parts, fmt.Sprintf("%d characters that are not all hex digits, %s", len(digits), prefix))
		}
	}
	return strings.Join(parts, "; and ")
}

func cutActionPrefix(value string) string {
	if n := len(actionPrefix); len(value) >= n && strings.EqualFold(value[:n], actionPrefix) {
		return value[n:]
	}
	return value
}

func describeCredential(c signature.Credential, header map[string]string) string {
	switch checkCredential(c, header) {
	case "":
		return c.Type + " credential matches"
	case signature.CredentialMissing:
		return c.Type + " credential missing"
	}
	scheme, _, _ := strings.Cut(trim(header[credentialHeader(c)]), " ")
	switch bearer := strings.EqualFold(scheme, "bearer"); {
	case c.Type == signature.BearerCredential && !bearer:
		return "bearer credential does not match: the value does not start with Bearer"
	case c.Type == signature.BasicCredential && bearer:
		return "basic credential does not match: a Bearer token came instead"
	}
	return c.Type + " credential does not match"
}

// checkCredential is the reason for which verification refuses the credential by itself, "" if it accepts it.
func checkCredential(c signature.Credential, header map[string]string) string {
	if _, err := signature.VerifyAction(signature.ActionProof{Credentials: []signature.Credential{c}}, header, nil); err != nil {
		return reason(err)
	}
	return ""
}

// credentialHeader is where the credential is expected, in lower case.
func credentialHeader(c signature.Credential) string {
	if c.Type == signature.HeaderCredential {
		return strings.ToLower(c.Name)
	}
	return "authorization"
}

// bodiesOfAction are what a PIM's button, or whoever plays it, may have signed.
func bodiesOfAction(header map[string]string, body []byte) []candidateBody {
	tried := append(bodiesSent(body), candidateBody{"the body with the prefix sha512= inside what was signed", append([]byte(actionPrefix), body...)})
	var payload struct{ Timestamp json.Number }
	if json.Unmarshal(body, &payload) == nil && payload.Timestamp != "" {
		tried = append(tried, candidateBody{"the body with its timestamp and a dot in front (the Events API's way)", stamped(payload.Timestamp.String(), body)})
	}
	return append(tried, bodiesWithHeader(header, body)...)
}
