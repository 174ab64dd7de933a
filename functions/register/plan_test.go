package register_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/functions/register"
	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
	"github.com/pim-functions/pim-functions/shared/platformapi"
	"github.com/pim-functions/pim-functions/shared/platformapi/platformtest"
)

// declares is an extensions.yaml with these sections.
func declares(sections string) string {
	return `
environments: {production: {}}
pims: {main: {url: "` + pimURL + `", technical_email: ops@example.com}}
actions: {send: {kind: forward, url: "https://erp.example.com"}}
` + sections
}

const (
	oneButton = `
extensions:
  export: {pim: main, type: action, positions: [pim.product.header, pim.product-grid.action-bar], label: {default: Export}, action: send}
`
	oneSubscription = `
subscriptions:
  gone: {pim: main, api: event-platform, events: [com.akeneo.pim.v1.product.deleted], action: send}
`
	oneAppAction = `
contentful: {spaces: [space1/master, space1/staging], actions: {notify: {category: Notification.v1.0, action: send}}}
`
)

func TestAPlanInItsOrder(t *testing.T) {
	s := newSenders(pimtest.Extensions{}, platformtest.Config{})
	c := load(t, declares(oneButton+oneSubscription+oneAppAction))
	made := apply(t, s.session(t, c, register.Options{}))
	var order []string
	for _, change := range made.Changes {
		order = append(order, change.Op+" "+change.What+" "+change.Name)
	}
	want := []string{
		"create secret extensions.export.secrets", "create secret event-platform.main", "create secret contentful",
		"create extension export", "create extension export_product_grid_action_bar", "create subscriber pim-functions production", "create subscription gone",
		"create secret Contentful's signing secret", "create app-action notify",
	}
	if !slices.Equal(order, want) {
		t.Errorf("%q", order)
	}
	if len(made.ByHand) != 1 || made.ByHand[0].Name != "space1/staging" || !strings.HasPrefix(made.ByHand[0].URL, "https://app.contentful.com/spaces/space1/environments/staging") {
		t.Errorf("by hand: %+v", made.ByHand)
	}
	if text, err := json.Marshal(register.Plan{}); err != nil || string(text) != `{"changes":null,"by_hand":null,"notes":null}` {
		t.Errorf("%s, %v", text, err)
	}
}

func TestDownTakesAllOfOursAndNothingElse(t *testing.T) {
	s := newSenders(pimtest.Extensions{}, platformtest.Config{})
	theirs := s.platform.AddSubscriber("theirs", platformapi.Active)
	s.pim.AddExtension("", pim.Extension{Name: "by_hand", Description: "By hand"})
	c := load(t, declares(oneButton+oneSubscription+oneAppAction))
	apply(t, s.session(t, c, register.Options{}))
	before := len(s.pim.UIExtensions())

	down := s.session(t, c, register.Options{Prune: true})
	down.Down = true
	made := apply(t, down)
	if left := s.pim.UIExtensions(); before != 3 || len(left) != 1 || left[0].Name != "by_hand" {
		t.Errorf("%d extensions before, now %+v", before, left)
	}
	if left := s.platform.All(); len(left) != 1 || left[0].ID != theirs {
		t.Errorf("%+v", left)
	}
	if left := s.contentful.Definitions(); len(left) > 0 {
		t.Errorf("%+v", left)
	}
	if first := made.Changes[0]; first.What != register.AnExtension && first.What != register.ASubscription {
		t.Errorf("begins with %+v", first)
	}
}

func TestWhatACustomActionAsksFor(t *testing.T) {
	s := newSenders(pimtest.Extensions{}, platformtest.Config{})
	const ask = "contentful: {actions: {ask: {category: Custom, action: send%s}}}\n"
	apply(t, s.session(t, load(t, declares(strings.Replace(ask, "%s", "", 1))), register.Options{}))
	declared := load(t, declares(strings.Replace(ask, "%s", ", parameters: {how: {name: How, type: Enum, required: true, options: [fast, slow]}}", 1)))
	made := apply(t, s.session(t, declared, register.Options{}))
	if got := s.contentful.Definitions()[0].Parameters; len(made.Changes) != 1 || len(got) != 1 || got[0].ID != "how" || !got[0].Required || string(got[0].Options) != `["fast","slow"]` {
		t.Errorf("%+v", got)
	}
	// What was named in Contentful stays where the file names nothing.
	if made := plan(t, s.session(t, load(t, declares(strings.Replace(ask, "%s", "", 1))), register.Options{})); len(made.Changes) > 0 {
		t.Errorf("%s", changes(made))
	}
}

