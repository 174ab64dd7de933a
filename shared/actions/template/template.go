package template

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/template"
	"text/template/parse"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

// MaxText is the most bytes that a template may make.
const MaxText = 256 << 10

// Template is a text that a user wrote in extensions.yaml, in the language of Go's text/template. It sees a Data.
// Besides the language's own functions it has json (a value as JSON), upper, lower and join. It reaches nothing outside.
type Template struct{ parsed *template.Template }

// Data is what a template sees. Everything in it is fixed when the job is recorded: the same run gives the same
// text, however often it is repeated.
type Data struct {
	User    jobs.User
	Label   string
	Action  string
	Job     string
	Count   int // items of this run
	Items   []jobs.Item
	Params  map[string]any
	Context map[string]any
	Event   pimevent.Event // of an event's run: Type, ID, Kind, EntityID, Author, Time

	// After a job (`then`).
	Outcome  string // succeeded, partial, failed
	Done     int
	Total    int
	Failures int // items that failed
}

// Parse reads a template.
func Parse(text string) (*Template, error) {
	parsed, err := template.New("text").Option("missingkey=zero").Funcs(template.FuncMap{
		"json": toJSON, "upper": strings.ToUpper, "lower": strings.ToLower, "join": join, escapeFunc: plain,
	}).Parse(text)
	if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "template: text:"))
	}
	escapeOutputs(parsed.Root)
	t := &Template{parsed: parsed}
	// A field that no run has is a mistake of the text. Other errors may come of the trial's empty data alone.
	if _, err := t.Execute(engine.Run{}, nil); err != nil && strings.Contains(err.Error(), "can't evaluate field") {
		_, field, _ := strings.Cut(err.Error(), "can't evaluate field ")
		field, _, _ = strings.Cut(field, " ")
		return nil, fmt.Errorf("there is no %q", field)
	}
	return t, nil
}

// Execute makes the text of a run. Every value passes through escape (nil: as it is); the template's own text does not.
func (t *Template) Execute(run engine.Run, escape func(string) string) (string, error) {
	data, err := dataOf(run)
	if err != nil {
		return "", err
	}
	fresh, err := t.parsed.Clone()
	if err != nil {
		return "", engine.Permanent("the text could not be made", fmt.Errorf("clone template: %w", err))
	}
	if escape == nil {
		escape = func(s string) string { return s }
	}
	fresh.Funcs(template.FuncMap{escapeFunc: func(v any) string { return escape(plain(v)) }})
	var text bytes.Buffer
	if err := fresh.Execute(&bounded{&text}, data); err != nil {
		return "", engine.Permanent("the text could not be made from this request", fmt.Errorf("execute template: %w", err))
	}
	return text.String(), nil
}

func dataOf(run engine.Run) (Data, error) {
	data := Data{User: run.User, Label: run.Label, Action: run.Action, Job: run.Job, Count: len(run.Items), Items: run.Items}
	for raw, into := range map[*json.RawMessage]*map[string]any{&run.Params: &data.Params, &run.Context: &data.Context} {
		decoder := json.NewDecoder(bytes.NewReader(object(*raw)))
		decoder.UseNumber() // 12345678901234567890 stays what it is
		if err := decoder.Decode(into); err != nil {
			return Data{}, engine.Permanent("the request's parameters are not an object", fmt.Errorf("decode params: %w", err))
		}
	}
	if run.Event != nil {
		data.Event = *run.Event
	}
	if run.Ended != nil {
		data.Outcome, data.Done, data.Total, data.Failures = string(run.Ended.Outcome), run.Ended.Done, run.Ended.Total, run.Ended.Total-run.Ended.Done
	}
	return data, nil
}

// escapeFunc stands at the end of every output's pipeline; a user cannot write its name.
const escapeFunc = "_value"

// escapeOutputs puts escapeFunc behind every output, as html/template does.
func escapeOutputs(node parse.Node) {
	switch n := node.(type) {
	case *parse.ListNode:
		if n == nil {
			return
		}
		for _, child := range n.Nodes {
			escapeOutputs(child)
		}
	case *parse.ActionNode:
		if len(n.Pipe.Decl) == 0 {
			n.Pipe.Cmds = append(n.Pipe.Cmds, &parse.CommandNode{NodeType: parse.NodeCommand, Args: []parse.Node{parse.NewIdentifier(escapeFunc).SetPos(n.Pos).SetTree(nil)}})
		}
	case *parse.IfNode:
		escapeOutputs(n.List)
		escapeOutputs(n.ElseList)
	case *parse.RangeNode:
		escapeOutputs(n.List)
		escapeOutputs(n.ElseList)
	case *parse.WithNode:
		escapeOutputs(n.List)
		escapeOutputs(n.ElseList)
	}
}

// plain prints a value; what is not there prints as nothing.
func plain(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case map[string]any, []any:
		text, err := toJSON(v)
		if err != nil {
			return ""
		}
		return text
	}
	return fmt.Sprint(v)
}

func toJSON(v any) (string, error) {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return "", errors.New("value has no JSON form")
	}
	return strings.TrimSuffix(text.String(), "\n"), nil
}

func join(separator string, list any) string {
	switch list := list.(type) {
	case []any:
		words := make([]string, len(list))
		for i, v := range list {
			words[i] = plain(v)
		}
		return strings.Join(words, separator)
	case []string:
		return strings.Join(list, separator)
	}
	return plain(list)
}

// bounded ends a template that makes too much.
type bounded struct{ to *bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	if b.to.Len()+len(p) > MaxText {
		return 0, errors.New("text too long")
	}
	return b.to.Write(p)
}

var _ io.Writer = (*bounded)(nil)
