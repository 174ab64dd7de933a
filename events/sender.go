package main

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/signature"
)

// Secrets that the local system takes. Everybody knows them: on AWS they prove nothing.
const (
	sampleSecret        = "the_secret_need_tobe_32_characthers_long" // the vendor's published sample, for export_to_erp
	eventsAPISecret     = "sample-secret-of-the-events-api-on-this-machine"
	eventPlatformSecret = "sample-primary-secret-of-the-event-platform"
	notificationsSecret = "sample-secret-of-event-platform-notifications"
)

// sender is who sends a sample, and how.
type sender struct {
	prefix string // of the samples' names
	secret string // unless the command line has one
	path   func(options) string
	body   func(s sample, at time.Time, fresh bool) ([]byte, error)
	sign   func(o options, secret string, at time.Time, body []byte) map[string]string
}

// senders in the order in which they are looked for: a notification's name begins like an event's.
var senders = []sender{
	{
		prefix: "action-", secret: sampleSecret,
		path: func(o options) string { return "/actions/" + url.PathEscape(o.extension) },
		body: sample.pressed,
		sign: func(o options, secret string, _ time.Time, body []byte) map[string]string {
			return map[string]string{o.header: signature.SignAction(secret, body)}
		},
	},
	{
		prefix: "events-api-", secret: eventsAPISecret,
		path: func(o options) string { return "/events-api/" + url.PathEscape(o.pim) },
		body: sample.happened,
		sign: func(_ options, secret string, at time.Time, body []byte) map[string]string {
			stamp := strconv.FormatInt(at.Unix(), 10)
			return map[string]string{
				"x-akeneo-request-timestamp": stamp, "x-akeneo-request-signature": signature.SignEventsAPI(secret, stamp, body),
			}
		},
	},
	{
		prefix: "event-platform-notification-", secret: notificationsSecret,
		path: func(o options) string { return "/event-platform/" + url.PathEscape(o.pim) + "/notifications" },
		body: sample.happened, sign: signPlatform,
	},
	{
		prefix: "event-platform-", secret: eventPlatformSecret,
		path: func(o options) string { return "/event-platform/" + url.PathEscape(o.pim) },
		body: sample.happened, sign: signPlatform,
	},
}

func signPlatform(_ options, secret string, _ time.Time, body []byte) map[string]string {
	return map[string]string{
		"x-akeneo-signature-primary": signature.SignEventPlatform(secret, body), "x-akeneo-signature-algorithm": "HmacSHA256",
	}
}

// sender finds who sends the sample; sent is false for one that is only printed.
func (s sample) sender() (found sender, sent bool) {
	i := slices.IndexFunc(senders, func(one sender) bool { return strings.HasPrefix(s.name, one.prefix) })
	if i < 0 {
		return sender{}, false
	}
	return senders[i], true
}

// request is a sample that was signed and is ready to go.
type request struct {
	path   string
	header map[string]string // what proves it, names in lower case
	body   []byte
}

// request signs the options' sample at that time.
func (o options) request(at time.Time, fresh bool) (request, error) {
	from, sent := o.sample.sender()
	if !sent {
		return request{}, fmt.Errorf("%s is only printed: no sender posts it to us", o.sample.name)
	}
	body, err := from.body(o.sample, at, fresh)
	if err != nil {
		return request{}, err
	}
	secret := from.secret
	if o.secret != "" {
		secret = o.secret
	}
	made := request{path: from.path(o), body: body}
	if o.header != noHeader {
		made.header = from.sign(o, secret, at, body)
	}
	if o.tamper {
		made.body = tamper(body)
	}
	return made, nil
}
