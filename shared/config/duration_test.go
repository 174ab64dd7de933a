package config_test

import (
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
)

func TestDurations(t *testing.T) {
	for _, row := range []struct {
		text string
		want time.Duration // 0: an error
	}{
		{"30s", 30 * time.Second},
		{"1h30m", 90 * time.Minute},
		{"1d", 24 * time.Hour},
		{"1d12h", 36 * time.Hour},
		{"14d", 14 * 24 * time.Hour},
		{"1d24h", 0}, // two days have one spelling
		{"1d-1h", 0},
		{"-1d", 0},
		{"1.5d", 0},
		{"12h1d", 0},
		{"1d1d", 0},
		{"d", 0},
		{"1w", 0},
		{"99999999999999999999d", 0},
		{"", 0},
	} {
		got, err := config.ParseDuration(row.text)
		if got != row.want || (err != nil) != (row.want == 0) {
			t.Errorf("%q: %s, %v; want %s", row.text, got, err, row.want)
		}
	}
}
