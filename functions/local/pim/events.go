package pim

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	mathrand "math/rand/v2"
	"slices"
	"time"

	"github.com/pim-functions/pim-functions/shared/pimevent"
	"github.com/pim-functions/pim-functions/shared/senders"
)

const (
	maxEvents        = 100 // that a page sends at once
	eventsPerRequest = 10  // of the Events API
)

// Sending is what a page asks for: prices that change.
type Sending struct {
	API       string `json:"api"`       // pimevent.EventPlatform (default) or pimevent.EventsAPI
	Count     int    `json:"count"`     // different events, 1 to 100; 0: 1
	Duplicate bool   `json:"duplicate"` // each is sent twice
	Shuffle   bool   `json:"shuffle"`   // not in the order of their times
	Tamper    bool   `json:"tamper"`    // one byte changed after signing
}

// Sent is the answer to a Sending.
type Sent struct {
	Events  int         `json:"events"`
	Answers map[int]int `json:"answers"` // requests by status
}

// SendEvents sends new events as the Event Platform or the Events API does, for the PIM that is first by name.
func (p *PIM) SendEvents(ctx context.Context, sending Sending) (Sent, error) {
	if len(p.config.Extensions.PIMs) == 0 {
		return Sent{}, errors.New("extensions.yaml names no PIM")
	}
	requests, err := p.requests(ctx, sending, p.priceChanges(sending, time.Now()))
	if err != nil {
		return Sent{}, err
	}
	sent := Sent{Answers: map[int]int{}}
	for _, request := range requests {
		status, _, err := p.send(ctx, request.Request)
		if err != nil {
			return sent, fmt.Errorf("send events: %w", err)
		}
		sent.Events += request.events
		sent.Answers[status]++
	}
	return sent, nil
}

// priceChanges are events of a second each, the last of them now.
func (p *PIM) priceChanges(sending Sending, now time.Time) []senders.PriceChange {
	count := min(cmp.Or(max(sending.Count, 0), 1), maxEvents)
	products := p.config.REST.Shown().Products
	var changes []senders.PriceChange
	for i := range count {
		product := products[i%len(products)]
		change := senders.PriceChange{
			ID: rand.Text(), Product: product.UUID, Identifier: product.Identifier, From: i, To: i + 1,
			Author: Users[0].UUID, At: now.Add(time.Duration(i+1-count) * time.Second),
		}
		changes = append(changes, change)
		if sending.Duplicate {
			changes = append(changes, change)
		}
	}
	if sending.Shuffle {
		mathrand.Shuffle(len(changes), func(i, j int) { changes[i], changes[j] = changes[j], changes[i] })
	}
	return changes
}

// counted is a request, and how many events are in it.
type counted struct {
	senders.Request
	events int
}

// requests are the signed requests that carry the events.
func (p *PIM) requests(ctx context.Context, sending Sending, changes []senders.PriceChange) (requests []counted, err error) {
	signing, err := p.config.Signing.Get(ctx)
	if err != nil {
		return nil, fmt.Errorf("get signing secrets: %w", err)
	}
	pim := slices.Min(slices.Collect(maps.Keys(p.config.Extensions.PIMs)))
	if sending.API == pimevent.EventsAPI {
		secrets := signing.EventsAPI[pim]
		if len(secrets) == 0 {
			return nil, fmt.Errorf("the signing document has no secret for events-api %q", pim)
		}
		sender := senders.EventsAPI{PIM: pim, Secret: secrets[len(secrets)-1], At: time.Now()}
		for chunk := range slices.Chunk(changes, eventsPerRequest) {
			events := make([]json.RawMessage, len(chunk))
			for i, change := range chunk {
				events[i] = change.EventsAPI()
			}
			requests = append(requests, counted{sender.Request(senders.EventsAPIBody(events...)), len(events)})
		}
	} else {
		sender, ok := p.platform(signing, pim)
		if !ok {
			return nil, fmt.Errorf("the signing document has no secret for event-platform %q", pim)
		}
		for _, change := range changes {
			requests = append(requests, counted{sender.Event(change.EventPlatform()), 1})
		}
	}
	if sending.Tamper {
		for i := range requests {
			requests[i].Request = requests[i].Tampered()
		}
	}
	return requests, nil
}
