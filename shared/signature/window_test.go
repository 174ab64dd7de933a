package signature_test

import (
	"math"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/signature"
)

func TestWindow(t *testing.T) {
	const signed = 1739948408
	now := time.Unix(signed, 0)
	year := int64(365 * 24 * 3600)
	for _, test := range []struct {
		name      string
		now       time.Time
		timestamp int64
		limit     time.Duration
		want      string
	}{
		{"now", now, signed, signature.ActionWindow, ""},
		{"300 s old", now, signed - 300, signature.ActionWindow, ""},
		{"301 s old", now, signed - 301, signature.ActionWindow, "timestamp_old"},
		{"300 s ahead", now, signed + 300, signature.ActionWindow, ""},
		{"301 s ahead", now, signed + 301, signature.ActionWindow, "timestamp_ahead"},
		{"300.9 s old: whole seconds count", now.Add(900 * time.Millisecond), signed - 300, signature.ActionWindow, ""},
		{"ten minutes old", now, signed - 600, signature.ActionWindow, "timestamp_old"},
		{"a year ahead", now, signed + year, signature.ActionWindow, "timestamp_ahead"},
		{"in milliseconds", now, signed * 1000, signature.ActionWindow, "timestamp_ahead"},
		{"zero", now, 0, signature.ActionWindow, "timestamp_old"},
		{"negative", now, -signed, signature.ActionWindow, "timestamp_old"},
		{"the smallest int64", now, math.MinInt64, signature.ActionWindow, "timestamp_old"},
		{"the largest int64", now, math.MaxInt64, signature.ActionWindow, "timestamp_ahead"},
		{"the smallest int64, the longest limit", now, math.MinInt64, math.MaxInt64, "timestamp_old"},
		{"the largest int64, the longest limit", now, math.MaxInt64, math.MaxInt64, "timestamp_ahead"},
		{"a clock before 1970", time.Unix(-1000, 0), math.MaxInt64, signature.ActionWindow, "timestamp_ahead"},
		{"a clock before 1970, in the window", time.Unix(-100, 0), 200, signature.ActionWindow, ""},
		{"the zero time", time.Time{}, signed, signature.ActionWindow, "timestamp_ahead"},
		{"no limit given: the same second only", now, signed, 0, ""},
		{"no limit given, one second old", now, signed - 1, 0, "timestamp_old"},
		{"a negative limit is none", now, signed + 1, -time.Hour, "timestamp_ahead"},
		{"a limit below a second", now, signed - 1, 999 * time.Millisecond, "timestamp_old"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := reason(t, signature.Window(test.now, test.timestamp, test.limit)); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