func TestHeadersForAFirewallBeforeUs(t *testing.T) {
	s := newSenders(pimtest.Extensions{}, platformtest.Config{})
	const declared = `
subscriptions:
  gone: {pim: main, api: event-platform, events: [com.akeneo.pim.v1.product.deleted], headers: {X-Zone: shop, X-Waf: "secret:NAME"}, action: send}
`
	c := load(t, declares(strings.Replace(declared, "NAME", "waf", 1)))
	apply(t, s.session(t, c, register.Options{}))
	for range 2 { // the whole configuration is sent again, headers too
		if got := s.platform.Subscriptions()[0].Config.Headers; len(got) != 2 || got["X-Waf"] != "T0PSECRET-waf" || got["X-Zone"] != "shop" {
			t.Errorf("%q", got)
		}
		apply(t, s.session(t, c, register.Options{SendSecrets: true}))
	}
	without := load(t, declares(oneSubscription))
	if made := apply(t, s.session(t, without, register.Options{})); !strings.Contains(changes(made), "headers: -X-Waf, -X-Zone") || len(s.platform.Subscriptions()[0].Config.Headers) > 0 {
		t.Errorf("%s", changes(made))
	}
	if _, err := s.session(t, load(t, declares(strings.Replace(declared, "NAME", "other", 1))), register.Options{}).Plan(t.Context()); err == nil || !strings.Contains(err.Error(), "values.other is not in the connection document") {
		t.Errorf("%v", err)
	}
	var printed strings.Builder
	listeners, err := register.Listeners(c, base, nil)
	if err == nil {
		err = register.PrintListeners(&printed, listeners)
	}
	if err != nil || !strings.Contains(printed.String(), `"X-Waf": "'"$VALUE_WAF"'"`) {
		t.Errorf("%v: %s", err, &printed)
	}
	if filled, err := register.FillConnections(nil, c); err != nil || !slices.ContainsFunc(filled.Missing, func(one string) bool { return strings.HasPrefix(one, "values.waf") }) {
		t.Errorf("%v, %q", err, filled.Missing)
	}
}

// Ended at any call, down takes the rest the next time.
func TestDownIsEndedAnywhere(t *testing.T) {
	t.Parallel()
	c := load(t, declares(oneButton+oneSubscription+oneAppAction))
	for call := 1; ; call++ {
		s := newSenders(pimtest.Extensions{}, platformtest.Config{})
		apply(t, s.session(t, c, register.Options{}))
		down := s.session(t, c, register.Options{Prune: true})
		down.Down = true
		ctx, end := context.WithCancel(t.Context())
		s.revive()
		s.end, s.endsAt, s.after = end, call, call%2 == 0
		made, err := down.Plan(ctx)
		if err == nil {
			err = down.Apply(ctx, made, func(register.Change) {})
		}
		end()
		if err == nil {
			break // it made fewer calls
		}
		s.revive()
		down = s.session(t, c, register.Options{Prune: true})
		down.Down = true
		apply(t, down)
		if left := len(s.pim.UIExtensions()) + len(s.platform.All()) + len(s.contentful.Definitions()); left > 0 {
			t.Fatalf("ended at call %d: %d are left", call, left)
		}
	}
}

