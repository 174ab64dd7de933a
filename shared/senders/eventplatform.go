package senders

import (
	"net/http"
	"net/url"

	"github.com/pim-functions/pim-functions/shared/signature"
)

// PlatformHeaders carry what the Event Platform signs with the first and with the second secret of a subscription.
var PlatformHeaders = []string{"x-akeneo-signature-primary", "x-akeneo-signature-secondary"}

// EventPlatform is the Event Platform of a PIM (Akeneo, "Event Platform: HTTPS destination"): one event in a request,
// signed with each secret that the subscription has. The signature covers no time.
type EventPlatform struct {
	PIM       string
	Primary   string // "": no signature with it
	Secondary string // "": no signature with it
}

// Event delivers an event.
func (e EventPlatform) Event(body []byte) Request {
	return e.request("/event-platform/"+url.PathEscape(e.PIM), body)
}

// Notification tells the subscriber's contact that a subscription was suspended, or resumed.
func (e EventPlatform) Notification(body []byte) Request {
	return e.request("/event-platform/"+url.PathEscape(e.PIM)+"/notifications", body)
}

func (e EventPlatform) request(path string, body []byte) Request {
	header := map[string]string{}
	for i, secret := range []string{e.Primary, e.Secondary} {
		if secret != "" {
			header["x-akeneo-signature-algorithm"] = "HmacSHA256"
			header[PlatformHeaders[i]] = signature.SignEventPlatform(secret, body)
		}
	}
	return Request{Method: http.MethodPost, Path: path, Header: header, Body: body}
}
