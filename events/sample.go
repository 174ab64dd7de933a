package main

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

//go:embed *.json contentful/*.json events-api/*.json event-platform/*.json
var files embed.FS

// folders hold the samples of one sender each: the folder's name and a dash begin the sample's.
var folders = []string{"contentful", "events-api", "event-platform"}

// abouts says what each sample of the top folder is. A test holds the list and the files together. Events say it
// themselves.
var abouts = map[string]string{
	"action-product-grid":                        "a button of the product grid: three products, two product models",
	"action-product-grid-legacy-category":        "the same from 2025-09-25 to 2026-01-19: one category, groups as strings",
	"action-product-header":                      "a button of a product's page",
	"action-product-header-legacy-groups":        "the same before 2026-01-19: groups as strings",
	"action-product-header-legacy-snake-case":    "the same in February 2025: product_uuid, no user uuid",
	"action-product-header-with-categories":      "a button of a product's page, with categories in its context",
	"action-product-index":                       "a button of the page that lists products: no items",
	"action-product-index-empty-array-tolerance": "the same with PHP's other spelling of an empty map",
	"action-product-model-header":                "a button of a product model's page",
	"action-sub-product-model-header":            "a button of a sub product model's page",
	"forwarded-event":                            "what an action of kind forward posts for an event",
	"forwarded-job":                              "what an action of kind forward posts for a batch of a job",
	"data-product":                               "the PIM's look at a data component: a GET, whose address names the product",
	"iframe-start":                               "the page inside the PIM starts an action on a selection",
	"worker-events":                              "the Lambda event that the worker gets from the events queue",
	"worker-jobs":                                "the Lambda event that the worker gets from the jobs queue",
}

// sample is a payload as its sender writes it, pretty-printed for reading.
type sample struct {
	name string
	text []byte
}

// samples are the names of all, sorted.
var samples = sync.OnceValue(func() []string {
	all := slices.Collect(maps.Keys(abouts))
	for _, folder := range folders {
		entries, err := files.ReadDir(folder)
		if err != nil {
			panic(err) // cannot happen: it is embedded
		}
		for _, entry := range entries {
			all = append(all, folder+"-"+strings.TrimSuffix(entry.Name(), ".json"))
		}
	}
	slices.Sort(all)
	return all
})

// find returns the sample of a name. Its error names the nearest ones.
func find(name string) (sample, error) {
	name = strings.TrimSuffix(name, ".json")
	if !slices.Contains(samples(), name) {
		return sample{}, fmt.Errorf("no sample %q; did you mean %s? (--list shows all)", name, strings.Join(nearest(name, 3), ", "))
	}
	file := name
	for _, folder := range folders {
		if rest, ok := strings.CutPrefix(name, folder+"-"); ok {
			file = folder + "/" + rest
		}
	}
	text, err := files.ReadFile(file + ".json")
	return sample{name, text}, err
}

// about says in a few words what the sample is.
func (s sample) about() string {
	if category, ok := strings.CutPrefix(s.name, "contentful-"); ok {
		return "an App Action's call, category " + category
	}
	if about, ok := abouts[s.name]; ok {
		return about
	}
	var event struct {
		Type   string
		Notice string `json:"notification_type"`
		Events []json.RawMessage
	}
	if err := json.Unmarshal(s.text, &event); err != nil {
		return "what the sender may get wrong"
	}
	var first struct{ Action string }
	if len(event.Events) > 0 && event.Notice == "" {
		json.Unmarshal(event.Events[0], &first) // without one nothing is said of it
	}
	switch {
	case event.Notice != "":
		return "a notification: " + event.Notice
	case event.Type != "":
		return "an event: " + event.Type
	case len(event.Events) > 1:
		return fmt.Sprintf("a request with %d events: %s and others", len(event.Events), first.Action)
	}
	return "a request with one event: " + first.Action
}

// nearest returns at most so many samples, those whose names hold what looks most like what was typed first; of
// equals the shortest.
func nearest(typed string, most int) []string {
	all := slices.Clone(samples())
	slices.SortStableFunc(all, func(a, b string) int {
		return cmp.Or(cmp.Compare(distance(typed, a), distance(typed, b)), cmp.Compare(len(a), len(b)))
	})
	return all[:min(most, len(all))]
}

