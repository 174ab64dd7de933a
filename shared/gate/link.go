package gate

import (
	"context"
	"log/slog"
	"time"

	"github.com/pim-functions/pim-functions/shared/metric"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/web"
)

// LinkConfig is what checks links of ours. All but Metrics are required.
type LinkConfig struct {
	Links   *secrets.Cache[secrets.Links]
	Now     func() time.Time
	Metrics *metric.Sink
}

// ProveLink checks the query of an address that names a link's kind, job and name. Job and name go to the log, the query
// never: whoever has it can do what the link is for.
//
// Its error is a *web.Error: unavailable if no secret can be had; gone for a link that is proven and past its time; else
// the one refusal of the unproven, which does not tell what exists.
func ProveLink(ctx context.Context, config LinkConfig, req *web.Request, link signature.Link) error {
	req.Log.Add(slog.String("job", link.Job), slog.String("name", link.Name))
	refusal, err := proveWith(ctx, config.Links, func(links secrets.Links) error {
		_, err := signature.VerifyLink(links.Valid(), link, req.Query, config.Now())
		return err
	})
	switch reason := reasonOf(refusal); {
	case err != nil:
		return err
	case reason == signature.LinkExpired:
		return &web.Error{Code: web.Gone, Reason: reason, Message: "The link has ended. Ask whoever sent it for another.", Err: refusal}
	case refusal != nil:
		return &web.Error{Code: web.Unproven, Reason: reason, Err: refusal}
	}
	config.Metrics.Count("Verified", 1, metric.Dimension{Name: "Variant", Value: "link " + link.Kind})
	return nil
}
