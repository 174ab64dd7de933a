package register_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/functions/register"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/contentfulapi"
	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
	"github.com/pim-functions/pim-functions/shared/platformapi"
	"github.com/pim-functions/pim-functions/shared/platformapi/platformtest"
)

var states = flag.Int("states", 200, "how many random states TestAnyStateBecomesWhatIsDeclared begins with")

// declarable are the parts that a random extensions.yaml is made of.
var declarable = map[string][]string{
	"extensions": {
		`one: {pim: main, type: action, positions: [pim.product.header, pim.product-grid.action-bar], label: {default: One, fr_FR: Un}, action: send, userEmails: [a@example.com], version: "1"}`,
		`tab: {pim: main, type: iframe, positions: [pim.product.tab], label: {default: Tab}, actions: [send], status: inactive}`,
		`data: {pim: main, type: data_component, positions: [pim.product.panel], label: {default: Data}, id: uuid, description: What we did}`,
		`shop: {pim: main, type: link, positions: [pim.product.header], label: {default: Shop}, url: "https://shop.example.com/%sku%"}`,
	},
	"subscriptions": {
		`prices: {pim: main, api: event-platform, events: [com.akeneo.pim.v1.product.updated.delta], filter: 'attribute="price"', identifiers: true, action: send}`,
		`gone: {pim: main, api: event-platform, events: [com.akeneo.pim.v1.product.deleted, com.akeneo.pim.v1.product.created], headers: {X-Zone: shop}, action: send}`,
	},
	"contentful": {`notify: {category: Notification.v1.0, action: send}`, `entries: {category: Entries.v1.0, action: send}`},
}

// declaration is a random part of what is declarable.
func declaration(t *testing.T, r *rand.Rand) *config.Config {
	parts := map[string]string{}
	for _, section := range slices.Sorted(maps.Keys(declarable)) {
		for _, line := range declarable[section] {
			if r.IntN(4) > 0 {
				parts[section] += "\n  " + line
			}
		}
	}
	text := `
environments: {production: {}}
pims: {main: {url: "` + pimURL + `", technical_email: ops@example.com}}
actions: {send: {kind: forward, url: "https://erp.example.com"}}
`
	for _, section := range []string{"extensions", "subscriptions"} {
		if parts[section] != "" {
			text += section + ":" + parts[section] + "\n"
		}
	}
	if parts["subscriptions"] != "" && r.IntN(2) == 0 {
		text += "notifications: {main: {action: send}}\n"
	}
	if parts["contentful"] != "" {
		text += "contentful:\n  spaces: [space1/master]\n  actions:" + strings.ReplaceAll(parts["contentful"], "\n", "\n  ") + "\n"
	}
	return load(t, text)
}

