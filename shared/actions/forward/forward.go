// Package forward is the kind of action that sends items, or an event, to an HTTPS endpoint: an ERP, a CRM, any API.
//
// Each call carries an Idempotency-Key and may come more than once with the same key and the same bytes: a
// destination that remembers keys applies it once.
package forward

import (
	"context"
	"net/http"
	"slices"

	"github.com/pim-functions/pim-functions/shared/actions/outcome"
	"github.com/pim-functions/pim-functions/shared/actions/template"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/credential"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/outbound"
)

// Kind makes forward actions. Its client keeps the tokens of OAuth2 credentials from run to run.
type Kind struct{ Client *credential.Client }

// Check implements engine.Kind.
func (Kind) Check(section config.Section) error {
	_, err := parse(section)
	return err
}

// Open implements engine.Kind.
func (k Kind) Open(section config.Section, secrets engine.Secrets) (engine.Action, error) {
	p, err := parse(section)
	if err != nil { // its text may hold a value of the secret, which Check has not seen
		return nil, section.Errorf("url", "look at what url and headers take from there", "a value of the connection secret does not fit the action")
	}
	a := &action{client: k.Client, plan: p}
	if p.Auth != "" {
		if a.auth, err = credentialOf(section, p.Auth, secrets.Auth[p.Auth]); err != nil {
			return nil, err
		}
	}
	return a, nil
}

type action struct {
	client *credential.Client
	plan
	auth credential.Credential
}

// Batch is as configured; with a callback all items, which have one address.
func (a *action) Batch() int {
	if a.Callback != nil {
		return 0
	}
	return a.options.Batch
}

// Waits implements engine.Waiter.
func (a *action) Waits() *engine.Waits { return a.Callback.Waits(jobs.WaitCallback, a.writes) }

// Reads implements engine.Reader.
func (a *action) Reads() *engine.Reads { return a.Read }

// Run sends one batch, or one event; with each, their items one by one. What a callback brings needs no call.
func (a *action) Run(ctx context.Context, run engine.Run) (engine.Result, error) {
	if run.Signal != nil {
		return outcome.Called(run, a.writes)
	}
	if a.Each {
		return a.each(ctx, run)
	}
	return a.send(ctx, run, a.usual)
}

// send makes one call for all items of a run.
func (a *action) send(ctx context.Context, run engine.Run, r request) (engine.Result, error) {
	address, err := r.url.Execute(run)
	if err != nil {
		return engine.Result{}, err
	}
	header, err := a.header(run, r)
	if err != nil {
		return engine.Result{}, err
	}
	body, key, err := a.kept(ctx, run, r)
	if err != nil {
		return engine.Result{}, err
	}
	if a.Each { // the same body may go to another address once a product has changed
		key = template.Key(run.Key, slices.Concat([]byte(r.method+" "+address+"\n"), body))
	}
	header.Set("Idempotency-Key", key)
	response, err := a.client.Do(ctx, a.auth, outbound.Request{
		Method: r.method, URL: address, Header: header, Body: body, Timeout: a.Timeout, Private: a.Private,
		MaxBody: maxAnswer, KeepErrorBody: true, Action: run.Action, Items: len(run.Items),
	})
	if response, err = a.success(response, err); err != nil {
		return engine.Result{}, err
	}
	result, err := read(response, run.Items)
	if err != nil {
		return engine.Result{}, err
	}
	if a.Callback != nil {
		return engine.Result{Wait: true, Failures: result.Failures}, nil
	}
	return a.updated(run, response, result)
}

// header makes the headers of a run. A value that HTTP does not allow, such as one with a line break, fails the run.
func (a *action) header(run engine.Run, r request) (http.Header, error) {
	header := http.Header{}
	for name, value := range a.headers {
		text, err := value.Execute(run, nil)
		if err != nil {
			return nil, err
		}
		if !outbound.ValidHeader(name, text) {
			return nil, engine.Permanent("the header "+name+" would hold a line break or another control character: nothing was sent", nil)
		}
		header.Set(name, text)
	}
	header.Del("Content-Type")
	if r.contentType != "" {
		header.Set("Content-Type", r.contentType)
	}
	if run.Correlation != "" && template.HeaderKey(run.Correlation) == run.Correlation {
		header.Set("X-Correlation-Id", run.Correlation)
	}
	return header, nil
}

// content makes the body and its key.
func (a *action) content(run engine.Run, r request) (body []byte, key string, err error) {
	switch {
	case r.contentType == "":
		return nil, "", nil
	case r.body != nil:
		body, err = r.body.Execute(run)
	case a.Raw && run.Event == nil:
		return nil, "", engine.Permanent("the action sends events alone (raw: true), and this is none", nil)
	case a.Raw:
		return run.Event.Raw, template.HeaderKey(run.Key), nil
	default:
		body, err = template.JSON(run, false)
		return body, template.DefaultKey(run, body), err
	}
	return body, template.Key(run.Key, body), err
}
