package platformapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/outbound"
	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/platformapi"
	"github.com/pim-functions/pim-functions/shared/platformapi/platformtest"
)

const (
	primary   = "T0PSECRET-q8Zr4kV1nX7w"
	secondary = "T0PSECRET-m2Jt6pY9cB3h"
	email     = "T0PSECRET@example.com"
)

var deleted = []string{"com.akeneo.pim.v1.product.deleted"}

// fixture is a fake platform and a client of it, with a clock that the test moves.
type fixture struct {
	*platformtest.API
	*platformapi.Client
	now time.Time
	url string
}

func newFixture(t *testing.T, config platformtest.Config) *fixture {
	t.Helper()
	w := &fixture{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return w.now }
	config.Credential = pim.Credential{ClientID: "1_abc", ClientSecret: "T0PSECRET-client", Username: "magento_0000", Password: "T0PSECRET-password"}
	config.Now = clock
	w.API = platformtest.New(config)
	server := httptest.NewServer(w.API)
	t.Cleanup(server.Close)
	w.url = server.URL
	w.At(server.URL)
	calls := outbound.New(outbound.Config{AllowPrivate: true, Now: clock})
	tokens := pim.NewTokens(pim.TokensConfig{Outbound: calls, URL: server.URL, Credential: config.Credential})
	var err error
	w.Client, err = platformapi.New(platformapi.Config{
		Outbound: calls, Base: server.URL + platformtest.Base + "/", PIM: server.URL, ClientID: config.Credential.ClientID, Token: tokens.Token,
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *fixture) subscriber(t *testing.T) string {
	t.Helper()
	s, err := w.CreateSubscriber(t.Context(), platformapi.SubscriberRequest{Name: "ours", Contact: platformapi.Contact{TechnicalEmail: email}})
	if err != nil {
		t.Fatal(err)
	}
	return s.ID
}

func (w *fixture) request(events ...string) platformapi.SubscriptionRequest {
	return platformapi.NewSubscription(w.url, events, platformapi.Destination{URL: "https://api.example.com/event-platform/main", Secret: platformapi.Secret{Primary: primary}})
}

// only is the one subscription of a subscriber.
func (w *fixture) only(ctx context.Context, subscriber string) (platformapi.Subscription, error) {
	all, err := w.ListSubscriptions(ctx, subscriber)
	if err == nil && len(all) != 1 {
		err = fmt.Errorf("%d subscriptions", len(all))
	}
	if err != nil {
		return platformapi.Subscription{}, err
	}
	return all[0], nil
}

// Whatever the platform's pages and practice differ in, the client sees the same.
func TestAWholeLife(t *testing.T) {
	for name, config := range map[string]platformtest.Config{
		"as documented":             {},
		"as in 2024":                {Older: true},
		"every success is 200":      {Success: 200},
		"every success is 201":      {Success: 201},
		"every success is 202":      {Success: 202},
		"changes are answered 204":  {Silent: true},
		"tokens live for a second":  {TokenLife: time.Second},
		"tokens live for 2 minutes": {TokenLife: 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			w, ctx := newFixture(t, config), t.Context()
			id := w.subscriber(t)
			made, err := w.CreateSubscription(ctx, id, w.request(deleted...))
			if err != nil {
				t.Fatal(err)
			}
			if made.Subscriber != id || made.Status != platformapi.Active || made.Type != "https" || made.Secondary ||
				!slices.Equal(made.Events, deleted) || !made.CreatedAt.Equal(w.now) || !made.UpdatedAt.Equal(w.now) || !platformapi.SamePIM(made.Subject, w.url) {
				t.Errorf("made %+v", made)
			}
			w.now = w.now.Add(time.Hour)
			to := platformapi.Destination{URL: "https://api.example.com/other", Secret: platformapi.Secret{Primary: secondary, Secondary: primary}}
			if err := w.UpdateSubscription(ctx, id, made.ID, platformapi.SubscriptionChange{Config: &to}); err != nil {
				t.Error(err)
			}
			w.Set("", platformapi.Suspended)
			if err := w.ResumeSubscription(ctx, id, made.ID); err != nil {
				t.Error(err)
			}
			if err := w.UpdateContact(ctx, id, platformapi.Contact{TechnicalEmail: "other@example.com"}); err != nil {
				t.Error(err)
			}
			one, err := w.only(ctx, id)
			if err != nil || one.URL != to.URL || !one.Secondary || one.Status != platformapi.Active || !slices.Equal(one.Events, deleted) {
				t.Errorf("%+v, %v", one, err)
			}
			subscribers, err := w.ListSubscribers(ctx)
			if err != nil || len(subscribers) != 1 || subscribers[0].Contact.TechnicalEmail != "other@example.com" || !subscribers[0].CreatedAt.Equal(made.CreatedAt) {
				t.Errorf("%+v, %v", subscribers, err)
			}
			if now := w.Subscriptions()[0].Config; !reflect.DeepEqual(now, to) {
				t.Error("the platform does not have what was sent")
			}
			w.Adorn(`not user_type="system"`, "X-Api-Key")
			if one, err := w.only(ctx, id); err != nil || one.Filter == "" || !slices.Equal(one.Headers, []string{"X-Api-Key"}) {
				t.Errorf("%+v, %v", one, err)
			}
			if err := w.DeleteSubscription(ctx, id, made.ID); err != nil {
				t.Error(err)
			}
			if all, err := w.ListSubscriptions(ctx, id); err != nil || len(all) != 0 {
				t.Errorf("%d, %v", len(all), err)
			}
		})
	}
}

// The platform keeps a second secret that an update leaves out: until it is taken away, the old secret goes on proving.
func TestTheLastStepOfARotationTakesTheOldSecretAway(t *testing.T) {
	w, ctx := newFixture(t, platformtest.Config{}), t.Context()
	id := w.subscriber(t)
	made, err := w.CreateSubscription(ctx, id, w.request(deleted...))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []platformapi.Secret{{Primary: secondary, Secondary: primary}, {Primary: secondary}} {
		to := platformapi.Destination{URL: "https://api.example.com/event-platform/main", Secret: secret}
		if err := w.UpdateSubscription(ctx, id, made.ID, platformapi.SubscriptionChange{Config: &to}); err != nil {
			t.Fatal(err)
		}
		if got := w.Subscriptions()[0].Config; !reflect.DeepEqual(got, to) {
			t.Errorf("second secret %t, want %t", got.Secret.Secondary != "", secret.Secondary != "")
		}
	}
}

func TestTheBodyOfAnUpdate(t *testing.T) {
	to := func(secret platformapi.Secret) *platformapi.Destination {
		return &platformapi.Destination{URL: "https://a.example.com/x?y&z", Secret: secret}
	}
	for name, c := range map[string]struct {
		change platformapi.SubscriptionChange
		want   string
	}{
		"events alone": {platformapi.SubscriptionChange{Events: deleted}, `{"events":["com.akeneo.pim.v1.product.deleted"]}`},
		"one secret":   {platformapi.SubscriptionChange{Config: to(platformapi.Secret{Primary: "p"})}, `{"config":{"url":"https://a.example.com/x?y&z","secret":{"primary":"p","secondary":null},"headers":null}}`},
		"two secrets":  {platformapi.SubscriptionChange{Config: to(platformapi.Secret{Primary: "p", Secondary: "s"})}, `{"config":{"url":"https://a.example.com/x?y&z","secret":{"primary":"p","secondary":"s"},"headers":null}}`},
		"headers": {platformapi.SubscriptionChange{Config: &platformapi.Destination{URL: "u", Headers: map[string]string{"X-Key": "v"}}},
			`{"config":{"url":"u","secret":{"primary":"","secondary":null},"headers":{"X-Key":"v"}}}`},
		"a filter that goes": {platformapi.SubscriptionChange{Filter: new(string), Identifier: new(bool)}, `{"filter":"","send_product_identifier":false}`},
	} {
		if got, err := c.change.MarshalJSON(); string(got) != c.want || err != nil {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
}

func TestATokenThatHasEndedIsRenewedOnce(t *testing.T) {
	w := newFixture(t, platformtest.Config{})
	id := w.subscriber(t)
	w.Expire()
	if _, err := w.CreateSubscription(t.Context(), id, w.request(deleted...)); err != nil {
		t.Fatal(err)
	}
	if made := len(w.Subscriptions()); made != 1 {
		t.Errorf("%d subscriptions", made)
	}
	w.Fail(func(*http.Request) int { return http.StatusUnauthorized })
	before := len(w.Requests())
	if _, err := w.ListSubscribers(t.Context()); err == nil || len(w.Requests())-before != 2 {
		t.Errorf("%v after %d calls, want 2", err, len(w.Requests())-before)
	}
}

func TestWhatARefusalTells(t *testing.T) {
	for _, c := range []struct {
		name    string
		config  platformtest.Config
		call    func(*fixture, context.Context, string) error
		status  int
		reason  string
		message string
	}{
		{"unknown event type", platformtest.Config{}, func(w *fixture, ctx context.Context, id string) error {
			_, err := w.CreateSubscription(ctx, id, w.request("com.akeneo.pim.v1.product.eaten"))
			return err
		}, 400, "check the event types in extensions.yaml", "unknown event type com.akeneo.pim.v1.product.eaten"},
		{"a short secret, which the platform quotes", platformtest.Config{}, func(w *fixture, ctx context.Context, id string) error {
			r := w.request(deleted...)
			r.Config.Secret.Primary = "T0PSECRET"
			_, err := w.CreateSubscription(ctx, id, r)
			return err
		}, 400, "refused the subscription", ""},
		{"no e-mail, which the platform quotes", platformtest.Config{}, func(w *fixture, ctx context.Context, id string) error {
			return w.UpdateContact(ctx, id, platformapi.Contact{TechnicalEmail: "T0PSECRET-nobody"})
		}, 400, "check technical_email", ""},
		{"20 subscribers", platformtest.Config{}, func(w *fixture, ctx context.Context, _ string) (err error) {
			for range platformapi.MaxSubscribers {
				_, err = w.CreateSubscriber(ctx, platformapi.SubscriberRequest{Name: "x", Contact: platformapi.Contact{TechnicalEmail: email}})
			}
			return err
		}, 409, "a PIM has at most 20", "maximum number"},
		{"20 subscriptions", platformtest.Config{}, func(w *fixture, ctx context.Context, id string) (err error) {
			for range platformapi.MaxSubscriptions + 1 {
				_, err = w.CreateSubscription(ctx, id, w.request(deleted...))
			}
			return err
		}, 409, "a subscriber has at most 20", "maximum number"},
		{"resume what is deleted", platformtest.Config{}, func(w *fixture, ctx context.Context, id string) error {
			made := w.AddSubscription(id, "https://x.example.com", deleted...)
			w.Set("", platformapi.Deleted)
			return w.ResumeSubscription(ctx, id, made)
		}, 409, "cannot be resumed", "deleted"},
		{"unknown subscription", platformtest.Config{}, func(w *fixture, ctx context.Context, id string) error {
			return w.UpdateSubscription(ctx, id, "none", platformapi.SubscriptionChange{Events: deleted})
		}, 404, "does not know this", "no such subscription"},
		{"another connection", platformtest.Config{}, func(w *fixture, ctx context.Context, _ string) error {
			w.ClientID = "2_other"
			_, err := w.ListSubscribers(ctx)
			return err
		}, 401, "check client_id and url", "not valid"},
		{"the box is not ticked", platformtest.Config{Unticked: true}, func(w *fixture, ctx context.Context, _ string) error {
			_, err := w.ListSubscribers(ctx)
			return err
		}, 403, "tick Event Platform", "may not use"},
		{"throttled", platformtest.Config{}, failing(429), 429, "asks for a pause", ""},
		{"broken", platformtest.Config{}, failing(502), 502, "answered 502", ""},
		{"moved", platformtest.Config{}, failing(301), 301, "redirect", ""},
		{"an ID that leads elsewhere", platformtest.Config{}, func(w *fixture, ctx context.Context, _ string) error {
			return w.DeleteSubscription(ctx, "..", "x")
		}, 0, `".." is not an ID`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newFixture(t, c.config)
			id := "5b"
			if !c.config.Unticked {
				id = w.subscriber(t)
			}
			err := c.call(w, t.Context(), id)
			failed, ok := errors.AsType[*platformapi.Error](err)
			if !ok {
				t.Fatalf("error %v (%T), want an *platformapi.Error", err, err)
			}
			if failed.Status != c.status || !strings.Contains(failed.Reason(), c.reason) || !strings.Contains(strings.Join(failed.Messages, " "), c.message) {
				t.Errorf("status %d, %q, messages %q", failed.Status, failed.Reason(), failed.Messages)
			}
			if c.message == "" && len(failed.Messages) > 0 {
				t.Errorf("messages %q, want none", failed.Messages)
			}
			if failed.Permanent() != (c.status != 429 && c.status != 502) {
				t.Errorf("permanent is %v", failed.Permanent())
			}
			if text := fmt.Sprint(err, failed.Reason(), failed.Messages); strings.Contains(text, "SECRET") {
				t.Errorf("a secret in %s", text)
			}
		})
	}
}

func failing(status int) func(*fixture, context.Context, string) error {
	return func(w *fixture, ctx context.Context, _ string) error {
		w.Fail(func(*http.Request) int { return status })
		_, err := w.ListSubscribers(ctx)
		return err
	}
}

func TestAnAnswerThatIsNone(t *testing.T) {
	for name, body := range map[string]string{"nothing": "", "HTML": "<html>", "no ID": "{}", "a list": "[]", "endless": `{"id":"` + strings.Repeat("x", 2<<20) + `"}`} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusCreated)
				_, _ = w.Write([]byte(body))
			}))
			t.Cleanup(server.Close)
			c, err := platformapi.New(platformapi.Config{
				Outbound: outbound.New(outbound.Config{AllowPrivate: true, Now: time.Now}), Base: server.URL, PIM: "https://pim.example.com", ClientID: "1_abc",
				Token: func(context.Context, string) (string, error) { return "token", nil },
			})
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.CreateSubscription(t.Context(), "5b", platformapi.SubscriptionRequest{})
			if failed, ok := errors.AsType[*platformapi.Error](err); !ok || !strings.Contains(failed.Reason(), "list what is there") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestATokenThatCannotBeHadEndsTheCall(t *testing.T) {
	w := newFixture(t, platformtest.Config{})
	away := errors.New("no token today")
	w.Token = func(context.Context, string) (string, error) { return "", away }
	if _, err := w.ListSubscribers(t.Context()); !errors.Is(err, away) || len(w.Requests()) != 0 {
		t.Errorf("%v after %d calls", err, len(w.Requests()))
	}
}

