package contentfulapi_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/contentfulapi"
	"github.com/pim-functions/pim-functions/shared/contentfulapi/contentfultest"
	"github.com/pim-functions/pim-functions/shared/outbound"
)

const (
	personal     = "CFPAT-personal-token"
	organization = "org1"
	ourApp       = "6FfrUHfsHdvhsLi9czfji"
)

var staging = contentfulapi.Environment{Space: "yadj1kx9rmg0", ID: "staging"}

// key is made once: RSA keys are slow to make.
var key = sync.OnceValue(func() *rsa.PrivateKey {
	made, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return made
})

// pkcs8 is the key as Contentful hands it out.
func pkcs8(t testing.TB) string {
	der, err := x509.MarshalPKCS8PrivateKey(key())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func pkcs1() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key())}))
}

// fixture is a fake Contentful under a base path, with a clock that the test moves.
type fixture struct {
	*contentfultest.API
	now  time.Time
	host string
}

func newFixture(t testing.TB) *fixture {
	w := &fixture{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return w.now }
	w.API = contentfultest.New(contentfultest.Config{Token: personal, Organization: organization, App: ourApp, Key: &key().PublicKey, Now: clock})
	server := httptest.NewServer(w.API)
	t.Cleanup(server.Close)
	w.host = server.URL
	return w
}

func (w *fixture) client(t testing.TB, credential contentfulapi.Credential, tokens *contentfulapi.Tokens) *contentfulapi.Client {
	t.Helper()
	client, err := contentfulapi.New(contentfulapi.Config{
		Outbound: outbound.New(outbound.Config{AllowPrivate: true, Now: func() time.Time { return w.now }}),
		Host:     w.host, Credential: credential, Tokens: tokens, Label: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func (w *fixture) personal(t testing.TB) *contentfulapi.Client {
	return w.client(t, contentfulapi.Credential{Token: personal, App: ourApp, Organization: organization}, contentfulapi.NewTokens())
}

func notification(id string) contentfulapi.Action {
	return contentfulapi.Action{ID: id, App: ourApp, Name: "Notify", Category: "Notification.v1.0", Type: "endpoint", URL: "https://api.example.com/notify"}
}

func message() map[string]any { return map[string]any{"message": "hello", "recipient": "julia"} }

func asError(t testing.TB, err error) *contentfulapi.Error {
	t.Helper()
	failed, ok := errors.AsType[*contentfulapi.Error](err)
	if !ok {
		t.Fatalf("error %v (%T), want a *contentfulapi.Error", err, err)
	}
	return failed
}
