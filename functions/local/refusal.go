package local

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/functions/local/gateway"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/signature/doctor"
)

// mostExplained is the largest body in bytes that is tried in all the ways it may have been signed.
const mostExplained = 64 << 10

// explained records, for the page, why a function refused a request. The caller learns nothing of it: on this
// machine alone, and on its own page, may the reason be shown.
func (s *System) explained(invoke gateway.Invoke) gateway.Invoke {
	return func(ctx context.Context, payload []byte) ([]byte, error) {
		answer, err := invoke(ctx, payload)
		var said struct {
			StatusCode int    `json:"statusCode"`
			Body       string `json:"body"`
		}
		if err != nil || json.Unmarshal(answer, &said) != nil || said.StatusCode < 400 || said.StatusCode == http.StatusUnprocessableEntity {
			return answer, err // 422 is a verdict of the work, not a refusal of the request
		}
		s.recorder.refused(s.refusal(ctx, payload, said.StatusCode, said.Body))
		return answer, err
	}
}

// refusal finds the reasons: those of the request's log line, and what the signature looks like.
func (s *System) refusal(ctx context.Context, payload []byte, status int, said string) Refusal {
	var event struct {
		RawPath        string
		Headers        map[string]string
		Body           string
		Base64         bool `json:"isBase64Encoded"`
		RequestContext struct {
			RequestID string
			HTTP      struct{ Method string }
		}
	}
	if err := json.Unmarshal(payload, &event); err != nil {
		return Refusal{At: time.Now(), Status: status, Reason: "event_invalid"}
	}
	refusal := Refusal{At: time.Now(), Method: event.RequestContext.HTTP.Method, Path: event.RawPath, Status: status, Why: []string{}}
	if line, ok := s.recorder.line(event.RequestContext.RequestID); ok {
		refusal.Reason, _ = line.Attrs["reason"].(string)
		if cause, ok := line.Attrs["error"].(string); ok && cause != "unproven: "+refusal.Reason { // which says no more
			refusal.Why = append(refusal.Why, cause)
		}
	}
	if status != http.StatusUnauthorized {
		var answer struct{ Message string }
		if json.Unmarshal([]byte(said), &answer) == nil && answer.Message != "" {
			refusal.Why = append(refusal.Why, "answered: "+answer.Message)
		}
		return refusal
	}
	body := []byte(event.Body)
	if event.Base64 {
		body, _ = base64.StdEncoding.DecodeString(event.Body) // it was decoded before, or there is no 401
	}
	refusal.Why = append(refusal.Why, s.whyUnproven(ctx, event.RawPath, event.Headers, body)...)
	return refusal
}

// whyUnproven says what the signature check saw, and how far the signed time is from ours.
func (s *System) whyUnproven(ctx context.Context, path string, header map[string]string, body []byte) []string {
	signing, err := s.signing.Get(ctx)
	if err != nil {
		return nil
	}
	if len(body) > mostExplained {
		return []string{fmt.Sprintf("the body has %d bytes: too many to try how it was signed", len(body))}
	}
	route, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	name, tail, _ := strings.Cut(rest, "/")
	switch route {
	case "actions":
		extension, known := s.config.Extensions[name]
		if !known {
			return nil
		}
		var signed struct{ Timestamp int64 }
		json.Unmarshal(body, &signed) // without one there is nothing to say of it
		why := doctor.Action(actionProof(signing.Extensions[name], extension.Unsigned), header, body)
		return append(lines(why), outside(signed.Timestamp, signature.ActionWindow)...)
	case "events-api":
		if _, known := s.config.PIMs[name]; !known {
			return []string{fmt.Sprintf("extensions.yaml has no PIM %q", name)}
		}
		sent, _ := strconv.ParseInt(header[signature.EventsAPITimestamp], 10, 64) // as above
		why := doctor.EventsAPI(secrets.EventSecrets(signing.EventsAPI[name], true), header, body)
		return append(lines(why), outside(sent, signature.EventsAPIWindow)...)
	case "event-platform":
		if _, known := s.config.PIMs[name]; !known {
			return []string{fmt.Sprintf("extensions.yaml has no PIM %q", name)}
		}
		key := strings.TrimSuffix(name+"/"+tail, "/")
		return lines(doctor.EventPlatform(secrets.EventSecrets(signing.EventPlatform[key], true), header, body))
	}
	return []string{"nothing is at this address: it is answered as a subscription is that nobody can prove, since a 404 would suspend it"}
}

func lines(text string) []string { return strings.Split(strings.TrimSpace(text), "\n") }

// outside says that a signed time is too far from now, if there is one and it is.
func outside(timestamp int64, window time.Duration) []string {
	if timestamp == 0 || signature.Window(time.Now(), timestamp, window) == nil {
		return nil
	}
	at := time.Unix(timestamp, 0).UTC().Format(time.RFC3339)
	return []string{fmt.Sprintf("signed at %s: outside the window of %s before and after now", at, window)}
}

// actionProof is what proves a call of an extension.
func actionProof(own secrets.Extension, unsigned bool) signature.ActionProof {
	proof := signature.ActionProof{Secrets: own.Secrets, Unsigned: unsigned}
	if own.Credential != nil {
		credential := signature.Credential(*own.Credential)
		proof.Credential = &credential
	}
	return proof
}
