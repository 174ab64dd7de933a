package actions_test

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/actions"
	"github.com/pim-functions/pim-functions/shared/config"
)

// reference says where the keys of each mapping of extensions.yaml are described: in the tables below a heading of a
// document. A kind whose keys have a page of its own is described there alone.
var reference = map[string][]struct{ file, heading string }{
	"":                                {{"../config/README.md", "# `extensions.yaml`, key by key"}},
	"pims":                            {{"../config/README.md", "## `pims`"}},
	"actions":                         {{"../config/README.md", "## `actions`"}},
	"kind contentful":                 {{"../config/README.md", "### Kind `contentful`"}},
	"kind export":                     {{"export/README.md", "# export: files of products"}},
	"kind forward":                    {{"../config/README.md", "### Kind `forward`"}},
	"kind notify":                     {{"../config/README.md", "### Kind `notify`"}},
	"kind pim-job":                    {{"../config/README.md", "### Kind `pim-job`"}},
	"kind pim-workflow":               {{"../config/README.md", "### Kind `pim-workflow`"}},
	"kind publish":                    {{"../config/README.md", "### Kind `publish`"}},
	"kind state-machine":              {{"../config/README.md", "### Kind `state-machine`"}},
	"kind update":                     {{"../config/README.md", "### Kind `update`"}},
	"kind validate":                   {{"../config/README.md", "### Kind `validate`"}},
	"kind validate, rules":            {{"validate/README.md", "## Rules"}},
	"selections":                      {{"../config/README.md", "## `selections`"}},
	"schedules":                       {{"../config/README.md", "## `schedules`"}},
	"extensions":                      {{"../config/README.md", "## `extensions`"}, {"../../functions/data/README.md", "## Stock in the product"}},
	"subscriptions":                   {{"../config/README.md", "## `subscriptions`"}},
	"notifications":                   {{"../config/README.md", "## `notifications`"}},
	"contentful":                      {{"../config/README.md", "## `contentful`"}},
	"contentful, actions":             {{"../config/README.md", "### An App Action"}},
	"contentful, actions, parameters": {{"../config/README.md", "### A parameter"}},
}

// mapping is what the schema says of one mapping: its keys, with a dot before those of a mapping inside.
type mapping struct {
	keys     map[string]schema
	required []string
}

// schema is the part of a JSON Schema that names keys.
type schema struct {
	Properties           map[string]json.RawMessage
	AdditionalProperties json.RawMessage
	Required             []string
	Items                json.RawMessage
	Type                 any // a word, or several
	Pattern              string
	AnyOf                []struct {
		Enum []any
		Type any
	}
	AllOf []struct {
		If struct {
			Properties struct{ Kind struct{ Const string } }
		}
		Then json.RawMessage
	}
}

