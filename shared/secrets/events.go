package secrets

import "unicode/utf8"

// MinEventSecret is the shortest secret in characters that the Event Platform takes (Akeneo: "Event Platform",
// "Authentication and authorization"); what the PIM generates for the Events API is longer.
const MinEventSecret = 16

// EventSecrets is a list of what may prove who sends events.
func EventSecrets(list []string, samples bool) []string { return Usable(list, MinEventSecret, samples) }

// Usable is a list of secrets in which one that is shorter than least characters or, unless samples is set, published, is
// replaced by "", which proves nothing and keeps the others in their places. It does not refuse all for one of them: the
// vendor stops sending to whoever refuses, and what is sent meanwhile is lost.
func Usable(list []string, least int, samples bool) []string {
	usable := make([]string, len(list))
	for i, secret := range list {
		if utf8.RuneCountInString(secret) >= least && (samples || !IsSample(secret)) {
			usable[i] = secret
		}
	}
	return usable
}
