package template

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
	"time"

	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

// check finds what would fail when the template is executed: in every branch, by the types of what it sees. open says that
// it depends on what only a request or a product brings, so that nothing is learnt from executing it over made-up values.
func check(parsed *template.Template, in Scope) (mistakes Mistakes, open bool) {
	c := &checker{scope: in, templates: map[string]*parse.Tree{}, seen: map[string]bool{}}
	for _, each := range parsed.Templates() {
		if each.Tree != nil {
			c.templates[each.Name()] = each.Tree
		}
	}
	if tree := c.templates[parsed.Name()]; tree != nil {
		root := reflect.TypeFor[Data]()
		if in.Each {
			root = reflect.TypeFor[ItemData]()
		}
		if in.Answer {
			root = reflect.TypeFor[AnswerData]()
		}
		c.list(tree.Root, root, variables{"$": root})
	}
	return c.mistakes, c.open
}

var madeUpTime = time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)

// madeUp is a run as a template sees it: every value is there, and none is empty or zero.
func (s Scope) madeUp() any {
	item := Item{Type: jobs.Product, ID: "p1", Product: Product{kind: jobs.Product, id: "p1", identifier: "sku-1"}}
	data := Data{
		User: jobs.User{UUID: "u", Username: "julia", Groups: []string{"g"}}, Label: "Label", Action: "action", Job: "job", Count: 2, More: 1,
		Now: madeUpTime, Items: []Item{item}, Params: map[string]any{}, Context: map[string]any{},
		Event: eventOf(pimevent.Event{
			API: "event-platform", PIM: "main", ID: "e1", Type: "product.updated", Kind: "product", EntityID: "p1", Identifier: "sku-1", Author: pimevent.Author{Identifier: "julia", Type: "user"},
			Source: "pim", Subject: "s", Changes: []pimevent.Change{{Name: "name", Value: true, Previous: []byte(`"a"`), New: []byte(`"b"`), Added: []byte(`["c"]`), Removed: []byte(`["d"]`)}},
			Time: madeUpTime, Updated: madeUpTime, Notice: &pimevent.Notification{Type: "t", Events: []string{"e"}}, Raw: []byte("{}"),
		}),
		Outcome: "partial", Done: 1, Total: 2, Failures: 1,
		Callback: Callback{URL: "https://functions.example.com/callbacks/job/0-0?until=1&proof=x", Until: madeUpTime.Format(time.RFC3339)},
	}
	if s.Answer {
		return AnswerData{ItemData: data.item(0), Answer: map[string]any{}}
	}
	if s.Each {
		return data.item(0)
	}
	return data
}

// checker walks a template with the types of what it sees. A nil type is one that only a request tells.
type checker struct {
	scope     Scope
	templates map[string]*parse.Tree
	seen      map[string]bool // templates that were checked, with the type of their dot
	mistakes  Mistakes
	open      bool // a value depends on the request, or on a product
}

type variables map[string]reflect.Type

func (c *checker) errorf(format string, args ...any) {
	if mistake := fmt.Sprintf(format, args...); !slices.Contains(c.mistakes, mistake) {
		c.mistakes = append(c.mistakes, mistake)
	}
}

func (c *checker) list(list *parse.ListNode, dot reflect.Type, vars variables) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		c.node(node, dot, vars)
	}
}

