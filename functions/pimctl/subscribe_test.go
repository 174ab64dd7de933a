package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/platformapi"
	"github.com/pim-functions/pim-functions/shared/platformapi/platformtest"
)

func TestSubscribingTwiceChangesNothing(t *testing.T) {
	for name, config := range map[string]platformtest.Config{
		"as documented": {}, "as in 2024": {Older: true}, "every success is 200": {Success: 200}, "changes are answered 204": {Silent: true},
	} {
		t.Run(name, func(t *testing.T) {
			d := newFixture(t, config)
			d.subscribe(catalogue+models, "3 changed.")
			writes := d.Writes()
			d.subscribe(catalogue+models, "Nothing to change.")
			if again := d.Writes(); len(again) != len(writes) {
				t.Errorf("the second run wrote %q", again[len(writes):])
			}
			made := d.Subscriptions()
			if len(made) != 2 || !reflect.DeepEqual(made[0].Config, platformapi.Destination{URL: api + "/event-platform/main", Secret: platformapi.Secret{Primary: newest}}) ||
				!slices.Equal(made[0].Events, []string{"com.akeneo.pim.v1.product.deleted", "com.akeneo.pim.v1.product.updated.delta"}) || len(made[1].Events) != 4 {
				t.Errorf("%d made", len(made))
			}
			contact := d.Subscribers()[0].Contact
			if contact.TechnicalEmail != "ops@example.com" || contact.WebhookURL != api+"/event-platform/main/notifications" || contact.WebhookSecret != announced || !slices.Contains(contact.Channels, "webhook") {
				t.Errorf("contact for %v at %s", contact.Channels, contact.WebhookURL)
			}
		})
	}
}

func TestWhatIsThereIsBroughtToWhatIsDeclared(t *testing.T) {
	d := newFixture(t, platformtest.Config{})
	d.subscribe(catalogue, "2 changed.")

	d.subscribe(strings.Replace(catalogue, "product.deleted", "product.created", 1), "+com.akeneo.pim.v1.product.created, -com.akeneo.pim.v1.product.deleted")
	d.subscribe(catalogue+models, "create subscription models")
	d.subscribe(models, "is ours and no longer declared")
	if there := len(d.Subscriptions()); there != 2 {
		t.Errorf("%d subscriptions", there)
	}
	d.email = "technical_email: new@example.com"
	d.subscribe(catalogue+models, "update subscriber")
	if contact := d.Subscribers()[0].Contact; contact.TechnicalEmail != "new@example.com" || contact.WebhookSecret != announced {
		t.Error("the contact was not sent whole")
	}
	d.notify = ""
	d.subscribe(catalogue+models, `notification_channels: -webhook`)
	if contact := d.Subscribers()[0].Contact; !slices.Equal(contact.Channels, []string{"email"}) {
		t.Errorf("notified by %q", contact.Channels)
	}
	d.subscribe(catalogue+models, "Nothing to change.")
}

// Removed from the file, a subscription's types may pass to another that declares them too.
func TestWhatIsNoLongerDeclaredIsDeletedWhenAsked(t *testing.T) {
	d := newFixture(t, platformtest.Config{})
	zz := strings.Replace(strings.Replace(catalogue, "catalogue", "zz", 1), "updated.delta", "created", 1)
	d.subscribe(catalogue+zz, "3 changed.")
	d.subscribe(zz, "--prune deletes it")
	d.subscribe(zz, "delete subscription", "--prune")
	d.subscribe(zz, "Nothing to change.", "--prune")
	if deleted := slices.DeleteFunc(d.Writes(), func(call string) bool { return !strings.HasPrefix(call, "DELETE ") }); len(deleted) != 1 {
		t.Errorf("deleted %q", deleted)
	}
}

// extensions.yaml is all that holds: what was set by hand goes.
func TestWhatWasSetByHandGoes(t *testing.T) {
	d := newFixture(t, platformtest.Config{})
	d.subscribe(catalogue, "2 changed.")
	d.Adorn(`user_type="user"`, "X-Api-Key")
	d.subscribe(catalogue, `headers: -X-Api-Key`)
	d.subscribe(catalogue, "Nothing to change.")
	if made := d.Subscriptions()[0]; made.Filter != "" || len(made.Config.Headers) > 0 || made.Config.Secret.Primary != newest {
		t.Errorf("%+v", made)
	}
}

