package awsconfig

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

// These tests are inside the package because the two pools of roots are not for callers to choose.

func TestClientTrustsAmazonThenTheSystem(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil {
			t.Error("no TLS")
		}
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshakes that are meant to fail
	server.StartTLS()
	defer server.Close()
	knows, other := x509.NewCertPool(), amazonRoots()
	knows.AddCert(server.Certificate())
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	right := server.URL
	wrong := "https://localhost:" + address.Port() // a name that the certificate does not hold
	if server.Certificate().VerifyHostname("localhost") == nil {
		t.Fatal("the certificate holds localhost: this test needs another wrong name")
	}

	for name, test := range map[string]struct {
		first, second *x509.CertPool
		url           string
		check         func(error) bool
	}{
		"the first pool knows the authority":          {knows, other, right, nil},
		"only the second does":                        {other, knows, right, nil},
		"neither does":                                {other, other, right, isUnknownAuthority},
		"the first, and the host's name is another":   {knows, other, wrong, isHostname},
		"the second, and the host's name is another":  {other, knows, wrong, isHostname},
		"neither does, the second being the system's": {other, nil, right, isUnknownAuthority},
	} {
		t.Run(name, func(t *testing.T) {
			client := newClient(test.first, test.second)
			defer client.CloseIdleConnections()
			response, err := client.Get(test.url)
			if err == nil {
				response.Body.Close()
			}
			switch {
			case test.check == nil && err != nil:
				t.Error(err)
			case test.check != nil && !test.check(err):
				t.Errorf("error %v", err)
			}
		})
	}
}

func isUnknownAuthority(err error) bool {
	_, ok := errors.AsType[x509.UnknownAuthorityError](err)
	return ok
}

func isHostname(err error) bool {
	_, ok := errors.AsType[x509.HostnameError](err)
	return ok
}

func TestClientFollowsNoRedirect(t *testing.T) {
	var followed atomic.Bool
	mux := http.NewServeMux()
	mux.Handle("/", http.RedirectHandler("/elsewhere", http.StatusTemporaryRedirect))
	mux.HandleFunc("/elsewhere", func(http.ResponseWriter, *http.Request) { followed.Store(true) })
	server := httptest.NewServer(mux)
	defer server.Close()
	response, err := newClient(amazonRoots(), nil).Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusTemporaryRedirect || followed.Load() {
		t.Errorf("status %d, followed %t", response.StatusCode, followed.Load())
	}
}

// The fingerprints of https://www.amazontrust.com/repository/.
var fingerprints = map[string]string{
	"Amazon Root CA 1": "8E:CD:E6:88:4F:3D:87:B1:12:5B:A3:1A:C3:FC:B1:3D:70:16:DE:7F:57:CC:90:4F:E1:CB:97:C6:AE:98:19:6E",
	"Amazon Root CA 2": "1B:A5:B2:AA:8C:65:40:1A:82:96:01:18:F8:0B:EC:4F:62:30:4D:83:CE:C4:71:3A:19:C3:9C:01:1E:A4:6D:B4",
	"Amazon Root CA 3": "18:CE:6C:FE:7B:F1:4E:60:B2:E3:47:B8:DF:E8:68:CB:31:D0:2E:BB:3A:DA:27:15:69:F5:03:43:B4:6D:B3:A4",
	"Amazon Root CA 4": "E3:5D:28:41:9E:D0:20:25:CF:A6:90:38:CD:62:39:62:45:8D:A5:C6:95:FB:DE:A3:C2:2B:0B:FB:25:89:70:92",
	"Starfield Services Root Certificate Authority - G2": "56:8D:69:05:A2:C8:87:08:A4:B3:02:51:90:ED:CF:ED:B1:97:4A:60:6A:13:C6:E5:29:0F:CB:2A:E6:3E:DA:B5",
}

func TestEmbeddedRootsAreAmazons(t *testing.T) {
	found := 0
	for rest := amazonPEM; ; found++ {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		name := certificate.Subject.CommonName
		sum := sha256.Sum256(certificate.Raw)
		if got := strings.ReplaceAll(fmt.Sprintf("% X", sum), " ", ":"); got != fingerprints[name] {
			t.Errorf("%s: fingerprint %s", name, got)
		}
		if !certificate.IsCA {
			t.Errorf("%s is no authority", name)
		}
	}
	if found != len(fingerprints) {
		t.Errorf("%d certificates, expected %d", found, len(fingerprints))
	}
}
