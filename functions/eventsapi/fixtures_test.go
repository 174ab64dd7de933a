package eventsapi_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/eventsapi"
	"github.com/pim-functions/pim-functions/functions/fixture"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/queue"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/web"
)

// Secrets of the PIMs below. None may ever stand in a log.
const (
	secretNew   = "3ha6eonoa9icsckw8kccos084w0c0000g08g40oo4kww0gc8w4"
	secretOld   = "old-secret-of-main-that-is-long-enough"
	secretOther = "secret-of-another-pim-that-is-long-enough"
	sampleOurs  = "sample-secret-of-ours-32-characters!"
)

func document() secrets.Signing {
	return secrets.Signing{
		EventsAPI: map[string][]string{
			"main": {secretNew, secretOld}, "other": {secretOther}, "stranger": {secretNew},
			"empty": {""}, "short": {"15-characters.."}, "sample": {sampleOurs}, "half": {"", secretOld},
		},
		EventPlatform: map[string][]string{"main": {secretOther}},
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
	f := &fixtures{Fixture: fixture.New("eventsapi", eventsapi.MaxBody, document(), func() time.Time { return at })}
	f.Handler = func() web.Handler {
		pims := map[string]config.PIM{}
		for _, name := range []string{"main", "other", "none", "empty", "short", "sample", "half"} {
			pims[name] = config.PIM{Name: name}
		}
		var events queue.Sender = f.Queue
		if f.actual != nil {
			events = f.actual
		}
		return eventsapi.New(eventsapi.Config{
			Config: &config.Config{PIMs: pims}, Signing: f.Signing(), Queue: events, Samples: f.samples, Now: f.Now, Metrics: f.Sink(),
		})
	}
	return f
}

// deliver sends a body as the PIM does.
func (f *fixtures) deliver(t *testing.T, body []byte) fixture.Answer {
	t.Helper()
	return f.Send(t, request("/events-api/main", body, secretNew, f.Now()))
}

func request(path string, body []byte, secret string, sent time.Time) *http.Request {
	r := httptest.NewRequest("POST", path, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	timestamp := strconv.FormatInt(sent.Unix(), 10)
	r.Header.Set("X-Akeneo-Request-Timestamp", timestamp)
	r.Header.Set("X-Akeneo-Request-Signature", signature.SignEventsAPI(secret, timestamp, body))
	return r
}

// event is a small event, as the PIM writes it.
func event(id string) string {
	return `{"action":"product.removed","event_id":"` + id + `","event_datetime":"2020-10-13T05:02:47+00:00","author":"peter@example.com","author_type":"ui",` +
		`"pim_source":"https:\/\/demo.akeneo.com","data":{"resource":{"identifier":"1111111304","uuid":"1fd20ad8-ef95-49d7-a581-fb9f8ac0c5ad"}}}`
}

func delivery(events ...string) []byte {
	return []byte(`{"events":[` + strings.Join(events, ",") + `]}`)
}

// checkLeaks looks for what no log may hold: body, e-mail, signature, secret.
func checkLeaks(t *testing.T, f *fixtures, r *http.Request) {
	t.Helper()
	f.NoLeaks(t, append(f.Secrets(), "1111111304", "peter", "example.com", r.Header.Get("X-Akeneo-Request-Signature"))...)
}
