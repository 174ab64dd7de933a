// Package template is what kinds of action send to the outside: the JSON that describes a run (JSON), and the templates
// with which a user writes texts, bodies, addresses and headers of their own (Template, Body, Structure, Form, URL).
// It makes bytes; it sends nothing and knows no kind.
//
// Templates are in the language of Go's text/template. They see a Data, reach nothing outside, and are made for the
// place where their text goes: no value can break out of it.
package template

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/template"
	"text/template/parse"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/urlwriter"
)

// MaxText is the most bytes that a template may make. One that makes more fails its batch.
const MaxText = 256 << 10

// MaxSteps is how often a template's loops go round, together. One that goes on fails its batch.
const MaxSteps = 250_000

// Template is a text that a user wrote in extensions.yaml.
type Template struct {
	parsed *template.Template
	scope  Scope
	open   bool // its text depends on what only a request brings
}

// Parse reads a template. Its error is a Mistakes.
func (s Scope) Parse(text string) (*Template, error) {
	t, mistakes := s.parse(text)
	if len(mistakes) > 0 {
		return nil, mistakes
	}
	return t, nil
}

func (s Scope) parse(text string) (*Template, Mistakes) {
	parsed, err := template.New("text").Option("missingkey=zero").Funcs(functions).Parse(text)
	if err != nil {
		return nil, Mistakes{strings.TrimPrefix(err.Error(), "template: text:")}
	}
	mistakes, open := check(parsed, s)
	if len(mistakes) > 0 {
		return nil, mistakes
	}
	parsed.Funcs(template.FuncMap{escapeFunc: plain, stepFunc: func() string { return "" }})
	for _, each := range parsed.Templates() { // define and block make templates of their own
		if each.Tree != nil {
			escapeOutputs(each.Root)
			countSteps(each.Root)
		}
	}
	t := &Template{parsed, s, open}
	if open {
		return t, nil
	}
	err = t.execute(io.Discard, s.madeUp(), func(v any) (string, error) { return plain(v), nil })
	if reason, permanent := engine.Refused(err); permanent {
		return nil, Mistakes{"it fails: " + reason}
	} else if err != nil {
		_, reason, _ := strings.Cut(err.Error(), ">: ")
		return nil, Mistakes{"it fails: " + reason}
	}
	return t, nil
}

// Execute makes the text of a run. Every value passes through escape (nil: as it is), whatever define, block, range or
// with it stands in; the template's own text does not.
func (t *Template) Execute(run engine.Run, escape func(string) string) (string, error) {
	data, _, err := t.scope.data(run)
	if err != nil {
		return "", err
	}
	return t.text(data, escape)
}

func (t *Template) text(data any, escape func(string) string) (string, error) {
	var text bytes.Buffer
	err := t.write(&text, data, func(v any) (string, error) {
		if escape == nil {
			return plain(v), nil
		}
		return escape(plain(v)), nil
	})
	return text.String(), err
}

// write makes the text and says what it means if that fails. escape is called for each value when all that stands before
// it is written.
func (t *Template) write(to io.Writer, data any, escape func(any) (string, error)) error {
	err := t.execute(to, data, escape)
	if err == nil {
		return nil
	}
	if own, ok := errors.AsType[*engine.PermanentError](err); ok {
		return own
	}
	if asked, ok := errors.AsType[*unavailable](err); ok {
		return asked.err
	}
	if errors.Is(err, urlwriter.ErrHost) {
		return engine.Permanent(urlwriter.ErrHost.Error()+": nothing was sent", urlwriter.ErrHost)
	}
	return engine.Permanent("the text could not be made from this request", fmt.Errorf("execute template: %w", err))
}

func (t *Template) execute(to io.Writer, data any, escape func(any) (string, error)) error {
	fresh, err := t.parsed.Clone()
	if err != nil {
		return engine.Permanent("the text could not be made", fmt.Errorf("clone template: %w", err))
	}
	steps := 0
	fresh.Funcs(template.FuncMap{escapeFunc: escape, stepFunc: func() (string, error) {
		if steps++; steps > MaxSteps {
			return "", engine.Permanent(fmt.Sprintf("the template repeats more than %d times", MaxSteps), nil)
		}
		return "", nil
	}})
	return fresh.Execute(&bounded{to: to}, data)
}

// escapeFunc stands at the end of every output's pipeline. Templates are parsed before it exists: a user's cannot call it.
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

// stepFunc counts the rounds of a template's loops, and its uses of other templates, which may make no text at all.
const stepFunc = "_step"

// countSteps puts stepFunc at the beginning of a template and of every round of its loops.
func countSteps(list *parse.ListNode) {
	if list == nil {
		return
	}
	countRounds(list)
	list.Nodes = append([]parse.Node{step(list.Pos)}, list.Nodes...)
}

func countRounds(list *parse.ListNode) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		switch n := node.(type) {
		case *parse.RangeNode:
			countSteps(n.List)
			countRounds(n.ElseList)
		case *parse.IfNode:
			countRounds(n.List)
			countRounds(n.ElseList)
		case *parse.WithNode:
			countRounds(n.List)
			countRounds(n.ElseList)
		}
	}
}

func step(at parse.Pos) parse.Node {
	call := &parse.CommandNode{NodeType: parse.NodeCommand, Pos: at, Args: []parse.Node{parse.NewIdentifier(stepFunc).SetPos(at).SetTree(nil)}}
	return &parse.ActionNode{NodeType: parse.NodeAction, Pos: at, Pipe: &parse.PipeNode{NodeType: parse.NodePipe, Pos: at, Cmds: []*parse.CommandNode{call}}}
}

// bounded ends a template that makes too much.
type bounded struct {
	to   io.Writer
	made int
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.made += len(p); b.made > MaxText {
		return 0, engine.Permanent(fmt.Sprintf("the text would be longer than %d KB", MaxText>>10), nil)
	}
	return b.to.Write(p)
}
