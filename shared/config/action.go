package config

import (
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

const (
	maxWait  = 4 * time.Second    // the PIM gives up at 5 s
	maxRetry = 7 * 24 * time.Hour // the queues keep a message for 10 days
)

// actionKeys are the keys of an action that mean the same for every kind.
var actionKeys = []key{
	{name: "kind", need: "add kind: forward, notify, publish, contentful, validate or one of your own", doc: "What the action does."},
	{name: "wait", form: formDuration, doc: "How long a press waits for the verdict and tells it to the user; at most 4s."},
	{name: "retry", form: formMapping, keys: retryKeys, doc: "How long to go on while the destination is down."},
	{name: "then", form: formMapping, keys: thenKeys, doc: "Another action when the job has ended."},
	{name: "destination", form: formLocalized, doc: "What users read of the place that the action calls: the ERP."},
}

var retryKeys = []key{
	{name: "for", form: formDuration, doc: "1s to 7d; default 1h for jobs, 24h for events."},
}

var thenKeys = []key{
	{name: "succeeded", doc: "The action that follows when every item succeeded."},
	{name: "partial", doc: "The action that follows when some items failed."},
	{name: "failed", doc: "The action that follows when no item succeeded."},
	{name: "done", doc: "The action that follows for the items that succeeded."},
	{name: "not_done", doc: "The action that follows for the items that failed."},
}

func (r *reader) actions(root table) map[string]Action {
	actions := map[string]Action{}
	tables := root.named("actions", "action")
	names := map[string]bool{}
	for _, t := range tables {
		names[t.name()] = true
	}
	follows := map[string][]scalar{}
	for _, t := range tables {
		t.destinationURL("url", "add private: true, and connect the function to that network")
		t.needs(actionKeys)
		retry, then := t.sub("retry"), t.sub("then")
		retry.takes(retryKeys)
		then.takes(thenKeys)
		kind := t.scalar("kind")
		action := Action{
			Name: t.name(), Kind: kind.text, Section: t.section(),
			Wait:        t.duration("wait", "use at most 4s: the PIM gives up at 5s", 0, maxWait),
			Retry:       retry.duration("for", "use 1s to 7d, written as 30s, 10m, 6h or 1d", time.Second, maxRetry),
			Then:        map[string]string{},
			Destination: t.destination(),
		}
		for _, outcome := range keyNames(thenKeys) {
			if next := then.scalar(outcome); next.text != "" {
				action.Then[outcome] = then.refer(next, outcome, "action", names)
				follows[action.Name] = append(follows[action.Name], next)
			}
		}
		actions[action.Name] = action
		t.checkKind(kind, action.Section)
	}
	for _, t := range tables {
		r.cycle(t.name(), follows)
	}
	return actions
}

// destination reads what users call the place that the action calls.
func (t table) destination() Text {
	destination, sub := t.localized("destination")
	if sub.isMapping() {
		sub.need("default", "add default: for every other locale")
	}
	return destination
}

// section is what is left of an action for its kind.
func (t table) section() Section {
	rest := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: t.node.Line, Column: t.node.Column}
	for _, e := range t.entries {
		if !slices.Contains(keyNames(actionKeys), e.key.Value) {
			rest.Content = append(rest.Content, e.key, e.value)
		}
	}
	return Section{file: t.file, what: t.what, line: t.at.Line, node: rest}
}

// cycle reports an action that follows itself. It looks at later names in the alphabet alone, so that each cycle is
// told once, by its first name.
func (r *reader) cycle(start string, follows map[string][]scalar) {
	reached := map[string]bool{}
	var walk func(name string, path []string) bool
	walk = func(name string, path []string) bool {
		path = append(path, name)
		for _, next := range follows[name] {
			if next.text == start {
				r.errorf(next.at, "let the last one end without then", "then goes round: %s → %s", strings.Join(path, " → "), start)
				return true
			}
			if next.text > start && !reached[next.text] {
				reached[next.text] = true
				if walk(next.text, path) {
					return true
				}
			}
		}
		return false
	}
	walk(start, nil)
}

// waits says whether the action waits for what others tell later: by a callback, or how it ended what it has started in the PIM.
func (a Action) waits() bool {
	return a.Section.Has("callback") || a.Kind == "pim-job" || a.Kind == "pim-workflow" && a.Section.Has("within")
}
