package template

import (
	"crypto/sha256"
	"encoding/hex"
)

// Key is the idempotency key of a body that a user's template has made. A template can change with a deployment
// between two tries: then the key changes with it, so that one key never carries two contents.
func Key(key string, body []byte) string {
	sum := sha256.Sum256(body)
	return key + "/" + hex.EncodeToString(sum[:8])
}