func (c *checker) node(node parse.Node, dot reflect.Type, vars variables) {
	switch n := node.(type) {
	case *parse.ActionNode:
		c.pipe(n.Pipe, dot, vars)
	case *parse.IfNode:
		inner := maps.Clone(vars)
		c.pipe(n.Pipe, dot, inner)
		c.list(n.List, dot, maps.Clone(inner))
		c.list(n.ElseList, dot, maps.Clone(inner))
	case *parse.WithNode:
		inner := maps.Clone(vars)
		value := c.pipe(n.Pipe, dot, inner)
		c.list(n.List, value, maps.Clone(inner))
		c.list(n.ElseList, dot, maps.Clone(inner))
	case *parse.RangeNode:
		inner := maps.Clone(vars)
		key, element := c.elements(c.pipe(n.Pipe, dot, inner))
		switch decl := n.Pipe.Decl; len(decl) {
		case 1:
			inner[decl[0].Ident[0]] = element
		case 2:
			inner[decl[0].Ident[0]], inner[decl[1].Ident[0]] = key, element
		}
		c.list(n.List, element, inner)
		c.list(n.ElseList, dot, maps.Clone(vars))
	case *parse.TemplateNode:
		var value reflect.Type
		if n.Pipe != nil {
			value = c.pipe(n.Pipe, dot, maps.Clone(vars))
		}
		tree, ok := c.templates[n.Name]
		if !ok {
			c.errorf("there is no template %q", n.Name)
			return
		}
		if key := fmt.Sprint(n.Name, " ", value); !c.seen[key] {
			c.seen[key] = true
			c.list(tree.Root, value, variables{"$": value})
		}
	}
}

// elements are the types of what a range goes over.
func (c *checker) elements(t reflect.Type) (key, element reflect.Type) {
	if t == nil {
		return nil, nil
	}
	number := reflect.TypeFor[int]()
	switch t.Kind() {
	case reflect.Interface:
		return nil, nil
	case reflect.Slice, reflect.Array:
		return number, known(t.Elem())
	case reflect.Map:
		return known(t.Key()), known(t.Elem())
	case reflect.Int, reflect.Int64:
		return t, t
	}
	c.errorf("range cannot go over %s", t)
	return nil, nil
}

func (c *checker) pipe(pipe *parse.PipeNode, dot reflect.Type, vars variables) reflect.Type {
	var value reflect.Type
	for i, command := range pipe.Cmds {
		value = c.command(command, dot, vars, pipe.Cmds[:i])
	}
	for _, variable := range pipe.Decl {
		name := variable.Ident[0]
		if before, there := vars[name]; pipe.IsAssign && there && before != value {
			value = nil
		}
		vars[name] = value
	}
	return value
}

func (c *checker) command(command *parse.CommandNode, dot reflect.Type, vars variables, before []*parse.CommandNode) reflect.Type {
	for _, argument := range command.Args[1:] {
		c.argument(argument, dot, vars)
	}
	given := len(command.Args) - 1
	if len(before) > 0 {
		given++
	}
	if function, ok := command.Args[0].(*parse.IdentifierNode); ok {
		return c.call(function.Ident, given)
	}
	with := arguments{count: given}
	if len(command.Args) > 1 {
		with.first = literal(command.Args[1])
	} else if len(before) > 0 && len(before[len(before)-1].Args) == 1 {
		with.first = literal(before[len(before)-1].Args[0])
	}
	return c.operand(command.Args[0], dot, vars, with)
}

// arguments are what a method is called with.
type arguments struct {
	count int
	first string // "" unless it is a text that stands in the template
}

func literal(node parse.Node) string {
	if text, ok := node.(*parse.StringNode); ok {
		return text.Text
	}
	return ""
}

func (c *checker) argument(node parse.Node, dot reflect.Type, vars variables) reflect.Type {
	if function, ok := node.(*parse.IdentifierNode); ok {
		return c.call(function.Ident, 0)
	}
	return c.operand(node, dot, vars, arguments{})
}

// operand is the type of a value; with is for the method that it ends with.
func (c *checker) operand(node parse.Node, dot reflect.Type, vars variables, with arguments) reflect.Type {
	switch n := node.(type) {
	case *parse.DotNode:
		return c.noted(dot)
	case *parse.FieldNode:
		return c.chain(dot, n.Ident, with)
	case *parse.VariableNode:
		return c.chain(vars[n.Ident[0]], n.Ident[1:], with)
	case *parse.ChainNode:
		return c.chain(c.argument(n.Node, dot, vars), n.Field, with)
	case *parse.PipeNode:
		return c.pipe(n, dot, maps.Clone(vars))
	case *parse.StringNode:
		return reflect.TypeFor[string]()
	case *parse.BoolNode:
		return reflect.TypeFor[bool]()
	}
	return nil // a number has the type that its place wants
}

