package expression

import (
	"fmt"
	"slices"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
)

// safety puts functions of a run in the place of the language's operators, so that nil is safe and every repetition is
// counted, and refuses what it does not know.
type safety struct {
	attributes []string
	labels     bool
	problem    *file.Error // the first
}

// Names that no expression can spell.
const (
	member  = "."
	truth   = "?"
	step    = "#"
	listing = "[]"
	summing = "sum[]"
	negate  = "-x"
	number  = "+x"
)

// operators are the binary ones that a function of their name replaces.
var operators = []string{"+", "-", "*", "/", "%", "**", "^", "<", "<=", ">", ">=", "==", "!=", "in", "contains", "startsWith", "endsWith", "matches"}

// products are the functions that read an attribute: their first argument is its code.
var products = []string{"value", "price", "metric", "label"}

// loops are the language's functions with a predicate, and what a predicate's result goes through.
var loops = map[string]string{
	"all": truth, "any": truth, "none": truth, "one": truth, "filter": truth, "count": truth, "find": truth, "map": step, "sum": step,
}

func (s *safety) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		if n.Value == "$env" {
			s.refuse(n, "$env is no name of this language")
		}
	case *ast.UnaryNode:
		switch n.Operator {
		case "!", "not":
			wrap(truth, &n.Node)
		case "-":
			ast.Patch(node, call(n, negate, n.Node))
		case "+":
			ast.Patch(node, call(n, number, n.Node))
		default:
			s.refuse(n, "operator %s is not part of this language", n.Operator)
		}
	case *ast.BinaryNode:
		s.binary(node, n)
	case *ast.MemberNode:
		ast.Patch(node, call(n, member, n.Node, n.Property))
	case *ast.ConditionalNode:
		wrap(truth, &n.Cond)
	case *ast.CallNode:
		s.call(n)
	case *ast.BuiltinNode:
		s.loop(node, n)
	case *ast.SliceNode:
		s.refuse(n, "slices are not part of this language")
	case *ast.BytesNode:
		s.refuse(n, "bytes are not part of this language")
	}
}

func (s *safety) binary(node *ast.Node, n *ast.BinaryNode) {
	switch {
	case slices.Contains(operators, n.Operator):
		ast.Patch(node, call(n, n.Operator, n.Left, n.Right))
	case slices.Contains([]string{"and", "or", "&&", "||"}, n.Operator):
		wrap(truth, &n.Left)
		wrap(truth, &n.Right)
	case n.Operator != "??":
		s.refuse(n, "operator %s is not part of this language", n.Operator)
	}
}

// call allows the functions that are offered, by their names: what is called is never a value.
func (s *safety) call(n *ast.CallNode) {
	callee, named := n.Callee.(*ast.IdentifierNode)
	if !named || !slices.Contains(names, callee.Value) && !hidden(callee.Value) {
		s.refuse(n, "only the functions of this language can be called")
		return
	}
	if !slices.Contains(products, callee.Value) || len(n.Arguments) == 0 {
		return
	}
	code, constant := n.Arguments[0].(*ast.StringNode)
	if !constant || code.Value == "" {
		s.refuse(n, "the first argument of %s must be the code of an attribute, in quotes", callee.Value)
		return
	}
	s.labels = s.labels || callee.Value == "label"
	if !slices.Contains(s.attributes, code.Value) {
		s.attributes = append(s.attributes, code.Value)
	}
}

// hidden says whether a name is one that this file gives.
func hidden(name string) bool {
	return slices.Contains(operators, name) || slices.Contains([]string{member, truth, step, listing, summing, negate, number}, name)
}

func (s *safety) loop(node *ast.Node, n *ast.BuiltinNode) {
	result, known := loops[n.Name]
	if !known {
		s.refuse(n, "%s is no function of this language", n.Name)
		return
	}
	if len(n.Arguments) == 0 {
		return // the library's check reports it
	}
	if n.Name == "count" && len(n.Arguments) == 1 {
		s.refuse(n, "count takes a list and a condition; len counts all")
		return
	}
	if n.Name == "sum" && len(n.Arguments) == 1 {
		ast.Patch(node, call(n, summing, n.Arguments[0]))
		return
	}
	wrap(listing, &n.Arguments[0])
	for _, argument := range n.Arguments[1:] {
		if predicate, ok := argument.(*ast.PredicateNode); ok {
			wrap(result, &predicate.Node)
		}
	}
	if n.Name == "sum" {
		mapped := &ast.BuiltinNode{Name: "map", Arguments: n.Arguments}
		mapped.SetLocation(n.Location())
		ast.Patch(node, call(n, summing, mapped))
	}
}

func (s *safety) refuse(node ast.Node, format string, args ...any) {
	if s.problem == nil {
		s.problem = &file.Error{Location: node.Location(), Message: fmt.Sprintf(format, args...)}
	}
}

func call(at ast.Node, name string, arguments ...ast.Node) ast.Node {
	callee := &ast.IdentifierNode{Value: name}
	callee.SetLocation(at.Location())
	made := &ast.CallNode{Callee: callee, Arguments: arguments}
	made.SetLocation(at.Location())
	return made
}

// wrap passes a part's value through a function.
func wrap(name string, node *ast.Node) {
	if *node != nil {
		*node = call(*node, name, *node)
	}
}
