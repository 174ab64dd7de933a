package eventtype_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/eventtype"
)

func TestMatches(t *testing.T) {
	const updated, model = eventtype.Prefix + "product.updated", eventtype.Prefix + "product-model.updated"
	for _, row := range []struct {
		name, pattern, eventType string
		want                     bool
	}{
		{"the type itself", updated, updated, true},
		{"one that only begins like it", updated, updated + ".delta", false},
		{"everything", "*", "anything", true},
		{"an end", eventtype.Prefix + "product.*", updated, true},
		{"an end that is another's", eventtype.Prefix + "product.*", model, false},
		{"a beginning", "*.updated", model, true},
		{"a middle", eventtype.Prefix + "*.updated", model, true},
		{"two stars", "com.*.product*.updated", model, true},
		{"two stars, out of order", "com.*.updated*.product", updated, false},
		{"a star that would have to overlap", "com.akeneo*akeneo.pim", "com.akeneo.pim", false},
		{"no class of characters", eventtype.Prefix + "product.[u]*", updated, false},
		{"no single character", eventtype.Prefix + "product.?pdated", updated, false},
		{"no type", "*", "", true},
	} {
		if got := eventtype.Matches(row.pattern, row.eventType); got != row.want {
			t.Errorf("%s: %t, want %t", row.name, got, row.want)
		}
	}
}

func TestLists(t *testing.T) {
	for name, list := range map[string][]string{"documented": eventtype.Documented(), "known": eventtype.Known()} {
		if !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) != len(list) {
			t.Errorf("%s: not sorted, or with repetitions", name)
		}
	}
	for _, documented := range eventtype.Documented() {
		if !slices.Contains(eventtype.Known(), documented) {
			t.Errorf("%s is documented, and not known", documented)
		}
	}
}

// Every sample is of a type that is known.
func TestSamplesAreKnown(t *testing.T) {
	files, err := filepath.Glob("../../events/event-platform/*.json")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d samples: %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, after, found := strings.Cut(string(text), `"type": "`+eventtype.Prefix)
		if !found {
			continue // a notification
		}
		name, _, _ := strings.Cut(after, `"`)
		if !slices.Contains(eventtype.Known(), eventtype.Prefix+name) {
			t.Errorf("%s: %s is not known", filepath.Base(file), name)
		}
	}
}
