package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// What is kept of a profile.
const (
	profileLife = 7 * 24 * time.Hour // after a launch or an end, and at least as long as a launch waits
	maxEnds     = 100                // the latest
	maxLaunches = 1000               // the latest

	// clockSkew is by how much the PIM's clock may be behind ours.
	clockSkew = 5 * time.Second
)

// Launch is a run of a PIM's job profile that one of our jobs has asked for, or is about to.
type Launch struct {
	Job       string    `json:"job"`
	Wait      string    `json:"wait"`                // name of the wait that the end is for
	Since     time.Time `json:"since"`               // what started before is another run
	Until     time.Time `json:"until"`               // nobody waits any longer
	Execution string    `json:"execution,omitempty"` // its ID, as the PIM answered
	Made      bool      `json:"made,omitempty"`      // the PIM was called, and may have launched it
}

func (l Launch) by(other Launch) bool { return l.Job == other.Job && l.Wait == other.Wait }

// End is how a run of a job profile ended, as an event of the PIM says.
type End struct {
	Execution string    `json:"execution"` // its ID
	Status    string    `json:"status"`    // completed, failed, stopped, abandoned or what else the PIM says, in small letters
	Label     string    `json:"label,omitempty"`
	Rows      int       `json:"rows"`               // read
	Skipped   int       `json:"skipped,omitempty"`  // of an import
	Warnings  int       `json:"warnings,omitempty"` // of an import
	Started   time.Time `json:"started,omitzero"`
	At        time.Time `json:"at"`            // when the event came
	Job       string    `json:"job,omitempty"` // that it was the launch of
}

// Profile is what is known of the runs of one job profile of a PIM: those that our jobs have launched, and the ends that
// events told of, whichever comes first. Launch and event each change the record, so that the second sees the first.
//
// Of a workflow there are Runs alone: see WorkflowKey.
//
// A run is known by its ID. Where the launch's answer does not name one that events have, its end is the first one of the
// profile that began afterwards and is no other launch's; so at most one such launch is Open at a time.
type Profile struct {
	Key      string   `json:"-"`              // see ProfileKey
	Open     *Launch  `json:"open,omitempty"` // is being launched, or can be matched by the profile alone
	Launches []Launch `json:"launches,omitempty"`
	Ends     []End    `json:"ends,omitempty"`
	Runs     []Runs   `json:"runs,omitempty"`
	Version  int64    `json:"-"` // of the record; every write is conditional on it
}

// ProfileKey names a profile: direction is export or import.
func ProfileKey(pim, direction, code string) string { return pim + "/" + direction + "/" + code }

// Profiles keeps what is known of profiles. A failed call may nevertheless have been carried out.
type Profiles interface {
	// Profile returns what is known under a key; of a profile that nothing is known of, nothing but the key.
	Profile(ctx context.Context, key string) (Profile, error)

	// SaveProfile replaces it if its version is still that which was read, else ErrConflict. It lives for seven days after the
	// last write, or as long as one of its launches waits.
	SaveProfile(ctx context.Context, profile Profile) error
}

var (
	_ Profiles = (*Memory)(nil)
	_ Profiles = (*DynamoDB)(nil)
)

// ChangeProfile applies a change to what is known of a profile, until nobody else has changed it in between. A change that
// returns false writes nothing. It is applied again where its write may have been carried out: it must know its own work.
func ChangeProfile(ctx context.Context, profiles Profiles, key string, now time.Time, change func(*Profile) bool) error {
	for range 20 {
		profile, err := profiles.Profile(ctx, key)
		if err != nil {
			return err
		}
		profile.prune(now)
		if !change(&profile) {
			return nil
		}
		if err := profiles.SaveProfile(ctx, profile); !errors.Is(err, ErrConflict) {
			return err
		}
	}
	return fmt.Errorf("profile %s: %w", key, ErrConflict)
}

