package local

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/pim-functions/pim-functions/shared/pimevent"
	"github.com/pim-functions/pim-functions/shared/signature"
)

// maxSent is how many events the page sends at once.
const maxSent = 100

// Sending is what the event sender of the page is asked for.
type Sending struct {
	API       string `json:"api"`       // pimevent.EventPlatform (default) or pimevent.EventsAPI
	Count     int    `json:"count"`     // different events, 1 to 100; 0: 1
	Duplicate bool   `json:"duplicate"` // each is sent twice
	Shuffle   bool   `json:"shuffle"`   // not in the order of their times
	Tamper    bool   `json:"tamper"`    // one byte changed after signing
}

// Sent is what came of it.
type Sent struct {
	Events  int         `json:"events"`
	Answers map[int]int `json:"answers"` // requests by status
}

// SendEvents sends what the PIM or the Event Platform would when prices change: fresh events, really signed, through
// the real port.
func (s *System) SendEvents(ctx context.Context, sending Sending) (Sent, error) {
	if len(s.config.PIMs) == 0 {
		return Sent{}, errors.New("extensions.yaml names no PIM")
	}
	count := min(cmp.Or(max(sending.Count, 0), 1), maxSent)
	now := time.Now().UTC()
	var events []json.RawMessage
	for i := range count {
		product := s.simulator.catalogue.Products[i%len(s.simulator.catalogue.Products)]
		at := now.Add(time.Duration(i-count) * time.Second)
		event, err := changed(sending.API, rand.Text(), product.UUID, product.Identifier, i, at)
		if err != nil {
			return Sent{}, fmt.Errorf("make an event: %w", err)
		}
		events = append(events, event)
		if sending.Duplicate {
			events = append(events, event)
		}
	}
	if sending.Shuffle {
		mathrand.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	}
	sent := Sent{Events: len(events), Answers: map[int]int{}}
	perRequest := 1
	if sending.API == pimevent.EventsAPI {
		perRequest = 10
	}
	for at := 0; at < len(events); at += perRequest {
		status, err := s.sendEvents(ctx, sending, events[at:min(at+perRequest, len(events))])
		if err != nil {
			return sent, err
		}
		sent.Answers[status]++
	}
	return sent, nil
}

// firstPIM is the PIM that sends the page's events: the first by its name.
func (s *System) firstPIM() string {
	return slices.Min(slices.Collect(maps.Keys(s.config.PIMs)))
}

// changed is an event that says that a product's price has changed.
func changed(api, id, uuid, identifier string, price int, at time.Time) (json.RawMessage, error) {
	if api == pimevent.EventsAPI {
		return json.Marshal(map[string]any{
			"action": "product.updated", "event_id": id, "event_datetime": at.Format(time.RFC3339), "author": "julia", "author_type": "ui",
			"pim_source": "simulator", "data": map[string]any{"resource": map[string]any{"uuid": uuid, "identifier": identifier, "values": []any{}}},
		})
	}
	return json.Marshal(map[string]any{
		"specversion": "1.0", "id": id, "type": "com.akeneo.pim.v1.product.updated.delta", "source": "pim", "subject": "simulator",
		"datacontenttype": "application/json", "time": at.Format(time.RFC3339Nano),
		"data": map[string]any{
			"product": map[string]any{"uuid": uuid, "changes": map[string]any{"values": map[string]any{
				"price": []any{map[string]any{"previous": price, "new": price + 1, "locale": nil, "channel": "ecommerce"}},
			}}},
			"author": map[string]string{"identifier": users[0].UUID, "type": "user"},
		},
	})
}

// sendEvents makes one request.
func (s *System) sendEvents(ctx context.Context, sending Sending, events []json.RawMessage) (status int, err error) {
	signing, err := s.signing.Get(ctx)
	if err != nil {
		return 0, fmt.Errorf("get signing secrets: %w", err)
	}
	pim := s.firstPIM()
	header, path, body := http.Header{"Content-Type": {"application/json"}}, "/event-platform/"+pim, []byte(events[0])
	secrets := signing.EventPlatform[pim]
	if sending.API == pimevent.EventsAPI {
		path, secrets = "/events-api/"+pim, signing.EventsAPI[pim]
		if body, err = json.Marshal(map[string]any{"events": events}); err != nil {
			return 0, fmt.Errorf("make a request of events: %w", err)
		}
	}
	if len(secrets) == 0 {
		return 0, fmt.Errorf("the signing document has no secret for %s", path)
	}
	if sending.API == pimevent.EventsAPI {
		at := strconv.FormatInt(time.Now().Unix(), 10)
		header.Set("X-Akeneo-Request-Timestamp", at)
		header.Set("X-Akeneo-Request-Signature", signature.SignEventsAPI(secrets[0], at, body))
	} else {
		header.Set("X-Akeneo-Signature-Primary", signature.SignEventPlatform(secrets[0], body))
	}
	if sending.Tamper {
		body = bytes.Replace(body, []byte("product"), []byte("pro-uct"), 1)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL()+path, bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("make request: %w", err)
	}
	request.Header = header
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, fmt.Errorf("send events: %w", err)
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, err
}
