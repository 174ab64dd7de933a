package config

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Local is the stage of the local system: what leaves the machine elsewhere may be plain http there.
const Local = "local"

//go:generate go test ../actions -run TestSchema -update

//go:embed extensions.yaml
var embedded string

// File is where the file that Embedded returns stands in the project.
const File = "shared/config/extensions.yaml"

// Embedded is the extensions.yaml that was built into the program.
func Embedded() []byte { return []byte(embedded) }

// Source is a file to load.
type Source struct {
	File   string // its name in problems
	Text   []byte
	Stage  string                      // which entry of environments holds
	Lookup func(string) (string, bool) // variables of the process, which override the stage's; nil: none

	// Kinds checks the keys that a kind of action alone understands, by the kind's name. A kind that is not among them
	// is an error. nil: neither kinds nor their keys are checked, for programs that run no actions.
	Kinds map[string]func(Section) error

	// Cron checks the five fields of a schedule's cron; nil: they are not checked.
	Cron func(string) error
}

var fileKeys = []key{
	{name: "environments", form: formMapping, doc: "Variables by stage; ${NAME} elsewhere is replaced by them."},
	{name: "pims", form: formNamed, keys: pimKeys, doc: "The PIMs that call us, by name."},
	{name: "actions", form: formMapping, doc: "What can be done, by name."},
	{name: "selections", form: formNamed, keys: selectionKeys, doc: "Products that nobody clicked, by name: searches of the PIM."},
	{name: "schedules", form: formNamed, keys: scheduleKeys, doc: "What the clock starts, by name."},
	{name: "extensions", form: formMapping, doc: "What the PIM shows, by name."},
	{name: "subscriptions", form: formNamed, keys: subscriptionKeys, doc: "What the PIM tells us, by name."},
	{name: "notifications", form: formNamed, keys: notificationKeys, doc: "What to do with what the Event Platform says about our subscriptions, by PIM."},
	{name: "contentful", form: formMapping, keys: contentfulKeys, doc: "What is offered to Contentful."},
}

// Load reads the file for one stage and checks it. Its error is Problems: everything that is wrong, by line. What
// stands in the secrets is checked where they are read.
func Load(source Source) (*Config, error) {
	document, err := parse(source.File, source.Text)
	if err != nil {
		return nil, err
	}
	r := &reader{file: source.File, stage: source.Stage, kinds: source.Kinds, checkCron: source.Cron}
	root := r.table(document, document, "the file")
	root.takes(fileKeys)
	variables := r.environment(root)
	for _, e := range root.entries {
		if e.key.Value != "environments" {
			r.interpolate(e.value, variables, source.Lookup)
		}
	}
	r.places(root)

	c := &Config{Stage: source.Stage}
	c.PIMs = r.pims(root)
	c.Actions = r.actions(root)
	c.Selections = r.selections(root)
	references := references{pims: keys(c.PIMs), actions: keys(c.Actions), selections: keys(c.Selections), dones: map[string]bool{}, asking: map[string]bool{}}
	for name, action := range c.Actions {
		references.dones[name] = action.Then["done"] != ""
		references.asking[name] = action.waits()
	}
	c.Schedules = r.schedules(root, c.PIMs, references)
	c.Extensions = r.extensions(root, references)
	c.Subscriptions = r.subscriptions(root, references)
	c.Notifications = r.notifications(root, references)
	c.Contentful = r.contentful(root, references)

	if len(r.problems) > 0 {
		return nil, r.problems.sorted()
	}
	c.Warnings = r.warnings.sorted()
	return c, nil
}

// Stages lists the environments of a file, in its order. file is its name in problems.
func Stages(file string, text []byte) ([]string, error) {
	document, err := parse(file, text)
	if err != nil {
		return nil, err
	}
	r := &reader{file: file}
	var stages []string
	for _, e := range r.table(document, document, "the file").sub("environments").entries {
		r.checkName(e.key, "environment")
		stages = append(stages, e.key.Value)
	}
	if len(r.problems) > 0 {
		return nil, r.problems.sorted()
	}
	return stages, nil
}

// parse reads YAML text that holds one mapping.
func parse(file string, text []byte) (*yaml.Node, error) {
	var document, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&document); err != nil && !errors.Is(err, io.EOF) {
		return nil, syntaxProblem(file, text, err)
	}
	if len(document.Content) == 0 || document.Content[0].Tag == "!!null" {
		return nil, Problems{{File: file, Line: 1, Message: "the file is empty", Remedy: "begin with pims: and actions:"}}
	}
	if err := decoder.Decode(&second); err == nil {
		return nil, Problems{{File: file, Line: second.Line, Message: "a second document begins", Remedy: "remove the line ---"}}
	} else if !errors.Is(err, io.EOF) {
		return nil, syntaxProblem(file, text, err)
	}
	var problems Problems
	refuseAliases(file, document.Content[0], &problems)
	if len(problems) > 0 {
		return nil, problems.sorted()
	}
	return document.Content[0], nil
}

// refuseAliases keeps the tree a tree: an alias can make it endless, and a value that stands elsewhere has no line
// of its own to be wrong at.
func refuseAliases(file string, node *yaml.Node, problems *Problems) {
	if node.Kind == yaml.AliasNode {
		*problems = append(*problems, &Problem{File: file, Line: node.Line, Message: fmt.Sprintf("alias *%s", node.Value), Remedy: "write the value out"})
		return
	}
	for _, child := range node.Content {
		refuseAliases(file, child, problems)
	}
}

// sorted orders problems by line; those of one line stay as they were found.
func (p Problems) sorted() Problems {
	slices.SortStableFunc(p, func(a, b *Problem) int { return a.Line - b.Line })
	return p
}
