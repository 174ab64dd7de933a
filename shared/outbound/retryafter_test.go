package outbound_test

import (
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/outbound"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestRetryAfter(t *testing.T) {
	const never = -1
	for _, c := range []struct {
		name, value string
		want        time.Duration // from now; never: as if the header were not there
	}{
		{"a minute", "60", time.Minute},
		{"with spaces", " 60 ", time.Minute},
		{"a day", "86400", 24 * time.Hour},
		{"more than a day", "86401", 24 * time.Hour},
		{"a year", "31536000", 24 * time.Hour},
		{"more than a number holds", "99999999999999999999", 24 * time.Hour},
		{"zero", "0", never},
		{"negative", "-5", never},
		{"a sign", "+5", never},
		{"a fraction", "1.5", never},
		{"a word", "soon", never},
		{"nothing", "", never},
		{"a date", "Mon, 23 Nov 2026 12:05:00 GMT", 5 * time.Minute},
		{"a date, RFC 850", "Monday, 23-Nov-26 12:05:00 GMT", 5 * time.Minute},
		{"a date, asctime", "Mon Nov 23 12:05:00 2026", 5 * time.Minute},
		{"a date in a year", "Tue, 23 Nov 2027 12:00:00 GMT", 24 * time.Hour},
		{"a date in the past", "Mon, 23 Nov 2026 11:59:59 GMT", never},
		{"now", "Mon, 23 Nov 2026 12:00:00 GMT", never},
		{"RFC 3339, which is not allowed", "2026-11-23T12:05:00Z", never},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := outbound.RetryAfter(c.value, noon)
			if c.want == never && !got.IsZero() || c.want != never && !got.Equal(noon.Add(c.want)) {
				t.Errorf("%q: %s", c.value, got)
			}
		})
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"0", "60", "-1", "99999999999999999999", "Wed, 21 Oct 2065 07:28:00 GMT", "Wed, 21 Oct 2015 07:28:00 GMT", "soon", " 5 ", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		at := outbound.RetryAfter(value, noon)
		if !at.IsZero() && (!at.After(noon) || at.After(noon.Add(24*time.Hour))) {
			t.Errorf("%q asks to come at %s", value, at)
		}
	})
}