func TestWhatNoClientIsMadeOf(t *testing.T) {
	for name, config := range map[string]platformapi.Config{
		"a PIM without scheme": {PIM: "pim.example.com", ClientID: "1_abc"},
		"a base with a query":  {PIM: "https://pim.example.com", ClientID: "1_abc", Base: "https://x.example.com?y"},
		"no client":            {PIM: "https://pim.example.com"},
	} {
		if _, err := platformapi.New(config); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// Filter, identifier and headers reach the platform, and go again, whether it merges what an update holds or replaces it.
func TestWhatASubscriptionCanHave(t *testing.T) {
	for name, config := range map[string]platformtest.Config{"it replaces": {}, "it merges": {Merge: true}} {
		t.Run(name, func(t *testing.T) {
			w, ctx := newFixture(t, config), t.Context()
			id, r := w.subscriber(t), w.request("com.akeneo.pim.v1.product.updated.delta")
			r.Filter, r.Identifier, r.Config.Headers = `attribute="price"`, true, map[string]string{"X-Key": "T0PSECRET-header"}
			made, err := w.CreateSubscription(ctx, id, r)
			if err != nil || made.Filter != r.Filter || !made.Identifier || !slices.Equal(made.Headers, []string{"X-Key"}) {
				t.Fatalf("%+v, %v", made, err)
			}
			none, no := "", false
			bare := platformapi.Destination{URL: r.Config.URL, Secret: platformapi.Secret{Primary: primary}}
			if err := w.UpdateSubscription(ctx, id, made.ID, platformapi.SubscriptionChange{Filter: &none, Identifier: &no, Config: &bare}); err != nil {
				t.Fatal(err)
			}
			if now, err := w.only(ctx, id); err != nil || now.Filter != "" || now.Identifier || len(now.Headers) > 0 || !slices.Equal(now.Events, r.Events) {
				t.Errorf("%+v, %v", now, err)
			}
		})
	}
}

func TestWhyASubscriptionIsSuspended(t *testing.T) {
	w, ctx := newFixture(t, platformtest.Config{}), t.Context()
	w.Log("5c-1", "destination_timeout", "no answer within 3 s", 500)
	w.now = w.now.Add(time.Minute)
	w.Log("5c-1", "authentication_failed", "answered 401", 401)
	w.Log("5c-2", "connection_refused", "", 500)
	logs, err := w.Logs(ctx, "5c-1")
	want := platformapi.Log{Type: "error", At: w.now, Subscription: "5c-1", ErrorType: "failed_delivery", ErrorReason: "authentication_failed", ErrorCode: 401, ErrorMessage: "answered 401"}
	if err != nil || len(logs) != 2 || logs[0] != want {
		t.Errorf("%+v, %v", logs, err)
	}
}

func TestADeletedSubscriberTakesItsSubscriptionsAlong(t *testing.T) {
	w, ctx := newFixture(t, platformtest.Config{}), t.Context()
	id := w.subscriber(t)
	if _, err := w.CreateSubscription(ctx, id, w.request(deleted...)); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second finds it gone
		if err := w.DeleteSubscriber(ctx, id); err != nil {
			t.Error(err)
		}
	}
	if left := w.All(); len(left) > 0 {
		t.Errorf("%+v", left)
	}
}