// fill puts a random state into the senders: some of it ours and right, some of it changed by somebody, some another's.
func (s *senders) fill(t *testing.T, r *rand.Rand, c *config.Config) {
	document := []byte("{}")
	if r.IntN(3) > 0 { // else every secret is missing
		filled, err := register.FillSigning(document, c)
		if err != nil {
			t.Fatal(err)
		}
		document, err = register.Sent(filled.Document, filled.Made) // they were sent
		if err != nil || document == nil {
			document = filled.Document
		}
		if r.IntN(3) == 0 {
			document = withoutSome(document, r)
		}
	}
	s.documents["signing"] = document
	signing := s.signing(t)
	entries, err := register.Entries(load(t, everything), base, &signing)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		e := entry.Extension
		if e.Configuration.Secret == "" && (e.Type == "action" || e.Type == "iframe") {
			e.Configuration.Secret = "T0PSECRET-that-nobody-knows-any-more"
		}
		if e.Type == "data_component" && len(e.Credentials) == 0 {
			e.Credentials = []pim.ExtensionCredential{{Type: "Bearer Token", Value: "T0PSECRET-that-nobody-knows"}}
		}
		switch r.IntN(7) {
		case 0: // as it should be
		case 1:
			e.Configuration.DefaultLabel, e.Configuration.Labels = "Mine", map[string]string{"de_DE": "Meins"}
		case 2:
			e.Position, e.Configuration.URL, e.Version = "pim.product.tab", "https://evil.example.com", "9"
		case 3:
			e.Type, e.Status = "link", "inactive"
		case 4:
			e.Description = "Made by hand"
		case 5:
			e.Description = "Ours (pim-functions staging)"
		default:
			continue
		}
		s.pim.AddExtension("", e)
	}
	s.pim.AddExtension("", ours("dropped", base+"/actions/dropped"))
	s.pim.AddExtension("another", ours("one", "https://elsewhere.example.com"))

	stranger := s.platform.AddSubscriber("theirs", platformapi.Active)
	s.platform.AddSubscription(stranger, "https://their.example.com", "com.akeneo.pim.v1.product.deleted")
	s.platform.AddSubscriberOf("2_other", "pim-functions production")
	if r.IntN(3) > 0 {
		own := s.platform.AddSubscriber("pim-functions production", platformapi.Active)
		for range r.IntN(4) {
			to := []string{base + "/event-platform/main", base + "/event-platform/main", "https://evil.example.com"}[r.IntN(3)]
			events := [][]string{
				{"com.akeneo.pim.v1.product.updated.delta"}, {"com.akeneo.pim.v1.product.deleted", "com.akeneo.pim.v1.product.created"}, {"com.akeneo.pim.v1.family.created"},
			}[r.IntN(3)]
			id := s.platform.AddSubscription(own, to, events...)
			s.platform.Change(id, func(request *platformapi.SubscriptionRequest) {
				request.Config.Secret.Primary = "T0PSECRET-at-the-platform"
				if list := signing.EventPlatform["main"]; len(list) > 0 {
					request.Config.Secret.Primary = list[0]
				}
				if r.IntN(2) == 0 {
					request.Filter, request.Identifier = `attribute="price"`, true
				}
				if r.IntN(4) == 0 {
					request.Config.Headers, request.Config.Secret.Secondary = map[string]string{"X-Key": "T0PSECRET"}, "T0PSECRET-secondary"
				}
			})
			if state := r.IntN(5); state < 2 {
				s.platform.Set(id, []string{platformapi.Suspended, platformapi.Revoked}[state])
			}
		}
	}
	for _, name := range []string{"notify", "entries", "dropped"} {
		action := contentfulapi.Action{Name: name, Description: "(pim-functions production)", Category: "Entries.v1.0", URL: base + "/contentful/" + name}
		switch r.IntN(4) {
		case 0:
			action.URL = "https://evil.example.com"
		case 1:
			action.Description = "Made by hand"
		case 2:
			continue
		}
		s.contentful.Define(action)
	}
}

var everything = func() string {
	text := "environments: {production: {}}\npims: {main: {url: \"" + pimURL + "\"}}\nactions: {send: {kind: forward, url: \"https://erp.example.com\"}}\nextensions:"
	for _, line := range declarable["extensions"] {
		text += "\n  " + line
	}
	return text
}()

// withoutSome takes some secrets out of a signing document.
func withoutSome(document []byte, r *rand.Rand) []byte {
	var root map[string]json.RawMessage
	if json.Unmarshal(document, &root) != nil {
		return document
	}
	for _, name := range slices.Sorted(maps.Keys(root)) {
		if r.IntN(2) == 0 {
			delete(root, name)
		}
	}
	text, _ := json.Marshal(root)
	return text
}

// strangers is all that is not ours to touch, as text.
func (s *senders) strangers(prune, adopt bool) string {
	var all []any
	for _, e := range s.pim.UIExtensions() {
		whose := strings.HasSuffix(e.Description, "(pim-functions production)")
		byHand := e.Description == "Made by hand" && adopt
		if (!whose && !byHand) || e.Configuration.URL == "https://elsewhere.example.com" || whose && e.Name == "dropped" && !prune {
			all = append(all, e)
		}
	}
	for _, held := range s.platform.All() {
		if held.Name == "theirs" || held.Client == "2_other" || held.Subscription.Config.URL == "https://their.example.com" {
			all = append(all, held)
		}
	}
	for _, action := range s.contentful.Definitions() {
		if action.Description == "Made by hand" && !adopt {
			all = append(all, action)
		}
	}
	text, _ := json.Marshal(all)
	return string(text)
}

// From any state, an apply that is ended at any call and begun again reaches what is declared; a second plan is empty; what
// is not ours is as it was, to the byte.
func TestAnyStateBecomesWhatIsDeclared(t *testing.T) {
	const lanes = 4
	for lane := range lanes {
		t.Run(fmt.Sprint(lane), func(t *testing.T) {
			t.Parallel()
			for n := lane; n < *states && !t.Failed(); n += lanes {
				becomes(t, uint64(n))
			}
		})
	}
}

