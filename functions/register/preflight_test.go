package register_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/register"
)

// What is wrong before any function is reached: nothing more is looked at then.
func TestPreflightOfWhatCannotBeReached(t *testing.T) {
	refuses := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	refuses.Config.ErrorLog = log.New(io.Discard, "", 0) // of the client that does not trust it
	refuses.StartTLS()
	defer refuses.Close()
	address, err := url.Parse(refuses.URL)
	if err != nil {
		t.Fatal(err)
	}
	named := *address
	named.Host = "api.example.com:" + address.Port()
	trusting := refuses.Client().Transport.(*http.Transport).Clone() // its certificate is of example.com too
	trusting.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, address.Host)
	}
	trusting.TLSClientConfig.ServerName = "example.com"
	for name, row := range map[string]struct {
		base      *url.URL
		transport http.RoundTripper
		found     []string // addresses; nil: the name has none
		want      map[string]string
		ends      bool
	}{
		"a name without an address":          {&named, trusting, nil, map[string]string{"dns": register.Wrong}, true},
		"a private address":                  {&named, trusting, []string{"10.0.0.7"}, map[string]string{"dns": register.Odd, "tls": register.Fine}, false},
		"a public address":                   {&named, trusting, []string{"93.184.215.14"}, map[string]string{"dns": register.Fine, "tls": register.Fine, "clock": register.Fine}, false},
		"a certificate that nobody knows":    {address, http.DefaultTransport, nil, map[string]string{"dns": register.Skipped, "tls": register.Wrong}, true},
		"an address at which nobody listens": {&url.URL{Scheme: "http", Host: "127.0.0.1:1"}, http.DefaultTransport, nil, map[string]string{"tls": register.Wrong}, true},
		"a bare address that is trusted":     {address, refuses.Client().Transport, nil, map[string]string{"dns": register.Skipped, "tls": register.Fine}, false},
	} {
		t.Run(name, func(t *testing.T) {
			var all []register.Finding
			flight := register.Preflight{
				Prober: register.Prober{Base: row.base, Client: register.ProbeClient(row.transport), Now: time.Now}, Config: load(t, everySender),
				Report: func(f register.Finding) { all = append(all, f) },
				Resolve: func(context.Context, string) (list []netip.Addr, err error) {
					for _, one := range row.found {
						list = append(list, netip.MustParseAddr(one))
					}
					if list == nil {
						err = errors.New("no such host")
					}
					return list, err
				},
			}
			good := flight.Run(t.Context())
			for check, state := range row.want {
				at := slices.IndexFunc(all, func(f register.Finding) bool { return f.Check == check })
				if at < 0 || all[at].State != state || state == register.Wrong && all[at].Remedy == "" {
					t.Errorf("%s: %+v", check, all)
				}
			}
			if ended := !slices.ContainsFunc(all, func(f register.Finding) bool { return f.Check == "proof" }); ended != row.ends || good == row.ends {
				t.Errorf("it found %+v, and is good: %t", all, good)
			}
			for _, one := range all {
				if strings.Contains(one.Message, "proof=") {
					t.Errorf("a proof is shown: %s", one.Message)
				}
			}
		})
	}
}