// Two stages share a PIM: neither sees the other's as its own.
func TestWhoseANameIs(t *testing.T) {
	for _, c := range []struct {
		name, description string
		adopt             bool
		says              string // "": taken over
	}{
		{"nobody's mark", "Made by hand", false, "--adopt takes it over"},
		{"nobody's mark, adopted", "Made by hand", true, ""},
		{"another stage's", "Ours (pim-functions staging)", false, "belongs to another stage"},
		{"another stage's, adopted", "Ours (pim-functions staging)", true, "belongs to another stage"},
		{"a mark that somebody wrote behind", "(pim-functions production) changed by Ann", false, "--adopt takes it over"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSenders(pimtest.Extensions{}, platformtest.Config{})
			there := ours("export", "https://elsewhere.example.com")
			there.Description = c.description
			s.pim.AddExtension("", there)
			made := apply(t, s.session(t, load(t, declares(oneButton)), register.Options{Adopt: c.adopt}))
			var printed strings.Builder
			if err := made.Print(&printed); err != nil {
				t.Fatal(err)
			}
			now := s.pim.UIExtensions()[0]
			if taken := now.Configuration.URL == base+"/actions/export"; taken != (c.says == "") || !strings.Contains(printed.String(), c.says) || made.Done() {
				t.Errorf("taken over: %t; %s", taken, &printed)
			}
			if c.says != "" && now.Description != c.description {
				t.Errorf("it is now %+v", now)
			}
		})
	}
}

