package eventplatform_test

import (
	"context"
	"encoding/json"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/eventplatform"
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
	document, err := json.Marshal(secrets.Signing{EventPlatform: map[string][]string{"main": own}})
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

// A rotation reaches the platform's machines minutes apart: some sign with the old secret alone, some with both, some
// with the new one alone. Nothing of that is refused, as long as both are in the list when it begins: not even the
// deliveries that are under way.
func TestARotationUnderLoadRefusesNothing(t *testing.T) {
	const deliveries, workers = 10_000, 8
	source, kept := &safe{}, &nowhere{}
	source.keep(secretOld)
	handler := eventplatform.New(eventplatform.Config{
		Config:  &config.Config{PIMs: map[string]config.PIM{"main": {Name: "main"}}},
		Signing: source.cache(), Queue: kept, Now: time.Now,
	})
	body, now := []byte(event("a")), time.Now()
	before := map[string]string{"x-akeneo-signature-primary": signature.SignEventPlatform(secretOld, body)}
	after := map[string]string{"x-akeneo-signature-primary": signature.SignEventPlatform(secretNew, body)}
	both := map[string]string{"x-akeneo-signature-primary": after["x-akeneo-signature-primary"], "x-akeneo-signature-secondary": before["x-akeneo-signature-primary"]}

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
					header = []map[string]string{before, after, both}[n%3]
					if n > 2*deliveries/3 {
						header = after
					}
				}
				answer, err := handler.ServeRequest(t.Context(), &web.Request{
					Method: "POST", Path: "/event-platform/main", Header: header, Body: body, ID: strconv.FormatInt(n, 10), Received: now, Log: &web.Line{},
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
		return d.send(t, request("/event-platform/main", []byte(event("a")), secret)).status
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
