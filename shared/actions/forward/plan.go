package forward

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/actions/outcome"
	"github.com/pim-functions/pim-functions/shared/actions/template"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/outbound"
)

const (
	defaultBatch   = 100
	maxRead        = 100 // items of a batch whose products are read
	jsonType       = "application/json"
	longestTimeout = 30 * time.Second
)

// options are the keys of a forward action in extensions.yaml. Of body, json, form and raw at most one is there.
type options struct {
	URL     string            `yaml:"url"`
	Method  string            `yaml:"method"`
	Headers map[string]string `yaml:"headers"`
	Body    string            `yaml:"body"`
	JSON    any               `yaml:"json"`
	Form    map[string]any    `yaml:"form"`
	Raw     bool              `yaml:"raw"` // the event in the sender's own bytes is the whole body
	Auth    string            `yaml:"auth"`
	Batch   int               `yaml:"batch"`
	Timeout time.Duration     `yaml:"timeout"`
	Private bool              `yaml:"private"`
	Success success           `yaml:"success"`
	Read    *engine.Reads     `yaml:"read"` // nil: no products
	Each    bool              `yaml:"each"` // one call per item
	Deleted *deleted          `yaml:"deleted"`
	Write   *write            `yaml:"write"` // nil: an answer changes nothing in the PIM

	Callback *outcome.Callback `yaml:"callback"` // nil: a 2xx is the end
}

// plan is a checked configuration.
type plan struct {
	options
	scope    template.Scope // of what a body sees
	around   template.Scope // of what url and headers see: no products where the body is kept for a repeat, which reads none
	headers  map[string]*template.Template
	usual    request
	deletion request // with Each: for an item that is deleted
	writes   *engine.Writes
	set      *template.Set // nil: the answer's own updates
}

// request is what one call sends.
type request struct {
	method      string
	url         *template.URL
	contentType string // "": there is no body
	body        interface {
		Execute(engine.Run) ([]byte, error)
	} // nil: the default body, or the event's own
}

var methods = []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// ours are headers that a configuration cannot set: they are made for each call, or belong to the connection.
var ours = []string{"Host", "Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "Te", "Trailer", "Idempotency-Key", "User-Agent", "X-Correlation-Id"}

// parse reads the section and reports all its mistakes at once.
func parse(section config.Section) (plan, error) {
	p := plan{options: options{Method: http.MethodPost, Batch: defaultBatch, Timeout: 10 * time.Second}}
	p.usual.contentType = jsonType
	problems := []error{section.Decode(&p.options)}
	report := func(err error) { problems = append(problems, err) }
	p.Method = strings.ToUpper(p.Method)
	p.usual.method = p.Method
	p.scope = template.Scope{Each: p.Each, Reads: p.Read, Callback: p.Callback != nil}
	p.around = p.scope
	if p.Callback != nil {
		p.around.Reads = nil
	}
	if p.URL == "" {
		report(section.Errorf("url", "add url: https://…", "a forward action needs a url"))
	}
	if !slices.Contains(methods, p.Method) {
		report(section.Errorf("method", "use POST, PUT, PATCH or DELETE", "method %q", p.Method))
	}
	if p.options.Batch < 1 || p.options.Batch > 1000 {
		report(section.Errorf("batch", "use 1 to 1000", "batch %d", p.options.Batch))
	} else if p.Read != nil && p.options.Batch > maxRead && p.Callback == nil {
		report(section.Errorf("batch", "use 1 to 100: a batch's products come in one call to the PIM", "batch %d with read", p.options.Batch))
	}
	if p.Timeout <= 0 || p.Timeout > longestTimeout {
		report(section.Errorf("timeout", "use up to 30s", "timeout %s", p.Timeout))
	}
	report(template.Misplaced(section, "method", "auth"))
	report(p.Success.check(section))
	var err error
	if p.usual.url, err = p.around.ParseURL(p.URL); err != nil {
		report(template.Problems(section, "url", err))
	}
	report(p.parseHeaders(section))
	report(p.parseBody(section))
	report(p.parseDeleted(section))
	report(p.parseWrite(section))
	report(p.parseCallback(section))
	return p, errors.Join(problems...)
}

func (p *plan) parseHeaders(section config.Section) error {
	var problems []error
	p.headers = map[string]*template.Template{}
	for _, name := range slices.Sorted(maps.Keys(p.Headers)) {
		value := p.Headers[name]
		canonical := http.CanonicalHeaderKey(name)
		switch {
		case slices.Contains(ours, canonical):
			problems = append(problems, section.Errorf("headers", "remove it: it is set for each call", "header %q", name))
		case canonical == "Authorization" && p.Auth != "":
			problems = append(problems, section.Errorf("headers", "remove it, or auth", "header %q and auth", name))
		case !outbound.ValidHeader(name, value):
			problems = append(problems, section.Errorf("headers", "use a plain name and one line", "header %q", name))
		case canonical == "Content-Type" && strings.Contains(value, "{{"):
			problems = append(problems, section.Errorf("headers", "write the type itself: the body is escaped for it", "header %q takes no template", name))
		case canonical == "Content-Type" && len(p.Form) > 0:
			problems = append(problems, section.Errorf("headers", "remove it: form says it", "header %q and form", name))
		default:
			if canonical == "Content-Type" {
				p.usual.contentType = value
			}
			parsed, err := p.around.Parse(value)
			if err != nil {
				problems = append(problems, template.Problems(section, "headers", err))
			}
			p.headers[canonical] = parsed
		}
	}
	return errors.Join(problems...)
}

func (p *plan) parseBody(section config.Section) error {
	given := 0
	for _, there := range []bool{p.Body != "", p.JSON != nil, p.Form != nil, p.Raw} {
		if there {
			given++
		}
	}
	if given > 1 {
		return section.Errorf("body", "keep one", "of body, json, form and raw an action has one at most")
	}
	if p.Each && p.Raw {
		return section.Errorf("each", "remove it: an event is one call", "of each and raw an action has one at most")
	}
	switch {
	case p.Body != "":
		body, err := p.scope.ParseBody(p.Body, p.usual.contentType)
		p.usual.body = body
		return template.Problems(section, "body", err)
	case p.JSON != nil:
		body, err := p.scope.ParseJSON(p.JSON)
		p.usual.body = body
		return template.Problems(section, "json", err)
	case p.Form != nil:
		body, err := p.scope.ParseForm(p.Form)
		p.usual.body, p.usual.contentType = body, template.FormType
		return template.Problems(section, "form", err)
	}
	return nil
}
