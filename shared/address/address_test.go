package address_test

import (
	"net/netip"
	"testing"

	"github.com/pim-functions/pim-functions/shared/address"
)

func TestPublicAddresses(t *testing.T) {
	for ip, want := range map[string]bool{
		"8.8.8.8": true, "1.1.1.1": true, "172.32.0.1": true, "172.15.255.255": true, "100.128.0.1": true, "192.0.1.1": true, "::ffff:8.8.8.8": true,
		"172.16.0.1": false, "100.127.255.255": false, "192.0.0.8": false, "0.0.0.1": false, "255.255.255.255": false, "::ffff:10.0.0.1": false,
		"2606:4700::1111": true, "2a00:1450::1": true, "2001:4860::8888": true, "2001:200::1": true,
		"2001:1ff:ffff::1": false, "2001:db8::1": false, "2002::1": false, "3fff:fff::1": false, "3fff:1000::1": true,
		"1fff::1": false, "4000::1": false, "64:ff9b::808:808": false, "fc00::1": false, "fe80::1": false, "ff02::1": false, "::1": false, "::": false,
	} {
		if got := address.Public(netip.MustParseAddr(ip)); got != want {
			t.Errorf("%s: public %v, want %v", ip, got, want)
		}
	}
}

func TestPrivateAddresses(t *testing.T) {
	for ip, want := range map[string]bool{
		"10.0.0.1": true, "172.16.0.1": true, "192.168.0.1": true, "fd12::1": true, "::ffff:10.0.0.1": true,
		"8.8.8.8": false, "172.32.0.1": false, "127.0.0.1": false, "169.254.169.254": false, "fd00:ec2::254": false, "fe80::1%eth0": false, "2606:4700::1111": false,
	} {
		if got := address.Private(netip.MustParseAddr(ip)); got != want {
			t.Errorf("%s: private %v, want %v", ip, got, want)
		}
	}
}

func TestNumericHosts(t *testing.T) {
	for host, want := range map[string]bool{
		"2130706433": true, "0x7f.1": true, "0x7F000001": true, "0177.0.0.1": true, "127.1": true, "10.1.": true, "a.1": true,
		"127.0.0.1": false, "::1": false, "1e100.net": false, "erp.example.com": false, "a.0xg": false, "": false,
	} {
		if got := address.Numeric(host); got != want {
			t.Errorf("%q: %v, want %v", host, got, want)
		}
	}
}
