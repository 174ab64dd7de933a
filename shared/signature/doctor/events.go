package doctor

import (
	"crypto/sha256"

	"github.com/pim-functions/pim-functions/shared/signature"
)

// EventsAPI explains, in several lines, what signature.VerifyEventsAPI decides about a request. The first line begins
// with "verified" or "refused".
func EventsAPI(secrets []string, header map[string]string, body []byte) string {
	var r report
	verified, sent, err := signature.VerifyEventsAPI(secrets, header, body)
	r.events([]string{signature.EventsAPISignature}, secrets, header, body, verified, err, bodiesOfEventsAPI(header, body))
	switch value := header[signature.EventsAPITimestamp]; {
	case err == nil:
		r.line("header %s: %d", signature.EventsAPITimestamp, sent.Unix())
	case trim(value) == "":
		r.line("header %s: missing", signature.EventsAPITimestamp)
	default:
		r.line("header %s: %.20q", signature.EventsAPITimestamp, value)
	}
	return r.String()
}

// EventPlatform explains, in several lines, what signature.VerifyEventPlatform decides about a delivery or a
// notification. The first line begins with "verified" or "refused".
func EventPlatform(secrets []string, header map[string]string, body []byte) string {
	var r report
	verified, err := signature.VerifyEventPlatform(secrets, header, body)
	names := []string{signature.EventPlatformPrimary, signature.EventPlatformSecondary}
	r.events(names, secrets, header, body, verified, err, append(bodiesSent(body), bodiesWithHeader(header, body)...))
	return r.String()
}

func (r *report) events(names, secrets []string, header map[string]string, body []byte, verified signature.Verified, err error, bodies []candidateBody) {
	r.verdict(verified, err)
	r.line("configured: %d secrets, any of them proves", len(secrets))
	r.secrets(secrets)
	for _, name := range names {
		r.line("header %s: %s", name, describe256(header[name]))
	}
	r.body(body)
	if err != nil && len(secrets) > 0 {
		r.mismatch(names, header, secrets, sha256.Size, bodies)
	}
}

// bodiesWithHeader are what a sender of another kind may have signed who works as the Events API does.
func bodiesWithHeader(header map[string]string, body []byte) []candidateBody {
	at := header[signature.EventsAPITimestamp]
	if at == "" {
		return nil
	}
	return []candidateBody{{"the body with the timestamp header and a dot in front (the Events API's way)", stamped(at, body)}}
}

// bodiesOfEventsAPI are what the Events API, or whoever plays it, may have signed.
func bodiesOfEventsAPI(header map[string]string, body []byte) []candidateBody {
	at := header[signature.EventsAPITimestamp]
	var tried []candidateBody
	for _, sent := range bodiesSent(body) {
		tried = append(tried,
			candidateBody{"the timestamp, a dot and " + sent.how, stamped(at, sent.body)},
			candidateBody{sent.how + " alone, without timestamp and dot", sent.body},
			candidateBody{"the timestamp and " + sent.how + ", without a dot", append([]byte(at), sent.body...)},
		)
	}
	return tried
}

// stamped is what the Events API signs.
func stamped(timestamp string, body []byte) []byte { return append([]byte(timestamp+"."), body...) }
