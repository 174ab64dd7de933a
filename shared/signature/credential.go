package signature

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"
)

// Types of a Credential.
const (
	BasicCredential  = "basic"  // Username and Password
	BearerCredential = "bearer" // Token
	HeaderCredential = "header" // Name and Value
)

// Credential is what the PIM adds to a call in a header, beside or instead of a signature (Akeneo help,
// "Extension credentials"). It proves who sends, not what: unlike a signature it does not cover the body.
type Credential struct {
	Type     string // basic, bearer or header
	Username string
	Password string
	Token    string
	Name     string // of the header, in any case
	Value    string
}

// usable says whether the credential can prove anything. A password, token or value that is empty would let
// everybody in.
func (c Credential) usable() bool {
	switch c.Type {
	case BasicCredential:
		return c.Password != ""
	case BearerCredential:
		return c.Token != ""
	case HeaderCredential:
		return c.Name != "" && c.Value != ""
	}
	return false
}

// headerName is where the credential is expected, in lower case.
func (c Credential) headerName() string {
	if c.Type == HeaderCredential {
		return strings.ToLower(c.Name)
	}
	return "authorization"
}

// verifyCredentials checks that the header carries one of the credentials. It tries them all, so that the time it takes
// does not tell which one matched, and returns the index of the first that did.
func verifyCredentials(credentials []Credential, header map[string]string) (index int, err error) {
	usable, sent, match := false, false, -1
	for i, c := range credentials {
		if !c.usable() {
			continue
		}
		got := trim(header[c.headerName()])
		usable, sent = true, sent || got != ""
		if c.matches(got) && match < 0 {
			match = i
		}
	}
	switch {
	case !usable:
		return -1, &Error{NoProofConfigured}
	case !sent:
		return -1, &Error{CredentialMissing}
	case match < 0:
		return -1, &Error{CredentialMismatch}
	}
	return match, nil
}

func (c Credential) matches(got string) bool {
	switch c.Type {
	case BasicCredential:
		// One vendor page shows the Basic scheme, another the bare value. Base64 holds no space, so no value can
		// be taken for the scheme. Encoding what we expect, instead of decoding what came, leaves one spelling.
		if value, ok := cutScheme(got, "basic"); ok {
			got = value
		}
		return equal(got, base64.StdEncoding.EncodeToString([]byte(c.Username+":"+c.Password)))
	case BearerCredential:
		value, ok := cutScheme(got, "bearer")
		return ok && equal(value, c.Token)
	case HeaderCredential:
		return equal(got, c.Value)
	}
	return false
}

// cutScheme takes an authentication scheme (in any case, RFC 9110 section 11.1) off the front of a value.
func cutScheme(value, scheme string) (rest string, ok bool) {
	first, rest, found := strings.Cut(value, " ")
	if !found || !strings.EqualFold(first, scheme) {
		return "", false
	}
	return strings.TrimLeft(rest, " "), true
}

// equal compares in a time that tells neither where the strings differ nor how long the expected one is.
func equal(got, want string) bool {
	g, w := sha256.Sum256([]byte(got)), sha256.Sum256([]byte(want))
	return subtle.ConstantTimeCompare(g[:], w[:]) == 1
}
