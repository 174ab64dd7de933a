package iframe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/web"
)

// prove finds out which user of the PIM calls. Whoever fails is told one fixed text.
func (h *Handler) prove(ctx context.Context, extension config.Extension, req *web.Request) (signature.JWT, error) {
	token := bearer(req.Header["authorization"])
	var user signature.JWT
	var refusal error // of a token that no other secret would make good
	err := secrets.Prove(ctx, h.config.Signing, func(signing secrets.Signing) error {
		if weakness := signing.Weakness(extension.Name, false, h.config.Samples); weakness != "" {
			return fmt.Errorf("extension is closed: %s: %w", weakness, &signature.Error{Reason: signature.NoProofConfigured})
		}
		var err error
		user, err = signature.VerifyJWT(signing.Extensions[extension.Name].Secrets, token, h.config.Now())
		if reason := reasonOf(err); err != nil && reason != signature.SignatureMismatch && reason != signature.NoProofConfigured {
			refusal = err
			return nil
		}
		return err
	})
	switch err := errors.Join(err, refusal); {
	case errors.Is(err, secrets.ErrUnavailable):
		return signature.JWT{}, &web.Error{Code: web.Unavailable, Reason: "secrets_unavailable", Err: err}
	case err != nil:
		refused := &web.Error{Code: web.Unproven, Reason: reasonOf(err), Err: err}
		if refused.Reason == signature.NoProofConfigured { // our mistake, not the caller's
			req.Log.Level = slog.LevelError
		}
		return signature.JWT{}, refused
	}
	h.config.Metrics.Count("Verified", 1, metric.Dimension{Name: "Variant", Value: "jwt"})
	req.Log.Add(slog.String("user", user.UserUUID), slog.Int("secret", user.Secret))
	return user, nil
}

func reasonOf(err error) string {
	if cause, ok := errors.AsType[*signature.Error](err); ok {
		return cause.Reason
	}
	return signature.SignatureMismatch
}

// bearer is the token of an Authorization header (RFC 6750, section 2.1), "" if there is none.
func bearer(header string) string {
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.Trim(token, " ")
}

// verify tells the page whom its token proves, and until when.
func (h *Handler) verify(_ context.Context, c call) (web.Response, error) {
	c.req.Log.Outcome = "verified"
	return respond(struct {
		UserID    string    `json:"userId"`
		UserUUID  string    `json:"userUuid"`
		ExpiresAt time.Time `json:"expiresAt"`
	}{c.user.UserID, c.user.UserUUID, c.user.Expires})
}
