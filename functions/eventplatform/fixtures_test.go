package eventplatform_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/eventplatform"
	"github.com/pim-functions/pim-functions/functions/fixture"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/queue"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/web"
)

// Secrets of the PIMs below. None may ever stand in a log.
const (
	secretNew    = "new-primary-secret-of-main"
	secretOld    = "old-primary-secret-of-main"
	secretNotice = "secret-of-the-notifications-of-main"
	secretOther  = "secret-of-another-pim"
	sampleOurs   = "sample-secret-of-ours"
)

// Headers of a delivery, as the vendor spells them.
const (
	primary   = "X-AKENEO-SIGNATURE-PRIMARY"
	secondary = "X-AKENEO-SIGNATURE-SECONDARY"
)

func document() secrets.Signing {
	return secrets.Signing{
		EventPlatform: map[string][]string{
			"main": {secretNew, secretOld}, "main/notifications": {secretNotice}, "other": {secretOther}, "stranger": {secretNew},
			"empty": {""}, "short": {"15-characters.."}, "sample": {sampleOurs}, "half": {"", secretOld},
		},
		EventsAPI: map[string][]string{"main": {secretOther}},
	}
}

// fixtures is the function behind API Gateway. Its clock stands still.
type fixtures struct {
	*fixture.Fixture
	actual  queue.Sender // instead of the fixture's queue
	samples bool
}

func newFixture() *fixtures {
	at := time.Now()
	f := &fixtures{Fixture: fixture.New("eventplatform", eventplatform.MaxBody, document(), func() time.Time { return at })}
	f.Handler = func() web.Handler {
		pims := map[string]config.PIM{}
		for _, name := range []string{"main", "other", "none", "empty", "short", "sample", "half"} {
			pims[name] = config.PIM{Name: name}
		}
		var events queue.Sender = f.Queue
		if f.actual != nil {
			events = f.actual
		}
		return eventplatform.New(eventplatform.Config{
			Config: &config.Config{PIMs: pims}, Signing: f.Signing(), Queue: events, Samples: f.samples, Now: f.Now, Metrics: f.Sink(),
		})
	}
	return f
}

// deliver sends a body as the platform does.
func (f *fixtures) deliver(t *testing.T, body []byte) fixture.Answer {
	t.Helper()
	return f.Send(t, request("/event-platform/main", body, secretNew))
}

// request is a delivery that is signed with one secret, as one that is not being rotated.
func request(path string, body []byte, secret string) *http.Request {
	r := httptest.NewRequest("POST", "https://hooks.example.net/", bytes.NewReader(body))
	r.URL.Path, r.URL.RawQuery, _ = strings.Cut(path, "?")
	r.Header.Set("Content-Type", "application/cloudevents+json")
	r.Header.Set("User-Agent", "akeneo/event-platform")
	r.Header.Set("X-AKENEO-SIGNATURE-ALGORITHM", "HmacSHA256")
	r.Header.Set(primary, signature.SignEventPlatform(secret, body))
	return r
}

// event is a small event, as the platform writes it.
func event(id string) string {
	return `{"specversion":"1.0","id":"` + id + `","source":"pim","type":"com.akeneo.pim.v1.product.deleted","subject":"0197ab36-59ff-7f4a-9e32-0b2b7d6c1a11",` +
		`"datacontenttype":"application/json","time":"2026-11-23T05:02:47.123456789Z","data":{"product":{"uuid":"1fd20ad8-ef95-49d7-a581-fb9f8ac0c5ad"},` +
		`"author":{"identifier":"peter@example.com","type":"user"}}}`
}

// checkLeaks looks for what no log may hold: body, e-mail, signature, secret.
func checkLeaks(t *testing.T, f *fixtures, r *http.Request) {
	t.Helper()
	f.NoLeaks(t, append(f.Secrets(), "1fd20ad8", "peter", "example.com", r.Header.Get(primary), r.Header.Get(secondary))...)
}
