package schedule_test

import (
	"math/rand/v2"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/schedule"
)

func in(t *testing.T, zone string) *time.Location {
	t.Helper()
	location, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	return location
}

func TestDue(t *testing.T) {
	for _, row := range []struct{ name, cron, zone, after, now, want, key string }{
		{"a night in summer", "30 2 * * *", "Europe/Paris", "2026-07-01T00:29:00Z", "2026-07-01T00:30:00Z", "2026-07-01T00:30:00Z", "2026-07-01T02:30"},
		{"not yet", "30 2 * * *", "Europe/Paris", "2026-07-01T00:28:00Z", "2026-07-01T00:29:59Z", "", ""},
		{"it was", "30 2 * * *", "Europe/Paris", "2026-07-01T00:30:00Z", "2026-07-01T00:31:00Z", "", ""},
		{"autumn, the first 02:30", "30 2 * * *", "Europe/Paris", "2026-10-25T00:00:00Z", "2026-10-25T00:45:00Z", "2026-10-25T00:30:00Z", "2026-10-25T02:30"},
		{"autumn, not the second", "30 2 * * *", "Europe/Paris", "2026-10-25T00:30:00Z", "2026-10-25T01:45:00Z", "", ""},
		{"spring, the missing 02:30 is 03:30", "30 2 * * *", "Europe/Paris", "2026-03-29T00:00:00Z", "2026-03-29T01:30:00Z", "2026-03-29T01:30:00Z", "2026-03-29T02:30"},
		{"spring, not before", "30 2 * * *", "Europe/Paris", "2026-03-29T00:00:00Z", "2026-03-29T01:29:00Z", "", ""},
		{"every hour, the second 02:30 too", "30 * * * *", "Europe/Paris", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T01:30:00Z"},
		{"west of Greenwich", "30 1 * * *", "America/New_York", "2026-11-01T05:00:00Z", "2026-11-01T06:45:00Z", "2026-11-01T05:30:00Z", "2026-11-01T01:30"},
		{"the latest of those that were missed", "0 */6 * * *", "UTC", "2026-05-01T00:00:00Z", "2026-05-20T13:00:00Z", "2026-05-20T12:00:00Z", "2026-05-20T12:00:00Z"},
		{"missed more than a day ago", "0 5 * * 1", "UTC", "2026-05-01T00:00:00Z", "2026-05-05T06:00:00Z", "", ""},
		{"missed within a day", "0 5 * * 1", "UTC", "2026-05-01T00:00:00Z", "2026-05-05T04:00:00Z", "2026-05-04T05:00:00Z", "2026-05-04T05:00"},
	} {
		t.Run(row.name, func(t *testing.T) {
			parse := func(text string) time.Time {
				at, err := time.Parse(time.RFC3339, text)
				if err != nil {
					t.Fatal(err)
				}
				return at
			}
			at, key := schedule.Due(config.Schedule{Cron: row.cron, Zone: in(t, row.zone)}, parse(row.after), parse(row.now))
			got := ""
			if !at.IsZero() {
				got = at.UTC().Format(time.RFC3339)
			}
			if got != row.want || key != row.key {
				t.Errorf("due %q %q", got, key)
			}
		})
	}
	now := time.Date(2026, 5, 1, 12, 0, 7, 0, time.UTC)
	if at, _ := schedule.Due(config.Schedule{Every: 5 * time.Second}, now.Add(-time.Hour), now); !at.Equal(now.Add(-2 * time.Second)) {
		t.Errorf("every: %v", at)
	}
	if at, _ := schedule.Due(config.Schedule{Every: 5 * time.Second}, now.Add(-2*time.Second), now); !at.IsZero() {
		t.Errorf("every, twice: %v", at)
	}
}

// TestAYear goes through a year by some minutes at a time, with ticks that come twice, or late, and from a process that begins
// anew: each time is due once. Far from a time the ticks are rarer.
func TestAYear(t *testing.T) {
	for _, zone := range []string{"UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe"} {
		t.Run(zone, func(t *testing.T) {
			t.Parallel()
			s := config.Schedule{Cron: "30 2 * * *", Zone: in(t, zone)}
			random := rand.New(rand.NewPCG(1, 2))
			start := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
			started := map[string]time.Time{}
			last, step := start, time.Duration(0)
			for now := start; now.Before(start.AddDate(1, 0, 0)); now = now.Add(step) {
				for range 1 + random.IntN(2) {
					at, name := schedule.Due(s, last, now)
					if name == "" {
						continue
					}
					switch before, known := started[name]; {
					case known && !before.Equal(at):
						t.Errorf("%s is due at %v and at %v", name, before, at)
					case !known && now.Sub(at) > step:
						t.Errorf("%s is noticed at %v", name, now)
					}
					started[name] = at
					if random.IntN(2) == 0 { // else it is not remembered, and the name alone keeps it from starting twice
						last = at
					}
				}
				step = time.Duration(1+random.IntN(7)) * time.Minute
				if hour := now.In(s.Zone).Hour(); hour > 5 && hour < 23 {
					step *= 8
				}
			}
			if len(started) != 365 {
				t.Errorf("%d times", len(started))
			}
		})
	}
}

func TestCheck(t *testing.T) {
	for text, good := range map[string]bool{"30 2 * * *": true, "*/5 * * * 1-5": true, "0 0 29 2 *": true, "0 0 31 2 *": false, "60 2 * * *": false, "a b c d e": false, "0 0 * * MON": true} {
		if err := schedule.Check(text); (err == nil) != good {
			t.Errorf("%s: %v", text, err)
		}
	}
}
