package pimevent_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/pimevent"
)

var update = flag.Bool("update", false, "write the golden file of what the samples say")

// sample is a payload as its sender writes it, from the folder that holds them for everybody.
type sample struct {
	name, api string
	text      []byte
}

func samples(tb testing.TB) []sample {
	tb.Helper()
	var all []sample
	for folder, api := range map[string]string{"events-api": pimevent.EventsAPI, "event-platform": pimevent.EventPlatform} {
		files, err := filepath.Glob("../../events/" + folder + "/*.json")
		if err != nil {
			tb.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				tb.Fatal(err)
			}
			one := sample{strings.TrimSuffix(filepath.Base(file), ".json"), api, text}
			if strings.HasPrefix(one.name, "notification-") {
				one.api = pimevent.Notifications
			}
			all = append(all, one)
		}
	}
	if len(all) < 50 {
		tb.Fatalf("only %d samples: the test looks in the wrong place", len(all))
	}
	slices.SortFunc(all, func(a, b sample) int { return strings.Compare(a.api+a.name, b.api+b.name) })
	return all
}

// events are the events of a sample: a request of the Events API holds several.
func (s sample) events(tb testing.TB) []json.RawMessage {
	tb.Helper()
	if s.api != pimevent.EventsAPI {
		return []json.RawMessage{s.text}
	}
	var request struct{ Events []json.RawMessage }
	if err := json.Unmarshal(s.text, &request); err != nil {
		tb.Fatalf("%s: %v", s.name, err)
	}
	return request.Events
}

// Every sample of both APIs, and what we read from it: a file that is new, or read in another way, changes the golden
// file, which is to be read.
func TestWhatTheSamplesSay(t *testing.T) {
	var b strings.Builder
	for _, s := range samples(t) {
		for _, raw := range s.events(t) {
			e := pimevent.Decode(s.api, "main", raw)
			fmt.Fprintf(&b, "%s/%s: %s, %s %q, %s", s.api, s.name, e.Type, e.Kind, e.EntityID, e.Time.Format(time.RFC3339Nano))
			if e.Author != (pimevent.Author{}) {
				fmt.Fprintf(&b, ", by %s %s", e.Author.Type, e.Author.Identifier)
			}
			if e.Source+e.Subject != "" {
				fmt.Fprintf(&b, ", from %s%s", e.Source, e.Subject)
			}
			for _, change := range e.Changes {
				fmt.Fprintf(&b, "; %s", change.Name)
				if change.Value || change.Locale != "" {
					fmt.Fprintf(&b, "[%s,%s]", change.Locale, change.Channel)
				}
			}
			if e.Notice != nil {
				fmt.Fprintf(&b, "; because %q of %q", e.Notice.Reason, e.Notice.Events)
			}
			b.WriteByte('\n')
			if e.ID == "" || e.PIM != "main" || e.API != s.api || !bytes.Equal(e.Raw, raw) || e.Delta() != strings.HasSuffix(e.Type, ".delta") {
				t.Errorf("%s: id %q, pim %q, api %q", s.name, e.ID, e.PIM, e.API)
			}
			if s.api != pimevent.Notifications && !bytes.Contains(raw, []byte(`"`+e.ID+`"`)) {
				t.Errorf("%s: id %q is not the sender's", s.name, e.ID)
			}
		}
	}
	const golden = "testdata/samples.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	got, lines := strings.Split(b.String(), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(got), len(lines)) {
		var is, was string
		if i < len(got) {
			is = got[i]
		}
		if i < len(lines) {
			was = lines[i]
		}
		if is != was {
			t.Errorf("line %d\n got %s\nwant %s", i+1, is, was)
		}
	}
	if t.Failed() {
		t.Log("if that is meant: go test ./shared/pimevent -update")
	}
}