// call is the type of a function's result.
func (c *checker) call(name string, given int) reflect.Type {
	function, ok := functions[name]
	if !ok { // the language's own
		switch name {
		case "len":
			return reflect.TypeFor[int]()
		case "not":
			return reflect.TypeFor[bool]()
		case "print", "println", "js", "urlquery":
			return reflect.TypeFor[string]()
		}
		c.open = true // and, or, index, slice, call: by their arguments
		return nil
	}
	t := reflect.TypeOf(function)
	c.arguments(name, t, 0, given)
	return t.Out(0)
}

func (c *checker) arguments(name string, t reflect.Type, receiver, given int) {
	wanted := t.NumIn() - receiver
	if t.IsVariadic() && given >= wanted-1 || !t.IsVariadic() && given == wanted {
		return
	}
	c.errorf("%s has %d arguments, and takes %d", name, given, wanted)
}

// chain is the type of the last of a row of fields.
func (c *checker) chain(t reflect.Type, fields []string, with arguments) reflect.Type {
	for i, name := range fields {
		if t = known(t); t == nil {
			return c.noted(nil)
		}
		if i < len(fields)-1 {
			t = c.field(t, name, arguments{})
			continue
		}
		t = c.field(t, name, with)
	}
	return c.noted(known(t))
}

func (c *checker) field(t reflect.Type, name string, with arguments) reflect.Type {
	if method, ok := t.MethodByName(name); ok {
		c.arguments(name, method.Type, 1, with.count)
		if t == productType {
			c.attribute(name, with.first)
		}
		return method.Type.Out(0)
	}
	if name == "Product" && (t == batchType || c.scope.Reads == nil) && slices.Contains(productHolders, t) {
		c.noProduct(t)
		return nil
	}
	if name == "Callback" && !c.scope.Callback && slices.Contains(productHolders[:3], t) {
		c.errorf("there is no address for a callback: add callback: {within: 72h}, or use a place that is sent to the destination")
		return nil
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Struct:
		if field, ok := t.FieldByName(name); ok && field.IsExported() {
			return field.Type
		}
		c.errorf("there is no %q (there are %s)", name, strings.Join(names(t), ", "))
		return nil
	case reflect.Map:
		return t.Elem()
	}
	c.errorf("there is no %q", name)
	return nil
}

var (
	productType    = reflect.TypeFor[Product]()
	batchType      = reflect.TypeFor[Data]()
	productHolders = []reflect.Type{batchType, reflect.TypeFor[ItemData](), reflect.TypeFor[AnswerData](), reflect.TypeFor[Item]()}
)

// noProduct says what a template that names .Product needs.
func (c *checker) noProduct(t reflect.Type) {
	if c.scope.Reads == nil {
		c.errorf("there is no product: add read: {attributes: [name]} with the attributes that the action needs")
		return
	}
	c.errorf("there are several products: add each: true, or write {{range .Items}}{{.Product.Identifier}}{{end}}")
}

// attribute checks that the action reads an attribute that the template names.
func (c *checker) attribute(method, code string) {
	reads := c.scope.Reads
	if code == "" || reads == nil || !slices.Contains(attributeMethods, method) {
		return
	}
	if len(reads.Attributes) > 0 && !slices.Contains(reads.Attributes, code) {
		c.errorf("the attribute %q is not read: add it to attributes of read", code)
	}
	if method == "Label" && !reads.Labels {
		c.errorf("labels are not read: add labels: true to read")
	}
}

// names lists what a template can name of a value.
func names(t reflect.Type) (found []string) {
	for method := range t.Methods() {
		found = append(found, method.Name)
	}
	if t.Kind() != reflect.Struct {
		return found
	}
	for _, field := range reflect.VisibleFields(t) {
		if field.IsExported() && !field.Anonymous {
			found = append(found, field.Name)
		}
	}
	return found
}

// known is a type, or nil where only a request tells it.
func known(t reflect.Type) reflect.Type {
	if t != nil && t.Kind() == reflect.Interface {
		return nil
	}
	return t
}

func (c *checker) noted(t reflect.Type) reflect.Type {
	if t == nil {
		c.open = true
	}
	return t
}
