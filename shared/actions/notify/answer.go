package notify

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/outbound"
)

// refusal is a 2xx that says failure. The reason may hold the channel's text, so Error, which is logged, leaves it out.
type refusal struct{ reason string }

func (*refusal) Error() string    { return "the channel's answer says failure" }
func (r *refusal) Reason() string { return r.reason }
func (*refusal) Permanent() bool  { return true }

// pageRefusal refuses a web page, such as one to sign in: no webhook answers with one.
func pageRefusal(body []byte) error {
	if outbound.Page(body) {
		return &refusal{"the message was not taken: the answer is a web page, such as one to sign in"}
	}
	return nil
}

// slackRefusal reads {"ok": false, "error": "…"}, with which Slack's methods answer 200.
func slackRefusal(body []byte) error {
	var answer struct {
		OK    *bool  `json:"ok"`
		Error string `json:"error"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.OK == nil || *answer.OK {
		return pageRefusal(body)
	}
	if answer.Error == "ratelimited" || answer.Error == "rate_limited" {
		return &engine.ThrottledError{Reason: "Slack asked for a pause"}
	}
	return &refusal{because("Slack did not take the message", answer.Error)}
}

// slackReason is the word with which Slack's webhooks refuse: no_text, channel_is_archived, invalid_token, …
func slackReason(failed *outbound.Error) string {
	if word := strings.TrimSpace(string(failed.Body)); slackWord.MatchString(word) && failed.Permanent() {
		return because("Slack did not take the message", word)
	}
	return ""
}

var slackWord = regexp.MustCompile(`^[a-z]+(_[a-z]+){1,8}$`)

// teamsRefusal reads the text with which Teams' webhooks answer 200: 1 for a message that was taken, a sentence with the
// status of a part behind them for one that was not. A workflow answers with nothing, or with JSON of its maker's.
func teamsRefusal(body []byte) error {
	text := strings.TrimSpace(string(body))
	var answer map[string]json.RawMessage
	switch {
	case text == "" || text == "1":
		return nil
	case json.Unmarshal(body, &answer) == nil:
		if failure := string(answer["error"]); failure != "" && failure != "null" && failure != "false" {
			return &refusal{because("Teams did not take the message", outbound.Detail(body, nil))}
		}
		return nil
	case strings.Contains(text, "HTTP error 429"):
		return &engine.ThrottledError{Reason: "Teams asked for a pause"}
	case strings.Contains(text, "HTTP error 413"):
		return &refusal{"Teams did not take the message: it is too large"}
	}
	return &refusal{"Teams did not take the message"}
}

func because(sentence, why string) string {
	if why = outbound.Clean(why, 100); why == "" {
		return sentence
	}
	return sentence + ": " + why
}

// explained is a failed call with a reason of the channel's own.
type explained struct {
	error
	reason string
}

func (e *explained) Unwrap() error  { return e.error }
func (e *explained) Reason() string { return e.reason }

func (a *action) explain(err error) error {
	failed, ok := errors.AsType[*outbound.Error](err)
	if !ok || a.reason == nil {
		return err
	}
	if reason := a.reason(failed); reason != "" {
		return &explained{err, reason}
	}
	return err
}
