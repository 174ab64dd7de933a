package config

import (
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// variable finds ${NAME}, and $${ which stands for ${ itself, and anything else that begins like a variable.
var variable = regexp.MustCompile(`\$\$\{|\$\{([^}\s]*)\}?`)

func isVariableName(text string) bool {
	for i, c := range []byte(text) {
		if !letter(c) && c != '_' && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return text != ""
}

// environment reads environments and returns the variables of the stage.
func (r *reader) environment(root table) map[string]string {
	environments := root.sub("environments")
	var chosen map[string]string
	stages := map[string]bool{}
	for _, e := range environments.entries {
		r.checkName(e.key, "environment")
		stages[e.key.Value] = true
		variables := map[string]string{}
		stage := r.table(e.key, e.value, fmt.Sprintf("environment %q", e.key.Value))
		for _, v := range stage.entries {
			switch {
			case !isVariableName(v.key.Value):
				r.errorf(v.key, "use letters, digits and _", "variable %q in %s: not a name", v.key.Value, stage.what)
			case v.value.Kind != yaml.ScalarNode || isNull(v.value):
				r.errorf(v.key, "write a text, or leave it out", "variable %q in %s has no value", v.key.Value, stage.what)
			case strings.Contains(v.value.Value, "${"):
				r.errorf(v.value, "write the value out", "variable %q in %s uses a variable", v.key.Value, stage.what)
			default:
				variables[v.key.Value] = v.value.Value
			}
		}
		if e.key.Value == r.stage {
			chosen = variables
		}
	}
	// The local system brings its own variables, so it needs no entry.
	if len(stages) > 0 && !stages[r.stage] && r.stage != Local {
		r.errorf(environments.at, nearest(r.stage, stages), "stage %q is not among environments", r.stage)
	}
	return chosen
}

// interpolate fills the variables into every value under a node. Keys stay as they are, and what a variable brings
// cannot change the file's structure: it happens after parsing.
func (r *reader) interpolate(node *yaml.Node, variables map[string]string, lookup func(string) (string, bool)) {
	for i, child := range node.Content {
		if node.Kind != yaml.MappingNode || i%2 == 1 {
			r.interpolate(child, variables, lookup)
		}
	}
	if node.Kind != yaml.ScalarNode || !strings.Contains(node.Value, "${") {
		return
	}
	node.Value = variable.ReplaceAllStringFunc(node.Value, func(match string) string {
		if match == "$${" {
			return "${"
		}
		name := variable.FindStringSubmatch(match)[1]
		if !isVariableName(name) || !strings.HasSuffix(match, "}") {
			r.errorf(node, "write ${NAME}, or $${ for the characters themselves", "%q is not a variable", match)
			r.broken(node)
			return match
		}
		if lookup != nil {
			if value, ok := lookup(name); ok {
				return value
			}
		}
		value, ok := variables[name]
		if !ok {
			r.errorf(node, fmt.Sprintf("add %s to environments, under %s, or set it for the process", name, r.stage), "variable %s is not set for stage %q", name, r.stage)
			r.broken(node)
		}
		return value
	})
	if node.Style == 0 && !r.unset[node] {
		node.Tag = "" // a plain value is a number where its text is one: batch: ${BATCH}
	}
}

func (r *reader) broken(node *yaml.Node) {
	if r.unset == nil {
		r.unset = map[*yaml.Node]bool{}
	}
	r.unset[node] = true
}
