package senders

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/pim-functions/pim-functions/events"
	"github.com/pim-functions/pim-functions/shared/levenshtein"
)

// Sample is a payload of events/ as its sender writes it, pretty-printed for reading.
type Sample struct {
	Name string // the file's, with its folder before it: event-platform-product-deleted
	Text []byte
}

// folders hold the samples of one sender each: the folder's name and a dash begin the sample's.
var folders = []string{"contentful", "events-api", "event-platform"}

// abouts says what each sample is that lies in no folder of a sender. A test holds the list and the files together.
// Events say it themselves.
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
	"data-product":                               "the PIM asks for a data component: a GET, whose address names the product",
	"iframe-page":                                "a browser gets the page inside the PIM: the sample is its query",
	"iframe-start":                               "the page inside the PIM starts an action on a selection",
	"worker-events":                              "SQS brings the worker an event",
	"worker-jobs":                                "SQS brings the worker a job",
}

// Samples are the names of all, sorted.
var Samples = sync.OnceValue(func() []string {
	all := slices.Collect(maps.Keys(abouts))
	for _, folder := range folders {
		entries, err := events.FS.ReadDir(folder)
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

// Find returns the sample of a name. Its error names the nearest ones.
func Find(name string) (Sample, error) {
	name = strings.TrimSuffix(name, ".json")
	if !slices.Contains(Samples(), name) {
		return Sample{}, fmt.Errorf("no sample is named %q; did you mean %s?", name, strings.Join(alike(name, 3), ", "))
	}
	text, err := events.FS.ReadFile(file(name))
	return Sample{name, text}, err
}

// file is where a sample lies in events.FS.
func file(name string) string {
	for _, folder := range folders {
		if rest, ok := strings.CutPrefix(name, folder+"-"); ok {
			return folder + "/" + rest + ".json"
		}
	}
	return name + ".json"
}

// About says in a few words what the sample is.
func (s Sample) About() string {
	if category, ok := strings.CutPrefix(s.Name, "contentful-"); ok {
		return "an App Action's call, category " + category
	}
	if about, ok := abouts[s.Name]; ok {
		return about
	}
	var event struct {
		Type   string
		Notice string            `json:"notification_type"`
		Events []json.RawMessage // of the Events API; a notification has a field of this name too
	}
	s.read(&event)
	if event.Notice != "" {
		return "a notification: " + event.Notice
	}
	if event.Type != "" {
		return "an event: " + event.Type
	}
	var first struct{ Action string }
	Sample{s.Name, event.Events[0]}.read(&first)
	if len(event.Events) > 1 {
		return fmt.Sprintf("a request with %d events: %s and others", len(event.Events), first.Action)
	}
	return "a request with one event: " + first.Action
}

// Events is how many events a request with the sample holds; for what is no event, 1.
func (s Sample) Events() int {
	if !strings.HasPrefix(s.Name, "events-api-") {
		return 1
	}
	return max(strings.Count(string(s.Text), `"event_id"`), 1)
}

// alike returns at most so many samples, those whose names hold what looks most like what was typed first; of equals the
// shortest.
func alike(typed string, most int) []string {
	all := slices.Clone(Samples())
	slices.SortStableFunc(all, func(a, b string) int {
		return cmp.Or(cmp.Compare(levenshtein.Within(typed, a), levenshtein.Within(typed, b)), cmp.Compare(len(a), len(b)))
	})
	return all[:min(most, len(all))]
}
