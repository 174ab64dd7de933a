package notify_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/outbound"
)

const teamsSays = "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error %s with ContextId tcid=0,server=msgapi-T0PSECRET"

// What a channel says of a message: whether it was taken, and what follows.
func TestWhatAChannelAnswers(t *testing.T) {
	const (
		taken = iota
		paused
		refused
	)
	for _, c := range []struct {
		name, channel string
		status        int
		answer        string
		want          int
		reason        string
	}{
		{"Slack", "slack", 200, "ok", taken, ""},
		{"Slack, a method", "slack", 200, `{"ok":true,"ts":"1"}`, taken, ""},
		{"Slack, a method refuses", "slack", 200, `{"ok":false,"error":"channel_not_found"}`, refused, "Slack did not take the message: channel_not_found"},
		{"Slack, a method is called too often", "slack", 200, `{"ok":false,"error":"ratelimited"}`, paused, "Slack asked for a pause"},
		{"Slack refuses", "slack", 404, "channel_is_archived", refused, "Slack did not take the message: channel_is_archived"},
		{"Slack refuses in many words", "slack", 400, "julia@example.com is no channel", refused, "the destination refused the request"},
		{"a page to sign in", "slack", 200, "<!DOCTYPE html><title>Sign in</title>", refused, "web page"},
		{"Teams", "teams", 200, "1", taken, ""},
		{"a workflow", "teams", 202, "", taken, ""},
		{"a workflow with an answer", "teams", 200, `{"id":"7"}`, taken, ""},
		{"a workflow with an error", "teams", 200, `{"error":{"code":"x","message":"no channel"}}`, refused, "Teams did not take the message: no channel"},
		{"Teams is called too often", "teams", 200, strings.Replace(teamsSays, "%s", "429", 1), paused, "Teams asked for a pause"},
		{"a message too large for Teams", "teams", 200, strings.Replace(teamsSays, "%s", "413", 1), refused, "Teams did not take the message: it is too large"},
		{"any other text of Teams", "teams", 200, strings.Replace(teamsSays, "%s", "403", 1), refused, "Teams did not take the message"},
		{"a page to sign in, for Teams", "teams", 200, "<html>", refused, "Teams did not take the message"},
		{"a webhook", "json", 204, "", taken, ""},
		{"a webhook with JSON", "json", 200, `{"ok":false}`, taken, ""},
		{"a webhook with a page", "json", 200, "<html>", refused, "web page"},
		{"a webhook that says why", "json", 422, `{"message":"no channel"}`, refused, "the destination refused the request: no channel"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWebhook(t)
			w.status, w.answer = c.status, c.answer
			_, err := w.run(t, c.channel, "text", engine.Run{Key: "k"})
			throttled, isPause := errors.AsType[*engine.ThrottledError](err)
			reason, isRefusal := engine.Refused(err)
			if isPause {
				reason = throttled.Reason
			}
			if (err == nil) != (c.want == taken) || isPause != (c.want == paused) || isRefusal != (c.want == refused) || !strings.Contains(reason, c.reason) {
				t.Errorf("%q, %v", reason, err)
			}
			for _, never := range []string{"SECRET", "127.0.0.1", "tcid", "julia", "413", "403"} {
				if strings.Contains(reason, never) {
					t.Errorf("a user reads %q in %q", never, reason)
				}
			}
			if err != nil && (strings.Contains(err.Error(), "SECRET") || strings.Contains(err.Error(), "channel_") || strings.Contains(err.Error(), "no channel")) {
				t.Errorf("the log holds the channel's text: %v", err)
			}
		})
	}
}

// A word of Slack's that comes with a passing status is no refusal.
func TestAPauseOfSlackStaysAPause(t *testing.T) {
	w := newWebhook(t)
	w.status, w.answer = 429, "rate_limited"
	_, err := w.run(t, "slack", "text", engine.Run{Key: "k"})
	failed, ok := errors.AsType[*outbound.Error](err)
	if reason, refused := engine.Refused(err); !ok || !failed.Throttled() || refused || reason != "the destination asked for a pause" {
		t.Errorf("%q, %v", reason, err)
	}
}
