package local

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Mode is how the destination behaves.
type Mode string

// The positions of the destination's switch.
const (
	ModeOK       Mode = "ok"
	ModeDown     Mode = "down"     // 503: the job waits and is tried again
	ModeSlow     Mode = "slow"     // answers after slowness
	ModeRefuse   Mode = "refuse"   // 422: the batch has failed
	ModeOneFails Mode = "one-item" // takes all items but the first
)

var modes = []Mode{ModeOK, ModeDown, ModeSlow, ModeRefuse, ModeOneFails}

const (
	slowness       = 4 * time.Second // an outbound call waits 10 s
	keptReceived   = 100
	excerptBytes   = 300
	mostDelivered  = 4 << 20 // bytes of one delivery
	destinationURL = "/_local/destination"
)

// Delivery is what the destination received once.
type Delivery struct {
	At             time.Time `json:"at"`
	Method         string    `json:"method"`
	Path           string    `json:"path"` // below the destination's own
	IdempotencyKey string    `json:"idempotencyKey"`
	Items          int       `json:"items"`
	Status         int       `json:"status"` // that was answered
	Applied        bool      `json:"applied"`
	Note           string    `json:"note"` // what else there is to say
	Excerpt        string    `json:"excerpt"`
}

// Destination plays the system that receives what forward and notify send. It does what a good one does: a key that
// it has applied is answered as before and not applied again. Safe for concurrent use.
type Destination struct {
	mu       sync.Mutex
	mode     Mode
	received []Delivery
	applied  map[string]applied // by idempotency key
}

// applied is a delivery that took effect, as the key remembers it.
type applied struct {
	content [sha256.Size]byte
	answer  string
}

func newDestination() *Destination {
	return &Destination{mode: ModeOK, applied: map[string]applied{}}
}

// Switch changes how the destination behaves from now on.
func (d *Destination) Switch(mode Mode) error {
	if !slices.Contains(modes, mode) {
		return fmt.Errorf("mode %q: want one of %v", mode, modes)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mode = mode
	return nil
}

// Look is the switch's position and what was received, newest first.
func (d *Destination) Look() (Mode, []Delivery) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.mode, newest(d.received, keptReceived)
}

// ServeHTTP receives a delivery.
func (d *Destination) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostDelivered))
	if err != nil {
		http.Error(w, `{"error":"the body could not be read"}`, http.StatusBadRequest)
		return
	}
	if mode, _ := d.Look(); mode == ModeSlow {
		pause(r.Context(), slowness)
	}
	status, answer := d.receive(Delivery{
		At: time.Now(), Method: r.Method, Path: strings.TrimPrefix(r.URL.Path, destinationURL),
		IdempotencyKey: r.Header.Get("Idempotency-Key"), Items: countItems(body), Excerpt: excerpt(body),
	}, sha256.Sum256(body))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	io.WriteString(w, answer)
}

// receive decides what becomes of a delivery, and remembers it.
func (d *Destination) receive(delivery Delivery, content [sha256.Size]byte) (status int, answer string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before, known := d.applied[delivery.IdempotencyKey]
	switch {
	case d.mode == ModeDown:
		status, answer, delivery.Note = http.StatusServiceUnavailable, `{"error":"down"}`, "down"
	case d.mode == ModeRefuse:
		status, answer, delivery.Note = http.StatusUnprocessableEntity, `{"error":"refused"}`, "refused"
	case known && before.content != content:
		status, answer, delivery.Note = http.StatusConflict, `{"error":"this key came with another content"}`, "a key with two contents"
	case known:
		status, answer, delivery.Note = http.StatusOK, before.answer, "repeated: not applied again"
	default:
		status, answer, delivery.Applied = http.StatusOK, `{}`, true
		if d.mode == ModeOneFails && delivery.Items > 0 {
			answer, delivery.Note = `{"failures":[{"index":0,"reason":"no price in the ERP"}]}`, "the first item failed"
		}
		if delivery.IdempotencyKey != "" {
			d.applied[delivery.IdempotencyKey] = applied{content, answer}
		}
	}
	delivery.Status = status
	d.received = keep(d.received, delivery, keptReceived)
	return status, answer
}

func countItems(body []byte) int {
	var forwarded struct{ Items []json.RawMessage }
	if json.Unmarshal(body, &forwarded) != nil {
		return 0
	}
	return len(forwarded.Items)
}

func excerpt(body []byte) string {
	text := strings.ToValidUTF8(string(body[:min(len(body), excerptBytes)]), "")
	if len(body) > excerptBytes {
		text += "…"
	}
	return text
}

// pause waits, or less if ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
