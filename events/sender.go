package main

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
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
	panelSecret         = "sample-secret-of-jobs-panel-on-this-machine"
	historyToken        = "sample-token-of-product-history-on-this-machine"
	contentfulSecret    = "sample-secret-of-contentful-with-64-characters-on-this-machine-0"
)

// sender is who sends a sample, and how.
type sender struct {
	about   string   // the title of its samples
	prefix  string   // of the samples' names
	secret  string   // unless the command line has one
	method  string   // "": POST
	headers []string // that may carry its proof; the first does unless the command line says another
	dated   bool     // the body holds the time of its signature, not only that of what happened
	path    func(options) string
	body    func(s sample, at time.Time, fresh bool) ([]byte, error)
	sign    func(o options, secret string, at time.Time, body []byte) map[string]string // in the header o.header
}

// bearer says whether what proves the sender is a token, which knows nothing of the bytes beside it.
func (s sender) bearer() bool { return s.headers[0] == "authorization" }

// senders in the order in which they are looked for: a notification's name begins like an event's.
var senders = []sender{
	{
		about: "buttons of the PIM", prefix: "action-", secret: sampleSecret, dated: true,
		headers: []string{"signature", "x-akeneo-signature", "x-akeneo-request-signature"},
		path:    func(o options) string { return "/actions/" + url.PathEscape(o.extension) },
		body:    sample.pressed,
		sign: func(o options, secret string, _ time.Time, body []byte) map[string]string {
			return map[string]string{o.header: signature.SignAction(secret, body)}
		},
	},
	{
		about: "requests of the Events API", prefix: "events-api-", secret: eventsAPISecret,
		headers: []string{"x-akeneo-request-signature"},
		path:    func(o options) string { return "/events-api/" + url.PathEscape(o.pim) },
		body:    sample.happened,
		sign: func(o options, secret string, at time.Time, body []byte) map[string]string {
			stamp := strconv.FormatInt(at.Unix(), 10)
			return map[string]string{"x-akeneo-request-timestamp": stamp, o.header: signature.SignEventsAPI(secret, stamp, body)}
		},
	},
	{
		about: "notifications of the Event Platform", prefix: "event-platform-notification-", secret: notificationsSecret,
		headers: platformHeaders,
		path:    func(o options) string { return "/event-platform/" + url.PathEscape(o.pim) + "/notifications" },
		body:    sample.happened, sign: signPlatform,
	},
	{
		about: "events of the Event Platform", prefix: "event-platform-", secret: eventPlatformSecret,
		headers: platformHeaders,
		path:    func(o options) string { return "/event-platform/" + url.PathEscape(o.pim) },
		body:    sample.happened, sign: signPlatform,
	},
	{
		about: "calls of Contentful's App Actions", prefix: "contentful-", secret: contentfulSecret,
		headers: []string{"x-contentful-signature"},
		path:    contentfulPath,
		body:    func(s sample, _ time.Time, _ bool) ([]byte, error) { return s.compact() },
		sign:    signContentful,
	},
	{
		about: "calls of the page inside the PIM", prefix: "iframe-", secret: panelSecret,
		headers: []string{"authorization"},
		path: func(o options) string {
			return "/iframe/" + url.PathEscape(o.extensionOr(panelExtension)) + "/jobs"
		},
		body: sample.asked, sign: signPanel,
	},
	{
		about: "calls of the PIM's data components", prefix: "data-", secret: historyToken, method: http.MethodGet,
		headers: []string{"authorization"},
		path: func(o options) string {
			return "/data/" + url.PathEscape(o.extensionOr(historyExtension)) + "/" + o.sample.uuid()
		},
		body: empty,
		sign: func(o options, secret string, _ time.Time, _ []byte) map[string]string {
			return map[string]string{o.header: "Bearer " + secret}
		},
	},
}

// platformHeaders carry what the Event Platform signs with the first and the second secret of a subscription.
var platformHeaders = []string{"x-akeneo-signature-primary", "x-akeneo-signature-secondary"}

// Samples of the page inside the PIM and of a data component call an extension of their own, unless the command line
// names one.
const (
	panelExtension   = "jobs_panel"
	historyExtension = "product_history"
)

func (o options) extensionOr(other string) string {
	if o.extension == defaultExtension {
		return other
	}
	return o.extension
}

// appActions are the App Actions of extensions.yaml that the samples of Contentful call.
var appActions = map[string]string{
	"contentful-notification": "notify", "contentful-entries": "export_entries", "contentful-custom": "ask_approval",
}

func contentfulPath(o options) string {
	return "/contentful/" + url.PathEscape(o.extensionOr(appActions[o.sample.name]))
}

// signContentful signs a call as Contentful does, with the context that it sends along.
func signContentful(o options, secret string, at time.Time, body []byte) map[string]string {
	header := map[string]string{
		"content-type": contentType, "x-contentful-timestamp": strconv.FormatInt(at.UnixMilli(), 10),
		"x-contentful-space-id": "yadj1kx9rmg0", "x-contentful-environment-id": "master", "x-contentful-user-id": "0M5q1fYAwHhbCJXW5gsJFe",
		"x-contentful-crn":            "crn:contentful:::extensibility:spaces/yadj1kx9rmg0/environments/master/appdefinitions/6FfrUHfsHdvhsLi9czfji/actions/3rYk0uKgUsmTcLvTGbSGbk",
		"x-contentful-signed-headers": "",
	}
	header["x-contentful-signed-headers"] = strings.Join(slices.Sorted(maps.Keys(header)), ",")
	header[o.header] = signature.SignContentful(secret, http.MethodPost, contentfulPath(o), header, body)
	return header
}

// signPanel is the token that the PIM gives the page: it lives for an hour from that time on.
func signPanel(o options, secret string, at time.Time, _ []byte) map[string]string {
	claims := fmt.Sprintf(`{"jti":%q,"iat":%d.25,"exp":%d.25,"userId":"1","userUuid":"e05cc457-b8ac-43b1-baa7-c4c112091ad8"}`,
		newUUID(), at.Unix()-1, at.Add(time.Hour).Unix())
	return map[string]string{o.header: "Bearer " + signature.SignJWT(secret, []byte(claims))}
}

// empty is the body of a request that has none: its sample says what its path is about.
func empty(sample, time.Time, bool) ([]byte, error) { return nil, nil }

func signPlatform(o options, secret string, _ time.Time, body []byte) map[string]string {
	return map[string]string{o.header: signature.SignEventPlatform(secret, body), "x-akeneo-signature-algorithm": "HmacSHA256"}
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
	method string
	path   string
	header map[string]string // what proves it, names in lower case
	body   []byte
}

// path is where the options' sample is sent.
func (o options) path() string {
	from, _ := o.sample.sender()
	return from.path(o)
}

// request is the options' sample, about what happened at one time and signed at another.
func (o options) request(happened, signed time.Time, fresh bool) (request, error) {
	from, sent := o.sample.sender()
	if !sent {
		return request{}, fmt.Errorf("%s is only printed: no sender posts it to us", o.sample.name)
	}
	if from.dated {
		happened = signed
	}
	body, err := from.body(o.sample, happened, fresh)
	if err != nil {
		return request{}, err
	}
	made := request{method: cmp.Or(from.method, http.MethodPost), path: o.path(), body: body}
	if o.header != noHeader {
		o.header = cmp.Or(o.header, from.headers[0])
		made.header = from.sign(o, cmp.Or(o.secret, from.secret), signed, body)
	}
	if o.tamper {
		made.body = tamper(body)
	}
	return made, nil
}
