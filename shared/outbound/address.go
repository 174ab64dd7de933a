package outbound

import (
	"context"
	"errors"
	"net/netip"
	"syscall"
)

// errBlocked stops a connection before its first packet.
var errBlocked = errors.New("address is not public")

// control checks the address that a name was resolved to, right before connecting: what is checked is what is
// used, so a name that changes its mind between look-up and connection gains nothing.
func control(allowed func(address) bool) func(context.Context, string, string, syscall.RawConn) error {
	return func(_ context.Context, _, target string, _ syscall.RawConn) error {
		port, err := netip.ParseAddrPort(target)
		if err != nil || !allowed(address{port.Addr().Unmap().WithZone("")}) {
			return errBlocked
		}
		return nil
	}
}

type address struct{ netip.Addr }

// Ranges that are not the public internet, or that carry another address inside (IANA special-purpose address
// registries). Loopback, link-local (with the metadata service 169.254.169.254), multicast and unspecified
// addresses are asked of netip.
var special = prefixes(
	"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
	"203.0.113.0/24", "240.0.0.0/4", // with broadcast
	"::/96",        // IPv4-compatible
	"64:ff9b::/96", // NAT64: an IPv4 address inside
	"64:ff9b:1::/48",
	"100::/64", "2001::/23", // discard; Teredo and other protocol assignments
	"2001:db8::/32", "2002::/16", // documentation; 6to4: an IPv4 address inside
	"3fff::/20", "5f00::/16", "fec0::/10", // documentation; segment routing; site-local, long deprecated
)

func (a address) public() bool {
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, prefix := range special {
		if prefix.Contains(a.Addr) {
			return false
		}
	}
	return true
}

// privateNetwork is 10/8, 172.16/12, 192.168/16 and fc00::/7, without the metadata service's IPv6 address.
func (a address) privateNetwork() bool {
	return a.IsPrivate() && a.Addr != metadataIPv6
}

var metadataIPv6 = netip.MustParseAddr("fd00:ec2::254")

func prefixes(all ...string) []netip.Prefix {
	parsed := make([]netip.Prefix, len(all))
	for i, one := range all {
		parsed[i] = netip.MustParsePrefix(one)
	}
	return parsed
}
