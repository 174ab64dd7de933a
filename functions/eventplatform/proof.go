package eventplatform

import (
	"context"
	"errors"
	"log/slog"

	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/web"
)

// prove finds out whether the platform sent the request.
func (h *Handler) prove(ctx context.Context, to address, req *web.Request) (proven signature.Verified, err error) {
	err = secrets.Prove(ctx, h.config.Signing, func(signing secrets.Signing) (refusal error) {
		own := secrets.EventSecrets(signing.EventPlatform[to.secrets], h.config.Samples)
		proven, refusal = signature.VerifyEventPlatform(own, req.Header, req.Body)
		return refusal
	})
	if err != nil {
		return signature.Verified{}, unproven(req, err)
	}
	return proven, nil
}

// unproven is the refusal for a caller who must not learn why. A PIM without a usable secret is our mistake, and so
// are secrets that cannot be had: the caller may have been right, and is asked to come again.
func unproven(req *web.Request, err error) error {
	if errors.Is(err, secrets.ErrUnavailable) {
		return &web.Error{Code: web.Unavailable, Reason: "secrets_unavailable", Err: err}
	}
	refused := &web.Error{Code: web.Unproven, Reason: signature.SignatureMismatch, Err: err}
	if cause, ok := errors.AsType[*signature.Error](err); ok {
		refused.Reason = cause.Reason
	}
	if refused.Reason == signature.NoProofConfigured {
		req.Log.Level = slog.LevelError
	}
	return refused
}
