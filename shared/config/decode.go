package config

import (
	"fmt"
	"maps"
	"reflect"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Decode fills the struct that into points to, by its yaml tags. Its error is Problems: every key that the struct
// lacks or that stands twice, and every value of another type, each with file and line, and without the value, which
// Resolve may have brought from a secret. What is right is filled in even then, so that a kind can check it too.
// Times are written as 30s, 6h or 1d.
func (s Section) Decode(into any) error {
	if s.node == nil {
		return nil
	}
	d := decoder{section: s}
	node := d.value(s.node, reflect.TypeOf(into).Elem(), s.what)
	if err := node.Decode(into); err != nil {
		// What the decoder lets through, the library takes: this is a fault of the decoder, and still an error.
		d.errorf(node, "compare it with the kind's description", "a value%s is of a wrong form", in(s.what))
	}
	if len(d.problems) == 0 {
		return nil
	}
	return d.problems.sorted()
}

// decoder compares a tree with a Go type. It notes what is wrong, and leaves it out of the tree that it returns.
type decoder struct {
	section  Section
	problems Problems
}

func (d *decoder) errorf(at *yaml.Node, remedy, format string, args ...any) {
	d.problems = append(d.problems, &Problem{File: d.section.file, Line: at.Line, Message: fmt.Sprintf(format, args...), Remedy: remedy})
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	nodeType     = reflect.TypeFor[yaml.Node]()
)

// value returns what of a node fits a type; nil: nothing.
func (d *decoder) value(node *yaml.Node, t reflect.Type, what string) *yaml.Node {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case isNull(node), t == nodeType:
		return node
	case t == durationType:
		return d.duration(node, what)
	}
	switch t.Kind() {
	case reflect.Struct:
		return d.mapping(node, what, keyTypes{known: structKeys(t)})
	case reflect.Map:
		return d.mapping(node, what, keyTypes{other: t.Elem()})
	case reflect.Slice:
		return d.list(node, t.Elem(), what)
	case reflect.Interface:
		return d.anything(node, t, what)
	}
	return d.scalar(node, t, what)
}

// keyTypes says of which types a mapping's values are.
type keyTypes struct {
	known map[string]reflect.Type
	other reflect.Type // of every other key; nil: there is none
}

func (k keyTypes) of(key string) (reflect.Type, bool) {
	if t, ok := k.known[key]; ok {
		return t, true
	}
	return k.other, k.other != nil
}

func (d *decoder) mapping(node *yaml.Node, what string, types keyTypes) *yaml.Node {
	if node.Kind != yaml.MappingNode {
		d.errorf(node, "write it as key: value", "%s is not a mapping", what)
		return nil
	}
	fits := *node
	fits.Content = nil
	first := map[string]*yaml.Node{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		t, known := types.of(key.Value)
		switch {
		case key.Kind != yaml.ScalarNode:
			d.errorf(key, "use a plain word", "a key%s is not a word", in(what))
		case key.ShortTag() == "!!merge":
			d.errorf(key, "write the keys out", "key <<%s", in(what))
		case first[key.Value] != nil:
			d.errorf(key, "remove or rename one", "%q stands twice%s, first in line %d", key.Value, in(what), first[key.Value].Line)
		case !known:
			d.errorf(key, nearest(key.Value, keys(types.known)), "unknown key %q%s", key.Value, in(what))
		default:
			first[key.Value] = key
			if value := d.value(value, t, of(key.Value, what)); value != nil {
				fits.Content = append(fits.Content, key, value)
			}
		}
	}
	return &fits
}

// structKeys lists the keys that a struct takes, with the types of their values.
func structKeys(t reflect.Type) map[string]reflect.Type {
	types := map[string]reflect.Type{}
	for field := range t.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		switch {
		case options == "inline":
			maps.Copy(types, structKeys(field.Type))
		case name == "-" || !field.IsExported():
		case name == "":
			types[strings.ToLower(field.Name)] = field.Type
		default:
			types[name] = field.Type
		}
	}
	return types
}

func (d *decoder) list(node *yaml.Node, t reflect.Type, what string) *yaml.Node {
	if node.Kind != yaml.SequenceNode {
		d.errorf(node, "write [one, another]", "%s is not a list", what)
		return nil
	}
	fits := *node
	fits.Content = nil
	for _, value := range node.Content {
		if value := d.value(value, t, "a value in "+what); value != nil {
			fits.Content = append(fits.Content, value)
		}
	}
	return &fits
}

// anything keeps a tree as it is, if its mappings are right.
func (d *decoder) anything(node *yaml.Node, t reflect.Type, what string) *yaml.Node {
	switch node.Kind {
	case yaml.MappingNode:
		return d.mapping(node, what, keyTypes{other: t})
	case yaml.SequenceNode:
		return d.list(node, t, what)
	}
	return node
}

func (d *decoder) duration(node *yaml.Node, what string) *yaml.Node {
	if node.Kind == yaml.ScalarNode {
		if duration, err := parseDuration(node.Value); err == nil {
			fits := *node
			fits.Value, fits.Tag, fits.Style = duration.String(), "!!str", 0
			return &fits
		}
	}
	d.errorf(node, "write a number with a unit: 30s, 10m, 6h or 1d", "%s is not a time", what)
	return nil
}

// scalar takes what the library takes, and a number or a truth value in quotes: a variable in braces has to stand in
// quotes, whatever it is.
func (d *decoder) scalar(node *yaml.Node, t reflect.Type, what string) *yaml.Node {
	if node.Kind != yaml.ScalarNode {
		d.errorf(node, "write one value, in quotes if it begins with { or [", "%s is not a text", what)
		return nil
	}
	fits := *node
	if t.Kind() != reflect.String {
		fits.Tag, fits.Style = "", 0
	}
	whole := t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64
	if (!whole || fits.ShortTag() == "!!int") && fits.Decode(reflect.New(t).Interface()) == nil { // 1.5 would become 1
		return &fits
	}
	switch t.Kind() {
	case reflect.Bool:
		d.errorf(node, "write true or false", "%s is neither true nor false", what)
	case reflect.Float32, reflect.Float64:
		d.errorf(node, "write a number", "%s is not a number", what)
	case reflect.String:
		d.errorf(node, "write a text", "%s is not a text", what)
	default:
		d.errorf(node, "write a whole number", "%s is not a whole number", what)
	}
	return nil
}

func in(what string) string {
	if what == "" {
		return ""
	}
	return " in " + what
}

func of(key, what string) string {
	if what == "" {
		return key
	}
	return key + " of " + what
}
