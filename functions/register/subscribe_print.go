package register

import (
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/platformapi"
)

const platformPreface = `What subscribe does, as curl. Secrets, tokens and IDs are variables of the shell:

  CLIENT_ID, CLIENT_SECRET   of the connection (Connect > Connection settings), with its box Event Platform ticked
  PIM_TOKEN                  its access token, which lives for an hour (PIM_URL is set below):
    export PIM_TOKEN=$(curl -sS -u "$CLIENT_ID:$CLIENT_SECRET" -H 'Content-Type: application/json' \
      -d '{"grant_type":"password","username":"…","password":"…"}' "$PIM_URL/api/oauth/v1/token" | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
  EVENT_PLATFORM_SECRET      the newest of event-platform.PIM in the signing document
  VALUE_…                    the values of the connection document that headers name
  NOTIFICATION_SECRET        the newest of event-platform.PIM/notifications
  SUBSCRIBER, SUBSCRIPTION   the id in the answers
`

// PrintListeners writes, for each PIM, the calls that make the subscriber and its subscriptions, and those that change,
// resume and delete one. The listeners are those without secrets.
func PrintListeners(w io.Writer, listeners []Listener) error {
	var b strings.Builder
	if len(listeners) > 0 {
		b.WriteString(platformPreface)
	}
	for _, l := range listeners {
		fmt.Fprintf(&b, "\n%s\n%s, %s at the Event Platform\n%s\n", rule, l.PIM.Name, l.PIM.URL, rule)
		for _, note := range l.Notes {
			fmt.Fprintf(&b, "# %s\n", note)
		}
		fmt.Fprintf(&b, "export PIM_URL=%s\n", quote(l.PIM.URL))
		if err := l.calls(&b); err != nil {
			return fmt.Errorf("print %q: %w", l.PIM.Name, err)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// placeholder is what stands in a body for a variable of the shell.
var placeholder = regexp.MustCompile(`"\$(EVENT_PLATFORM_SECRET|NOTIFICATION_SECRET|VALUE_[A-Z0-9_]+)"`)

func (l Listener) calls(b *strings.Builder) error {
	call := func(comment, method, path string, body any) error {
		fmt.Fprintf(b, "\n# %s\ncurl -sS -X %s \"%s%s\" \\\n  -H \"X-PIM-URL: $PIM_URL\" -H \"X-PIM-TOKEN: $PIM_TOKEN\" -H \"X-PIM-CLIENT-ID: $CLIENT_ID\"", comment, method, platformapi.DefaultBase, path)
		if body == nil {
			b.WriteString("\n")
			return nil
		}
		text, err := encode(body)
		if err != nil {
			return err
		}
		data := quote(strings.TrimSuffix(string(text), "\n"))
		data = placeholder.ReplaceAllString(data, `"'"$$$1"'"`)
		fmt.Fprintf(b, " -H 'Content-Type: application/json' \\\n  --data-binary %s\n", data)
		return nil
	}
	const subscriptions = "/subscribers/$SUBSCRIBER/subscriptions"
	type step struct {
		comment, method, path string
		body                  any
	}
	steps := []step{
		{fmt.Sprintf("Is there a subscriber %q already?", l.Subscriber.Name), "GET", "/subscribers", nil},
		{"If not", "POST", "/subscribers", l.Subscriber},
		{"Which subscriptions does it have?", "GET", subscriptions, nil},
	}
	for _, s := range l.Subscriptions {
		steps = append(steps, step{fmt.Sprintf("Subscription %s, if it is not there", s.Name), "POST", subscriptions, s.Request(l.PIM.URL, l.Destination)})
	}
	steps = append(steps,
		step{`After a change of the secret (in a rotation the old one as "secondary", in place of null)`, "PATCH", subscriptions + "/$SUBSCRIPTION", platformapi.SubscriptionChange{Config: &l.Destination}},
		step{"Resume one that is suspended, when the cause is gone", "POST", subscriptions + "/$SUBSCRIPTION/resume", nil},
		step{"Delete one that is no longer wanted", "DELETE", subscriptions + "/$SUBSCRIPTION", nil},
	)
	for _, s := range steps {
		if err := call(s.comment, s.method, s.path, s.body); err != nil {
			return err
		}
	}
	return nil
}

// PrintEventsAPI writes what to click for the PIMs whose older Events API is listened to. It has no API of its own.
func PrintEventsAPI(w io.Writer, c *config.Config, base string) error {
	plan := comparison{Declared: Declared{Base: base}}
	for _, pim := range slices.Sorted(maps.Keys(c.PIMs)) {
		one := DeclaredPIM{PIM: c.PIMs[pim]}
		for _, s := range declaredFor(c, pim, "events-api") {
			one.EventsAPI = append(one.EventsAPI, s.Name)
		}
		plan.eventsAPI(one)
	}
	var b strings.Builder
	for _, one := range plan.byHand {
		one.print(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
