package secrets

import (
	"crypto/sha256"
	"encoding/hex"
)

// Fingerprint tells the secrets of one list apart where they may not be shown: four hexadecimal digits of a digest. They
// are few on purpose, so that nobody can try out guesses of a short password against them; two secrets may have the same.
func Fingerprint(secret string) string {
	sum := sha256.Sum256([]byte("pim-functions fingerprint\x00" + secret))
	return hex.EncodeToString(sum[:2])
}

// Fingerprint is that of the part that nobody else may know.
func (c Credential) Fingerprint() string { return Fingerprint(c.secret()) }
