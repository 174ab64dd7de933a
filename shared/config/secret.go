package config

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Secret is the name in the connection secret's values that a text stands for, as secret:NAME; "" if it stands for itself.
func Secret(text string) string {
	name, ok := strings.CutPrefix(text, secretPrefix)
	if !ok {
		return ""
	}
	return name
}

// secretPrefix begins a value that stands in the connection secret: secret:NAME.
const secretPrefix = "secret:"

// places reports secrets and templates where nothing would put their values in. Both work in the keys of an action
// that its kind reads; templates work in a lookup too, whose credentials stand in a secret of their own.
func (r *reader) places(root table) {
	for _, e := range root.entries {
		switch e.key.Value {
		case "environments": // a variable may bring a secret's name
		case "actions":
			r.eachKey(e.value, func(key string, value *yaml.Node) {
				if slices.Contains(keyNames(actionKeys), key) {
					r.plain(value, true)
				} else {
					r.secretsWhole(value)
				}
			})
		case "extensions":
			r.eachKey(e.value, func(key string, value *yaml.Node) { r.plain(value, key != "lookup") })
		case "subscriptions":
			r.eachKey(e.value, func(key string, value *yaml.Node) {
				if key != "headers" {
					r.plain(value, true)
					return
				}
				r.secretsWhole(value)
			})
		default:
			r.plain(e.value, true)
		}
	}
}

// eachKey goes through the keys of the mappings in a mapping.
func (r *reader) eachKey(node *yaml.Node, visit func(key string, value *yaml.Node)) {
	if node.Kind != yaml.MappingNode {
		r.plain(node, true)
		return
	}
	for i := 1; i < len(node.Content); i += 2 {
		named := node.Content[i]
		if named.Kind != yaml.MappingNode {
			continue
		}
		for j := 0; j+1 < len(named.Content); j += 2 {
			visit(named.Content[j].Value, named.Content[j+1])
		}
	}
}

// plain reports every secret under a node, and every template where there may be none.
func (r *reader) plain(node *yaml.Node, templates bool) {
	for _, value := range values(node) {
		switch {
		case strings.HasPrefix(value.Value, secretPrefix) || secretInside(value.Value):
			r.errorf(value, "secrets are for the keys of an action's kind", "secret: stands where no secret is filled in")
		case templates && strings.Contains(value.Value, "{{"):
			r.errorf(value, "templates are for the keys of an action's kind", "a template stands where none is filled in")
		}
	}
}

// secretsWhole reports every secret under a node that is not all of its value, since it would be sent as it is written.
func (r *reader) secretsWhole(node *yaml.Node) {
	for _, value := range values(node) {
		name, ok := strings.CutPrefix(value.Value, secretPrefix)
		switch {
		case ok && !isName(name):
			r.errorf(value, "write secret:NAME and nothing else, where NAME has 1 to 40 letters, digits, - and _", "secret: is not followed by a name alone")
		case !ok && secretInside(value.Value):
			r.errorf(value, "put the whole text into the connection secret, and write secret:NAME alone", "secret: stands inside a longer text")
		}
	}
}

// secretInside says whether secret:NAME stands in a text as a word of its own.
func secretInside(text string) bool {
	for {
		before, after, found := strings.Cut(text, secretPrefix)
		if !found {
			return false
		}
		if !endsInWord(before) && after != "" && isName(after[:1]) {
			return true
		}
		text = after
	}
}

func endsInWord(text string) bool { return text != "" && isName(text[len(text)-1:]) }

// values lists the scalars under a node, without the keys of mappings.
func values(node *yaml.Node) []*yaml.Node {
	if node.Kind == yaml.ScalarNode {
		return []*yaml.Node{node}
	}
	var found []*yaml.Node
	for i, child := range node.Content {
		if node.Kind != yaml.MappingNode || i%2 == 1 {
			found = append(found, values(child)...)
		}
	}
	return found
}
