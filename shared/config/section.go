package config

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Section is the part of an action that its kind alone understands, with its place in the file. The zero Section
// is empty.
type Section struct {
	file string
	what string // how problems call it: action "send-to-erp"; may be empty
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

// Resolve returns the section with every value of the form secret:NAME replaced by values[NAME]. A name that is
// not there is an error with file and line; the error never holds a value. A value stands for itself: where templates
// are filled in, {{ in it is two braces and no template.
func (s Section) Resolve(values map[string]string) (Section, error) {
	if s.node == nil {
		return s, nil
	}
	var problems Problems
	resolved := s
	resolved.node = s.resolve(s.node, values, &problems)
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
		if name, ok := strings.CutPrefix(node.Value, secretPrefix); ok && node.Kind == yaml.ScalarNode {
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

// Warnf is a warning at a key of the section, by the rules of Errorf: a kind's Check returns it beside what is wrong.
func (s Section) Warnf(key, remedy, format string, args ...any) error {
	problem, _ := s.Errorf(key, remedy, format, args...).(*Problem)
	problem.Odd = true
	return problem
}

// Sub is the mapping under a key, for problems with its own lines; an empty Section where there is none.
func (s Section) Sub(key string) Section {
	for i := 0; s.node != nil && i+1 < len(s.node.Content); i += 2 {
		if name, value := s.node.Content[i], s.node.Content[i+1]; name.Value == key && value.Kind == yaml.MappingNode {
			return Section{file: s.file, what: of(key, s.what), line: name.Line, node: value}
		}
	}
	return Section{file: s.file, line: s.line}
}

// List is the mappings in the list under a key, each for problems with its own lines; what is no mapping is an empty Section.
func (s Section) List(key string) []Section {
	var list []Section
	for i := 0; s.node != nil && i+1 < len(s.node.Content); i += 2 {
		name, value := s.node.Content[i], s.node.Content[i+1]
		if name.Value != key || value.Kind != yaml.SequenceNode {
			continue
		}
		for n, element := range value.Content {
			section := Section{file: s.file, what: of(fmt.Sprintf("%s %d", key, n+1), s.what), line: element.Line}
			if element.Kind == yaml.MappingNode {
				section.node = element
			}
			list = append(list, section)
		}
	}
	return list
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
	if name, ok := strings.CutPrefix(node.Value, secretPrefix); ok && node.Kind == yaml.ScalarNode {
		value, there := values[name]
		if !there || value == "" {
			*problems = append(*problems, &Problem{File: s.file, Line: node.Line, Message: fmt.Sprintf("secret:%s is not in the connection secret", name), Remedy: fmt.Sprintf("add it under \"values\" as %q", name)})
		}
		fresh.Value, fresh.Tag, fresh.Style = literal(value), "!!str", yaml.DoubleQuotedStyle
	}
	fresh.Content = make([]*yaml.Node, len(node.Content))
	for i, child := range node.Content {
		fresh.Content[i] = s.resolve(child, values, problems)
	}
	return &fresh
}

// literal is a value as the template that writes it. Keys that hold no templates take no braces.
func literal(value string) string { return strings.ReplaceAll(value, "{{", `{{"{{"}}`) }

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

// Mentions says whether any text under a key holds a part.
func (s Section) Mentions(key, part string) bool {
	for i := 0; s.node != nil && i+1 < len(s.node.Content); i += 2 {
		if s.node.Content[i].Value == key {
			return mentions(s.node.Content[i+1], part)
		}
	}
	return false
}

func mentions(node *yaml.Node, part string) bool {
	return strings.Contains(node.Value, part) || slices.ContainsFunc(node.Content, func(each *yaml.Node) bool { return mentions(each, part) })
}
