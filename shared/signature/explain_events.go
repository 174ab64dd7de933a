package signature

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// ExplainEventsAPI tells a developer at a local system what VerifyEventsAPI looked at and, where a signature does not
// match, which usual mistake would make it match. As ExplainAction, it is not for production.
func ExplainEventsAPI(secrets []string, header map[string]string, body []byte) string {
	verified, sent, err := VerifyEventsAPI(secrets, header, body)
	explained := explainEvents([]string{eventsAPISignature}, secrets, header, body, verified, err, bodiesOfEventsAPI(header, body))
	stamp := "header " + eventsAPITimestamp + ": "
	switch value := header[eventsAPITimestamp]; {
	case err == nil:
		stamp += fmt.Sprintf("%d", sent.Unix())
	case trim(value) == "":
		stamp += "missing"
	default:
		stamp += fmt.Sprintf("%.20q", value)
	}
	return explained + stamp + "\n"
}

// ExplainEventPlatform tells a developer at a local system what VerifyEventPlatform looked at and, where no signature
// matches, which usual mistake would make one match. As ExplainAction, it is not for production.
func ExplainEventPlatform(secrets []string, header map[string]string, body []byte) string {
	verified, err := VerifyEventPlatform(secrets, header, body)
	return explainEvents(eventPlatformHeaders[:], secrets, header, body, verified, err, bodiesOfEventPlatform(header, body))
}

func explainEvents(names, secrets []string, header map[string]string, body []byte, verified Verified, err error, bodies []bodyTried) string {
	var out strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&out, format+"\n", args...) }
	if err != nil {
		line("refused: %s", err.(*Error).Reason)
	} else {
		line("verified by header %s with secret %d", verified.Variant(), verified.Secret())
	}
	line("configured: %d secrets, any of them proves", len(secrets))
	explainSecrets(line, secrets)
	for _, name := range names {
		line("header %s: %s", name, describeSignature256(header[name]))
	}
	line("body: %s", describeBody(body))
	if err != nil && len(secrets) > 0 {
		explainMismatch(line, names, header, secrets, sha256.Size, bodies)
	}
	return out.String()
}

// describeSignature256 says what is wrong with the form of a header that carries a bare HMAC-SHA256.
func describeSignature256(joined string) string {
	if trim(joined) == "" {
		return "missing"
	}
	var parts []string
	for value := range strings.SplitSeq(joined, ",") {
		value = trim(value)
		switch _, ok := parse256(value); {
		case ok:
			parts = append(parts, "well formed, "+shorten(value))
		case value == "":
			parts = append(parts, "nothing there")
		case isHex(value):
			parts = append(parts, fmt.Sprintf("%d hex digits instead of %d", len(value), hex.EncodedLen(sha256.Size)))
		default:
			parts = append(parts, fmt.Sprintf("%d characters that are not all hex digits; there is no prefix here", len(value)))
		}
	}
	return strings.Join(parts, "; and ")
}
