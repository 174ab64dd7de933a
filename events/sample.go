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
	"time"
)

//go:embed *.json
var files embed.FS

// abouts says what each sample is. A test holds the list and the files together.
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
	"worker-jobs":                                "the Lambda event that the worker gets from the jobs queue",
}

// sample is a payload as its sender writes it, pretty-printed for reading.
type sample struct {
	name string
	text []byte
}

// action says whether the sample is a request of the PIM to an action extension: it can be signed and sent.
// The others are only printed.
func (s sample) action() bool { return strings.HasPrefix(s.name, "action-") }

func names() []string { return slices.Sorted(maps.Keys(abouts)) }

// find returns the sample of a name. Its error names the nearest ones.
func find(name string) (sample, error) {
	name = strings.TrimSuffix(name, ".json")
	if _, ok := abouts[name]; !ok {
		return sample{}, fmt.Errorf("no sample %q; did you mean %s? (--list shows all)", name, strings.Join(nearest(name, 3), ", "))
	}
	text, err := files.ReadFile(name + ".json")
	return sample{name, text}, err
}

// nearest returns at most so many samples, those whose names hold what looks most like what was typed first; of
// equals the shortest.
func nearest(typed string, most int) []string {
	all := names()
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

// body is the action's body as it goes on the wire: compact, with its keys in the sample's order, pressed at that
// time. With fresh its items are like the sample's but new, so that no earlier job is met.
func (s sample) body(at time.Time, fresh bool) ([]byte, error) {
	var compact bytes.Buffer
	if err := json.Compact(&compact, s.text); err != nil {
		return nil, fmt.Errorf("sample %q: %w", s.name, err)
	}
	body := compact.Bytes()
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

// tamper changes one byte and keeps the body valid JSON, so that only the signature can tell: the lowest bit of
// the last digit, which is the timestamp's.
func tamper(body []byte) []byte {
	changed := bytes.Clone(body)
	if i := bytes.LastIndexAny(changed, "0123456789"); i >= 0 {
		changed[i] ^= 1
	}
	return changed
}