func TestWhatIsOdd(t *testing.T) {
	const cloud = `"specversion":"1.0","id":"1","time":"2026-01-05T11:45:00Z"`
	for _, row := range []struct {
		name, api, raw string
		want           pimevent.Event
	}{
		{"an unknown type with an entity we know", pimevent.EventPlatform, `{` + cloud + `,"type":"com.akeneo.pim.v2.product.loved","data":{"product":{"uuid":"u"}}}`,
			pimevent.Event{ID: "1", Type: "com.akeneo.pim.v2.product.loved", Kind: "product", EntityID: "u"}},
		{"a type of somebody else", pimevent.EventPlatform, `{` + cloud + `,"type":"x"}`, pimevent.Event{ID: "1", Type: "x"}},
		{"no author", pimevent.EventPlatform, `{` + cloud + `,"type":"com.akeneo.pim.v1.product.became-complete","data":{"product":{"uuid":"u"}}}`,
			pimevent.Event{ID: "1", Type: "com.akeneo.pim.v1.product.became-complete", Kind: "product", EntityID: "u"}},
		{"an empty map as PHP writes it", pimevent.EventPlatform, `{` + cloud + `,"type":"com.akeneo.pim.v1.product.updated.delta","data":{"product":{"uuid":"u","changes":[]}}}`,
			pimevent.Event{ID: "1", Type: "com.akeneo.pim.v1.product.updated.delta", Kind: "product", EntityID: "u"}},
		{"values as PHP writes none", pimevent.EventPlatform, `{` + cloud + `,"type":"com.akeneo.pim.v1.product.updated.delta","data":{"product":{"uuid":"u","changes":{"values":[],"categories":{}}}}}`,
			pimevent.Event{ID: "1", Type: "com.akeneo.pim.v1.product.updated.delta", Kind: "product", EntityID: "u"}},
		{"scope and channel mean the same", pimevent.EventPlatform, `{` + cloud + `,"type":"com.akeneo.pim.v1.product.updated.delta","data":{"product":{"uuid":"u","changes":{"values":{"a":[{"locale":null,"scope":"print"}],"b":[{"locale":"en_US","channel":"ecommerce"}],"c":[]}}}}}`,
			pimevent.Event{ID: "1", Type: "com.akeneo.pim.v1.product.updated.delta", Kind: "product", EntityID: "u", Changes: []pimevent.Change{
				{Name: "a", Value: true, Channel: "print"}, {Name: "b", Value: true, Locale: "en_US", Channel: "ecommerce"},
			}}},
		{"values of a shape that is newer than we", pimevent.EventPlatform, `{` + cloud + `,"type":"com.akeneo.pim.v1.product.updated.delta","data":{"product":{"uuid":"u","changes":{"values":{"a":{"en_US":"b"},"b":null}}}}}`,
			pimevent.Event{ID: "1", Type: "com.akeneo.pim.v1.product.updated.delta", Kind: "product", EntityID: "u", Changes: []pimevent.Change{{Name: "a", Value: true}}}},
		{"labels of a category, by locale", pimevent.EventPlatform, `{` + cloud + `,"type":"com.akeneo.pim.v1.category.updated.delta","data":{"category":{"code":"shoes","changes":{"labels":{"fr_FR":{"previous":"a","new":"b"},"de_DE":{"previous":null,"new":"c"},"en_US":{"previous":null,"new":null}}}}}}`,
			pimevent.Event{ID: "1", Type: "com.akeneo.pim.v1.category.updated.delta", Kind: "category", EntityID: "shoes", Changes: []pimevent.Change{
				{Name: "labels", Locale: "de_DE"}, {Name: "labels", Locale: "fr_FR"},
			}}},
		{"labels of a shape that is newer than we", pimevent.EventPlatform, `{` + cloud + `,"type":"com.akeneo.pim.v1.category.updated.delta","data":{"category":{"code":"shoes","changes":{"labels":["fr_FR"]}}}}`,
			pimevent.Event{ID: "1", Type: "com.akeneo.pim.v1.category.updated.delta", Kind: "category", EntityID: "shoes", Changes: []pimevent.Change{{Name: "labels"}}}},
		{"properties of an asset", pimevent.EventPlatform, `{` + cloud + `,"type":"com.akeneo.pim.v1.asset.updated.delta","data":{"asset":{"code":"a","asset_family":{"code":"packshots"},"changes":{"properties":{"tags":{"previous":[],"new":["x"]},"labels":{"fr_FR":{"previous":"a","new":"b"}}},"values":{"alt":[{"locale":"en_US","channel":null}]}}}}}`,
			pimevent.Event{ID: "1", Type: "com.akeneo.pim.v1.asset.updated.delta", Kind: "asset", EntityID: "packshots/a", Changes: []pimevent.Change{
				{Name: "alt", Value: true, Locale: "en_US"}, {Name: "labels", Locale: "fr_FR"}, {Name: "tags"},
			}}},
		{"lists that hold no change", pimevent.EventPlatform, `{` + cloud + `,"type":"com.akeneo.pim.v1.product.updated.delta","data":{"product":{"uuid":"u","changes":{"categories":{"added":[],"removed":[]},"groups":{"added":["g"],"removed":[]},"associations":{"PACK":{"added":{"products":[],"groups":[]},"removed":[]}},"values":{"name":[]},"labels":{}}}}}`,
			pimevent.Event{ID: "1", Type: "com.akeneo.pim.v1.product.updated.delta", Kind: "product", EntityID: "u", Changes: []pimevent.Change{{Name: "groups"}}}},
		{"a code that is a number", pimevent.EventPlatform, `{` + cloud + `,"type":"com.akeneo.pim.v1.category.updated","data":{"category":{"code":123}}}`,
			pimevent.Event{ID: "1", Type: "com.akeneo.pim.v1.category.updated", Kind: "category", EntityID: "123"}},
		{"members of other types", pimevent.EventPlatform, `{"id":"1","type":7,"time":[],"data":{"author":"julia","product":3}}`, pimevent.Event{ID: "1"}},
		{"a text where others have an entity", pimevent.EventPlatform, `{` + cloud + `,"type":"com.akeneo.pim.v1.activity.authentication","data":{"app":"acme.cloud.akeneo.com"}}`,
			pimevent.Event{ID: "1", Type: "com.akeneo.pim.v1.activity.authentication"}},
		{"data that is a text", pimevent.EventPlatform, `{"id":"1","type":"x","data":"d"}`, pimevent.Event{ID: "1", Type: "x"}},
		{"the Events API without an identifier", pimevent.EventsAPI, `{"action":"product.created","event_id":"1","event_datetime":"2026-01-05T11:45:00+0000","data":{"resource":{"uuid":"u","identifier":null,"quantified_associations":[]}}}`,
			pimevent.Event{ID: "1", Type: "product.created", Kind: "product", EntityID: "u"}},
		{"the Events API before 7.0, without a UUID", pimevent.EventsAPI, `{"action":"product.removed","event_id":"1","data":{"resource":{"identifier":"sku"}}}`,
			pimevent.Event{ID: "1", Type: "product.removed", Kind: "product", EntityID: "sku"}},
		{"an action of the future", pimevent.EventsAPI, `{"action":"asset.created","event_id":"1","data":{"resource":{"code":"c"}}}`,
			pimevent.Event{ID: "1", Type: "asset.created", Kind: "asset", EntityID: "c"}},
		{"a resource that is a list", pimevent.EventsAPI, `{"action":"product.created","event_id":"1","data":{"resource":[]}}`, pimevent.Event{ID: "1", Type: "product.created", Kind: "product"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := pimevent.Decode(row.api, "main", []byte(row.raw))
			if got.ID != row.want.ID || got.Type != row.want.Type || got.Kind != row.want.Kind || got.EntityID != row.want.EntityID || !slices.Equal(named(got.Changes), named(row.want.Changes)) || got.Author != row.want.Author {
				t.Errorf("got  %+v\nwant %+v", got, row.want)
			}
		})
	}
}

