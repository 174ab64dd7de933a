// Package address says which addresses are of the public internet, which of a private network, and which of neither:
// for what checks the configuration and for what makes calls.
package address

import (
	"net/netip"
	"strings"
)

// Ranges that are not the public internet, or that carry another address inside (IANA special-purpose address
// registries). Loopback, link-local (with the metadata service 169.254.169.254), multicast and unspecified
// addresses are asked of netip.
var special = prefixes(
	"0.0.0.0/8",       // this network: RFC 791
	"100.64.0.0/10",   // shared by carriers: RFC 6598
	"192.0.0.0/24",    // protocol assignments: RFC 6890
	"192.0.2.0/24",    // documentation: RFC 5737
	"192.88.99.0/24",  // 6to4 relays, deprecated: RFC 7526
	"198.18.0.0/15",   // benchmarks: RFC 2544
	"198.51.100.0/24", // documentation: RFC 5737
	"203.0.113.0/24",  // documentation: RFC 5737
	"240.0.0.0/4",     // reserved, with broadcast: RFC 1112, RFC 919
	"2001::/23",       // protocol assignments, with Teredo, benchmarks and ORCHID: RFC 2928, RFC 4380, RFC 5180, RFC 7343
	"2001:db8::/32",   // documentation: RFC 3849
	"2002::/16",       // 6to4, an IPv4 address inside: RFC 3056
	"3fff::/20",       // documentation: RFC 9637
)

// global is the one part of IPv6 that is given out for the public internet (RFC 4291, IANA "IPv6 Global Unicast
// Address Space"). Outside lie among others ::/96 and 64:ff9b::/96, which carry an IPv4 address (RFC 4291, RFC 6052),
// 100::/64 (RFC 6666), 5f00::/16 (RFC 9602), fc00::/7 (RFC 4193) and fec0::/10 (RFC 3879).
var global = netip.MustParsePrefix("2000::/3")

// Public says whether an address is one of the public internet.
func Public(ip netip.Addr) bool {
	ip = plain(ip)
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.Is6() && !global.Contains(ip) {
		return false
	}
	for _, prefix := range special {
		if prefix.Contains(ip) {
			return false
		}
	}
	return true
}

// Private says whether an address is one of a private network: 10/8, 172.16/12, 192.168/16 (RFC 1918) and fc00::/7 (RFC 4193), without the part of it in which
// AWS has the metadata service and its brothers.
func Private(ip netip.Addr) bool {
	ip = plain(ip)
	return ip.IsPrivate() && !amazon.Contains(ip)
}

// plain is an address without zone, and the IPv4 address where an IPv6 address maps one (RFC 4291, 2.5.5.2).
func plain(ip netip.Addr) netip.Addr { return ip.Unmap().WithZone("") }

// amazon holds EC2's metadata (fd00:ec2::254), DNS, time and EKS's credentials.
var amazon = netip.MustParsePrefix("fd00:ec2::/32")

// Numeric says that a host is a number and no IPv4 address in its one form with four decimal parts: 2130706433,
// 0x7f.1, 0177.0.0.1. Some resolvers read those as addresses, others look them up (WHATWG URL, "ends in a number").
func Numeric(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return false
	}
	host = strings.TrimSuffix(host, ".")
	last := strings.ToLower(host[strings.LastIndexByte(host, '.')+1:])
	if digits, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(digits, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}

func prefixes(all ...string) []netip.Prefix {
	parsed := make([]netip.Prefix, len(all))
	for i, one := range all {
		parsed[i] = netip.MustParsePrefix(one)
	}
	return parsed
}
