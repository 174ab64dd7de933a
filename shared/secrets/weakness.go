package secrets

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// MinSecret is the shortest secret in characters that the PIM takes for an extension (Akeneo help, "Action extension").
const MinSecret = 32

// SamplePrefix begins every secret that this project publishes with its samples.
const SamplePrefix = "sample-"

// vendorSamples are secrets of the vendor's own examples.
var vendorSamples = []string{"the_secret_need_tobe_32_characthers_long"}

// Weakness says why an extension is to be closed with what is configured for it; "" if it may be open. One bad
// secret closes: whoever set it believes that it protects. unsigned is what extensions.yaml says; samples allows
// published ones, for the local system alone. The text holds no value.
func (s Signing) Weakness(extension string, unsigned, samples bool) string {
	own := s.Extensions[extension]
	if len(own.Secrets) == 0 && own.Credential == nil && !unsigned {
		return "neither secret nor credential, and not `unsigned: true`"
	}
	for i, secret := range own.Secrets {
		switch {
		case secret == "":
			return fmt.Sprintf("secret %d is empty", i)
		case utf8.RuneCountInString(secret) < MinSecret:
			return fmt.Sprintf("secret %d is shorter than %d characters", i, MinSecret)
		case !samples && IsSample(secret):
			return fmt.Sprintf("secret %d is a published sample", i)
		}
		for name, other := range s.Extensions {
			if name != extension && slices.Contains(other.Secrets, secret) {
				return fmt.Sprintf("secret %d is also that of extension %q", i, name)
			}
		}
	}
	return ""
}

// IsSample says whether a secret is one that everybody can read.
func IsSample(secret string) bool {
	return strings.HasPrefix(secret, SamplePrefix) || slices.Contains(vendorSamples, secret)
}
