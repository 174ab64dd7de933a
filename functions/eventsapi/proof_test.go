package eventsapi_test

import (
	"context"
	"encoding/json"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/eventsapi"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/queue"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/web"
)

// safe is a source whose document a test replaces while it is read.
type safe struct {
	document atomic.Pointer[[]byte]
	reads    atomic.Int64
}

func (s *safe) Get(context.Context, string) ([]byte, error) {
	s.reads.Add(1)
	return *s.document.Load(), nil
}

// keep replaces the secrets of the PIM main.
func (s *safe) keep(own ...string) {
	document, err := json.Marshal(secrets.Signing{EventsAPI: map[string][]string{"main": own}})
	if err != nil {
		panic(err) // cannot happen: strings
	}
	s.document.Store(&document)
}

func (s *safe) cache() *secrets.Cache[secrets.Signing] {
	return secrets.NewCache(secrets.CacheConfig[secrets.Signing]{Source: s, ID: "signing", Parse: secrets.ParseSigning})
}

// nowhere is a queue that is always ready and keeps nothing.
type nowhere struct {
	queue.Queue
	messages atomic.Int64
}

func (n *nowhere) Send(_ context.Context, messages ...queue.Message) error {
	n.messages.Add(int64(len(messages)))
	return nil
}

// A PIM that gets a new secret uses it at once. Nothing that it signs with either is refused, as long as both are
// in the list when it starts to: not even the deliveries that are under way.
func TestARotationUnderLoadRefusesNothing(t *testing.T) {
	const deliveries, workers = 10_000, 8
	source, kept := &safe{}, &nowhere{}
	source.keep(secretOld)
	handler := eventsapi.New(eventsapi.Config{
		Config:  &config.Config{PIMs: map[string]config.PIM{"main": {Name: "main"}}},
		Signing: source.cache(), Queue: kept, Now: time.Now,
	})
	body, now := delivery(event("a")), time.Now()
	timestamp := strconv.FormatInt(now.Unix(), 10)
	with := func(secret string) map[string]string {
		return map[string]string{"x-akeneo-request-timestamp": timestamp, "x-akeneo-request-signature": signature.SignEventsAPI(secret, timestamp, body)}
	}
	before, after := with(secretOld), with(secretNew)

	var next, refused atomic.Int64
	var working sync.WaitGroup
	rotate := sync.OnceFunc(func() { source.keep(secretNew, secretOld) })
	for range workers {
		working.Go(func() {
			for {
				n := next.Add(1)
				header := before
				switch {
				case n > deliveries:
					return
				case n > deliveries/3:
					rotate() // nobody passes before the document is written
					if n%2 == 0 || n > 2*deliveries/3 {
						header = after
					}
				}
				answer, err := handler.ServeRequest(t.Context(), &web.Request{
					Method: "POST", Path: "/events-api/main", Header: header, Body: body, ID: strconv.FormatInt(n, 10), Received: now, Log: &web.Line{},
				})
				if err != nil || answer.Status != 200 {
					refused.Add(1)
				}
			}
		})
	}
	working.Wait()
	if refused.Load() != 0 || kept.messages.Load() != deliveries {
		t.Errorf("%d of %d refused, %d queued", refused.Load(), deliveries, kept.messages.Load())
	}
	if source.reads.Load() != 2 {
		t.Errorf("%d reads of the secret, want one at the start and one at the first mismatch", source.reads.Load())
	}
}

func TestANewSecretIsFetchedAndJunkFetchesLittle(t *testing.T) {
	source := &safe{}
	source.keep(secretOld)
	d := newDesk()
	d.holder = source.cache()
	send := func(secret string) int {
		t.Helper()
		return d.send(t, request("/events-api/main", delivery(event("a")), secret, d.now())).status
	}
	if status := send(secretOld); status != 200 || source.reads.Load() != 1 {
		t.Fatalf("%d after %d reads", status, source.reads.Load())
	}
	source.keep(secretNew)
	if status := send(secretNew); status != 200 || source.reads.Load() != 2 {
		t.Errorf("the new secret: %d after %d reads", status, source.reads.Load())
	}
	for range 20 {
		if status := send(secretOther); status != 401 {
			t.Errorf("junk: %d", status)
		}
	}
	if status := send(secretOld); status != 401 || source.reads.Load() != 2 {
		t.Errorf("the old secret: %d after %d reads", status, source.reads.Load())
	}
}

func TestSecretRotatedBetweenTwoRequests(t *testing.T) {
	const rotated = "rotated-secret-that-is-long-enough"
	d := newDesk()
	if got := d.deliver(t, delivery(event("a"))); got.status != 200 || d.vault.refreshes != 0 {
		t.Fatalf("before: %d after %d fetches", got.status, d.vault.refreshes)
	}
	signing := document()
	signing.EventsAPI["main"] = []string{rotated}
	d.vault.rotated = &signing
	if got := d.send(t, request("/events-api/main", delivery(event("b")), rotated, d.now())); got.status != 200 || d.vault.refreshes != 1 {
		t.Errorf("after: %d after %d fetches", got.status, d.vault.refreshes)
	}
	if got := d.deliver(t, delivery(event("c"))); got.status != 401 {
		t.Errorf("the old one: %d", got.status)
	}
	if len(d.bodies()) != 2 {
		t.Errorf("%d messages", len(d.bodies()))
	}
}
