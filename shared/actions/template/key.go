package template

import (
	"crypto/sha256"
	"encoding/hex"
)

// Key is the idempotency key of a body that holds data of the configuration, such as a user's template: it can change
// with a deployment between two tries. Then the key changes with it, so that one key never carries two contents.
func Key(key string, body []byte) string {
	sum := sha256.Sum256(body)
	return HeaderKey(key) + "/" + hex.EncodeToString(sum[:8])
}

// longestKey is the most characters of a key that is sent as it is: what destinations keep (Stripe and others take 255),
// with room for the body's digest.
const longestKey = 230

// HeaderKey is a key that can stand in a header: itself if it is of visible ASCII characters alone and not too long,
// else its SHA-256 in hex. A part of it may be a sender's own text, such as an event's id.
func HeaderKey(key string) string {
	legal := key != "" && len(key) <= longestKey
	for i := range len(key) {
		legal = legal && key[i] > ' ' && key[i] < 0x7f
	}
	if legal {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}
