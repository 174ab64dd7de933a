package ledger

import "time"

// Taking is what a mark says to an event that wants to bring its subscription's destination to a new state.
type Taking int

const (
	Taken   Taking = iota // the returned mark has the lease: save it, then run
	Older                 // something newer was applied, or may have been
	Already               // this very change was applied
	Busy                  // another run is under way, or a newer change is not decided: come again
)

// Take asks for the right to apply the change of an event (holder is its entry's key) of a time. One run has it at a time,
// also while its kind waits for what it has begun outside (begun), and who has begun is never too old. A newer change that was
// refused is as if it had not come.
func (m Mark) Take(holder string, at time.Time, begun bool, now, until time.Time) (Mark, Taking) {
	if m.Format == 0 && m.Applied.IsZero() {
		m.Applied = m.Time // the first wave did not tell the two apart
	}
	switch {
	case m.By == holder && at.Equal(m.Applied):
		return m, Already
	case m.Lease.Live(now) && m.Lease.Holder != holder:
		return m, Busy
	case begun:
	case at.Before(m.Applied):
		return m, Older
	case at.Before(m.Time) && now.Before(m.decidedBy()):
		return m, Busy
	case at.Before(m.Time):
		return m, Older
	}
	if at.After(m.Time) {
		m.Time = at
	}
	m.Lease = Lease{Token: m.Lease.Token + 1, Until: until, Holder: holder}
	m.NextTry = time.Time{}
	return m, Taken
}

// decidedBy is when the newest change that has begun counts as applied, if nobody says what became of it.
func (m Mark) decidedBy() time.Time {
	last := m.Lease.Until
	if m.NextTry.After(last) {
		last = m.NextTry
	}
	if last.IsZero() {
		return last
	}
	return last.Add(Undecided)
}

// Apply gives the lease back after a change of a time was applied.
func (m Mark) Apply(at time.Time) Mark {
	if !at.Before(m.Applied) {
		m.Applied, m.By = at, m.Lease.Holder
	}
	return m.release()
}

// Refuse gives the lease back after a change of a time was refused for good: it makes no other one too old.
func (m Mark) Refuse(at time.Time) Mark {
	if !at.Before(m.Time) {
		m.Time = m.Applied
	}
	return m.release()
}

// Wait gives the lease back until the next try. A run that has begun something outside keeps it.
func (m Mark) Wait(next time.Time, begun bool) Mark {
	m = m.release()
	m.NextTry = next
	if begun {
		m.Lease.Until = next.Add(Undecided)
	}
	return m
}

func (m Mark) release() Mark {
	m.Lease.Until, m.NextTry = time.Time{}, time.Time{}
	return m
}
