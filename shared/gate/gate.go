// Package gate is what every HTTP function does before it knows who calls: it finds what the path names (path.go),
// checks the method, has the proof checked with the secrets in hand and once more with fetched ones, refuses in one
// fixed text, and counts.
//
// Until a request is proven, its sender learns nothing: an extension that does not exist is refused as one whose proof
// fails, after the same work. Which scheme proves is the function's own concern; what a proven request may do is none of
// this package's.
package gate

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/web"
)

// Config of a Gate. All but Refusal, Credentials and Metrics are required.
type Config struct {
	Signing     *secrets.Cache[secrets.Signing]
	Refusal     web.Code // of the unproven; "": web.Unproven
	Credentials bool     // callers prove themselves by a credential alone
	Samples     bool     // published samples may prove: on a developer's machine only
	Metrics     *metric.Sink
}

// Gate checks who calls one function. Safe for concurrent use.
type Gate struct {
	Config
	decoy secrets.Extension
}

// New returns a Gate.
func New(config Config) *Gate {
	if config.Refusal == "" {
		config.Refusal = web.Unproven
	}
	g := &Gate{Config: config, decoy: secrets.Extension{Secrets: []string{rand.Text() + rand.Text()}}}
	if config.Credentials {
		g.decoy = secrets.Extension{Credentials: []secrets.Credential{{Type: signature.BearerCredential, Token: rand.Text()}}}
	}
	return g
}

// Method refuses what is not among the methods of a route (405).
func Method(req *web.Request, allowed ...string) error {
	if slices.Contains(allowed, req.Method) {
		return nil
	}
	header := allowed[0]
	for _, method := range allowed[1:] {
		header += ", " + method
	}
	return &web.Error{Code: web.Method, Reason: MethodNotAllowed, Header: map[string]string{"allow": header}}
}

// Reasons of refusals, beside those of signature.
const (
	MethodNotAllowed = "method_not_allowed"
	Unknown          = "name_unknown" // the path names nothing that the configuration has
)

// Prove finds out who sent a request. verify checks it with the secrets it is given, and is called once more with
// fetched ones if others could prove it: they may have been changed since. A request that carries no proof fetches
// nothing. For a path whose name is not known, verify gets secrets that nobody has.
//
// Its error is a *web.Error: unavailable if no secret can be had, else the one refusal of the unproven.
func (g *Gate) Prove(ctx context.Context, req *web.Request, path Path, verify func(secrets.Signing) error) error {
	refusal, err := proveWith(ctx, g.Signing, func(signing secrets.Signing) error { return verify(g.seen(signing, path)) })
	switch {
	case err != nil:
		return err
	case !path.Known:
		return g.Refuse(req, &signature.Error{Reason: Unknown})
	case refusal != nil:
		return g.Refuse(req, refusal)
	}
	return nil
}

// proveWith has a request verified with the document in hand, and once more with a fetched one if that could prove it. err
// is that no document can be had.
func proveWith[T any](ctx context.Context, document *secrets.Cache[T], verify func(T) error) (refusal, err error) {
	own, err := document.Get(ctx)
	if err != nil {
		return nil, &web.Error{Code: web.Unavailable, Reason: "secrets_unavailable", Err: err}
	}
	refusal = verify(own)
	if otherSecretsMayProve(refusal) {
		own, fresh, err := document.Refresh(ctx)
		switch {
		case err != nil:
			refusal = fmt.Errorf("%w (and the secrets were not refreshed: %v)", refusal, err)
		case fresh:
			refusal = verify(own)
		}
	}
	return refusal, nil
}

// seen is the document that a request is checked with.
func (g *Gate) seen(signing secrets.Signing, path Path) secrets.Signing {
	if path.Known {
		return signing
	}
	return secrets.Signing{
		Extensions:    map[string]secrets.Extension{path.Name: g.decoy},
		EventsAPI:     map[string][]string{path.Name: g.decoy.Secrets},
		EventPlatform: map[string][]string{path.Name: g.decoy.Secrets, path.Name + "/" + path.Rest: g.decoy.Secrets},
		Contentful:    signing.Contentful, // one secret for all actions
	}
}

// otherSecretsMayProve says whether a refusal is of the secrets, not of the request.
func otherSecretsMayProve(refusal error) bool {
	switch reasonOf(refusal) {
	case signature.SignatureMismatch, signature.CredentialMismatch, signature.NoProofConfigured:
		return true
	}
	return false
}

func reasonOf(err error) string {
	if cause, ok := errors.AsType[*signature.Error](err); ok {
		return cause.Reason
	}
	return ""
}

// Refuse is the refusal of a caller who must not learn why: the reason is for the log. An extension that nobody can call
// is our mistake, and logged as an error.
func (g *Gate) Refuse(req *web.Request, err error) error {
	reason := reasonOf(err)
	if reason == "" {
		reason = signature.SignatureMismatch
	}
	if reason == signature.NoProofConfigured {
		req.Log.Level = slog.LevelError
	}
	return &web.Error{Code: g.Refusal, Reason: reason, Err: err}
}

// ActionProof is what proves a call of an extension: all that is configured for it.
func ActionProof(own secrets.Extension, unsigned bool) signature.ActionProof {
	proof := signature.ActionProof{Secrets: own.Secrets, Unsigned: unsigned}
	for _, credential := range own.Credentials {
		proof.Credentials = append(proof.Credentials, signature.Credential(credential))
	}
	return proof
}

// Open says why nobody may call an extension with what is configured for it, as a refusal; nil if it is open.
func (g *Gate) Open(signing secrets.Signing, extension string, unsigned bool) error {
	if weakness := signing.Weakness(extension, unsigned, g.Samples); weakness != "" {
		return fmt.Errorf("extension is closed: %s: %w", weakness, &signature.Error{Reason: signature.NoProofConfigured})
	}
	return nil
}

// Verified notes on the log line what proved a request, and counts it.
func (g *Gate) Verified(req *web.Request, variant string, secret int) {
	req.Log.Add(slog.String("header", variant), slog.Int("secret", secret))
	g.Metrics.Count("Verified", 1, metric.Dimension{Name: "Variant", Value: variant})
}
