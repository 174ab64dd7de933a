package signature

import (
	"crypto/hmac"
	"encoding/hex"
)

// The headers that carry the signatures of an Event Platform delivery, in lower case (Akeneo: "Event Platform",
// "Concepts"). A third, x-akeneo-signature-algorithm, is not read: a sender who could choose the algorithm could choose
// a weak one.
const (
	EventPlatformPrimary   = "x-akeneo-signature-primary"
	EventPlatformSecondary = "x-akeneo-signature-secondary"
)

var eventPlatformHeaders = [...]string{EventPlatformPrimary, EventPlatformSecondary}

// SignEventPlatform signs a delivery of the Event Platform, or one of its notifications, as the platform does:
// HMAC-SHA256 of the raw body, in 64 lower-case hex digits. It is the value of X-AKENEO-SIGNATURE-PRIMARY, or with
// the subscription's second secret that of X-AKENEO-SIGNATURE-SECONDARY.
func SignEventPlatform(secret string, body []byte) string {
	return hex.EncodeToString(mac256(secret, body))
}

// VerifyEventPlatform checks that a body was sent by the Event Platform: either signature proves, against any of the
// secrets, because a rotation reaches sender and receiver minutes apart. Header names are in lower case, values of
// repeated headers joined by commas. Notifications, which carry the primary signature alone, are checked in the same
// way. Its error is an *Error.
//
// Of a delivery that carries the signatures of two of the secrets, the later one in the list counts: lists have the newest
// last, and a delivery that the new secret proves does not need the old one.
//
// Nothing signed says when a delivery was sent, and a retry comes up to 35 minutes later: there is no window. Whoever
// must not act twice recognises an event by its id.
func VerifyEventPlatform(secrets []string, header map[string]string, body []byte) (Verified, error) {
	if !usable(secrets) {
		return Verified{}, &Error{NoProofConfigured}
	}
	var signatures [len(eventPlatformHeaders)][]byte
	refusal := &Error{SignatureMissing}
	for i, name := range eventPlatformHeaders {
		signature, unusable := signature256(header[name])
		signatures[i] = signature
		switch {
		case unusable == nil:
			refusal = &Error{SignatureMismatch} // unless it matches
		case refusal.Reason == SignatureMissing:
			refusal = unusable
		}
	}
	if refusal.Reason != SignatureMismatch {
		return Verified{}, refusal // nothing to compare with
	}
	var proven Verified
	for i, secret := range secrets { // all of them, so that the time it takes does not tell which one matched
		if emptyKey(secret) {
			continue
		}
		mac := mac256(secret, body)
		for j, signature := range signatures {
			if hmac.Equal(mac, signature) && (proven.secret == 0 || secrets[proven.secret-1] != secret) {
				proven = Verified{body: body, variant: eventPlatformHeaders[j], secret: i + 1}
			}
		}
	}
	if proven.secret == 0 {
		return Verified{}, refusal
	}
	return proven, nil
}
