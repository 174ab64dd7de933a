package register_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/functions/register"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
	"github.com/pim-functions/pim-functions/shared/platformapi/platformtest"
)

const everySender = `
environments: {production: {}}
pims: {main: {url: "` + pimURL + `", technical_email: ops@example.com}}
actions: {send: {kind: forward, url: "https://erp.example.com"}}
extensions:
  button: {pim: main, type: action, positions: [pim.product.header, pim.product-grid.action-bar], label: {default: Button}, action: send}
  panel: {pim: main, type: iframe, positions: [pim.product.tab], label: {default: Panel}, actions: [send]}
  history: {pim: main, type: data_component, positions: [pim.product.panel], label: {default: History}, id: uuid}
subscriptions:
  prices: {pim: main, api: event-platform, events: [com.akeneo.pim.v1.product.updated.delta], filter: 'attribute="price"', action: send}
  gone: {pim: main, api: event-platform, events: [com.akeneo.pim.v1.product.deleted], action: send}
notifications: {main: {action: send}}
contentful: {spaces: [space1/master], actions: {notify: {category: Notification.v1.0, action: send}}}
`

// secretsAt are what each sender proves itself with, by place.
func (s *senders) secretsAt() map[string]string {
	all := map[string]string{"contentful": s.contentful.Secret()}
	for _, e := range s.pim.UIExtensions() {
		name, _, _ := strings.Cut(e.Name, "_")
		for _, credential := range e.Credentials {
			all[name] += fmt.Sprint(credential.Value, " ")
		}
		all[name] += e.Configuration.Secret + " "
	}
	for _, one := range s.platform.All() {
		if one.Name != "" {
			all["event-platform.main/notifications"] = one.Contact.WebhookSecret
		} else {
			all["event-platform.main"] += one.Subscription.Config.Secret.Primary + "," + one.Subscription.Config.Secret.Secondary + " " + one.Subscription.Filter + " "
		}
	}
	return all
}

// edit changes the lists of the signing document.
func (s *senders) edit(t *testing.T, change func(list []any) []any) {
	t.Helper()
	var document map[string]any
	if err := json.Unmarshal(s.documents["signing"], &document); err != nil {
		t.Fatal(err)
	}
	for _, one := range document["extensions"].(map[string]any) {
		fields := one.(map[string]any)
		if list, ok := fields["secrets"].([]any); ok {
			fields["secrets"] = change(list)
		}
		if credential, ok := fields["credential"]; ok {
			list, several := credential.([]any)
			if !several {
				list = []any{credential}
			}
			fields["credential"] = change(list)
		}
	}
	for name, list := range document["event-platform"].(map[string]any) {
		document["event-platform"].(map[string]any)[name] = change(list.([]any))
	}
	document["contentful"] = change(document["contentful"].([]any))
	text, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	s.documents["signing"] = text
	s.versions++
}

// Giving changes one sender's secret and nothing else, whether its API merges what it gets or replaces what it has.
func TestGivingASecretToItsSender(t *testing.T) {
	for name, merges := range map[string]bool{"merging": true, "replacing": false} {
		t.Run(name, func(t *testing.T) {
			s := newSenders(pimtest.Extensions{Replace: !merges}, platformtest.Config{Merge: merges})
			c := load(t, everySender)
			apply(t, s.session(t, c, register.Options{}))
			made := 0
			s.edit(t, func(list []any) []any {
				made++
				fresh := fmt.Sprintf("%064d", made)
				if _, isCredential := list[0].(map[string]any); isCredential {
					return append(list, map[string]any{"type": "bearer", "token": fresh})
				}
				return append(list, fresh)
			})
			session := s.session(t, c, register.Options{})
			for _, place := range register.SecretPlaces(c) {
				if place.Kind == register.OfLinks {
					continue
				}
				before := s.secretsAt()
				for range 2 { // and again changes nothing
					if err := session.Give(t.Context(), place, register.Keys{}); err != nil {
						t.Fatalf("%s: %v", place.Name, err)
					}
				}
				after := s.secretsAt()
				for other := range after {
					if (after[other] != before[other]) != (other == place.Name) {
						t.Errorf("giving %s changes the secret of %s: %t", place.Name, other, after[other] != before[other])
					}
				}
				keys := place.Keys(s.signing(t)).Newest()
				newest := append(keys.Secrets, "")[0]
				if len(keys.Credentials) > 0 {
					newest = keys.Credentials[0].Token
				}
				if !strings.Contains(after[place.Name], newest) {
					t.Errorf("%s has not the newest secret", place.Name)
				}
			}
			both := s.secretsAt()["event-platform.main"]
			list := s.signing(t).EventPlatform["main"]
			if want := list[1] + "," + list[0] + " "; strings.Count(both, want) != 2 {
				t.Errorf("the subscriptions have %s", both)
			}
			if again := plan(t, s.session(t, c, register.Options{})); len(again.Changes) > 0 {
				t.Errorf("a plan has\n%s", changes(again))
			}

			// When the old ones are gone, so is the second secret at the platform.
			s.edit(t, func(list []any) []any { return list[len(list)-1:] })
			place, err := register.FindPlace(c, "event-platform.main")
			if err != nil {
				t.Fatal(err)
			}
			if err := session.Give(t.Context(), place, register.Keys{}); err != nil {
				t.Fatal(err)
			}
			if now := s.secretsAt()["event-platform.main"]; strings.Count(now, list[1]+", ") != 2 || !strings.Contains(now, `attribute="price"`) {
				t.Errorf("the subscriptions have %s", now)
			}
		})
	}
}

// What no API does for us is said with where to click; what is not there, with what to run.
func TestWhatCannotBeGiven(t *testing.T) {
	button := register.Place{Name: "button", Kind: register.OfAction, PIM: "main", Target: "button"}
	for name, row := range map[string]struct {
		settings pimtest.Extensions
		applied  bool
		hand     bool
		says     string
	}{
		"the API is off":                  {pimtest.Extensions{Off: true}, true, true, "System > Extensions > button > Secret"},
		"the role lacks the right":        {pimtest.Extensions{Forbidden: true}, true, true, "System > Extensions > button > Secret"},
		"it was never told to the sender": {pimtest.Extensions{}, false, false, "run apply first"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSenders(pimtest.Extensions{}, platformtest.Config{})
			c := load(t, everySender)
			if row.applied {
				apply(t, s.session(t, c, register.Options{}))
			} else {
				_, err := s.session(t, c, register.Options{}).Documents.Fill(t.Context(), c)
				if err != nil {
					t.Fatal(err)
				}
			}
			s.pim.SetExtensions(row.settings)
			err := s.session(t, c, register.Options{}).Give(t.Context(), button, register.Keys{})
			hand, byHand := errors.AsType[*register.HandError](err)
			if err == nil || byHand != row.hand || !strings.Contains(err.Error(), row.says) {
				t.Errorf("%v (%v)", err, hand)
			}
		})
	}
	s := newSenders(pimtest.Extensions{}, platformtest.Config{})
	c := load(t, everySender)
	session := s.session(t, c, register.Options{})
	session.Senders.PIMs = nil
	if err := session.Give(t.Context(), button, register.Keys{}); err == nil || !strings.Contains(err.Error(), "System > Extensions") {
		t.Errorf("without a connection: %v", err)
	}
}
