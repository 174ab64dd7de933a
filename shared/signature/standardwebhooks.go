package signature

import (
	"crypto/hmac"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"
)

// Headers of a signed webhook (Standard Webhooks: "Webhook headers").
const (
	StandardWebhooksID        = "Webhook-Id"
	StandardWebhooksTimestamp = "Webhook-Timestamp"
	StandardWebhooksSignature = "Webhook-Signature"
)

// StandardWebhooksWindow is how far a webhook's time may be away from now: what the specification's libraries use.
const StandardWebhooksWindow = 5 * time.Minute

const (
	standardSecretPrefix = "whsec_"
	standardVersion      = "v1" // HMAC-SHA256
)

// Lengths of a symmetric secret, in bytes (Standard Webhooks: "Signature scheme").
const (
	leastStandardSecret = 24
	mostStandardSecret  = 64
)

// ErrStandardWebhooksSecret is a secret that cannot sign.
var ErrStandardWebhooksSecret = errors.New("a signing secret is whsec_ and the base64 of 24 to 64 bytes")

// ErrStandardWebhooksID is an id that cannot be signed: empty, or with the full stop that separates the signed parts.
var ErrStandardWebhooksID = errors.New("the id of a webhook is not empty and has no full stop")

// CheckStandardWebhooksSecret says whether a secret can sign: nil or ErrStandardWebhooksSecret.
func CheckStandardWebhooksSecret(secret string) error {
	_, err := standardKey(secret)
	return err
}

// SignStandardWebhooks signs a body as Standard Webhooks has it and returns the value of StandardWebhooksSignature:
// HMAC-SHA256 of the id, the timestamp (Unix seconds) and the body, joined by full stops. Repeats of one message have one
// id, each with its own time. Its errors are ErrStandardWebhooksSecret and ErrStandardWebhooksID.
func SignStandardWebhooks(secret, id string, sent time.Time, body []byte) (string, error) {
	key, err := standardKey(secret)
	if err != nil {
		return "", err
	}
	if id == "" || strings.Contains(id, ".") {
		return "", ErrStandardWebhooksID
	}
	return standardVersion + "," + base64.StdEncoding.EncodeToString(standardMAC(key, id, strconv.FormatInt(sent.Unix(), 10), body)), nil
}

// VerifyStandardWebhooks checks that a body was signed lately with one of the secrets. Names of header are in lower case. A
// sender that rotates its secret signs with both: a list of signatures, one of which suffices; versions that are not
// known are passed over. Its error is an *Error.
func VerifyStandardWebhooks(secrets []string, header map[string]string, body []byte, now time.Time) (Verified, error) {
	get := func(name string) string { return trim(header[strings.ToLower(name)]) }
	id, timestamp, signatures := get(StandardWebhooksID), get(StandardWebhooksTimestamp), strings.Fields(get(StandardWebhooksSignature))
	var keys []string
	matched := 0
	for _, secret := range secrets {
		key, _ := standardKey(secret)
		keys = append(keys, key)
	}
	switch {
	case strings.Join(keys, "") == "":
		return Verified{}, &Error{NoProofConfigured}
	case len(signatures) == 0:
		return Verified{}, &Error{SignatureMissing}
	case timestamp == "":
		return Verified{}, &Error{TimestampMissing}
	case id == "" || strings.Contains(id, "."):
		return Verified{}, &Error{SignatureMismatch} // nobody signs such an id
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || strconv.FormatInt(seconds, 10) != timestamp {
		return Verified{}, &Error{TimestampMalformed}
	}
	known := false
	for _, each := range signatures {
		version, digits, _ := strings.Cut(each, ",")
		got, err := base64.StdEncoding.Strict().DecodeString(digits)
		if version != standardVersion || err != nil {
			continue
		}
		known = true
		for i, key := range keys { // all of them, so that the time it takes does not tell which one matched
			if key != "" && hmac.Equal(standardMAC(key, id, timestamp, body), got) && matched == 0 {
				matched = i + 1
			}
		}
	}
	switch {
	case !known:
		return Verified{}, &Error{SignatureMalformed}
	case matched == 0:
		return Verified{}, &Error{SignatureMismatch}
	}
	if err := Window(now, seconds, StandardWebhooksWindow); err != nil {
		return Verified{}, err
	}
	return Verified{body: body, variant: strings.ToLower(StandardWebhooksSignature), secret: matched}, nil
}

// standardKey is the key in a secret. A key of zeros is none: HMAC pads an empty one to the same.
func standardKey(secret string) (string, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, standardSecretPrefix))
	if err != nil || len(key) < leastStandardSecret || len(key) > mostStandardSecret || emptyKey(string(key)) {
		return "", ErrStandardWebhooksSecret
	}
	return string(key), nil
}

func standardMAC(key, id, timestamp string, body []byte) []byte {
	return mac256(key, []byte(id+"."+timestamp+"."), body)
}
