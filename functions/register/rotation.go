package register

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Rotator replaces secrets so that no valid call is refused: it adds a new one, waits until every function accepts both,
// gives the new one to the sender, watches that the sender uses it, takes the old one away when nobody has used it for a
// while, and waits until the functions refuse it.
//
// What it has done stands in the secret document itself, beside the secrets and written with them in one step (Record). So
// a rotation that was interrupted after any call goes on when it is started again, by whomever, and one that is started
// twice is one. All fields but Unseen are required.
type Rotator struct {
	Documents Documents
	Prober    Prober
	Giver     Giver
	Uses      Uses
	Times     Times
	Unseen    bool // take the old secret away although nobody has used the new one: for what is called seldom
	Now       func() time.Time
	Say       func(place, text string) // progress, for people; from several goroutines

	writing *sync.Mutex // documents, one place at a time
}

// Times are how long the steps of a rotation take.
type Times struct {
	Settle time.Duration // from a write to when every function has it: their caches live five minutes; twice that without a failure
	Quiet  time.Duration // how long nobody has used the old secret before it goes
	Links  time.Duration // how long the longest link lives that the old secret signed
	Poll   time.Duration // between looks
}

// DefaultTimes are those of a deployment. The longest link lives as long as the longest that a file is kept.
var DefaultTimes = Times{Settle: 10 * time.Minute, Quiet: time.Hour, Links: 90 * 24 * time.Hour, Poll: 30 * time.Second}

// LocalTimes are those of the local system, whose functions keep documents for a second.
var LocalTimes = Times{Settle: 3 * time.Second, Quiet: 5 * time.Second, Links: 90 * 24 * time.Hour, Poll: 200 * time.Millisecond}

// Giver reaches those who prove themselves to us.
type Giver interface {
	// Give makes the sender of a place prove itself with the newest of the keys; the Event Platform with the one before
	// too, or with none besides. Giving the same keys again changes nothing. ErrByHand (with what to do) if no API does it.
	Give(ctx context.Context, place Place, keys Keys) error
}

// HandError is that only a person can change the secret at its sender.
type HandError struct{ Steps string }

func (e *HandError) Error() string { return e.Steps }

// NewRotator returns a Rotator.
func NewRotator(r Rotator) *Rotator {
	r.writing = &sync.Mutex{}
	return &r
}

// ErrLater: all is done that can be done now. The text says when the rest can be.
var ErrLater = errors.New("the rest is for later")

// Run rotates the secrets of a place to the end, or takes over a rotation that is under way. After any error, running it
// again goes on. ErrLater if the rest has to wait for days.
func (r *Rotator) Run(ctx context.Context, place Place) error {
	run := &rotating{Rotator: r, place: place}
	for {
		done, err := run.step(ctx)
		if done || err != nil {
			return err
		}
	}
}

// rotating is one run for one place.
type rotating struct {
	*Rotator
	place  Place
	began  bool      // a rotation was there, or was begun
	bad    time.Time // when a probe last found that not every function has the document
	former Keys      // that were taken away, if this run did it
	told   string    // what was said last
}

// step looks at the document and does what is next.
func (r *rotating) step(ctx context.Context) (done bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	now, err := r.view(ctx, r.place)
	if err != nil {
		return false, err
	}
	switch record := now.record; {
	case record == nil && r.began:
		r.say("done: the old secret is gone, and refused")
		return true, nil
	case record == nil:
		return false, r.add(ctx)
	case !now.intact():
		return false, r.spoilt(ctx)
	case !r.began:
		r.began = true
		r.say("a rotation of " + record.Added.UTC().Format("2006-01-02 15:04 MST") + " is under way and goes on")
	case record.Accepted.IsZero():
		return false, r.accept(ctx, now)
	case record.Switched.IsZero():
		return false, r.give(ctx, now)
	case record.Removed.IsZero():
		return false, r.remove(ctx, now)
	default:
		return false, r.finish(ctx, now)
	}
	return false, nil
}

// add puts a new secret into the document, beside those that are there.
func (r *rotating) add(ctx context.Context) error {
	if r.place.Kind == OfEventsAPI {
		return &HandError{eventsAPIByHand(r.place)}
	}
	err := r.update(ctx, r.place, func(d *document, record *Record) (*Record, error) {
		if record != nil {
			return record, nil // somebody else has begun
		}
		return d.addKeys(r.place, r.Now())
	})
	if err == nil {
		r.began = true
		r.say("a new secret is in the document; waiting until every function accepts both")
	}
	return err
}

// spoilt ends a rotation whose new secret somebody took out of the document, or put others behind.
func (r *rotating) spoilt(ctx context.Context) error {
	err := r.update(ctx, r.place, func(*document, *Record) (*Record, error) { return nil, nil })
	if err != nil {
		return err
	}
	return fmt.Errorf("%s: somebody changed its secrets while they were rotated: the rotation is ended and every secret stays. Look at the document, then start again", r.place.Name)
}

// accept waits until every function accepts the new secret: a while after it was written in which none was refused and no
// function failed to read the document.
func (r *rotating) accept(ctx context.Context, now view) error {
	settled, err := r.settled(ctx, now, now.record.Added)
	if err != nil || !settled {
		return err
	}
	r.say("every function accepts both; the sender gets the new one")
	return r.mark(ctx, func(record *Record) { record.Accepted = r.Now() }, func(record *Record) bool { return record.Accepted.IsZero() })
}

