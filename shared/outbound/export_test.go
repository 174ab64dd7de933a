package outbound

// RetryAfter is retryAfter, for its fuzz test.
var RetryAfter = retryAfter
