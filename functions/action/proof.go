package action

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/web"
)

// Signing gives the secrets that prove a caller: a cache in production, a fixed document in tests.
type Signing = secrets.Holder[secrets.Signing]

// prove finds out whether the PIM sent the request. Whoever fails is told one fixed text.
func (h *Handler) prove(ctx context.Context, extension config.Extension, req *web.Request) (proven signature.Verified, err error) {
	err = secrets.Prove(ctx, h.config.Signing, func(signing secrets.Signing) (err error) {
		proven, err = h.verify(extension, signing, req)
		return err
	})
	switch {
	case errors.Is(err, secrets.ErrUnavailable):
		return signature.Verified{}, &web.Error{Code: web.Unavailable, Reason: "secrets_unavailable", Err: err}
	case err != nil:
		return signature.Verified{}, unproven(req, err)
	}
	return proven, nil
}

// verify checks the request against one version of the secrets.
func (h *Handler) verify(extension config.Extension, signing secrets.Signing, req *web.Request) (signature.Verified, error) {
	if err := closed(extension, signing, h.config.Samples); err != nil {
		return signature.Verified{}, err
	}
	own := signing.Extensions[extension.Name]
	proof := signature.ActionProof{Secrets: own.Secrets, Unsigned: extension.Unsigned}
	if own.Credential != nil {
		credential := signature.Credential(*own.Credential)
		proof.Credential = &credential
	}
	return signature.VerifyAction(proof, req.Header, req.Body)
}

// unproven is the refusal for a caller who must not learn why. A closed extension is our mistake, not the caller's.
func unproven(req *web.Request, err error) error {
	refused := &web.Error{Code: web.Unproven, Reason: signature.SignatureMismatch, Err: err}
	if cause, ok := errors.AsType[*signature.Error](err); ok {
		refused.Reason = cause.Reason
	}
	if refused.Reason == signature.NoProofConfigured {
		req.Log.Level = slog.LevelError
	}
	return refused
}

// closed says why nobody may call an extension with what is configured for it; nil if it is open.
func closed(extension config.Extension, signing secrets.Signing, samples bool) error {
	if weakness := signing.Weakness(extension.Name, extension.Unsigned, samples); weakness != "" {
		return fmt.Errorf("extension is closed: %s: %w", weakness, &signature.Error{Reason: signature.NoProofConfigured})
	}
	return nil
}
