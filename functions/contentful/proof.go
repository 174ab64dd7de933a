package contentful

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/web"
)

// prove finds out whether Contentful sent the request, and lately. Whoever fails is told one fixed text.
func (h *Handler) prove(ctx context.Context, req *web.Request, to address) (call signature.ContentfulCall, err error) {
	request := signature.ContentfulRequest{Method: req.Method, Paths: to.called(req, h.config.BasePath), Header: req.Header, Body: req.Body}
	err = secrets.Prove(ctx, h.config.Signing, func(signing secrets.Signing) (refusal error) {
		call, refusal = signature.VerifyContentful(usable(signing.Contentful, h.config.Samples), request, h.config.Now())
		return refusal
	})
	switch {
	case errors.Is(err, secrets.ErrUnavailable):
		return signature.ContentfulCall{}, &web.Error{Code: web.Unavailable, Reason: "secrets_unavailable", Err: err}
	case err != nil:
		return signature.ContentfulCall{}, unproven(req, err)
	}
	return call, nil
}

// usable replaces a secret that is published by "", which proves nothing and keeps the others in their places.
func usable(list []string, samples bool) []string {
	kept := slices.Clone(list)
	for i, secret := range kept {
		if !samples && secrets.IsSample(secret) {
			kept[i] = ""
		}
	}
	return kept
}

// unproven is the refusal for a caller who must not learn why. A missing or unusable secret is our mistake, not theirs.
func unproven(req *web.Request, err error) error {
	reason := signature.SignatureMismatch
	if cause, ok := errors.AsType[*signature.Error](err); ok {
		reason = cause.Reason
	}
	if reason == signature.NoProofConfigured {
		req.Log.Level = slog.LevelError
	}
	return forbidden(reason, err)
}

// forbidden is what the unproven are told, and those from elsewhere: the same, so that neither learns which they are.
func forbidden(reason string, err error) error {
	return &web.Error{Code: web.Forbidden, Reason: reason, Err: err}
}

// allowed says whether a call's space and environment may call. None listed: any. What was not signed is no place.
func allowed(spaces []string, call signature.ContentfulCall) bool {
	return len(spaces) == 0 || slices.Contains(spaces, call.Space+"/"+call.Environment)
}
