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
// used, so a name that resolves to another address after the look-up gains nothing.
func control(allowed func(netip.Addr) bool) func(context.Context, string, string, syscall.RawConn) error {
	return func(_ context.Context, _, target string, _ syscall.RawConn) error {
		port, err := netip.ParseAddrPort(target)
		if err != nil || !allowed(port.Addr()) {
			return errBlocked
		}
		return nil
	}
}