// parse reads a schema; what is no object (true, false, nothing) is the empty one.
func parse(t *testing.T, text json.RawMessage) (s schema) {
	t.Helper()
	if len(text) > 0 && text[0] == '{' {
		if err := json.Unmarshal(text, &s); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// mappings lists the mappings of a schema by their place.
func mappings(t *testing.T, s schema, place string, all map[string]mapping) {
	m := mapping{keys: map[string]schema{}, required: s.Required}
	m.add(t, s, place, "", all)
	all[place] = m
	for _, kind := range s.AllOf {
		if name := kind.If.Properties.Kind.Const; name != "" {
			mappings(t, parse(t, kind.Then), "kind "+name, all)
		}
	}
}

func (m mapping) add(t *testing.T, s schema, place, before string, all map[string]mapping) {
	for name, text := range s.Properties {
		if string(text) == "true" || string(text) == "false" {
			continue // a key of every kind
		}
		inside := parse(t, text)
		if inside.Properties != nil && len(inside.Properties) == 0 && string(inside.AdditionalProperties) == "false" {
			t.Errorf("%s: the schema lets %s%s have no key at all", place, before, name)
		}
		if len(inside.Properties) > 0 && place != "" {
			m.add(t, inside, place, before+name+".", all)
			continue
		}
		m.keys[before+name] = inside
		there := strings.TrimPrefix(place+", "+name, ", ")
		for _, value := range []schema{inside, parse(t, inside.AdditionalProperties), parse(t, inside.Items)} {
			if len(value.Properties) > 0 {
				mappings(t, value, there, all)
			}
		}
	}
}

// row is a row of a table of keys.
type row struct {
	text    string   // all of it
	cells   []string // key, value, default, …
	columns []string
}

var (
	quoted  = regexp.MustCompile("`([^`]+)`")
	keyName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*`)
	cellEnd = regexp.MustCompile(`[^\\]\|`)
)

// rows reads the tables of keys below a heading, by key.
func rows(t *testing.T, file, heading string) map[string]row {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, below, found := strings.Cut("\n"+string(text), "\n"+heading+"\n")
	if !found {
		t.Fatalf("%s has no heading %q", file, heading)
	}
	below, _, _ = strings.Cut(below, "\n#")
	all := map[string]row{}
	var columns []string
	for line := range strings.Lines(below) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			columns = nil
			continue
		}
		cells := strings.Split(cellEnd.ReplaceAllString(strings.Trim(line, "|"), "$0\x00"), "|\x00")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if columns == nil {
			columns = cells
		}
		if columns[0] != "Key" && columns[0] != "Section" {
			continue
		}
		for _, name := range quoted.FindAllStringSubmatch(cells[0], -1) {
			all[keyName.FindString(name[1])] = row{line, cells, columns}
		}
	}
	return all
}

// cell is what a row says in a column; "" if the table has none of that name.
func (r row) cell(column string) string {
	if i := slices.Index(r.columns, column); i > 0 && i < len(r.cells) {
		return r.cells[i]
	}
	return ""
}

// names says whether a row shows a word as code, alone or as the key of a mapping: `started`, `{min: 1, max: 3}`.
func (r row) names(word string) bool {
	inside := regexp.MustCompile(`(^|[{,]\s*)` + regexp.QuoteMeta(word) + `($|\s*[:,}])`)
	return slices.ContainsFunc(quoted.FindAllStringSubmatch(r.text, -1), func(code []string) bool { return inside.MatchString(code[1]) })
}

// The documents describe every key of extensions.yaml that there is, and no other; they say which are needed, and list all words.
func TestReference(t *testing.T) {
	text, err := config.Schema(actions.Options())
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]mapping{}
	mappings(t, parse(t, text), "", all)
	if len(all) < 20 || len(all["kind forward"].keys) < 20 {
		t.Fatalf("the schema was not understood: %v", slices.Sorted(maps.Keys(all)))
	}
	for place := range reference {
		if _, exists := all[place]; !exists {
			t.Errorf("%q is described, and is no mapping of extensions.yaml", place)
		}
	}
	for _, place := range slices.Sorted(maps.Keys(all)) {
		where := reference[place]
		if where == nil {
			t.Errorf("%q is described nowhere: give it a heading in shared/config/README.md, and a line in reference", place)
			continue
		}
		described := map[string]row{}
		for _, at := range where {
			found := rows(t, at.file, at.heading)
			for name := range found {
				if !exists(all[place], name) {
					t.Errorf("%s, %s: there is no key %s", at.file, at.heading, name)
				}
			}
			maps.Copy(described, found)
		}
		for _, name := range slices.Sorted(maps.Keys(all[place].keys)) {
			r, own := described[name]
			if !own {
				above, inside, nested := cutLast(name)
				if r = described[above]; !nested || !r.names(inside) {
					t.Errorf("%s, %s: key %s is missing", where[0].file, where[0].heading, name)
				}
				continue
			}
			agrees(t, place, name, all[place], r)
		}
	}
}

// agrees compares what a row says of a key with the schema.
func agrees(t *testing.T, place, name string, m mapping, r row) {
	t.Helper()
	if len(m.keys[name].AnyOf) > 0 {
		for _, word := range m.keys[name].AnyOf[0].Enum {
			if text, ok := word.(string); ok && name != "kind" && !r.names(text) {
				t.Errorf("%s: the row of %s lacks the word %s", place, name, text)
			}
		}
	}
	if value := r.cell("Value"); value != "" && !strings.Contains(value, m.keys[name].form()) {
		t.Errorf("%s: %s is a %s, and its row says %q", place, name, m.keys[name].form(), value)
	}
	kind := strings.HasPrefix(place, "kind ") // of whose keys the schema does not say which are needed
	if needed := r.cell("Default") == "needed"; !kind && needed != slices.Contains(m.required, name) {
		t.Errorf("%s: %s is needed: %t, and its row says %q", place, name, !needed, r.cell("Default"))
	}
}

// form is what the documents call a value of the schema, where they have one word for it.
func (s schema) form() string {
	switch {
	case len(s.AnyOf) > 0 && s.AnyOf[0].Type == "boolean":
		return "yes or no"
	case strings.Contains(s.Pattern, "(h|m|s|ms)"):
		return "time"
	case s.Type == "array":
		return "list"
	}
	return ""
}

// exists says whether a mapping has a key, or keys below it.
func exists(m mapping, name string) bool {
	for key := range m.keys {
		if key == name || strings.HasPrefix(key, name+".") {
			return true
		}
	}
	return false
}

func cutLast(name string) (before, after string, found bool) {
	i := strings.LastIndexByte(name, '.')
	if i < 0 {
		return "", name, false
	}
	return name[:i], name[i+1:], true
}
