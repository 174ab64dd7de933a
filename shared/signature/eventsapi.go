package signature

import (
	"crypto/hmac"
	"encoding/hex"
	"strconv"
	"time"
)

// EventsAPIWindow is how far the signed timestamp of an Events API request may be from our clock, on either side. The
// vendor names no limit; this is that of its action extensions.
const EventsAPIWindow = 300 * time.Second

// The headers of an Events API request, in lower case (Akeneo: "Events API", "Security").
const (
	EventsAPISignature = "x-akeneo-request-signature"
	EventsAPITimestamp = "x-akeneo-request-timestamp"
)

// Reasons of an Error that only a timestamp in a header has.
const (
	TimestampMissing   = "timestamp_missing"
	TimestampMalformed = "timestamp_malformed" // not Unix seconds in decimal digits
)

// SignEventsAPI signs a request of the Events API as the PIM does: HMAC-SHA256 of the timestamp (the header's value,
// Unix seconds), a full stop and the raw body, in 64 lower-case hex digits.
func SignEventsAPI(secret, timestamp string, body []byte) string {
	return hex.EncodeToString(eventsAPIMAC(secret, timestamp, body))
}

func eventsAPIMAC(secret, timestamp string, body []byte) []byte {
	return mac256(secret, []byte(timestamp), []byte{'.'}, body)
}

// VerifyEventsAPI checks that a request of the Events API was sent by a PIM with one of the secrets, and says when,
// by the sender's clock. Header names are in lower case, values of repeated headers joined by commas. The body may
// be empty: the PIM's test of the address is a signed empty body. Its error is an *Error.
//
// The time is not compared with ours here: call Window with EventsAPIWindow before anything is done.
func VerifyEventsAPI(secrets []string, header map[string]string, body []byte) (Verified, time.Time, error) {
	if !usable(secrets) {
		return Verified{}, time.Time{}, &Error{NoProofConfigured}
	}
	signature, refusal := signature256(header[EventsAPISignature])
	if refusal != nil {
		return Verified{}, time.Time{}, refusal
	}
	// What is signed is the header's text. The number read from it is never printed again.
	timestamp := header[EventsAPITimestamp]
	if trim(timestamp) == "" {
		return Verified{}, time.Time{}, &Error{TimestampMissing}
	}
	seconds, err := strconv.ParseUint(timestamp, 10, 63)
	if err != nil {
		return Verified{}, time.Time{}, &Error{TimestampMalformed}
	}
	match := -1
	for i, secret := range secrets { // all of them, so that the time it takes does not tell which one matched
		if !emptyKey(secret) && hmac.Equal(eventsAPIMAC(secret, timestamp, body), signature) && match < 0 {
			match = i
		}
	}
	if match < 0 {
		return Verified{}, time.Time{}, &Error{SignatureMismatch}
	}
	return Verified{body: body, variant: EventsAPISignature, secret: match + 1}, time.Unix(int64(seconds), 0), nil
}
