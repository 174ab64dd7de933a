package data

import (
	"context"
	"errors"
	"log/slog"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/web"
)

// prove finds out whether the PIM sent the request. It signs nothing here: its credential is all there is. Whoever
// fails is told one fixed text.
func (h *Handler) prove(ctx context.Context, extension config.Extension, req *web.Request) error {
	var proven signature.Verified
	err := secrets.Prove(ctx, h.config.Signing, func(signing secrets.Signing) (err error) {
		proven, err = signature.VerifyAction(h.proof(extension, signing), req.Header, req.Body)
		return err
	})
	switch {
	case errors.Is(err, secrets.ErrUnavailable):
		return &web.Error{Code: web.Unavailable, Reason: "secrets_unavailable", Err: err}
	case err != nil:
		refused := &web.Error{Code: web.Unproven, Reason: signature.CredentialMismatch, Err: err}
		if cause, ok := errors.AsType[*signature.Error](err); ok {
			refused.Reason = cause.Reason
		}
		if refused.Reason == signature.NoProofConfigured { // our mistake, not the caller's
			req.Log.Level = slog.LevelError
		}
		return refused
	}
	h.config.Metrics.Count("Verified", 1, metric.Dimension{Name: "Variant", Value: proven.Variant()})
	return nil
}

// proof is the extension's credential. One that everybody can read proves nothing, and then nothing takes its place.
func (h *Handler) proof(extension config.Extension, signing secrets.Signing) signature.ActionProof {
	own := signing.Extensions[extension.Name].Credential
	if own == nil {
		return signature.ActionProof{Unsigned: extension.Unsigned}
	}
	credential := signature.Credential(*own)
	if !h.config.Samples && (secrets.IsSample(own.Password) || secrets.IsSample(own.Token) || secrets.IsSample(own.Value)) {
		credential = signature.Credential{}
	}
	return signature.ActionProof{Credential: &credential}
}