// settled looks once whether what was written at a time has reached every function, and waits for the next look if not.
func (r *rotating) settled(ctx context.Context, now view, written time.Time) (bool, error) {
	for _, keys := range each(now.keys) {
		answer, err := r.Prober.Ask(ctx, r.place, keys)
		if problem := r.Prober.judge(answer, err); problem != "" {
			r.bad = r.Now()
			r.say("not yet: " + problem)
		}
	}
	from := written
	if r.bad.After(from) {
		from = r.bad
	}
	if r.Now().Before(from.Add(r.Times.Settle)) {
		return false, r.wait(ctx)
	}
	failures, err := r.Uses.Failures(ctx, now.id, r.Now().Add(-r.Times.Settle))
	if err != nil {
		r.say("whether functions failed to read the document is not known: " + err.Error())
	} else if failures > 0 {
		r.bad = r.Now()
		r.say("not yet: a function could not read the document lately")
		return false, r.wait(ctx)
	}
	return true, nil
}

// give gives the new secret to the sender. Where only a person can, it waits for the first call that the new one proves.
func (r *rotating) give(ctx context.Context, now view) error {
	if r.place.Kind == OfLinks {
		r.say("links are signed with the new secret")
		return r.update(ctx, r.place, func(d *document, record *Record) (*Record, error) {
			if record == nil || !record.Switched.IsZero() {
				return record, nil
			}
			return d.switchLinks(record, r.Now())
		})
	}
	err := r.Giver.Give(ctx, r.place, now.keys)
	if hand, ok := errors.AsType[*HandError](err); ok {
		r.say("by hand: " + hand.Steps + ". The rotation goes on with the first call that the new secret proves")
		used, _, err := r.used(ctx, now, now.record.Added)
		if err != nil {
			r.say("what is used is not known: " + err.Error())
		}
		if used.IsZero() {
			return r.wait(ctx)
		}
	} else if err != nil {
		return fmt.Errorf("%s: give the new secret to its sender: %w", r.place.Name, err)
	}
	r.say("the sender has the new secret; waiting until the old one is not used any more")
	return r.mark(ctx, func(record *Record) { record.Switched = r.Now() }, func(record *Record) bool { return record.Switched.IsZero() })
}

// remove takes the old secrets away when the new one is used and they have not been for a while.
func (r *rotating) remove(ctx context.Context, now view) error {
	switched := now.record.Switched
	if r.place.Kind == OfLinks {
		until := switched.Add(r.Times.Links + r.Times.Settle)
		if left := until.Sub(r.Now()); left > r.Times.Quiet {
			return fmt.Errorf("%w: links that the old secret signed live until %s; run this again then", ErrLater, until.UTC().Format(time.DateOnly))
		} else if left > 0 {
			return r.wait(ctx)
		}
	} else {
		used, former, err := r.used(ctx, now, switched)
		if err != nil {
			r.say("what is used is not known: " + err.Error())
			return r.wait(ctx)
		}
		if used.IsZero() && !r.Unseen {
			r.say("nobody has called with the new secret yet: call once, or use --unseen for what is called seldom")
			return r.wait(ctx)
		}
		last := switched
		if former.After(last) {
			last = former
			r.say("the old secret was used at " + former.UTC().Format("15:04 MST") + ": somebody still has it")
		}
		if r.Now().Before(last.Add(r.Times.Quiet)) {
			return r.wait(ctx)
		}
	}
	r.former = now.keys.Former()
	r.say("the old secret goes")
	return r.update(ctx, r.place, func(d *document, record *Record) (*Record, error) {
		if record == nil || !record.Removed.IsZero() {
			return record, nil
		}
		return d.removeFormer(r.place, record, r.Now())
	})
}

// finish takes the old secret from a sender that still has it, and waits until the functions refuse it.
func (r *rotating) finish(ctx context.Context, now view) error {
	if r.place.Kind == OfEvents {
		err := r.Giver.Give(ctx, r.place, now.keys)
		if hand, ok := errors.AsType[*HandError](err); ok {
			r.say("by hand: " + hand.Steps)
		} else if err != nil {
			return fmt.Errorf("%s: take the old secret from its sender: %w", r.place.Name, err)
		}
	}
	for {
		settled, err := r.settled(ctx, now, now.record.Removed)
		if err != nil {
			return err
		}
		if settled {
			break
		}
	}
	for _, former := range each(r.former) { // another run may have taken them away: then they are not known here
		if answer, err := r.Prober.Ask(ctx, r.place, former); err == nil && answer.Proven() {
			return fmt.Errorf("%s: a function still accepts the old secret: run this again, and look at the functions' logs", r.place.Name)
		}
	}
	return r.update(ctx, r.place, func(_ *document, record *Record) (*Record, error) {
		if record != nil && record.Removed.IsZero() {
			return record, nil // the next rotation has begun
		}
		return nil, nil
	})
}

// used is when the new secrets were last used since a time, and when the old ones.
func (r *rotating) used(ctx context.Context, now view, since time.Time) (newest, former time.Time, err error) {
	last := func(keys Keys) (latest time.Time, err error) {
		for _, one := range r.place.uses(keys) {
			use, err := r.Uses.Last(ctx, one.List, one.Fingerprint, since)
			if err != nil {
				return latest, err
			}
			if use.After(latest) {
				latest = use
			}
		}
		return latest, nil
	}
	if newest, err = last(now.keys.Newest()); err == nil {
		former, err = last(now.keys.Former())
	}
	return newest, former, err
}

// mark notes a step in the document, unless somebody else has.
func (r *rotating) mark(ctx context.Context, note func(*Record), open func(*Record) bool) error {
	return r.update(ctx, r.place, func(_ *document, record *Record) (*Record, error) {
		if record != nil && open(record) {
			note(record)
		}
		return record, nil
	})
}

// wait for the next look.
func (r *rotating) wait(ctx context.Context) error {
	timer := time.NewTimer(r.Times.Poll)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// say tells what is new.
func (r *rotating) say(text string) {
	if text != r.told {
		r.told = text
		r.Say(r.place.Name, text)
	}
}