// distance is how many letters of typed must be added, left out or changed to make it some part of name
// (Levenshtein's distance, where what the name has before and after that part costs nothing).
func distance(typed, name string) int {
	row := make([]int, len(name)+1)
	for i := range len(typed) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(name) {
			change := diagonal
			if typed[i] != name[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return slices.Min(row)
}

// timestampValue is the signed time of an action's compact body.
var timestampValue = regexp.MustCompile(`"timestamp":-?\d+`)

// compact is the sample as it goes on the wire: with its keys in their order.
func (s sample) compact() ([]byte, error) {
	var compact bytes.Buffer
	if err := json.Compact(&compact, s.text); err != nil {
		return nil, fmt.Errorf("sample %q: %w", s.name, err)
	}
	return compact.Bytes(), nil
}

// pressed is an action's body, pressed at that time. With fresh its items are like the sample's but new, so that no
// earlier job is met.
func (s sample) pressed(at time.Time, fresh bool) ([]byte, error) {
	body, err := s.compact()
	if err != nil {
		return nil, err
	}
	if n := len(timestampValue.FindAll(body, -1)); n != 1 {
		return nil, fmt.Errorf("sample %q has %d timestamps, want one", s.name, n)
	}
	body = timestampValue.ReplaceAll(body, strconv.AppendInt([]byte(`"timestamp":`), at.Unix(), 10))
	if !fresh {
		return body, nil
	}
	var payload struct{ Data json.RawMessage }
	if err := json.Unmarshal(body, &payload); err != nil {
		return nil, fmt.Errorf("sample %q: %w", s.name, err)
	}
	return bytes.Replace(body, payload.Data, freshItems(payload.Data), 1), nil
}

var (
	stringOrKey = regexp.MustCompile(`"[^"\\]*":?`)
	uuidShape   = regexp.MustCompile(`^"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"$`)
)

// freshItems gives every string of an action's data a new value: a UUID for a UUID, a code with a new end for a
// code. Keys stay.
func freshItems(data []byte) []byte {
	return stringOrKey.ReplaceAllFunc(data, func(found []byte) []byte {
		switch {
		case bytes.HasSuffix(found, []byte(":")):
			return found
		case uuidShape.Match(found):
			return strconv.AppendQuote(nil, newUUID())
		}
		return fmt.Appendf(nil, "%s-%s\"", bytes.TrimSuffix(found, []byte(`"`)), newUUID()[:8])
	})
}

// newUUID is a random UUID (RFC 9562, version 4).
func newUUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails: it ends the program instead
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// asked is what the page inside the PIM asks for. With fresh it is another press on other items.
func (s sample) asked(_ time.Time, fresh bool) ([]byte, error) {
	body, err := s.compact()
	if err != nil || !fresh {
		return body, err
	}
	return anyUUID.ReplaceAllFunc(body, func([]byte) []byte { return strconv.AppendQuote(nil, newUUID()) }), nil
}

var anyUUID = regexp.MustCompile(`"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"`)

// uuid is the entity that a sample names.
func (s sample) uuid() string {
	var named struct{ UUID string }
	if err := json.Unmarshal(s.text, &named); err != nil {
		panic(err) // cannot happen: it is embedded, and a test reads it
	}
	return named.UUID
}

var (
	eventID   = regexp.MustCompile(`"(event_id|id)":"[^"\\]*"`)
	eventTime = regexp.MustCompile(`"(event_datetime|time|timestamp)":"[^"\\]*"`)
	entityID  = regexp.MustCompile(`"uuid":"[0-9a-f-]{36}"`)
)

// happened is a body of events as the sample has them. With fresh it is another change of another entity: each event
// gets a new id, that time, and a new UUID for what it is about. A notification has a time alone.
func (s sample) happened(at time.Time, fresh bool) ([]byte, error) {
	body, err := s.compact()
	if err != nil || !fresh {
		return body, err
	}
	if !strings.HasPrefix(s.name, "events-api-") { // one event: its envelope's id and time come first
		return renew(body, at), nil
	}
	var request struct{ Events []json.RawMessage }
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, fmt.Errorf("sample %q: %w", s.name, err)
	}
	for _, event := range request.Events {
		body = bytes.Replace(body, event, renew(event, at), 1)
	}
	return body, nil
}

// renew gives an event a new identity: the first id, time and UUID in it are its own.
func renew(event []byte, at time.Time) []byte {
	for pattern, value := range map[*regexp.Regexp]string{
		eventID: newUUID(), eventTime: at.UTC().Format(time.RFC3339Nano), entityID: newUUID(),
	} {
		if found := pattern.FindIndex(event); found != nil {
			key, _, _ := bytes.Cut(event[found[0]:found[1]], []byte(":"))
			event = slices.Concat(event[:found[0]], key, []byte(":"), []byte(strconv.Quote(value)), event[found[1]:])
		}
	}
	return event
}

// tamper changes one byte and keeps the body valid JSON, so that only the signature can tell: the lowest bit of
// the last digit, which is the timestamp's of an action. A body without digits gets a space at its end.
func tamper(body []byte) []byte {
	changed := bytes.Clone(body)
	i := bytes.LastIndexAny(changed, "0123456789")
	if i < 0 {
		return append(changed, ' ')
	}
	changed[i] ^= 1
	return changed
}
