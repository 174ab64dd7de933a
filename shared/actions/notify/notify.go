// Package notify is the kind of action that tells people: it posts a text to Slack, Teams, or any webhook that takes
// {"text":…}. One message per job or event, whatever the number of items.
package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/pim-functions/pim-functions/shared/actions/template"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/outbound"
)

// Longest text of a message, in bytes: Slack cuts at 40,000 characters, a Teams webhook takes 28 KB in all.
const (
	maxText      = 39_000
	maxTeamsText = 20_000
)

// Kind makes notify actions.
type Kind struct{ Client *outbound.Client }

// options are the keys of a notify action in extensions.yaml.
type options struct {
	Channel string `yaml:"channel"`
	URL     string `yaml:"url"`
	Text    string `yaml:"text"`
	Private bool   `yaml:"private"`
}

// Check implements engine.Kind.
func (Kind) Check(section config.Section) error {
	_, _, err := decode(section)
	return err
}

func decode(section config.Section) (options, *template.Template, error) {
	var o options
	if err := section.Decode(&o); err != nil {
		return o, nil, err
	}
	switch {
	case o.Channel != "slack" && o.Channel != "teams" && o.Channel != "json":
		return o, nil, section.Errorf("channel", "use slack, teams or json", "channel %q", o.Channel)
	case o.URL == "":
		return o, nil, section.Errorf("url", "add url: secret:NAME", "a notify action needs a url")
	case o.Text == "":
		return o, nil, section.Errorf("text", `add text: "{{.Label}}: {{.Outcome}}"`, "a notify action needs a text")
	}
	text, err := template.Parse(o.Text)
	if err != nil {
		return o, nil, section.Errorf("text", "correct the template", "text: %v", err)
	}
	return o, text, nil
}

// Open implements engine.Kind.
func (k Kind) Open(section config.Section, _ engine.Secrets) (engine.Action, error) {
	o, text, err := decode(section)
	if err != nil {
		return nil, err
	}
	return &action{client: k.Client, options: o, text: text}, nil
}

type action struct {
	client *outbound.Client
	options
	text *template.Template
}

func (a *action) Batch() int { return 0 }

// Run sends one message.
func (a *action) Run(ctx context.Context, run engine.Run) (engine.Result, error) {
	var escape func(string) string
	if a.Channel == "slack" {
		escape = slackEscape.Replace
	}
	text, err := a.text.Execute(run, escape)
	if err != nil {
		return engine.Result{}, err
	}
	body, err := json.Marshal(a.envelope(text))
	if err != nil {
		return engine.Result{}, engine.Permanent("the message could not be written", fmt.Errorf("encode: %w", err))
	}
	header := http.Header{"Content-Type": {"application/json"}, "Idempotency-Key": {template.Key(run.Key, body)}}
	if run.Correlation != "" {
		header.Set("X-Correlation-Id", run.Correlation)
	}
	_, err = a.client.Do(ctx, outbound.Request{Method: http.MethodPost, URL: a.URL, Header: header, Body: body, Private: a.Private, MaxBody: 1 << 10, Action: run.Action, Items: len(run.Items)})
	return engine.Result{}, err
}

// slackEscape keeps values from being read as Slack's markup (Slack: "Escaping text"): no mention, no false link.
var slackEscape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// envelope is the JSON that the channel takes.
func (a *action) envelope(text string) any {
	if a.Channel != "teams" {
		return map[string]string{"text": shorten(text, maxText)}
	}
	return map[string]any{
		"type": "message",
		"attachments": []any{map[string]any{
			"contentType": "application/vnd.microsoft.card.adaptive",
			"content": map[string]any{
				"$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
				"type":    "AdaptiveCard",
				"version": "1.4",
				"body":    []any{map[string]any{"type": "TextBlock", "text": shorten(text, maxTeamsText), "wrap": true}},
			},
		}},
	}
}

func shorten(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}
