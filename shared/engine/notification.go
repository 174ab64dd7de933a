package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/metric"
)

// gap logs and counts what the Event Platform says about a subscription, and records the time in which its events
// are lost: from the suspension to the resume, which may come in any order.
func (w *eventWork) gap(ctx context.Context) error {
	notice := w.event.Notice
	gap := ledger.Gap{PIM: w.event.PIM, Subscription: notice.Subscription, Reason: notice.Reason, Events: notice.Events}
	level, at := w.log.Warn, w.event.Time
	if at.IsZero() { // it has none that can be read
		at = w.delivery.received(w.Now())
	}
	switch {
	case notice.Type == "subscription.resumed":
		level, gap.To = w.log.Info, at
	case strings.HasPrefix(notice.Type, "subscription.suspended") || notice.Type == "subscription.revoked":
		gap.From = at
	}
	level("notification of the Event Platform", "reason", notice.Type, "subscription", notice.Subscription)
	w.Metrics.Count("Notifications", 1, metric.Dimension{Name: "Type", Value: notice.Type})
	if gap.From.IsZero() && gap.To.IsZero() {
		return nil
	}
	if err := w.Ledger.SaveGap(ctx, gap); err != nil {
		return fmt.Errorf("record gap: %w", err)
	}
	return nil
}