// named are changes without what they were from and to.
func named(changes []pimevent.Change) (names []string) {
	for _, c := range changes {
		names = append(names, fmt.Sprint(c.Name, c.Value, c.Locale, c.Channel))
	}
	return names
}

func TestWhatAChangeWasFromAndTo(t *testing.T) {
	const delta = `{"specversion":"1.0","id":"1","time":"2026-01-05T11:45:00.5Z","type":"com.akeneo.pim.v1.product.updated.delta","data":{"product":{"uuid":"u","updated_at":%s,"changes":{
		"enabled":{"previous":true,"new":false},"family":{"previous":null,"new":"shoes"},"categories":{"added":["a","b"],"removed":[]},
		"values":{"price":[{"previous":[{"amount":"1.00","currency":"EUR"}],"new":null,"locale":null,"scope":"ecommerce"}]}}}}}`
	event := pimevent.Decode(pimevent.EventPlatform, "main", fmt.Appendf(nil, delta, `{"date":"2026-01-05 12:44:59.250000","timezone":"Europe/Paris"}`))
	for _, row := range []struct{ name, previous, new, added, removed string }{
		{"enabled", "true", "false", "", ""},
		{"family", "null", `"shoes"`, "", ""},
		{"categories", "", "", `["a","b"]`, "[]"},
		{"price", `[{"amount":"1.00","currency":"EUR"}]`, "null", "", ""},
		{"name", "", "", "", ""},
	} {
		got := event.Change(row.name)
		if string(got.Previous) != row.previous || string(got.New) != row.new || string(got.Added) != row.added || string(got.Removed) != row.removed {
			t.Errorf("%s: from %s to %s, added %s, removed %s", row.name, got.Previous, got.New, got.Added, got.Removed)
		}
	}
	for _, row := range []struct{ at, updated, reached string }{
		{`{"date":"2026-01-05 12:44:59.250000","timezone":"Europe/Paris"}`, "2026-01-05T11:44:59.25Z", "2026-01-05T11:44:59Z"},
		{`{"date":"2026-01-05 11:44:59.000000","timezone":"UTC"}`, "2026-01-05T11:44:59Z", "2026-01-05T11:44:59Z"},
		{`{"date":"2026-01-05 12:44:59.000000","timezone_type":1,"timezone":"+01:00"}`, "2026-01-05T11:44:59Z", "2026-01-05T11:44:59Z"},
		{`"2026-01-05T11:44:59Z"`, "2026-01-05T11:44:59Z", "2026-01-05T11:44:59Z"},
		{`{"date":"2026-01-05 11:44:59.000000","timezone":"Mars/Base"}`, "0001-01-01T00:00:00Z", "2026-01-05T11:44:58Z"}, // the event's own time, less what clocks differ by
		{`{"date":"yesterday","timezone":"UTC"}`, "0001-01-01T00:00:00Z", "2026-01-05T11:44:58Z"},
		{`[]`, "0001-01-01T00:00:00Z", "2026-01-05T11:44:58Z"},
		{`7`, "0001-01-01T00:00:00Z", "2026-01-05T11:44:58Z"},
	} {
		event := pimevent.Decode(pimevent.EventPlatform, "main", fmt.Appendf(nil, delta, row.at))
		if got := event.Updated.Format(time.RFC3339Nano); got != row.updated {
			t.Errorf("%s: updated %s", row.at, got)
		}
		if got := event.Reached().Format(time.RFC3339Nano); got != row.reached {
			t.Errorf("%s: reached %s", row.at, got)
		}
	}
	complete := pimevent.Event{Type: "com.akeneo.pim.v1.product.became-complete", Time: time.Now()}
	if !complete.Reached().IsZero() {
		t.Errorf("an event that changes no product says how new it is: %s", complete.Reached())
	}
}