// What extensions.yaml says of a filter and of identifiers is sent when a subscription is made, and when it differs.
func TestFiltersAndIdentifiersAreSent(t *testing.T) {
	d := newFixture(t, platformtest.Config{})
	filtered := func(more string) string { return strings.Replace(catalogue, "action: tell", more+"action: tell", 1) }
	d.subscribe(catalogue, "2 changed.")
	if made := d.Subscriptions()[0]; made.Filter != "" || made.Identifier {
		t.Errorf("made with %q, %t", made.Filter, made.Identifier)
	}
	d.subscribe(filtered(`filter: 'attribute="price"', identifiers: true, `), "identifiers: false → true")
	d.subscribe(filtered(`filter: 'attribute="price"', identifiers: true, `), "Nothing to change.")
	if there := d.Subscriptions()[0]; there.Filter != `attribute="price"` || !there.Identifier {
		t.Errorf("changed to %q, %t", there.Filter, there.Identifier)
	}

	d = newFixture(t, platformtest.Config{})
	d.subscribe(filtered(`filter: 'attribute="name"', `), `filter: "attribute=\"name\""`)
	if made := d.Subscriptions()[0]; made.Filter != `attribute="name"` || made.Identifier {
		t.Errorf("made with %q, %t", made.Filter, made.Identifier)
	}

	// A type that two subscriptions want is asked for once: with identifiers if one of them wants them.
	d = newFixture(t, platformtest.Config{})
	d.subscribe(catalogue+strings.Replace(filtered("identifiers: true, "), "catalogue", "shop", 1), "2 changed.")
	if made := d.Subscriptions(); len(made) != 1 || !made[0].Identifier {
		t.Errorf("%d made, identifiers %t", len(made), made[0].Identifier)
	}
}

// The platform keeps no names: what is alike belongs together.
func TestWhatSharesTypesStaysTogether(t *testing.T) {
	d := newFixture(t, platformtest.Config{})
	d.subscribe(models+`
  variants: {pim: main, api: event-platform, events: [com.akeneo.pim.v1.family.created], action: tell}`, "3 changed.")
	d.subscribe(catalogue+strings.Replace(models, "model.*", "model.deleted", 1), "2 changed.")
	for i, want := range []string{"com.akeneo.pim.v1.product-model.deleted", "com.akeneo.pim.v1.product.deleted"} {
		if made := d.Subscriptions(); len(made) != 2 || !slices.Contains(made[i].Events, want) {
			t.Errorf("%d of %d has no %s", i, len(made), want)
		}
	}
}

func TestASecretIsRotated(t *testing.T) {
	d := newFixture(t, platformtest.Config{})
	d.hold(former)
	d.subscribe(catalogue, "2 changed.")
	want := func(primary, secondary string) {
		t.Helper()
		if d.Subscriptions()[0].Config.Secret != (platformapi.Secret{Primary: primary, Secondary: secondary}) {
			t.Error("the platform has other secrets")
		}
	}
	d.hold(former, newest)
	d.subscribe(catalogue, "config.secret: changed")
	want(newest, former)
	d.subscribe(catalogue, "Nothing to change.")
	d.hold(newest)
	d.subscribe(catalogue, "config.secret: changed")
	want(newest, "")
	d.hold(announced) // replaced: this cannot be seen
	d.subscribe(catalogue, "Nothing to change. Secrets cannot be compared")
	d.subscribe(catalogue, "config.secret: changed", "--send-secrets")
	want(announced, "")
}

func TestASuspendedSubscriptionIsResumedWhenAsked(t *testing.T) {
	d := newFixture(t, platformtest.Config{})
	d.subscribe(catalogue, "2 changed.")
	d.Set("", platformapi.Suspended)
	d.Log(d.All()[1].ID, "destination_timeout", "no answer within 3 s", 500)
	if status, out, _ := d.run(catalogue, "subscribe", api); status != 1 || !strings.Contains(out, "is suspended, and its events are lost meanwhile: destination_timeout (500), no answer within 3 s") {
		t.Errorf("status %d, %s", status, out)
	}
	d.subscribe(catalogue, `status: "suspended" → "active"`, "--resume")
	d.subscribe(catalogue, "Nothing to change.", "--resume")
	d.Set("", platformapi.Revoked) // the connection was gone
	d.subscribe(catalogue, "create subscription catalogue")
}

