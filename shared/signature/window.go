package signature

import "time"

// Window says whether a signed timestamp (Unix seconds) is at most limit away from now, on either side and limit
// included; otherwise the *Error is TimestampOld or TimestampAhead. Both clocks count as whole seconds, as the
// senders' do. Without the far side a request signed for next year could be replayed until then.
func Window(now time.Time, timestamp int64, limit time.Duration) error {
	seconds, most := now.Unix(), uint64(max(limit, 0)/time.Second)
	// The distance of two int64 always fits an uint64, where subtraction wraps to the exact result.
	switch {
	case timestamp < seconds && uint64(seconds)-uint64(timestamp) > most:
		return &Error{TimestampOld}
	case timestamp > seconds && uint64(timestamp)-uint64(seconds) > most:
		return &Error{TimestampAhead}
	}
	return nil
}
