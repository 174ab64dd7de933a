package eventsapi_test

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

	"github.com/pim-functions/pim-functions/functions/eventsapi"
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

// vault is a Holder that a test changes.
type vault struct {
	signing   secrets.Signing
	rotated   *secrets.Signing // what Refresh brings
	err       error            // of Get
	refreshes int
}

func (v *vault) Get(context.Context) (secrets.Signing, error) { return v.signing, v.err }

func (v *vault) Refresh(context.Context) (secrets.Signing, bool, error) {
	v.refreshes++
	if v.rotated == nil {
		return v.signing, false, nil
	}
	v.signing = *v.rotated
	return v.signing, true, nil
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
	return metric.New(metric.Config{Writer: &d.emf, Function: "eventsapi", Now: d.now, Observe: func(s metric.Sample) {
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

func (d *desk) handler() *eventsapi.Handler {
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
	return eventsapi.New(eventsapi.Config{
		Config: &config.Config{PIMs: pims}, Signing: holder, Queue: events, Samples: d.samples, Now: d.now, Metrics: d.sink(),
	})
}

func (d *desk) function() *web.Function {
	return web.New(web.Config{
		Function: "eventsapi", Handler: d.handler(), MaxBody: eventsapi.MaxBody, Log: slog.New(slog.NewJSONHandler(&d.log, nil)), Metrics: d.sink(), Now: d.now,
	})
}

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
	gateway.HTTP(d.function().Invoke).ServeHTTP(w, r)
	got := said{status: w.Code, header: w.Header(), body: w.Body.String()}
	if lines := strings.Split(strings.TrimSpace(string(d.log.Bytes()[before:])), "\n"); len(lines) != 1 {
		t.Fatalf("%d log lines: %s", len(lines), lines)
	} else if err := json.Unmarshal([]byte(lines[0]), &got.line); err != nil {
		t.Fatal(err)
	}
	return got
}

// deliver sends a body as the PIM does.
func (d *desk) deliver(t *testing.T, body []byte) said {
	t.Helper()
	return d.send(t, request("/events-api/main", body, secretNew, d.now()))
}

// bodies are those of the messages in the queue.
func (d *desk) bodies() (bodies []string) {
	for _, message := range d.queue.Messages() {
		bodies = append(bodies, string(message.Body))
	}
	return bodies
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
func checkLeaks(t *testing.T, d *desk, r *http.Request) {
	t.Helper()
	never := []string{"1111111304", "peter", "example.com", r.Header.Get("X-Akeneo-Request-Signature")}
	for _, own := range document().EventsAPI {
		never = append(never, own...)
	}
	for _, text := range never {
		if strings.TrimSpace(text) != "" && strings.Contains(d.log.String()+d.emf.String(), text) {
			t.Errorf("%q in the log: %s", text, d.log.String())
		}
	}
}