func TestWhatIsNotOursIsLeftAlone(t *testing.T) {
	d := newFixture(t, platformtest.Config{})
	other := d.AddSubscriber("somebody's", platformapi.Active)
	d.AddSubscriber("pim-functions local", platformapi.Revoked)
	d.AddSubscription(other, "https://elsewhere.example.com", "com.akeneo.pim.v1.product.deleted", "com.akeneo.pim.v1.product.updated.delta")
	d.subscribe(catalogue, "create subscriber pim-functions local")
	d.subscribe(catalogue, "is not ours, and is left alone", "--subscriber", other, "--prune")
	if slices.ContainsFunc(d.Writes(), func(call string) bool { return strings.HasPrefix(call, "DELETE ") }) {
		t.Error("another's subscription was deleted")
	}
	if there := d.Subscriptions()[0]; there.Config.URL != "https://elsewhere.example.com" {
		t.Error("another's subscription was changed")
	}
}

func TestATypeIsAskedForOnce(t *testing.T) {
	d := newFixture(t, platformtest.Config{})
	both := catalogue + `
  zz: {pim: main, api: event-platform, events: [com.akeneo.pim.v1.product.deleted, com.akeneo.pim.v1.product.created], action: tell}`
	d.subscribe(both, "subscription zz: 1 of its 2 types come with catalogue")
	d.subscribe(both, "Nothing to change.")
	if made := d.Subscriptions(); len(made) != 2 || len(made[1].Events) != 1 {
		t.Errorf("%d made", len(made))
	}
}

func TestARunThatBreaksOffIsGoneOnWith(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		says   string
	}{
		{"the platform is away", 503, "answered 503"},
		{"it asks for a pause", 429, "try again in a minute"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newFixture(t, platformtest.Config{})
			for _, fails := range []int{1, 2, 2} { // that change of what is left
				calls := 0
				d.Fail(func(r *http.Request) int {
					if r.Method == http.MethodGet {
						return 0
					}
					if calls++; calls == fails {
						return c.status
					}
					return 0
				})
				status, _, err := d.run(catalogue+models, "subscribe", api)
				if status != 1 || !strings.Contains(err, c.says) || !strings.Contains(err, "running it again goes on") {
					t.Errorf("status %d, %s", status, err)
				}
			}
			d.Fail(nil)
			d.subscribe(catalogue+models, "")
			d.subscribe(catalogue+models, "Nothing to change.")
			if len(d.Subscribers()) != 1 || len(d.Subscriptions()) != 2 {
				t.Errorf("%d subscribers, %d subscriptions", len(d.Subscribers()), len(d.Subscriptions()))
			}
		})
	}
}

func TestWhatIsWrongIsSaidWithItsRemedy(t *testing.T) {
	unknown := strings.Replace(catalogue, "product.deleted", "product.eaten", 1)
	for _, c := range []struct {
		name   string
		set    func(*fixture)
		listed string
		says   string
	}{
		{"an unknown event type", nil, unknown, "the Event Platform says: unknown event type com.akeneo.pim.v1.product.eaten"},
		{"a type that is not documented is tried", nil, unknown, "refused the subscription (400)"},
		{"a pattern for nothing", nil, strings.Replace(catalogue, "product.deleted", "\"product.*\"", 1), "write the types in full"},
		{"no e-mail", func(d *fixture) { d.email = "self: []" }, catalogue, "add one; the Event Platform writes to it"},
		{"a short secret", func(d *fixture) { d.hold("short") }, catalogue, "secret 0 has not 16 to 256 characters"},
		{"a published secret", func(d *fixture) { d.hold("sample-primary-secret-of-the-event-platform") }, catalogue, "published sample"},
		{"no connection", func(d *fixture) { d.secrets["connections"] = map[string]any{} }, catalogue, "pims.main of the connection document is not complete"},
		{"no documents", func(d *fixture) { d.secrets = map[string]any{} }, catalogue, "pims.main of the connection document is not complete"},
		{"the wrong connection", func(d *fixture) { d.Credential.Password = "another" }, catalogue, "correct username and password"},
		{"the box is not ticked", func(d *fixture) { d.Unticked = true }, catalogue, "tick Event Platform in the PIM"},
		{"20 subscribers of others", func(d *fixture) {
			for range platformapi.MaxSubscribers {
				d.AddSubscriber("somebody's", platformapi.Active)
			}
		}, catalogue, "a PIM has at most 20"},
		{"20 subscriptions of others", func(d *fixture) {
			d.subscribe(models, "")
			id := strings.Split(d.Requests()[len(d.Requests())-1], "/")[4]
			for range platformapi.MaxSubscriptions - 1 {
				d.AddSubscription(id, "https://elsewhere.example.com", "com.akeneo.pim.v1.app.deleted")
			}
		}, catalogue + models, "a subscriber has at most 20"},
		{"a platform over http", func(d *fixture) { d.variables["ALLOW_PRIVATE_NETWORK"] = "false" }, catalogue, "is not called over HTTPS"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newFixture(t, platformtest.Config{})
			if c.set != nil {
				c.set(d)
			}
			status, _, err := d.run(c.listed, "subscribe", api)
			if status != 1 || !strings.Contains(err, c.says) {
				t.Errorf("status %d, want %q\n%s", status, c.says, err)
			}
		})
	}
}