// What people know the entity by, where the event tells it.
func TestTheIdentifierOfAnEvent(t *testing.T) {
	for _, row := range []struct{ name, api, raw, want string }{
		{"a product, where the subscription asks for it", pimevent.EventPlatform, `{"id":"1","type":"com.akeneo.pim.v1.product.deleted","data":{"product":{"uuid":"u","identifier":"sku-1"}}}`, "sku-1"},
		{"a product, where it does not", pimevent.EventPlatform, `{"id":"1","type":"com.akeneo.pim.v1.product.deleted","data":{"product":{"uuid":"u"}}}`, ""},
		{"a model", pimevent.EventPlatform, `{"id":"1","type":"com.akeneo.pim.v1.product-model.updated","data":{"product_model":{"code":"m"}}}`, "m"},
		{"a category", pimevent.EventPlatform, `{"id":"1","type":"com.akeneo.pim.v1.category.updated","data":{"category":{"code":"c"}}}`, ""},
		{"a product of the Events API", pimevent.EventsAPI, `{"action":"product.removed","event_id":"1","data":{"resource":{"identifier":"1111","uuid":"u"}}}`, "1111"},
		{"one without", pimevent.EventsAPI, `{"action":"product.removed","event_id":"1","data":{"resource":{"identifier":null,"uuid":"u"}}}`, ""},
		{"a model of the Events API", pimevent.EventsAPI, `{"action":"product_model.created","event_id":"1","data":{"resource":{"code":"m"}}}`, "m"},
	} {
		if got := pimevent.Decode(row.api, "main", []byte(row.raw)).Identifier; got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}

// An event without an id of its own is known by its bytes: it is no way around the recognition of duplicates.
func TestWithoutAnIDTheBytesAreTheID(t *testing.T) {
	seen := map[string]string{}
	for _, raw := range []string{
		"", "null", "[]", "{}", "7", `"text"`, "\xff\xfe", strings.Repeat("[", 10000), `{"id":""}`, `{"id":null}`, `{"id":7}`, `{"id":["1"]}`,
		`{"id":"` + strings.Repeat("x", 201) + `"}`, `{"type":"a"}`, `{"type":"a" }`, `{"a":1e999}`, strings.Repeat(`{"a":`, 10000) + "1" + strings.Repeat("}", 10000),
	} {
		for _, api := range []string{pimevent.EventPlatform, pimevent.EventsAPI, pimevent.Notifications} {
			event := pimevent.Decode(api, "main", []byte(raw))
			if !strings.HasPrefix(event.ID, "sha256-") || string(event.Raw) != raw {
				t.Errorf("%.30q: id %q", raw, event.ID)
			}
			if again := pimevent.Decode(api, "main", []byte(raw)); again.ID != event.ID {
				t.Errorf("%.30q: two ids, %q and %q", raw, event.ID, again.ID)
			}
			if other, taken := seen[event.ID]; taken && other != raw {
				t.Errorf("%.30q and %.30q share an id", raw, other)
			}
			seen[event.ID] = raw
		}
	}
	if last := pimevent.Decode(pimevent.EventPlatform, "main", []byte(`{"id":"1","id":"2"}`)); last.ID != "2" {
		t.Errorf("of two ids %q counts, want the last, as in encoding/json", last.ID)
	}
}

func TestADeliveryIsTakenApart(t *testing.T) {
	for _, row := range []struct {
		name, body string
		want       []string
		ok         bool
	}{
		{"one event", ` {"id":"1"} `, []string{`{"id":"1"}`}, true},
		{"an array", `[{"id":"1"}, {"id":"2"}]`, []string{`{"id":"1"}`, `{"id":"2"}`}, true},
		{"an array of anything", `[1,null]`, []string{"1", "null"}, true},
		{"an empty array", `[]`, nil, true},
		{"nothing", ``, nil, false},
		{"white space", " \n", nil, false},
		{"half an event", `{"id":`, nil, false},
		{"half an array", `[{"id":"1"}`, nil, false},
		{"an event and more", `{"id":"1"}{}`, nil, false},
		{"a text", `"x"`, nil, false},
		{"too deep", strings.Repeat("[", 20000), nil, false},
	} {
		got, ok := pimevent.Split([]byte(row.body))
		var texts []string
		for _, event := range got {
			texts = append(texts, string(event))
		}
		if ok != row.ok || ok && !slices.Equal(texts, row.want) {
			t.Errorf("%s: %q, %t, want %q, %t", row.name, texts, ok, row.want, row.ok)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range samples(f) {
		for _, raw := range s.events(f) {
			f.Add(s.api, []byte(raw))
		}
	}
	f.Add(pimevent.EventPlatform, []byte("\xff"))
	f.Add("", []byte(`{"data":{"product":{"changes":{"values":{"a":{}}}}}}`))
	f.Fuzz(func(t *testing.T, api string, raw []byte) {
		before := bytes.Clone(raw)
		event := pimevent.Decode(api, "main", raw)
		if event.ID == "" || len(event.ID) > 200 || !bytes.Equal(raw, before) || !bytes.Equal(event.Raw, before) {
			t.Errorf("id %q", event.ID)
		}
		if again := pimevent.Decode(api, "main", before); again.ID != event.ID || !reflect.DeepEqual(again.Changes, event.Changes) {
			t.Errorf("the same bytes say two things: %+v and %+v", event, again)
		}
	})
}

func FuzzSplit(f *testing.F) {
	for _, s := range samples(f) {
		f.Add(s.text)
		f.Add(slices.Concat([]byte("["), s.text, []byte(","), s.text, []byte("]")))
	}
	f.Add([]byte("[[]"))
	f.Fuzz(func(t *testing.T, body []byte) {
		events, ok := pimevent.Split(body)
		if ok != (json.Valid(body) && bytes.IndexAny(bytes.TrimSpace(body), "[{") == 0) {
			t.Errorf("taken apart %t", ok)
		}
		for _, event := range events {
			if !json.Valid(event) || !bytes.Contains(body, event) {
				t.Errorf("%q is not of %q", event, body)
			}
		}
	})
}
