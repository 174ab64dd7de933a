// Package forward is the kind of action that posts items, or an event, to an HTTPS endpoint: an ERP, a CRM, any API.
//
// Each batch carries an Idempotency-Key and may come more than once with the same key and the same bytes: a
// destination that remembers keys applies it once.
package forward

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/actions/template"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/outbound"
)

const (
	defaultBatch   = 100
	longestTimeout = 30 * time.Second
)

// Kind makes forward actions.
type Kind struct{ Client *outbound.Client }

// options are the keys of a forward action in extensions.yaml.
type options struct {
	URL     string            `yaml:"url"`
	Method  string            `yaml:"method"`
	Headers map[string]string `yaml:"headers"`
	Body    string            `yaml:"body"`
	Auth    string            `yaml:"auth"`
	Batch   int               `yaml:"batch"`
	Timeout time.Duration     `yaml:"timeout"`
	Private bool              `yaml:"private"`
}

// ours are headers that a configuration cannot set: they are made for each call, or belong to the connection.
var ours = []string{"Host", "Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "Te", "Trailer", "Idempotency-Key", "User-Agent", "X-Correlation-Id"}

// Check implements engine.Kind.
func (Kind) Check(section config.Section) error {
	_, _, err := decode(section)
	return err
}

func decode(section config.Section) (options, *template.Template, error) {
	o := options{Method: http.MethodPost, Batch: defaultBatch, Timeout: 10 * time.Second}
	if err := section.Decode(&o); err != nil {
		return o, nil, err
	}
	o.Method = strings.ToUpper(o.Method)
	switch {
	case o.URL == "":
		return o, nil, section.Errorf("url", "add url: https://…", "a forward action needs a url")
	case !slices.Contains([]string{http.MethodPost, http.MethodPut, http.MethodPatch}, o.Method):
		return o, nil, section.Errorf("method", "use POST, PUT or PATCH", "method %q", o.Method)
	case o.Batch < 1 || o.Batch > 1000:
		return o, nil, section.Errorf("batch", "use 1 to 1000", "batch %d", o.Batch)
	case o.Timeout <= 0 || o.Timeout > longestTimeout:
		return o, nil, section.Errorf("timeout", "use up to 30s", "timeout %s", o.Timeout)
	}
	for name, value := range o.Headers {
		switch canonical := http.CanonicalHeaderKey(name); {
		case slices.Contains(ours, canonical):
			return o, nil, section.Errorf("headers", "remove it: it is set for each call", "header %q", name)
		case canonical == "Authorization" && o.Auth != "":
			return o, nil, section.Errorf("headers", "remove it, or auth", "header %q and auth", name)
		case strings.ContainsAny(name, " :\r\n") || name == "" || strings.ContainsAny(value, "\r\n"):
			return o, nil, section.Errorf("headers", "use a plain name and one line", "header %q", name)
		}
	}
	if o.Body == "" {
		return o, nil, nil
	}
	body, err := template.Parse(o.Body)
	if err != nil {
		return o, nil, section.Errorf("body", "correct the template", "body: %v", err)
	}
	return o, body, nil
}

// Open implements engine.Kind.
func (k Kind) Open(section config.Section, secrets engine.Secrets) (engine.Action, error) {
	o, body, err := decode(section)
	if err != nil {
		return nil, err
	}
	a := &action{client: k.Client, options: o, body: body, header: http.Header{"Content-Type": {"application/json"}}}
	for name, value := range o.Headers {
		a.header.Set(name, value)
	}
	if o.Auth != "" {
		if err := authorize(a.header, section, o.Auth, secrets.Auth[o.Auth]); err != nil {
			return nil, err
		}
	}
	return a, nil
}

type action struct {
	client *outbound.Client
	options
	header http.Header
	body   *template.Template // nil: the default body
}

func (a *action) Batch() int { return a.options.Batch }

// Run posts one batch, or one event.
func (a *action) Run(ctx context.Context, run engine.Run) (engine.Result, error) {
	body, key, err := a.content(run)
	if err != nil {
		return engine.Result{}, err
	}
	header := a.header.Clone()
	header.Set("Idempotency-Key", key)
	if run.Correlation != "" {
		header.Set("X-Correlation-Id", run.Correlation)
	}
	response, err := a.client.Do(ctx, outbound.Request{
		Method: a.Method, URL: a.URL, Header: header, Body: body, Timeout: a.Timeout, Private: a.Private,
		MaxBody: maxAnswer, Action: run.Action, Items: len(run.Items),
	})
	if err != nil {
		return engine.Result{}, err
	}
	return read(response.Body, run.Items), nil
}

// content makes the body and its key.
func (a *action) content(run engine.Run) (body []byte, key string, err error) {
	if a.body == nil {
		body, err = template.JSON(run, false)
		return body, run.Key, err
	}
	text, err := a.body.Execute(run, nil)
	return []byte(text), template.Key(run.Key, []byte(text)), err
}
