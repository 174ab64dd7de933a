package outbound

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// longestPause is the most that a Retry-After is taken for: a destination that asks for more is asked again after it.
const longestPause = 24 * time.Hour

// retryAfter reads the header in its forms (RFC 9110, 10.2.3: seconds, or a date in one of three formats). Zero
// seconds, a date that is past, and what is neither are as if the header were not there.
func retryAfter(value string, now time.Time) time.Time {
	value = strings.TrimSpace(value)
	if value != "" && strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseInt(value, 10, 32)
		switch {
		case err != nil: // more than 68 years
			return now.Add(longestPause)
		case seconds == 0:
			return time.Time{}
		}
		return now.Add(min(time.Duration(seconds)*time.Second, longestPause))
	}
	at, err := http.ParseTime(value)
	switch {
	case err != nil || !at.After(now):
		return time.Time{}
	case at.After(now.Add(longestPause)):
		return now.Add(longestPause)
	}
	return at
}
