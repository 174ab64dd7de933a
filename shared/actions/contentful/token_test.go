package contentful_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/actions/contentful"
	"github.com/pim-functions/pim-functions/shared/contentfulapi"
	"github.com/pim-functions/pim-functions/shared/contentfulapi/contentfultest"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/outbound"
)

// The engine opens an action anew for every turn; its access token lives on.
func TestAnAppsTokenOutlivesARun(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	api := contentfultest.New(contentfultest.Config{App: ourApp, Key: &key.PublicKey, Now: time.Now})
	api.Install(environment, contentfulapi.Action{ID: "notify", App: ourApp, Category: "Notification.v1.0"}, contentfultest.Script{})
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	kind := contentful.New(contentful.Config{Outbound: outbound.New(outbound.Config{AllowPrivate: true, Now: time.Now})})
	private := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	secret, err := json.Marshal(contentfulapi.Credential{PrivateKey: string(private), App: ourApp})
	if err != nil {
		t.Fatal(err)
	}
	configured := section(t, "environment: "+environment+"\nhost: "+server.URL+"\naction: notify\nparameters: {message: m, recipient: r}")
	run := engine.Run{Now: time.Now()}
	for range 10 {
		action, err := kind.Open(configured, engine.Secrets{Contentful: secret})
		if err != nil {
			t.Fatal(err)
		}
		result, err := action.Run(t.Context(), run)
		if err == nil {
			if len(api.Calls()) != 1 || api.Issued() != 1 {
				t.Errorf("%d calls with %d tokens", len(api.Calls()), api.Issued())
			}
			return
		}
		if _, later := errors.AsType[*engine.LaterError](err); !later {
			t.Fatal(err)
		}
		run.State = result.State
	}
	t.Error("it does not end")
}
