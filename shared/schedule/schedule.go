// Package schedule says when a schedule of extensions.yaml is due. It is pure: it starts nothing and remembers nothing.
//
// Where cron fixes the hour, times are those of the clocks in its zone, each once a day: in the night in which 02:30 comes
// twice it is the first one, and in the night in which it does not come it is as long after the change as 02:30 would have
// been (03:30). Where cron leaves the hour open ("*", "*/2"), it is every real hour.
package schedule

import (
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/pim-functions/pim-functions/shared/config"
)

// Missed is how long ago a time may be that is still made up for.
const Missed = 24 * time.Hour

var parser = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)

// Check says what is wrong with the five fields of cron.
func Check(text string) error {
	parsed, err := parser.Parse(text)
	if err != nil {
		return err
	}
	if parsed.Next(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return fmt.Errorf("no day is of this month, within the next five years")
	}
	return nil
}

// Due is the latest time behind after, and not behind now, at which a schedule is due; at most Missed ago. name tells it from
// every other time of the schedule, however often the clocks show it; "" if there is none.
func Due(s config.Schedule, after, now time.Time) (at time.Time, name string) {
	if earliest := now.Add(-Missed); after.Before(earliest) {
		after = earliest
	}
	if s.Every > 0 {
		at := now.Truncate(s.Every)
		if !at.After(after) {
			return time.Time{}, ""
		}
		return at.UTC(), at.UTC().Format(time.RFC3339)
	}
	parsed, err := parser.Parse(s.Cron)
	if err != nil {
		return time.Time{}, ""
	}
	if fields := strings.Fields(s.Cron); strings.HasPrefix(fields[1], "*") {
		for next := parsed.Next(after.In(s.Zone)); !next.IsZero() && !next.After(now); next = parsed.Next(next) {
			at = next
		}
		if at.IsZero() {
			return time.Time{}, ""
		}
		return at.UTC(), at.UTC().Format(time.RFC3339)
	}
	const change = 3 * time.Hour // more than clocks are ever put forwards or back
	until := shown(now, s.Zone).Add(change)
	for next := parsed.Next(shown(after, s.Zone).Add(-change)); !next.IsZero() && !next.After(until); next = parsed.Next(next) {
		if real := first(next, s.Zone); real.After(after) && !real.After(now) && !real.Before(at) {
			at, name = real, next.Format("2006-01-02T15:04")
		}
	}
	return at, name
}

// shown is what the clocks of a zone show at a time, as if it were UTC.
func shown(t time.Time, zone *time.Location) time.Time {
	t = t.In(zone)
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}

// first is when the clocks of a zone first show a time; for one that they never show, when they would without the change.
func first(clock time.Time, zone *time.Location) time.Time {
	offset := func(t time.Time) time.Duration {
		_, seconds := t.In(zone).Zone()
		return time.Duration(seconds) * time.Second
	}
	before := clock.Add(-offset(clock.Add(-24 * time.Hour)))
	after := clock.Add(-offset(clock.Add(24 * time.Hour)))
	isBefore, isAfter := shown(before, zone).Equal(clock), shown(after, zone).Equal(clock)
	switch {
	case isBefore && isAfter && after.Before(before):
		return after
	case !isBefore && isAfter:
		return after
	}
	return before
}
