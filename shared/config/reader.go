package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// reader goes through the file's tree and notes what is wrong instead of stopping, so that one run tells all.
type reader struct {
	file      string
	stage     string
	kinds     map[string]func(Section) error
	checkCron func(string) error
	problems  Problems
	warnings  Problems
	unset     map[*yaml.Node]bool // values with an unset variable: already reported
}

func (r *reader) errorf(at *yaml.Node, remedy, format string, args ...any) {
	r.problems = append(r.problems, &Problem{File: r.file, Line: at.Line, Message: fmt.Sprintf(format, args...), Remedy: remedy})
}

func (r *reader) warnf(at *yaml.Node, remedy, format string, args ...any) {
	r.warnings = append(r.warnings, &Problem{File: r.file, Line: at.Line, Message: fmt.Sprintf(format, args...), Remedy: remedy})
}

// table is a mapping of the file: its keys once each, in the file's order.
type table struct {
	*reader
	what    string     // how problems call it: action "send-to-erp"
	at      *yaml.Node // where it is reported when a key is missing
	node    *yaml.Node
	entries []entry
}

type entry struct{ key, value *yaml.Node }

// table reads a mapping; at is the key above it.
func (r *reader) table(at, node *yaml.Node, what string) table {
	t := table{reader: r, what: what, at: at, node: node}
	if node.Kind != yaml.MappingNode {
		if !isNull(node) {
			r.errorf(node, "write it as key: value", "%s is not a mapping", what)
		}
		return t
	}
	first := map[string]*yaml.Node{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		switch {
		case key.Kind != yaml.ScalarNode:
			r.errorf(key, "use a plain word", "a key of %s is not a word", what)
		case first[key.Value] != nil:
			r.errorf(key, "remove or rename one", "%q stands twice in %s, first in line %d", key.Value, what, first[key.Value].Line)
		default:
			first[key.Value] = key
			t.entries = append(t.entries, entry{key, value})
		}
	}
	return t
}

// entry returns a key with its value, which may be none.
func (t table) entry(key string) (entry, bool) {
	i := slices.IndexFunc(t.entries, func(e entry) bool { return e.key.Value == key })
	if i < 0 {
		return entry{}, false
	}
	return t.entries[i], true
}

// find returns a key that has a value.
func (t table) find(key string) (entry, bool) {
	e, ok := t.entry(key)
	return e, ok && !isNull(e.value)
}

// isMapping says whether it stands in the file, and as a mapping.
func (t table) isMapping() bool { return t.node != nil && t.node.Kind == yaml.MappingNode }

// only reports every key that is not known.
func (t table) only(known ...string) {
	for _, e := range t.entries {
		if !slices.Contains(known, e.key.Value) {
			t.errorf(e.key, nearest(e.key.Value, set(known)), "unknown key %q in %s", e.key.Value, t.what)
		}
	}
}

// need reports a key that is missing or has no value.
func (t table) need(key, remedy string) {
	if _, ok := t.find(key); !ok {
		t.errorf(t.at, remedy, "%s has no %s", t.what, key)
	}
}

// sub reads the mapping under a key; where there is none it is empty.
func (t table) sub(key string) table {
	e, ok := t.find(key)
	if !ok {
		return table{reader: t.reader, what: key, at: t.at}
	}
	what := key
	if t.what != "the file" {
		what += " of " + t.what
	}
	return t.table(e.key, e.value, what)
}

// checkName reports a name of the file's author that cannot stand in an address, a key or a file's name.
func (r *reader) checkName(at *yaml.Node, what string) {
	if !isName(at.Value) {
		r.errorf(at, "use 1 to 40 letters, digits, - and _", "%s %q: not a name", what, at.Value)
	}
}

