package register

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
)

// Status is how far the rotation of a place is.
type Status struct {
	Name       string    `json:"name"`
	State      string    `json:"state"`             // none, added, accepted, switched, removed; unknown
	Secrets    int       `json:"secrets"`           // in the document now
	Record     *Record   `json:"rotation,omitzero"` // nil: none is under way
	NewUsed    time.Time `json:"new_used,omitzero"` // when the new secret last proved a call since it was added
	FormerUsed time.Time `json:"former_used,omitzero"`
	Next       string    `json:"next"` // what comes now, for people
}

// Status says how far the rotations of all places are. It changes nothing.
func (r *Rotator) Status(ctx context.Context, c *config.Config) ([]Status, error) {
	var all []Status
	for _, place := range SecretPlaces(c) {
		if place.Kind == OfLinks && r.Documents.Links == "" {
			continue
		}
		now, err := r.view(ctx, place)
		if err != nil {
			return nil, err
		}
		one := Status{Name: place.Name, State: "none", Secrets: max(len(now.keys.Secrets), len(now.keys.Credentials)), Record: now.record}
		if now.record != nil {
			if err := r.progress(ctx, place, now, &one); err != nil {
				return nil, err
			}
		}
		all = append(all, one)
	}
	return all, nil
}

// progress fills in what is known of a rotation that is under way.
func (r *Rotator) progress(ctx context.Context, place Place, now view, one *Status) error {
	record := now.record
	var err error
	if place.Kind != OfLinks {
		run := rotating{Rotator: r, place: place}
		one.NewUsed, one.FormerUsed, err = run.used(ctx, now, record.Added)
		if errors.Is(err, context.Canceled) {
			return err
		}
	}
	moment := func(at time.Time) string { return at.UTC().Format("2006-01-02 15:04 MST") }
	switch {
	case !now.intact():
		one.State, one.Next = "unknown", "somebody changed the secrets meanwhile: run rotate, which ends this rotation"
	case record.Accepted.IsZero():
		one.State, one.Next = "added", "every function has to accept both, from "+moment(record.Added.Add(r.Times.Settle))
	case record.Switched.IsZero():
		one.State, one.Next = "accepted", "the sender gets the new secret"
	case record.Removed.IsZero() && place.Kind == OfLinks:
		one.State, one.Next = "switched", "the old secret goes "+moment(record.Switched.Add(r.Times.Links+r.Times.Settle))
	case record.Removed.IsZero() && one.NewUsed.Before(record.Switched) && err == nil:
		one.State, one.Next = "switched", "the sender has to call with the new secret"
	case record.Removed.IsZero():
		last := record.Switched
		if one.FormerUsed.After(last) {
			last = one.FormerUsed
		}
		one.State, one.Next = "switched", "the old secret goes if it is not used until "+moment(last.Add(r.Times.Quiet))
	default:
		one.State, one.Next = "removed", "every function has to refuse the old one, from "+moment(record.Removed.Add(r.Times.Settle))
	}
	if err != nil {
		one.Next += fmt.Sprintf(" (what is used is not known: %v)", err)
	}
	return nil
}
