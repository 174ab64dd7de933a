package senders

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/pim-functions/pim-functions/shared/signature"
)

const (
	eventsAPISignature = "x-akeneo-request-signature"
	eventsAPITimestamp = "x-akeneo-request-timestamp"
)

// EventsAPI is the Events API of a PIM (Akeneo, "Events API: subscribe"): up to ten events in a request, whose signature
// covers the time at which it is sent.
type EventsAPI struct {
	PIM    string
	Secret string // "": no signature
	At     time.Time
}

// Request is a request with its events. EventsAPIBody makes a body.
func (e EventsAPI) Request(body []byte) Request {
	header := map[string]string{}
	if e.Secret != "" {
		header[eventsAPITimestamp] = strconv.FormatInt(e.At.Unix(), 10)
		header[eventsAPISignature] = signature.SignEventsAPI(e.Secret, header[eventsAPITimestamp], body)
	}
	return Request{Method: http.MethodPost, Path: "/events-api/" + url.PathEscape(e.PIM), Header: header, Body: body}
}

// EventsAPIBody is a request's body.
func EventsAPIBody(events ...json.RawMessage) []byte {
	return encode(struct {
		Events []json.RawMessage `json:"events"`
	}{events})
}
