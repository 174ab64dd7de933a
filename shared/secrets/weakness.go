package secrets

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// MinSecret is the shortest secret in characters that the PIM takes for an extension (Akeneo help, "Action
	// extension").
	MinSecret = 32
	// MinCredential is the shortest password, token or header value in characters that opens an extension. The PIM sets
	// no limit; anybody who guesses one may call.
	MinCredential = 12
)

// SamplePrefix begins every secret that this project publishes with its samples.
const SamplePrefix = "sample-"

// vendorSamples are secrets of the vendor's own examples.
var vendorSamples = []string{"the_secret_need_tobe_32_characthers_long"}

// Weakness says why an extension is to be closed with what is configured for it; "" if it may be open. One bad secret
// or credential closes: whoever set it believes that it protects. unsigned is what extensions.yaml says; samples allows
// published ones and short credentials, for the local system alone. The text holds no value.
func (s Signing) Weakness(extension string, unsigned, samples bool) string {
	own := s.Extensions[extension]
	if len(own.Secrets) == 0 && len(own.Credentials) == 0 && !unsigned {
		return "neither secret nor credential, and not `unsigned: true`"
	}
	for i, secret := range own.Secrets {
		if weakness := s.weakness(extension, secret, MinSecret, samples); weakness != "" {
			return fmt.Sprintf("secret %d %s", i, weakness)
		}
	}
	shortest := MinCredential
	if samples {
		shortest = 1 // nobody but this machine can call
	}
	for i, credential := range own.Credentials {
		weakness := "has none of the types basic, bearer and header"
		if credential.known() {
			weakness = s.weakness(extension, credential.secret(), shortest, samples)
		}
		if weakness != "" {
			return fmt.Sprintf("credential %d %s", i, weakness)
		}
	}
	return ""
}

// weakness is what is wrong with one secret text of an extension.
func (s Signing) weakness(extension, secret string, shortest int, samples bool) string {
	switch {
	case secret == "":
		return "is empty"
	case utf8.RuneCountInString(secret) < shortest:
		return fmt.Sprintf("is shorter than %d characters", shortest)
	case !samples && IsSample(secret):
		return "is a published sample"
	}
	for _, name := range slices.Sorted(maps.Keys(s.Extensions)) {
		other := s.Extensions[name]
		same := func(c Credential) bool { return c.secret() == secret }
		if name != extension && (slices.Contains(other.Secrets, secret) || slices.ContainsFunc(other.Credentials, same)) {
			return fmt.Sprintf("is also that of extension %q", name)
		}
	}
	return ""
}

// known says whether the type is one that the PIM sends to us.
func (c Credential) known() bool {
	return slices.Contains([]string{"basic", "bearer", "header"}, c.Type)
}

// secret is the part of a credential that nobody else may know.
func (c Credential) secret() string {
	switch c.Type {
	case "basic":
		return c.Password
	case "bearer":
		return c.Token
	}
	return c.Value
}

// IsSample says whether a secret is one that everybody can read.
func IsSample(secret string) bool {
	return strings.HasPrefix(secret, SamplePrefix) || slices.Contains(vendorSamples, secret)
}