// What is printed is run by a shell, with a curl that writes down what it was given.
func TestPrintedCallsAreThoseThatAreMade(t *testing.T) {
	d := newFixture(t, platformtest.Config{})
	status, out, err := d.run(catalogue+models, "subscribe", "--url", api, "--print")
	if status != 0 || len(d.Requests()) != 0 {
		t.Fatalf("status %d, %d calls, %s", status, len(d.Requests()), err)
	}
	_, calls, found := strings.Cut(out, "at the Event Platform\n---")
	if !found || !strings.Contains(out, "takes no wildcards") || !strings.Contains(out, "tell of the same change") {
		t.Fatal(out)
	}
	_, calls, _ = strings.Cut(calls, "\n")
	script := `curl() { printf '%s\036' "$@"; printf '\035'; }
CLIENT_ID=1_abc PIM_TOKEN=token SUBSCRIBER=5b SUBSCRIPTION=5c EVENT_PLATFORM_SECRET=` + newest + ` NOTIFICATION_SECRET=` + announced + "\n" + calls
	made, wrong := exec.CommandContext(t.Context(), "sh", "-euc", script).Output()
	if wrong != nil {
		t.Fatalf("%v\n%s", wrong, script)
	}
	d.subscribe(catalogue+models, "3 changed.")
	var bodies []string
	for _, call := range strings.Split(strings.TrimSuffix(string(made), "\035"), "\035") {
		words := strings.Split(strings.TrimSuffix(call, "\036"), "\036")
		if len(words) < 10 || !strings.HasPrefix(words[3], platformapi.DefaultBase+"/subscribers") || strings.Contains(call, "$") ||
			!slices.Contains(words, "X-PIM-URL: "+d.url) || !slices.Contains(words, "X-PIM-TOKEN: token") || !slices.Contains(words, "X-PIM-CLIENT-ID: 1_abc") {
			t.Errorf("call %q", words)
		}
		if at := slices.Index(words, "--data-binary"); at > 0 && words[2] == "POST" {
			bodies = append(bodies, words[at+1])
		}
	}
	want := []any{d.Subscribers()[0], d.Subscriptions()[0], d.Subscriptions()[1]}
	if len(bodies) != len(want) {
		t.Fatalf("%d bodies, want %d", len(bodies), len(want))
	}
	for i, body := range bodies {
		sent, err := json.Marshal(want[i])
		if err != nil {
			t.Fatal(err)
		}
		var printed bytes.Buffer
		if json.Compact(&printed, []byte(body)) != nil || printed.String() != string(sent) {
			t.Errorf("body %d differs from what subscribe sends", i)
		}
	}
}

func TestForTheEventsAPIItSaysWhatToClick(t *testing.T) {
	d := newFixture(t, platformtest.Config{})
	older := `
  older: {pim: main, api: events-api, events: [product.updated], action: tell}`
	for _, flags := range [][]string{nil, {"--print"}} {
		d.subscribe(older, "Request URL: "+api+"/events-api/main", flags...)
	}
	if len(d.Requests()) != 0 {
		t.Errorf("called %q", d.Requests())
	}
	d.subscribe(older+catalogue, "2 changed.")
}

func TestTheCommandLineOfSubscribe(t *testing.T) {
	d := newFixture(t, platformtest.Config{})
	for _, c := range []struct {
		name   string
		words  string
		status int
		says   string
	}{
		{"help", "subscribe --help", 0, "the part of apply"},
		{"no URL", "subscribe", 2, "missing URL"},
		{"http", "subscribe http://x.example.com", 2, "want https://HOST"},
		{"a word too many", "subscribe https://x.example.com now", 2, "accepts at most 1"},
		{"a URL too many", "subscribe https://x.example.com --url https://y.example.com", 2, "is too much"},
		{"an unknown PIM", "subscribe https://x.example.com --pim other", 1, `no pim "other"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if status, out, err := d.run(catalogue, strings.Fields(c.words)...); status != c.status || !strings.Contains(out+err, c.says) {
				t.Errorf("status %d, %s%s", status, out, err)
			}
		})
	}
	if status, _, err := pimctl(t, map[string]string{"STAGE": "production"}, "subscribe", api); status != 2 || !strings.Contains(err, "missing secrets") {
		t.Errorf("status %d, %s", status, err)
	}
}
