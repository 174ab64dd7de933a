package senders

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/signature"
)

// Secrets that the local system takes. Everybody knows them: on AWS they prove nothing.
const (
	actionSecret        = "the_secret_need_tobe_32_characthers_long" // the vendor's published sample, for export_to_erp
	eventsAPISecret     = "sample-secret-of-the-events-api-on-this-machine"
	eventPlatformSecret = "sample-primary-secret-of-the-event-platform"
	notificationsSecret = "sample-secret-of-event-platform-notifications"
	panelSecret         = "sample-secret-of-jobs-panel-on-this-machine"
	historyToken        = "sample-token-of-product-history-on-this-machine"
	contentfulSecret    = "sample-secret-of-contentful-with-64-characters-on-this-machine-0"
)

// NoHeader is a Choice's Header that sends no proof.
const NoHeader = "none"

// Choice is what can be chosen when a sample is sent. Its zero value is a request that the local system takes, but for
// the times.
type Choice struct {
	Extension string // or App Action; "": one of the project's extensions.yaml
	PIM       string // "": main
	Secret    string // or token; "": the sample secret that the local system takes
	Header    string // that carries the proof, one of the Sender's; "": the first; NoHeader: no proof
	Prefix    string // of the path at which the stage is: Contentful signs it
	Happened  time.Time
	Signed    time.Time
	Fresh     bool // new items, or new events, so that nothing earlier is met
}

// Sender is who sends samples, and how.
type Sender struct {
	About   string   // the title of its samples
	Headers []string // that may carry its proof; none: nothing proves it
	Token   bool     // what proves it is a token, which knows nothing of the bytes beside it

	prefix  string // of the samples' names
	secret  string // unless the choice has one
	dated   bool   // the body holds the time of its signature, not only that of what happened
	body    func(s Sample, happened time.Time, fresh bool) ([]byte, error)
	request func(s Sample, c Choice, body []byte) Request // c.Secret is set, or "" for no proof
}

// Senders in the order in which they are looked for: a notification's name begins like an event's.
var Senders = []Sender{
	{
		About: "buttons of the PIM", prefix: "action-", Headers: ActionHeaders, secret: actionSecret, dated: true, body: Sample.press,
		request: func(_ Sample, c Choice, body []byte) Request {
			return Action{Extension: cmp.Or(c.Extension, "export_to_erp"), Secret: c.Secret, Header: c.Header}.Request(body)
		},
	},
	{
		About: "requests of the Events API", prefix: "events-api-", Headers: []string{eventsAPISignature}, secret: eventsAPISecret, body: Sample.change,
		request: func(_ Sample, c Choice, body []byte) Request {
			return EventsAPI{PIM: c.PIM, Secret: c.Secret, At: c.Signed}.Request(body)
		},
	},
	{
		About: "notifications of the Event Platform", prefix: "event-platform-notification-", Headers: PlatformHeaders, secret: notificationsSecret, body: Sample.change,
		request: func(_ Sample, c Choice, body []byte) Request { return c.platform().Notification(body) },
	},
	{
		About: "events of the Event Platform", prefix: "event-platform-", Headers: PlatformHeaders, secret: eventPlatformSecret, body: Sample.change,
		request: func(_ Sample, c Choice, body []byte) Request { return c.platform().Event(body) },
	},
	{
		About: "calls of Contentful's App Actions", prefix: "contentful-", Headers: []string{contentfulSignature}, secret: contentfulSecret,
		body: func(s Sample, _ time.Time, _ bool) ([]byte, error) { return s.compact() },
		request: func(s Sample, c Choice, body []byte) Request {
			return Contentful{
				Action: cmp.Or(c.Extension, appActions[s.Name]), Secret: c.Secret, Prefix: c.Prefix, At: c.Signed,
				Space: "yadj1kx9rmg0", Environment: "master", User: "0M5q1fYAwHhbCJXW5gsJFe",
			}.Request(body)
		},
	},
	{
		About: "browsers that open the page inside the PIM", prefix: "iframe-page", body: empty,
		request: func(s Sample, c Choice, _ []byte) Request {
			var parameters map[string]string
			s.read(&parameters)
			query := url.Values{}
			for name, value := range parameters {
				query.Set(name, value)
			}
			return Iframe{Extension: cmp.Or(c.Extension, "jobs_panel")}.Page(query)
		},
	},
	{
		About: "calls of the page inside the PIM", prefix: "iframe-", Headers: []string{"authorization"}, Token: true, secret: panelSecret, body: Sample.start,
		request: func(_ Sample, c Choice, body []byte) Request {
			page := Iframe{Extension: cmp.Or(c.Extension, "jobs_panel"), Secret: c.Secret, User: "e05cc457-b8ac-43b1-baa7-c4c112091ad8", At: c.Signed}
			return page.Request(http.MethodPost, "/jobs", body)
		},
	},
	{
		About: "calls of the PIM's data components", prefix: "data-", Headers: []string{"authorization"}, Token: true, secret: historyToken, body: empty,
		request: func(s Sample, c Choice, _ []byte) Request {
			var named struct{ UUID string }
			s.read(&named)
			from := Data{Extension: cmp.Or(c.Extension, "product_history")}
			if c.Secret != "" {
				from.Credential = &signature.Credential{Type: signature.BearerCredential, Token: c.Secret}
			}
			return from.Request(named.UUID)
		},
	},
}

// appActions are the App Actions of the project's extensions.yaml that the samples of Contentful call.
var appActions = map[string]string{
	"contentful-notification": "notify", "contentful-entries": "export_entries", "contentful-custom": "ask_approval",
}

// empty is the body of a request that has none: its sample says what its address is.
func empty(Sample, time.Time, bool) ([]byte, error) { return nil, nil }

// read decodes the sample.
func (s Sample) read(into any) {
	if err := json.Unmarshal(s.Text, into); err != nil {
		panic(err) // cannot happen: it is embedded, and a test reads it
	}
}

// platform is the Event Platform that signs in the chosen header.
func (c Choice) platform() EventPlatform {
	if c.Header == PlatformHeaders[1] {
		return EventPlatform{PIM: c.PIM, Secondary: c.Secret}
	}
	return EventPlatform{PIM: c.PIM, Primary: c.Secret}
}

// Sender finds who sends the sample; sent is false for one that nobody posts to us.
func (s Sample) Sender() (from Sender, sent bool) {
	i := slices.IndexFunc(Senders, func(one Sender) bool { return strings.HasPrefix(s.Name, one.prefix) })
	if i < 0 {
		return Sender{}, false
	}
	return Senders[i], true
}

// Request is the sample as its sender sends it, with what was chosen.
func (s Sample) Request(c Choice) (Request, error) {
	from, sent := s.Sender()
	if !sent {
		return Request{}, fmt.Errorf("%s is only printed: no sender posts it to us", s.Name)
	}
	c.Header = strings.ToLower(c.Header)
	switch {
	case c.Header == NoHeader:
		c.Secret = ""
	case c.Header != "" && !slices.Contains(from.Headers, c.Header):
		return Request{}, fmt.Errorf("header %q carries no proof of %s: want one of %s", c.Header, s.Name, strings.Join(append(slices.Clone(from.Headers), NoHeader), ", "))
	default:
		c.Secret = cmp.Or(c.Secret, from.secret)
	}
	c.PIM = cmp.Or(c.PIM, "main")
	if from.dated {
		c.Happened = c.Signed
	}
	body, err := from.body(s, c.Happened, c.Fresh)
	if err != nil {
		return Request{}, err
	}
	return from.request(s, c, body), nil
}
