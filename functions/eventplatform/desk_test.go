package eventplatform_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/eventplatform"
	"github.com/pim-functions/pim-functions/functions/local/gateway"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/metric"
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

// vault is a Holder that a test changes.
type vault struct {
	signing   secrets.Signing
	err       error // of Get
	refreshes int
}

func (v *vault) Get(context.Context) (secrets.Signing, error) { return v.signing, v.err }

func (v *vault) Refresh(context.Context) (secrets.Signing, bool, error) {
	v.refreshes++
	return v.signing, false, nil
}

// door is a queue that counts its sends, and does as a test says.
type door struct {
	*queue.Memory
	sends int
	send  func(ctx context.Context, call int, messages []queue.Message) error // nil: as Memory does
}

func (d *door) Send(ctx context.Context, messages ...queue.Message) error {
	d.sends++
	if d.send != nil {
		if err := d.send(ctx, d.sends, messages); err != nil {
			return err
		}
	}
	return d.Memory.Send(ctx, messages...)
}

// desk is the whole function behind API Gateway. Its clock stands still.
type desk struct {
	vault   *vault
	holder  secrets.Holder[secrets.Signing] // instead of vault
	queue   *door
	actual  queue.Queue // instead of queue
	samples bool
	now     func() time.Time
	log     bytes.Buffer
	emf     bytes.Buffer       // what the metrics wrote
	metrics map[string]float64 // sums by name, and the values of the dimensions behind it
}

func newDesk() *desk {
	at := time.Now()
	return &desk{
		vault: &vault{signing: document()}, now: func() time.Time { return at }, metrics: map[string]float64{},
		queue: &door{Memory: queue.NewMemory(queue.MemoryConfig{Visibility: time.Minute})},
	}
}

// sink counts into metrics.
func (d *desk) sink() *metric.Sink {
	return metric.New(metric.Config{Writer: &d.emf, Function: "eventplatform", Now: d.now, Observe: func(s metric.Sample) {
		name := s.Name
		for _, dimension := range s.Dimensions[1:] {
			name += " " + dimension.Value
		}
		d.metrics[name] += s.Value
	}})
}

// taken is what was counted for the success rate: "1", "0", or "" for a stranger's request.
func (d *desk) taken() string {
	if value, counted := d.metrics["Taken"]; counted {
		return strconv.Itoa(int(value))
	}
	return ""
}

func (d *desk) handler() *eventplatform.Handler {
	pims := map[string]config.PIM{}
	for _, name := range []string{"main", "other", "none", "empty", "short", "sample", "half"} {
		pims[name] = config.PIM{Name: name}
	}
	var holder secrets.Holder[secrets.Signing] = d.vault
	if d.holder != nil {
		holder = d.holder
	}
	var events queue.Queue = d.queue
	if d.actual != nil {
		events = d.actual
	}
	return eventplatform.New(eventplatform.Config{
		Config: &config.Config{PIMs: pims}, Signing: holder, Queue: events, Samples: d.samples, Now: d.now, Metrics: d.sink(),
	})
}

func (d *desk) function() *web.Function {
	return web.New(web.Config{
		Function: "eventplatform", Handler: d.handler(), MaxBody: eventplatform.MaxBody, Log: slog.New(slog.NewJSONHandler(&d.log, nil)), Metrics: d.sink(), Now: d.now,
	})
}

// gateway is API Gateway with all its routes on the function.
func (d *desk) gateway() http.Handler { return gateway.HTTP(d.function().Invoke) }

// said is an answer.
type said struct {
	status int
	header http.Header
	body   string
	line   map[string]any // the one log line of the request
}

// send sends a request through API Gateway.
func (d *desk) send(t *testing.T, r *http.Request) said {
	t.Helper()
	before := d.log.Len()
	w := httptest.NewRecorder()
	d.gateway().ServeHTTP(w, r)
	got := said{status: w.Code, header: w.Header(), body: w.Body.String()}
	if lines := strings.Split(strings.TrimSpace(string(d.log.Bytes()[before:])), "\n"); len(lines) != 1 {
		t.Fatalf("%d log lines: %s", len(lines), lines)
	} else if err := json.Unmarshal([]byte(lines[0]), &got.line); err != nil {
		t.Fatal(err)
	}
	return got
}

// deliver sends a body as the platform does.
func (d *desk) deliver(t *testing.T, body []byte) said {
	t.Helper()
	return d.send(t, request("/event-platform/main", body, secretNew))
}

// bodies are those of the messages in the queue.
func (d *desk) bodies() (bodies []string) {
	for _, message := range d.queue.Messages() {
		bodies = append(bodies, string(message.Body))
	}
	return bodies
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
func checkLeaks(t *testing.T, d *desk, r *http.Request) {
	t.Helper()
	never := []string{"1fd20ad8", "peter", "example.com", r.Header.Get(primary), r.Header.Get(secondary)}
	for _, own := range document().EventPlatform {
		never = append(never, own...)
	}
	for _, text := range never {
		if strings.TrimSpace(text) != "" && strings.Contains(d.log.String()+d.emf.String(), text) {
			t.Errorf("%q in the log: %s", text, d.log.String())
		}
	}
}
