package outbound

// For tests from outside.
var (
	RetryAfter = retryAfter
	Control    = control
)
