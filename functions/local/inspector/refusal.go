package inspector

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

// maxExplained is the largest body in bytes that is tried in all the ways it may have been signed.
const maxExplained = 64 << 10

// Explain records why a function refuses a request. The caller does not learn it: the reason is shown on this machine's
// own page alone.
func (i *Inspector) Explain(invoke gateway.Invoke) gateway.Invoke {
	return func(ctx context.Context, payload []byte) ([]byte, error) {
		text, err := invoke(ctx, payload)
		var answer struct {
			StatusCode int    `json:"statusCode"`
			Body       string `json:"body"`
		}
		if err != nil || json.Unmarshal(text, &answer) != nil || answer.StatusCode < 400 || answer.StatusCode == http.StatusUnprocessableEntity {
			return text, err // 422 is an outcome of the work, not a refusal of the request
		}
		i.config.Recorder.refused(i.refusal(ctx, payload, answer.StatusCode, answer.Body))
		return text, err
	}
}

// refusal finds the reasons: those of the request's log line, and what is wrong with its signature.
func (i *Inspector) refusal(ctx context.Context, payload []byte, status int, answered string) Refusal {
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
	if line, ok := i.config.Recorder.line(event.RequestContext.RequestID); ok {
		refusal.Reason, _ = line.Attrs["reason"].(string)
		if cause, ok := line.Attrs["error"].(string); ok && cause != "unproven: "+refusal.Reason { // which says no more
			refusal.Why = append(refusal.Why, cause)
		}
	}
	if status != http.StatusUnauthorized {
		var answer struct{ Message string }
		if json.Unmarshal([]byte(answered), &answer) == nil && answer.Message != "" {
			refusal.Why = append(refusal.Why, "answered: "+answer.Message)
		}
		return refusal
	}
	body := []byte(event.Body)
	if event.Base64 {
		body, _ = base64.StdEncoding.DecodeString(event.Body) // it was decoded before, or there is no 401
	}
	refusal.Why = append(refusal.Why, i.whyUnproven(ctx, event.RawPath, event.Headers, body)...)
	return refusal
}

// whyUnproven says what the signature check saw, and how far the signed time is from ours.
func (i *Inspector) whyUnproven(ctx context.Context, path string, header map[string]string, body []byte) []string {
	signing, err := i.config.Signing.Get(ctx)
	if err != nil {
		return nil
	}
	if len(body) > maxExplained {
		return []string{fmt.Sprintf("the body has %d bytes: too many to try how it was signed", len(body))}
	}
	route, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	name, tail, _ := strings.Cut(rest, "/")
	switch route {
	case "actions":
		extension, known := i.config.Extensions.Extensions[name]
		if !known || extension.Type != "action" {
			return []string{fmt.Sprintf("extensions.yaml has no action extension %q", name)}
		}
		var signed struct{ Timestamp int64 }
		json.Unmarshal(body, &signed) // without one there is nothing to say of it
		why := doctor.Action(actionProof(signing.Extensions[name], extension.Unsigned), header, body)
		return append(lines(why), outside(signed.Timestamp, signature.ActionWindow)...)
	case "data", "iframe":
		if _, known := i.config.Extensions.Extensions[name]; !known {
			return []string{fmt.Sprintf("extensions.yaml has no extension %q", name)}
		}
		return nil
	case "events-api":
		if _, known := i.config.Extensions.PIMs[name]; !known {
			return []string{fmt.Sprintf("extensions.yaml has no PIM %q", name)}
		}
		sent, _ := strconv.ParseInt(header[signature.EventsAPITimestamp], 10, 64) // as above
		why := doctor.EventsAPI(secrets.EventSecrets(signing.EventsAPI[name], true), header, body)
		return append(lines(why), outside(sent, signature.EventsAPIWindow)...)
	case "event-platform":
		if _, known := i.config.Extensions.PIMs[name]; !known {
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
	for _, credential := range own.Credentials {
		proof.Credentials = append(proof.Credentials, signature.Credential(credential))
	}
	return proof
}