func isName(text string) bool {
	for _, c := range []byte(text) {
		if !letter(c) && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return text != "" && len(text) <= 40
}

// named reads a mapping whose keys are names of the file's author; each value is a mapping.
func (t table) named(key, what string) []table {
	var tables []table
	for _, e := range t.sub(key).entries {
		t.checkName(e.key, what)
		tables = append(tables, t.table(e.key, e.value, fmt.Sprintf("%s %q", what, e.key.Value)))
	}
	return tables
}

// name is the key of a mapping that named has read.
func (t table) name() string { return t.at.Value }

// scalar is one value with its place; text is empty where there is none, or where it was reported.
type scalar struct {
	at   *yaml.Node
	text string
}

func (t table) scalarOf(what string, node *yaml.Node) scalar {
	switch {
	case t.unset[node]:
		return scalar{at: node}
	case node.Kind != yaml.ScalarNode || isNull(node):
		t.errorf(node, "write one value", "%s is not a text", what)
		return scalar{at: node}
	}
	return scalar{at: node, text: node.Value}
}

// scalar returns the value of a key.
func (t table) scalar(key string) scalar {
	e, ok := t.find(key)
	if !ok {
		return scalar{at: t.at}
	}
	s := t.scalarOf(key+" of "+t.what, e.value)
	if s.text == "" && !t.unset[e.value] && e.value.Kind == yaml.ScalarNode {
		t.errorf(e.key, "write a value, or remove the key", "%s of %s is empty", key, t.what)
	}
	return s
}

// written returns the value of a key as it is written, without looking for what is wrong with it.
func (t table) written(key string) string {
	if e, ok := t.find(key); ok && e.value.Kind == yaml.ScalarNode {
		return e.value.Value
	}
	return ""
}

func (t table) text(key string) string { return t.scalar(key).text }

// list returns the values of a key, which is a list of texts without repetition.
func (t table) list(key string) []scalar {
	e, ok := t.find(key)
	if !ok || t.unset[e.value] {
		return nil
	}
	if e.value.Kind != yaml.SequenceNode {
		t.errorf(e.value, fmt.Sprintf("write %s: [one, another]", key), "%s of %s is not a list", key, t.what)
		return nil
	}
	var items []scalar
	for _, node := range e.value.Content {
		s := t.scalarOf("a value in "+key+" of "+t.what, node)
		switch {
		case s.text == "":
		case slices.ContainsFunc(items, func(other scalar) bool { return other.text == s.text }):
			t.errorf(node, "remove one", "%q stands twice in %s of %s", s.text, key, t.what)
		default:
			items = append(items, s)
		}
	}
	return items
}

func (t table) texts(key string) []string {
	var texts []string
	for _, item := range t.list(key) {
		texts = append(texts, item.text)
	}
	return texts
}

// nothing says whether a list is missing or empty.
func (t table) nothing(key string) bool {
	e, ok := t.find(key)
	return !ok || e.value.Kind == yaml.SequenceNode && len(e.value.Content) == 0
}

// needList is need for a list, which must not be empty either.
func (t table) needList(key, remedy string) {
	if t.nothing(key) {
		t.errorf(t.at, remedy, "%s has no %s", t.what, key)
	}
}

// oneOf returns the value of a key that takes some words; the first is the default.
func (t table) oneOf(key string, words ...string) string {
	s := t.scalar(key)
	if s.text == "" {
		return words[0]
	}
	if !slices.Contains(words, s.text) {
		t.errorf(s.at, "use "+either(words), "%s of %s is %q", key, t.what, s.text)
		return words[0]
	}
	return s.text
}

func (t table) flag(key string) bool { return t.oneOf(key, "false", "true") == "true" }

// duration returns a time such as 30s, 6h or 1d.
func (t table) duration(key, remedy string, least, most time.Duration) time.Duration {
	s := t.scalar(key)
	if s.text == "" {
		return 0
	}
	d, err := parseDuration(s.text)
	if err != nil || d < least || d > most {
		t.errorf(s.at, remedy, "%s of %s is %q", key, t.what, s.text)
		return 0
	}
	return d
}

// reference returns a name that must be among known.
func (t table) reference(key, what string, known map[string]bool) string {
	return t.refer(t.scalar(key), key, what, known)
}

func (t table) refer(s scalar, key, what string, known map[string]bool) string {
	if s.text != "" && !known[s.text] {
		remedy := fmt.Sprintf("there is none: add it under %ss", what)
		if len(known) > 0 {
			remedy = nearest(s.text, known)
		}
		t.errorf(s.at, remedy, "%s of %s: no %s %q", key, t.what, what, s.text)
	}
	return s.text
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null" }

func set(words []string) map[string]bool {
	known := make(map[string]bool, len(words))
	for _, word := range words {
		known[word] = true
	}
	return known
}

func keys[V any](m map[string]V) map[string]bool {
	known := make(map[string]bool, len(m))
	for key := range m {
		known[key] = true
	}
	return known
}

func either(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
