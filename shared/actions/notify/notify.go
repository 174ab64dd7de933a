// Package notify is the kind of action that tells people: it posts a text to Slack, Teams, or any webhook that takes
// {"text":…}, or sends it by e-mail. One message per job or event, whatever the number of items; its text may show products
// of the first of them. A text that is empty is not sent.
//
// A run that is repeated, because nobody knows whether it came through, may bring the message again: webhooks and mail
// know no idempotency keys.
package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/pim-functions/pim-functions/shared/actions/template"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/outbound"
)

// Kind makes notify actions.
type Kind struct {
	Client *outbound.Client
	Mailer Mailer
	From   string // the sender of e-mail where an action names none; "": such an action fails
}

// options are the keys of a notify action in extensions.yaml.
type options struct {
	Channel string        `yaml:"channel"`
	URL     string        `yaml:"url"`
	Text    string        `yaml:"text"`
	Private bool          `yaml:"private"`
	To      []string      `yaml:"to"`      // of e-mail, as the next two
	From    string        `yaml:"from"`    // "": the deployment's
	Subject string        `yaml:"subject"` // a template
	Read    *engine.Reads `yaml:"read"`    // nil: no products
}

// channel is what differs between those who are told.
type channel struct {
	escape func(string) string                 // keeps a value from being read as markup; nil: there is none
	body   func(text string) ([]byte, error)   // the longest body that the channel takes
	refuse func(body []byte) error             // a 2xx that says failure
	reason func(failed *outbound.Error) string // of a refusal; "": the failure's own
}

var channels = map[string]channel{
	"slack": {escape: slackEscape.Replace, body: slackBody, refuse: slackRefusal, reason: slackReason},
	"teams": {escape: teamsEscape, body: teamsBody, refuse: teamsRefusal},
	"json":  {body: slackBody, refuse: pageRefusal},
}

// Check implements engine.Kind.
func (Kind) Check(section config.Section) error {
	_, err := parse(section)
	return err
}

// plan is a checked configuration.
type plan struct {
	options
	url  *template.URL
	text *template.Template
	letter
}

// maxShown is the most items whose products are read for a text: a person reads no more, and .More tells how many are left
// out.
const maxShown = 20

// scope is what the text sees.
func (p plan) scope() template.Scope {
	if p.Read == nil {
		return template.Scope{}
	}
	return template.Scope{Reads: p.Read, Bound: maxShown}
}

// parse reads the section and reports all its mistakes at once.
func parse(section config.Section) (plan, error) {
	var p plan
	problems := []error{section.Decode(&p.options)}
	report := func(err error) { problems = append(problems, err) }
	if _, ok := channels[p.Channel]; !ok && p.Channel != emailChannel {
		report(section.Errorf("channel", "use slack, teams, json or email", "channel %q", p.Channel))
	}
	if p.Channel == emailChannel {
		report(p.parseEmail(section))
	} else {
		report(p.parseURL(section))
	}
	if p.Text == "" {
		report(section.Errorf("text", `add text: "{{.Label}}: {{.Outcome}}"`, "a notify action needs a text"))
	}
	var err error
	p.text, err = p.scope().Parse(p.Text)
	report(template.Problems(section, "text", err))
	return p, errors.Join(problems...)
}

func (p *plan) parseURL(section config.Section) error {
	var problems []error
	if p.URL == "" {
		problems = append(problems, section.Errorf("url", "add url: secret:NAME", "a notify action needs a url"))
	}
	for key, there := range map[string]bool{"to": len(p.To) > 0, "from": p.From != "", "subject": p.Subject != ""} {
		if there {
			problems = append(problems, section.Errorf(key, "remove it, or use channel: email", "%s is for e-mail alone", key))
		}
	}
	var err error
	p.url, err = template.ParseURL(p.URL)
	return errors.Join(append(problems, template.Problems(section, "url", err))...)
}

// Open implements engine.Kind.
func (k Kind) Open(section config.Section, _ engine.Secrets) (engine.Action, error) {
	p, err := parse(section)
	if err != nil { // its text may hold a value of the secret, which Check has not seen
		return nil, section.Errorf("url", "look at what url takes from there", "a value of the connection secret does not fit the action")
	}
	if p.Channel == emailChannel {
		return &email{mailer: k.Mailer, from: k.From, plan: p, section: section}, nil
	}
	return &action{client: k.Client, plan: p, channel: channels[p.Channel]}, nil
}

type action struct {
	client *outbound.Client
	plan
	channel
}

func (a *action) Batch() int { return 0 }

// Reads implements engine.Reader.
func (p plan) Reads() *engine.Reads {
	if p.Read == nil {
		return nil
	}
	return &engine.Reads{Attributes: p.Read.Attributes, Labels: p.Read.Labels, First: maxShown}
}

const maxAnswer = 16 << 10 // bytes of an answer that are read: webhooks answer with a word

// Run sends one message.
func (a *action) Run(ctx context.Context, run engine.Run) (engine.Result, error) {
	address, err := a.url.Execute(run)
	if err != nil {
		return engine.Result{}, err
	}
	text, err := a.text.Execute(run, a.escape)
	if err != nil {
		return engine.Result{}, err
	}
	if strings.TrimSpace(text) == "" {
		return engine.Result{Message: "no message was sent: its text is empty"}, nil
	}
	body, err := a.body(text)
	if err != nil {
		return engine.Result{}, engine.Permanent("the message could not be written", fmt.Errorf("encode: %w", err))
	}
	header := http.Header{"Content-Type": {"application/json; charset=utf-8"}, "Idempotency-Key": {template.Key(run.Key, body)}}
	if run.Correlation != "" && template.HeaderKey(run.Correlation) == run.Correlation {
		header.Set("X-Correlation-Id", run.Correlation)
	}
	response, err := a.client.Do(ctx, outbound.Request{
		Method: http.MethodPost, URL: address, Header: header, Body: body, Private: a.Private,
		MaxBody: maxAnswer, KeepErrorBody: true, Action: run.Action, Items: len(run.Items),
	})
	if err != nil {
		return engine.Result{}, a.explain(err)
	}
	return engine.Result{}, a.refuse(response.Body)
}

// encode writes JSON without escapes for HTML, so that a text takes no more room than it is long.
func encode(v any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), err
}
