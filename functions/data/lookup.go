package data

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/credential"
	"github.com/pim-functions/pim-functions/shared/outbound"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

const (
	lookupTime = 3300 * time.Millisecond // of one lookup, tokens and all: the PIM waits 5 s, and an answer is due after 4
	maxShown   = 64 << 10                // bytes of an answer; a longer one is not shown
)

// What came of a lookup, in the log; the text of that name (package texts) is what the user reads.
const (
	found      = "found" // the destination's answer is shown
	unknown    = "lookup_unknown"
	nameless   = "lookup_nameless"
	away       = "lookup_away"
	refused    = "lookup_refused"
	unreadable = "lookup_unreadable"
)

// LookupsConfig is what Lookups need.
type LookupsConfig struct {
	Client  *credential.Client
	Secrets *secrets.Cache[secrets.Lookups] // nil: there is no lookup secret, and lookups with auth are refused
	Now     func() time.Time
}

// Lookups ask destinations for what data components show. They keep answers in memory, for as long as each extension
// says; callers who ask the same at the same time share one call. Safe for concurrent use.
type Lookups struct {
	LookupsConfig
	flights singleflight.Group
	kept    kept
}

// NewLookups returns Lookups that keep nothing yet.
func NewLookups(config LookupsConfig) *Lookups {
	return &Lookups{LookupsConfig: config, kept: kept{entries: map[string]entry{}}}
}

// shown is what came of a lookup.
type shown struct {
	outcome string
	body    []byte // of found: a JSON object
	err     error  // for the log
}

// ask looks an id up. Whatever goes wrong is an outcome: the user reads a sentence of it.
func (l *Lookups) ask(ctx context.Context, extension config.Extension, id string) shown {
	address, err := extension.Lookup.Address(id)
	if err != nil {
		return shown{outcome: nameless}
	}
	key := extension.Name + " " + address
	if answer, ok := l.kept.get(key, l.Now()); ok {
		return answer
	}
	// Others may wait for the same answer, so that a call outlives the caller who began it.
	flight := l.flights.DoChan(key, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookupTime)
		defer cancel()
		answer := l.call(ctx, extension, address)
		if answer.outcome == found || answer.outcome == unknown {
			l.kept.put(key, answer, l.Now(), extension.Lookup.Cache)
		}
		return answer, nil
	})
	select {
	case landed := <-flight:
		return landed.Val.(shown)
	case <-ctx.Done():
		return shown{outcome: away, err: ctx.Err()}
	}
}

// call asks the destination; once more with a newer lookup secret, if it refuses ours.
func (l *Lookups) call(ctx context.Context, extension config.Extension, address string) shown {
	own, err := l.credential(ctx, extension)
	if err != nil {
		return shown{outcome: refused, err: err}
	}
	get := outbound.Request{
		Method: http.MethodGet, URL: address, Header: http.Header{"Accept": {"application/json"}}, Timeout: lookupTime, MaxBody: maxShown, Action: extension.Name,
	}
	response, err := l.Client.Do(ctx, own, get)
	var unauthorized interface{ Unauthorized() bool }
	if errors.As(err, &unauthorized) && unauthorized.Unauthorized() && l.Secrets != nil && extension.Lookup.Auth != "" {
		if _, fresh, failed := l.Secrets.Refresh(ctx); failed == nil && fresh {
			if own, failed = l.credential(ctx, extension); failed == nil {
				response, err = l.Client.Do(ctx, own, get)
			}
		}
	}
	if err != nil {
		return shown{outcome: outcomeOf(err), err: err}
	}
	return show(response)
}

// credential is the extension's, as the lookup secret has it now.
func (l *Lookups) credential(ctx context.Context, extension config.Extension) (credential.Credential, error) {
	name := extension.Lookup.Auth
	switch {
	case name == "":
		return credential.Credential{}, nil
	case l.Secrets == nil:
		return credential.Credential{}, fmt.Errorf("auth %q: there is no lookup secret: set LOOKUP_SECRET_ID", name)
	}
	document, err := l.Secrets.Get(ctx)
	if err != nil {
		return credential.Credential{}, err
	}
	if len(document.Auth[name]) == 0 {
		return credential.Credential{}, fmt.Errorf("auth %q is not in the lookup secret: add it under \"auth\"", name)
	}
	own, err := credential.Parse(document.Auth[name])
	if err != nil {
		return credential.Credential{}, fmt.Errorf("auth %q in the lookup secret %w: %s", name, err, credential.Forms)
	}
	return own, nil
}

// outcomeOf says what a failed call means for who looks.
func outcomeOf(err error) string {
	if failed, ok := errors.AsType[*outbound.Error](err); ok && (failed.Status == http.StatusNotFound || failed.Status == http.StatusGone) {
		return unknown
	}
	var permanent interface{ Permanent() bool }
	if errors.As(err, &permanent) && permanent.Permanent() {
		return refused
	}
	return away
}

// show makes an answer into what the PIM shows: an object as it is, anything else as the only field of one.
func show(response *outbound.Response) shown {
	body := bytes.TrimSpace(response.Body)
	switch {
	case len(body) == 0, string(body) == "null":
		return shown{outcome: unknown}
	case response.Truncated || !json.Valid(body):
		return shown{outcome: unreadable, err: fmt.Errorf("the answer is no JSON of at most %d bytes", maxShown)}
	case body[0] == '{':
		return shown{outcome: found, body: body}
	}
	return shown{outcome: found, body: fmt.Appendf(nil, `{"values":%s}`, body)}
}
