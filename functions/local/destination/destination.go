// Package destination plays the systems that receive what forward and notify send: an ERP and a chat, whose behaviour a
// switch changes, a translator and an approver (asked.go), and a language model (writer.go). It does what a good destination
// does: it applies each idempotency key once.
package destination

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pim-functions/pim-functions/functions/local/recent"
)

// Mode is how the destination behaves.
type Mode string

// The modes.
const (
	OK       Mode = "ok"
	Down     Mode = "down"     // 503
	Slow     Mode = "slow"     // as OK, after 4 s
	Refuse   Mode = "refuse"   // 422
	OneFails Mode = "one-item" // as OK, but the first item of a delivery fails
)

var modes = []Mode{OK, Down, Slow, Refuse, OneFails}

// Path is where the destination is mounted; deliveries come to paths below it.
const Path = "/_local/destination"

const (
	slowness     = 4 * time.Second // an outbound call waits 10 s
	keptReceived = 100
	maxExcerpt   = 300     // bytes; the rest is left out
	maxDelivery  = 4 << 20 // bytes; more is answered 400
)

// Delivery is one request that the destination received.
type Delivery struct {
	At             time.Time `json:"at"`
	Method         string    `json:"method"`
	Path           string    `json:"path"` // below Path
	IdempotencyKey string    `json:"idempotencyKey"`
	Items          int       `json:"items"`
	Status         int       `json:"status"` // of the answer
	Applied        bool      `json:"applied"`
	Note           string    `json:"note"` // why it was not applied, or not wholly
	Excerpt        string    `json:"excerpt"`
}

// Destination receives deliveries. Safe for concurrent use.
type Destination struct {
	mu       sync.Mutex
	mode     Mode
	received recent.List[Delivery]
	applied  map[string]applied // by idempotency key

	asked     []Asked // what waits for an answer later, oldest first
	lastAsked int
}

// applied is what the destination keeps of a delivery that took effect.
type applied struct {
	content [sha256.Size]byte
	answer  string
}

// New is a destination that takes everything.
func New() *Destination {
	return &Destination{mode: OK, received: recent.New[Delivery](keptReceived), applied: map[string]applied{}}
}

// Switch changes how the destination answers from now on. An unknown mode is an error, and changes nothing.
func (d *Destination) Switch(mode Mode) error {
	if !slices.Contains(modes, mode) {
		return fmt.Errorf("mode %q: want one of %v", mode, modes)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mode = mode
	return nil
}

// Mode is how the destination answers now.
func (d *Destination) Mode() Mode {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.mode
}

// Received is what came in, newest first, the last hundred.
func (d *Destination) Received() []Delivery {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.received.Newest(keptReceived)
}

// ServeHTTP receives a delivery, or shows what waits for an answer.
func (d *Destination) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == approvals && r.Method == http.MethodGet || strings.HasPrefix(r.URL.Path, approvals+"/") {
		d.serveApprovals(w, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxDelivery))
	if err != nil {
		http.Error(w, `{"error":"the body could not be read"}`, http.StatusBadRequest)
		return
	}
	if d.Mode() == Slow {
		select {
		case <-time.After(slowness):
		case <-r.Context().Done():
		}
	}
	delivery := Delivery{
		At: time.Now(), Method: r.Method, Path: strings.TrimPrefix(r.URL.Path, Path),
		IdempotencyKey: r.Header.Get("Idempotency-Key"), Items: countItems(body), Excerpt: excerpt(body),
	}
	fine, isChat := written(delivery.Path, body)
	if !isChat {
		fine = `{}`
	}
	status, answer, took := d.receive(delivery, sha256.Sum256(body), fine)
	if took && d.Ask(delivery.Path, body) {
		status = http.StatusAccepted
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	io.WriteString(w, answer)
}

// receive decides the answer to a delivery, and keeps both. Fine is that to one that is taken.
func (d *Destination) receive(delivery Delivery, content [sha256.Size]byte, fine string) (status int, answer string, took bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before, known := d.applied[delivery.IdempotencyKey]
	switch {
	case d.mode == Down:
		status, answer, delivery.Note = http.StatusServiceUnavailable, `{"error":"down"}`, "down"
	case d.mode == Refuse:
		status, answer, delivery.Note = http.StatusUnprocessableEntity, `{"error":"refused"}`, "refused"
	case known && before.content != content:
		status, answer, delivery.Note = http.StatusConflict, `{"error":"this key came with another content"}`, "a key with two contents"
	case known:
		status, answer, delivery.Note = http.StatusOK, before.answer, "repeated: not applied again"
	default:
		status, answer, delivery.Applied = http.StatusOK, fine, true
		if d.mode == OneFails && delivery.Items > 0 {
			answer, delivery.Note = `{"failures":[{"index":0,"reason":"no price in the ERP"}]}`, "the first item failed"
		}
		if delivery.IdempotencyKey != "" {
			d.applied[delivery.IdempotencyKey] = applied{content, answer}
		}
	}
	delivery.Status = status
	d.received.Add(delivery)
	return status, answer, delivery.Applied
}

func countItems(body []byte) int {
	var forwarded struct{ Items []json.RawMessage }
	if json.Unmarshal(body, &forwarded) != nil {
		return 0
	}
	return len(forwarded.Items)
}

func excerpt(body []byte) string {
	text := strings.ToValidUTF8(string(body[:min(len(body), maxExcerpt)]), "")
	if len(body) > maxExcerpt {
		text += "…"
	}
	return text
}
