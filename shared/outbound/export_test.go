package outbound

import "net/netip"

// For tests from outside.
var (
	RetryAfter = retryAfter
	Detail     = detail
)

// Public says whether an address is one of the public internet.
func Public(ip netip.Addr) bool { return plain(ip).public() }
