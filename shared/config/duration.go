package config

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

var errDays = errors.New("days are a whole number before everything else: 1d or 1d12h")

// parseDuration reads a time as time.ParseDuration does, and days (of 24 hours) before it: 30s, 6h, 14d, 1d12h.
func parseDuration(text string) (time.Duration, error) {
	number, rest, found := strings.Cut(text, "d")
	if !found {
		return time.ParseDuration(text)
	}
	days, err := strconv.ParseUint(number, 10, 16)
	if err != nil {
		return 0, errDays
	}
	if rest == "" {
		return time.Duration(days) * day, nil
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 || d >= day {
		return 0, errDays
	}
	return time.Duration(days)*day + d, nil
}