func becomes(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 16))
	flip := func() bool { return r.IntN(2) == 0 }
	c := declaration(t, r)
	s := newSenders(pimtest.Extensions{Short: flip(), Replace: flip()}, platformtest.Config{Merge: flip(), Older: flip(), Silent: flip()})
	s.fill(t, r, c)
	options := register.Options{Prune: flip(), Adopt: flip(), Resume: flip()}
	before := s.strangers(options.Prune, options.Adopt)

	s.revive()
	first := s.session(t, c, options)
	ctx, end := context.WithCancel(t.Context())
	defer end()
	s.end, s.endsAt, s.after = end, 1+r.IntN(60), flip()
	if made, err := first.Plan(ctx); err == nil {
		err = first.Apply(ctx, made, func(register.Change) {})
		if s.dead && err == nil {
			t.Errorf("state %d: ended at call %d, and no error", seed, s.endsAt)
		}
	}
	s.revive()
	made := apply(t, s.session(t, c, options))

	blocked := map[string]bool{}
	for _, one := range made.ByHand {
		blocked[one.Name] = true
	}
	s.reached(t, c, blocked, options.Prune)
	if after := s.strangers(options.Prune, options.Adopt); after != before {
		t.Errorf("what is not ours was\n%s\nand is\n%s", before, after)
	}
	if t.Failed() {
		t.Logf("state %d, %+v", seed, options)
	}
}

// reached checks that the senders know what is declared, by what they hold themselves.
func (s *senders) reached(t *testing.T, c *config.Config, blocked map[string]bool, pruned bool) {
	t.Helper()
	signing := s.signing(t)
	entries, err := register.Entries(c, base, &signing)
	if err != nil {
		t.Fatal(err)
	}
	held := s.pim.UIExtensions()
	for _, entry := range entries {
		want := entry.Extension
		want.Status = map[bool]string{true: "inactive", false: "active"}[want.Status == "inactive"]
		found := 0
		for _, e := range held {
			if e.Name != want.Name || !strings.HasSuffix(e.Description, "(pim-functions production)") || e.Configuration.URL == "https://elsewhere.example.com" {
				continue
			}
			found++
			e.UUID = ""
			if len(e.Configuration.Labels) == 0 {
				e.Configuration.Labels = want.Configuration.Labels
			}
			if a, b := normal(e), normal(want); a != b {
				t.Errorf("the PIM has\n%s\nwant\n%s", a, b)
			}
		}
		if found != 1 && !blocked[entry.Declared] {
			t.Errorf("%d of %s", found, want.Name)
		}
	}
	listeners, err := register.Listeners(c, base, &signing)
	if err != nil {
		t.Fatal(err)
	}
	own := ""
	for _, one := range s.platform.All() {
		if one.Name == "pim-functions production" && one.Client == pimtest.Connect.ClientID {
			own = one.ID
		}
	}
	for _, l := range listeners {
		for _, wanted := range l.Subscriptions {
			found := 0
			for _, one := range s.platform.All() {
				got := one.Subscription
				slices.Sort(got.Events)
				if one.Subscriber == own && one.Status != platformapi.Revoked && reflect.DeepEqual(got, wanted.Request(pimURL, l.Destination)) {
					found++
				}
			}
			if found < 1 || pruned && found > 1 { // a second one is no longer declared
				t.Errorf("%d subscriptions as %s", found, wanted.Name)
			}
		}
	}
	if len(c.Contentful.Actions) > 0 && s.contentful.Secret() != signing.Contentful[len(signing.Contentful)-1] {
		t.Error("Contentful has another signing secret")
	}
	for name, action := range c.Contentful.Actions {
		found := slices.ContainsFunc(s.contentful.Definitions(), func(a contentfulapi.Action) bool {
			return a.Name == name && a.Category == action.Category && a.URL == base+"/contentful/"+name && a.Description == "(pim-functions production)"
		})
		if !found && !blocked[name] {
			t.Errorf("no App Action %s", name)
		}
	}
	if strings.Contains(string(s.documents["signing"]), "unsent") && len(blocked) == 0 {
		t.Errorf("secrets are not sent: %s", s.documents["signing"])
	}
}

func normal(e pim.Extension) string {
	text, _ := json.Marshal(e)
	return string(text)
}