// prune leaves out what is too old to matter.
func (p *Profile) prune(now time.Time) {
	if p.Open != nil && !now.Before(p.Open.Until) {
		p.Open = nil
	}
	p.Runs = slices.DeleteFunc(p.Runs, func(r Runs) bool { return !now.Before(r.Until) })
	p.Launches = slices.DeleteFunc(p.Launches, func(l Launch) bool {
		return !now.Before(l.Until) && now.Sub(l.Since) >= profileLife
	})
	p.Ends = slices.DeleteFunc(p.Ends, func(e End) bool { return now.Sub(e.At) >= profileLife })
	p.Ends = p.Ends[max(len(p.Ends)-maxEnds, 0):]
	p.Launches = p.Launches[max(len(p.Launches)-maxLaunches, 0):]
}

// Begin makes a launch the Open one, before the PIM is called. Where another one is Open, nothing changes and that one is
// returned.
func (p *Profile) Begin(l Launch) (other *Launch) {
	if p.Open != nil && !p.Open.by(l) {
		return p.Open
	}
	p.Open = &l
	return nil
}

// Free takes back a launch that was certainly not made.
func (p *Profile) Free(l Launch) {
	if p.Open != nil && p.Open.by(l) {
		p.Open = nil
	}
}

// Launched notes that the PIM was called, and what it answered: an execution's ID; numeric: one that events have. It returns
// the end, if that came already.
func (p *Profile) Launched(l Launch, execution string, numeric bool) *End {
	l.Execution, l.Made = execution, true
	if p.Open != nil && p.Open.by(l) {
		l.Since = p.Open.Since
	}
	if at := slices.IndexFunc(p.Ends, func(e End) bool { return e.Job == l.Job || e.Execution == execution && execution != "" }); at >= 0 {
		p.Ends[at].Job = l.Job
		p.Free(l)
		return &p.Ends[at]
	}
	if numeric {
		p.Free(l)
		if !slices.ContainsFunc(p.Launches, l.by) {
			p.Launches = append(p.Launches, l)
		}
		return nil
	}
	if p.Open == nil || p.Open.by(l) {
		p.Open = &l
		for i := range p.Ends {
			if p.matches(p.Ends[i]) {
				p.Ends[i].Job, p.Open = l.Job, nil
				return &p.Ends[i]
			}
		}
	}
	return nil
}

// matches says whether an end is that of the Open launch, as far as the profile alone tells.
func (p *Profile) matches(e End) bool {
	if p.Open == nil || !p.Open.Made || e.Job != "" {
		return false
	}
	return e.Execution == p.Open.Execution || !e.Started.Before(p.Open.Since.Add(-clockSkew)) && !p.launched(e.Execution)
}

func (p *Profile) launched(execution string) bool {
	return slices.ContainsFunc(p.Launches, func(l Launch) bool { return l.Execution == execution })
}

// Ended notes the end of an execution. It returns what is known of that end, and the launch that waits for it, if one does.
// An end that is known already stays what it was.
func (p *Profile) Ended(e End) (known End, l Launch, waits bool) {
	at := slices.IndexFunc(p.Ends, func(known End) bool { return known.Execution == e.Execution })
	if at < 0 {
		if e.Started.IsZero() {
			e.Started = e.At
		}
		e.Status = strings.ToLower(e.Status)
		at, p.Ends = len(p.Ends), append(p.Ends, e)
	}
	if p.matches(p.Ends[at]) {
		l := *p.Open
		l.Execution = e.Execution
		p.Launches, p.Open = append(p.Launches, l), nil // an event that comes again finds it there
	}
	for _, l := range p.Launches {
		if l.Execution == e.Execution {
			p.Ends[at].Job = l.Job
			return p.Ends[at], l, true
		}
	}
	return p.Ends[at], Launch{}, false
}

// expires is when a record may go.
func (p *Profile) expires(now time.Time) time.Time {
	at := now.Add(profileLife)
	for _, l := range p.Launches {
		if l.Until.After(at) {
			at = l.Until
		}
	}
	for _, r := range p.Runs {
		if r.Until.After(at) {
			at = r.Until
		}
	}
	if p.Open != nil && p.Open.Until.After(at) {
		at = p.Open.Until
	}
	return at
}
