package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Section is the part of an action that its kind alone understands, with its place in the file. The zero Section
// is empty.
type Section struct {
	file string
	line int
	node *yaml.Node // a mapping; nil when empty
}

// ParseSection reads a section from YAML text: for tests, and for kinds used without a file.
func ParseSection(text string) (Section, error) {
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		return Section{}, fmt.Errorf("section: %w", err)
	}
	section := Section{file: "section", line: 1}
	if len(document.Content) == 1 {
		section.node = document.Content[0]
		if section.node.Kind != yaml.MappingNode {
			return Section{}, fmt.Errorf("section: not a mapping")
		}
	}
	return section, nil
}

// Decode fills the struct that into points to, by its yaml tags. A key that the struct lacks, one that stands
// twice, or a value of another type is an error with file and line. Durations are written as 30s or 6h.
func (s Section) Decode(into any) error {
	if s.node == nil {
		return nil
	}
	var problems Problems
	known := yamlKeys(reflect.TypeOf(into).Elem())
	seen := map[string]bool{}
	for i := 0; i+1 < len(s.node.Content); i += 2 {
		key := s.node.Content[i]
		if !known[key.Value] {
			problems = append(problems, &Problem{File: s.file, Line: key.Line, Message: fmt.Sprintf("unknown key %q", key.Value), Remedy: nearest(key.Value, known)})
		} else if seen[key.Value] {
			problems = append(problems, &Problem{File: s.file, Line: key.Line, Message: fmt.Sprintf("key %q stands twice", key.Value), Remedy: "remove one"})
		}
		seen[key.Value] = true
	}
	if len(problems) > 0 {
		return problems
	}
	if err := s.node.Decode(into); err != nil {
		return decodeProblems(s.file, s.line, err)
	}
	return nil
}

// Resolve returns the section with every value of the form secret:NAME replaced by values[NAME]. A name that is
// not there is an error with file and line; the error never holds a value.
func (s Section) Resolve(values map[string]string) (Section, error) {
	if s.node == nil {
		return s, nil
	}
	var problems Problems
	resolved := Section{file: s.file, line: s.line, node: s.resolve(s.node, values, &problems)}
	if len(problems) > 0 {
		return Section{}, problems
	}
	return resolved, nil
}

// Secrets lists the names used as secret:NAME.
func (s Section) Secrets() []string {
	var names []string
	var walk func(*yaml.Node)
	walk = func(node *yaml.Node) {
		if node == nil {
			return
		}
		if name, ok := strings.CutPrefix(node.Value, "secret:"); ok && node.Kind == yaml.ScalarNode {
			names = append(names, name)
		}
		for _, child := range node.Content {
			walk(child)
		}
	}
	walk(s.node)
	return names
}

// Has says whether the section has a key.
func (s Section) Has(key string) bool { return s.find(key) != nil }

// Errorf is an error at a key of the section (or at the action, where the key is missing).
func (s Section) Errorf(key, remedy, format string, args ...any) error {
	line := s.line
	if found := s.find(key); found != nil {
		line = found.Line
	}
	return &Problem{File: s.file, Line: line, Message: fmt.Sprintf(format, args...), Remedy: remedy}
}

func (s Section) find(key string) *yaml.Node {
	if s.node == nil {
		return nil
	}
	for i := 0; i+1 < len(s.node.Content); i += 2 {
		if s.node.Content[i].Value == key {
			return s.node.Content[i]
		}
	}
	return nil
}

func (s Section) resolve(node *yaml.Node, values map[string]string, problems *Problems) *yaml.Node {
	fresh := *node
	if name, ok := strings.CutPrefix(node.Value, "secret:"); ok && node.Kind == yaml.ScalarNode {
		value, there := values[name]
		if !there || value == "" {
			*problems = append(*problems, &Problem{File: s.file, Line: node.Line, Message: fmt.Sprintf("secret:%s is not in the connection secret", name), Remedy: fmt.Sprintf("add it under \"values\" as %q", name)})
		}
		fresh.Value, fresh.Tag, fresh.Style = value, "!!str", yaml.DoubleQuotedStyle
	}
	fresh.Content = make([]*yaml.Node, len(node.Content))
	for i, child := range node.Content {
		fresh.Content[i] = s.resolve(child, values, problems)
	}
	return &fresh
}

var durationType = reflect.TypeFor[time.Duration]()

// yamlKeys lists the keys that a struct takes.
func yamlKeys(t reflect.Type) map[string]bool {
	keys := map[string]bool{}
	for i := range t.NumField() {
		field := t.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		if options == "inline" && field.Type != durationType {
			for key := range yamlKeys(field.Type) {
				keys[key] = true
			}
			continue
		}
		if name == "" {
			name = strings.ToLower(field.Name)
		}
		keys[name] = true
	}
	return keys
}

// Text is the value of a key that holds one text; "" for another or none.
func (s Section) Text(key string) string {
	if s.node == nil {
		return ""
	}
	for i := 0; i+1 < len(s.node.Content); i += 2 {
		if s.node.Content[i].Value == key && s.node.Content[i+1].Kind == yaml.ScalarNode {
			return s.node.Content[i+1].Value
		}
	}
	return ""
}
