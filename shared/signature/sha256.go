package signature

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// mac256 is the HMAC-SHA256 of the parts, one after the other, keyed with the secret's bytes.
func mac256(secret string, parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	for _, part := range parts {
		mac.Write(part)
	}
	return mac.Sum(nil)
}

// usable says whether one of the secrets can prove.
func usable(secrets []string) bool {
	return slices.ContainsFunc(secrets, func(secret string) bool { return !emptyKey(secret) })
}

// signature256 reads a header that carries a bare HMAC-SHA256: 64 hex digits in any case. A header that was sent
// more than once must say the same each time: of two that differ, one is not the sender's, and we cannot know which.
func signature256(joined string) ([]byte, *Error) {
	joined = trim(joined)
	if joined == "" {
		return nil, &Error{SignatureMissing}
	}
	var signature []byte
	for value := range strings.SplitSeq(joined, ",") {
		got, ok := parse256(trim(value))
		switch {
		case !ok:
			return nil, &Error{SignatureMalformed}
		case signature != nil && !bytes.Equal(got, signature): // both came from the caller: nothing to hide
			return nil, &Error{SignaturesDisagree}
		}
		signature = got
	}
	return signature, nil
}

func parse256(digits string) ([]byte, bool) {
	if len(digits) != hex.EncodedLen(sha256.Size) {
		return nil, false
	}
	signature, err := hex.DecodeString(digits)
	return signature, err == nil
}
