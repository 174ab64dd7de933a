package signature

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// ActionWindow is how far an action's signed timestamp may be from our clock, on either side (Akeneo help,
// "Action extension": 300 seconds).
const ActionWindow = 300 * time.Second

// actionHeaders carry an action's signature, in the order in which they are read. The vendor's pages have named more
// than one over time; the first is the current one.
var actionHeaders = [...]string{"signature", "x-akeneo-signature", "x-akeneo-request-signature"}

// ActionHeaders are the headers that may carry an action's signature, in lower case, the current one first.
func ActionHeaders() []string { return slices.Clone(actionHeaders[:]) }

const actionPrefix = "sha512="

// ActionProof is what proves a call of one action extension.
type ActionProof struct {
	Secrets     []string     // all that are valid now: during a rotation the old one and the new one
	Credentials []Credential // all that are valid now; beside secrets a second proof, without them the only one
	Unsigned    bool         // with neither secret nor credential: let everybody in
}

// SignAction signs an action's body as the PIM does: HMAC-SHA512 of the raw bytes, keyed with the secret's bytes,
// in the form of the header's value, "sha512=" and 128 lower-case hex digits.
func SignAction(secret string, body []byte) string {
	return actionPrefix + hex.EncodeToString(actionMAC(secret, body))
}

func actionMAC(secret string, body []byte) []byte {
	mac := hmac.New(sha512.New, []byte(secret))
	mac.Write(body)
	return mac.Sum(nil)
}

// VerifyAction checks that an action's body was sent by the PIM. Header names are in lower case, values of repeated
// headers joined by commas (as API Gateway's payload 2.0 has them). Whatever of secrets and credential is configured
// must hold; Unsigned counts only where neither is. Its error is an *Error.
//
// The time is not checked here, because the timestamp is inside the body: parse Verified.Body, then call Window.
func VerifyAction(proof ActionProof, header map[string]string, body []byte) (Verified, error) {
	if !proof.usable() {
		return Verified{}, &Error{NoProofConfigured}
	}
	verified := Verified{body: body, variant: VariantUnsigned}
	if len(proof.Credentials) > 0 {
		index, err := verifyCredentials(proof.Credentials, header)
		if err != nil {
			return Verified{}, err
		}
		verified.variant, verified.credential = VariantCredential, index+1
	}
	if len(proof.Secrets) > 0 {
		name, got, err := actionSignature(header)
		if err != nil {
			return Verified{}, err
		}
		index := matchAction(proof.Secrets, got, body)
		if index < 0 {
			return Verified{}, &Error{SignatureMismatch}
		}
		verified.variant, verified.secret = name, index+1
	}
	return verified, nil
}

// usable says whether something is configured and all of it can prove.
func (p ActionProof) usable() bool {
	if len(p.Secrets) == 0 && len(p.Credentials) == 0 {
		return p.Unsigned
	}
	signs := slices.ContainsFunc(p.Secrets, func(secret string) bool { return !emptyKey(secret) })
	return (signs || len(p.Secrets) == 0) && (len(p.Credentials) == 0 || slices.ContainsFunc(p.Credentials, Credential.usable))
}

// actionSignature finds the signature and the first header that carries it. Every value of every signature header
// must be well formed and the same: of two that differ, one is not the sender's, and we cannot know which.
func actionSignature(header map[string]string) (name string, signature []byte, err error) {
	for _, candidate := range actionHeaders {
		joined := trim(header[candidate])
		if joined == "" {
			continue
		}
		for value := range strings.SplitSeq(joined, ",") {
			got, ok := parseActionSignature(trim(value))
			switch {
			case !ok:
				return "", nil, &Error{SignatureMalformed}
			case signature == nil:
				name, signature = candidate, got
			case !bytes.Equal(got, signature): // both came from the caller: nothing to hide
				return "", nil, &Error{SignaturesDisagree}
			}
		}
	}
	if signature == nil {
		return "", nil, &Error{SignatureMissing}
	}
	return name, signature, nil
}

// parseActionSignature reads 128 hex digits in any case, with or without the prefix, in any case too.
func parseActionSignature(value string) ([]byte, bool) {
	value = cutActionPrefix(value)
	if len(value) != hex.EncodedLen(sha512.Size) {
		return nil, false
	}
	signature, err := hex.DecodeString(value)
	return signature, err == nil
}

func cutActionPrefix(value string) string {
	if n := len(actionPrefix); len(value) >= n && strings.EqualFold(value[:n], actionPrefix) {
		return value[n:]
	}
	return value
}

// matchAction returns the index of the first secret that made the signature, -1 if none did. It tries them all, so
// that the time it takes does not tell which one matched.
func matchAction(secrets []string, signature, body []byte) int {
	match := -1
	for i, secret := range secrets {
		if emptyKey(secret) {
			continue
		}
		if hmac.Equal(actionMAC(secret, body), signature) && match < 0 {
			match = i
		}
	}
	return match
}

// emptyKey says whether anybody can sign with the secret. HMAC fills a short key up with zero bytes (RFC 2104), so
// that a secret of nothing but those is the empty one.
func emptyKey(secret string) bool { return strings.Trim(secret, "\x00") == "" }

// trim takes off the optional white space that HTTP allows around a value (RFC 9110 section 5.6.3).
func trim(value string) string { return strings.Trim(value, " \t") }