func TestOnlyWhatIsNamedIsPlanned(t *testing.T) {
	s := newSenders(pimtest.Extensions{}, platformtest.Config{})
	c := load(t, declares(oneButton+oneSubscription+oneAppAction))
	for _, names := range [][]string{{"gone"}, {"export"}, {"notify"}} {
		made := apply(t, s.session(t, c, register.Options{Only: names, Prune: true}))
		for _, change := range made.Changes {
			about := change.Name + map[string]string{register.ASubscriber: " gone", "event-platform.main": "gone"}[change.What]
			if !strings.Contains(about, names[0]) && change.Name != "event-platform.main" && change.Name != "contentful" && !strings.HasPrefix(change.Name, "Contentful") {
				t.Errorf("--only %s: %s", names[0], change.Line())
			}
		}
	}
	if made := plan(t, s.session(t, c, register.Options{})); len(made.Changes) > 0 {
		t.Errorf("left: %s", changes(made))
	}
	if _, err := register.Named(c, []string{"nobody"}); err == nil {
		t.Error("an unknown name is taken")
	}
	several := load(t, bothPIMs)
	for name, want := range map[string][]string{"export": {"export_main", "export_outlet"}, "new": {"new_main", "new_outlet"}, "panel": {"panel"}} {
		if got, err := register.Named(several, []string{name}); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestAStalePlanIsRefusedWithTheDifference(t *testing.T) {
	s := newSenders(pimtest.Extensions{}, platformtest.Config{})
	c := load(t, declares(oneButton))
	session := s.session(t, c, register.Options{})
	shown := plan(t, session)
	s.pim.AddExtension("", ours("export", base+"/actions/export")) // somebody was faster
	err := session.Apply(t.Context(), shown, func(register.Change) { t.Error("a change was made") })
	stale, ok := errors.AsType[*register.Stale](err)
	if !ok || !strings.Contains(err.Error(), "- create extension export (main)") || !strings.Contains(err.Error(), "+ update extension export (main)") {
		t.Errorf("%v, %+v", err, stale)
	}
	if len(s.pim.UIExtensions()) != 1 || string(s.documents["signing"]) != "{}" {
		t.Error("something was written")
	}
}

// A secret that is made anew goes to the senders that have another, even if the run that made it was ended.
func TestAMadeSecretReachesWhoHasAnother(t *testing.T) {
	s := newSenders(pimtest.Extensions{}, platformtest.Config{})
	c := load(t, declares(oneButton+oneSubscription+oneAppAction))
	apply(t, s.session(t, c, register.Options{}))
	s.documents["signing"] = []byte(`{}`) // lost
	s.versions++
	filled, err := register.FillSigning(nil, c)
	if err != nil {
		t.Fatal(err)
	}
	s.documents["signing"] = filled.Document // made again; the process that made them was ended
	s.versions++
	apply(t, s.session(t, c, register.Options{}))
	s.reached(t, c, nil, true)
	if text := string(s.documents["signing"]); strings.Contains(text, "unsent") {
		t.Error(text)
	}
	apply(t, s.session(t, c, register.Options{SendSecrets: true}))
	s.reached(t, c, nil, true)
}

func TestWhatThePIMDoesNotLetUsDo(t *testing.T) {
	c := load(t, declares(oneButton+oneSubscription))
	s := newSenders(pimtest.Extensions{Off: true}, platformtest.Config{})
	made := apply(t, s.session(t, c, register.Options{}))
	if len(made.ByHand) != 2 || !strings.Contains(made.ByHand[0].Why, "switched off") || len(s.platform.All()) != 2 {
		t.Errorf("%+v, the platform has %d", made.ByHand, len(s.platform.All()))
	}
	s.pim.SetExtensions(pimtest.Extensions{Forbidden: true})
	if _, err := s.session(t, c, register.Options{}).Plan(t.Context()); err == nil {
		t.Error("a missing right is no error")
	}
	s.pim.SetExtensions(pimtest.Extensions{})
	s.pim.Fail("/api/rest/v1/ui-extensions", http.StatusInternalServerError, 1000)
	if _, err := s.session(t, c, register.Options{}).Plan(t.Context()); err == nil {
		t.Error("a broken PIM is no error")
	}
}

// What the PIM refuses names the key of extensions.yaml.
func TestKeysOfProperties(t *testing.T) {
	for property, want := range map[string]string{
		"configuration.default_label": "label", "configuration.labels.fr_FR": "label", "configuration.labels[fr_FR]": "label", "position": "positions",
		"configuration.url": "url", "configuration.userEmails[0]": "userEmails", "name": "", "configuration.secret": "", "status": "status",
	} {
		if got := register.Key(property); got != want {
			t.Errorf("%s: %q", property, got)
		}
	}
}

func TestAnOrphanedSubscriberIsSuspected(t *testing.T) {
	s := newSenders(pimtest.Extensions{}, platformtest.Config{})
	c := load(t, declares(oneButton+oneSubscription))
	if made := plan(t, s.session(t, c, register.Options{})); len(made.ByHand) > 0 {
		t.Errorf("a new deployment: %+v", made.ByHand)
	}
	s.pim.AddExtension("", ours("export", base+"/actions/export"))
	made := plan(t, s.session(t, c, register.Options{}))
	if len(made.ByHand) != 1 || made.ByHand[0].What != register.ASubscriber || made.ByHand[0].Blocks || !strings.Contains(made.ByHand[0].Why, "the subscriber of the one before goes on delivering") {
		t.Errorf("%+v", made.ByHand)
	}
}

// What the platform has ended is made anew, and why it ended is said.
func TestWhatThePlatformHasRevoked(t *testing.T) {
	s := newSenders(pimtest.Extensions{}, platformtest.Config{})
	c := load(t, declares(oneSubscription))
	apply(t, s.session(t, c, register.Options{}))
	id := s.platform.All()[1].ID
	s.platform.Set(id, platformapi.Revoked)
	s.platform.Log(id, "authentication_failed", "too many refusals", 401)
	made := apply(t, s.session(t, c, register.Options{}))
	if text := strings.Join(made.Notes, "\n"); len(made.Changes) != 1 || !strings.Contains(text, id+" is revoked, for good: authentication_failed (401), too many refusals") {
		t.Errorf("%s\n%s", changes(made), text)
	}
}

func TestTwentyOfTwenty(t *testing.T) {
	s := newSenders(pimtest.Extensions{}, platformtest.Config{})
	c := load(t, declares(oneSubscription))
	for range platformapi.MaxSubscribers {
		s.platform.AddSubscriber("theirs", platformapi.Active)
	}
	session := s.session(t, c, register.Options{})
	err := session.Apply(t.Context(), plan(t, session), func(register.Change) {})
	if failed, ok := errors.AsType[*register.ChangeError](err); !ok || failed.Done != 1 || failed.Of != 3 {
		t.Errorf("%+v", failed)
	}
	if err == nil || !strings.Contains(err.Error(), "at most 20") {
		t.Errorf("%v", err)
	}

	// Room is made by what is pruned before what is new is made.
	s = newSenders(pimtest.Extensions{}, platformtest.Config{})
	own := s.platform.AddSubscriber("pim-functions production", platformapi.Active)
	for range platformapi.MaxSubscriptions - 1 {
		s.platform.AddSubscription(own, "https://elsewhere.example.com", "com.akeneo.pim.v1.app.deleted")
	}
	s.platform.AddSubscription(own, base+"/event-platform/main", "com.akeneo.pim.v1.family.created")
	apply(t, s.session(t, c, register.Options{Prune: true}))
}
