package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/metric"
)

// gap logs and counts what the Event Platform says about a subscription, and records the time in which its events
// are lost: from the suspension to the resume.
func (w *eventWork) gap(ctx context.Context) error {
	notice := w.event.Notice
	level := w.log.Warn
	if notice.Type == "subscription.resumed" {
		level = w.log.Info
	}
	level("the Event Platform says", "reason", notice.Type, "subscription", notice.Subscription, "because", notice.Reason)
	w.Metrics.Count("Notifications", 1, metric.Dimension{Name: "Type", Value: notice.Type})
	gap := ledger.Gap{PIM: w.event.PIM, Subscription: notice.Subscription, From: w.event.Time, Reason: notice.Reason, Events: notice.Events}
	switch {
	case notice.Type == "subscription.resumed":
		known, err := w.Gaps.Gaps(ctx, w.event.PIM)
		if err != nil {
			return fmt.Errorf("read gaps: %w", err)
		}
		for _, open := range known {
			if open.Subscription == notice.Subscription && open.To.IsZero() && !open.From.After(w.event.Time) {
				open.To = w.event.Time
				if err := w.Gaps.SaveGap(ctx, open); err != nil {
					return fmt.Errorf("record gap: %w", err)
				}
			}
		}
	case strings.HasPrefix(notice.Type, "subscription.suspended") || notice.Type == "subscription.revoked":
		if err := w.Gaps.SaveGap(ctx, gap); err != nil {
			return fmt.Errorf("record gap: %w", err)
		}
	}
	return nil
}
