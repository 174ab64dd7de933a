package main

import (
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/callgraph"
	"golang.org/x/tools/go/callgraph/cha"
	"golang.org/x/tools/go/callgraph/vta"
	"golang.org/x/tools/go/packages"
	"golang.org/x/tools/go/ssa"
	"golang.org/x/tools/go/ssa/ssautil"
)

const (
	module      = "github.com/pim-functions/pim-functions/"
	sdkServices = "github.com/aws/aws-sdk-go-v2/service/"
)

// reachableCalls finds, for each bootstrap by its function's name, the calls of AWS that its code can reach, as
// "sqs.SendMessageBatch", sorted. The handler is reached through Lambda's runtime, by reflection: its Invoke is a
// beginning of its own, and so is a function that main writes out for it.
func reachableCalls(folders []string) (map[string][]string, error) {
	absolute, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	patterns := []string{}
	for _, folder := range folders {
		relative, err := filepath.Rel(root, folder)
		if err != nil {
			return nil, err
		}
		patterns = append(patterns, "./"+filepath.ToSlash(relative))
	}
	loaded, err := packages.Load(&packages.Config{
		Mode: packages.LoadAllSyntax, Dir: absolute, Env: append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-tags=lambda.norpc"),
	}, patterns...)
	if err != nil {
		return nil, fmt.Errorf("load the bootstraps: %w", err)
	}
	if packages.PrintErrors(loaded) > 0 {
		return nil, errors.New("the bootstraps have errors: see above")
	}
	program, mains := ssautil.AllPackages(loaded, ssa.InstantiateGenerics)
	program.Build()
	every := cha.CallGraph(program)
	all := ssautil.AllFunctions(program)
	found := map[string][]string{}
	for i, main := range mains {
		linked := closure(loaded[i].Types)
		roots := append([]*ssa.Function{main.Func("init"), main.Func("main")}, main.Func("main").AnonFuncs...)
		for function := range all {
			if inTemplates(function) && linked[function.Pkg.Pkg] {
				roots = append(roots, function)
			}
			if function.Name() == "Invoke" && function.Pkg != nil && linked[function.Pkg.Pkg] && strings.HasPrefix(function.Pkg.Pkg.Path(), module) {
				roots = append(roots, function)
			}
		}
		coarse := reachable(every, roots, linked)
		fine := reachable(vta.CallGraph(coarse, every), roots, linked)
		calls := map[string]bool{}
		for function := range fine {
			if call := sdkCall(function); call != "" {
				calls[call] = true
			}
			maps.Copy(calls, transactionParts(function))
		}
		found[path.Base(path.Dir(loaded[i].PkgPath))] = slices.Sorted(maps.Keys(calls))
	}
	return found, nil
}

// inTemplates says whether text/template can call a function, which it does by reflection: an exported method of what
// templates see.
func inTemplates(function *ssa.Function) bool {
	if function.Pkg == nil || function.Signature.Recv() == nil || !token.IsExported(function.Name()) {
		return false
	}
	return slices.Contains([]string{module + "shared/actions/template", module + "shared/pim"}, function.Pkg.Pkg.Path())
}

// closure is what a package imports, itself and indirectly included.
func closure(from *types.Package) map[*types.Package]bool {
	seen := map[*types.Package]bool{}
	var visit func(*types.Package)
	visit = func(one *types.Package) {
		if seen[one] {
			return
		}
		seen[one] = true
		for _, imported := range one.Imports() {
			visit(imported)
		}
	}
	visit(from)
	return seen
}

// reachable are the functions of the linked packages that can be called from the roots.
func reachable(graph *callgraph.Graph, roots []*ssa.Function, linked map[*types.Package]bool) map[*ssa.Function]bool {
	seen := map[*ssa.Function]bool{}
	var visit func(*ssa.Function)
	visit = func(function *ssa.Function) {
		if function == nil || seen[function] || function.Pkg != nil && !linked[function.Pkg.Pkg] {
			return
		}
		seen[function] = true
		if node := graph.Nodes[function]; node != nil {
			for _, edge := range node.Out {
				visit(edge.Callee.Func)
			}
		}
	}
	for _, one := range roots {
		visit(one)
	}
	return seen
}

// sdkCall is the name of an SDK client's exported method, "" for anything else.
func sdkCall(function *ssa.Function) string {
	receiver := function.Signature.Recv()
	if receiver == nil || function.Pkg == nil || function.Object() == nil || !function.Object().Exported() {
		return ""
	}
	service, ok := strings.CutPrefix(function.Pkg.Pkg.Path(), sdkServices)
	if !ok {
		return ""
	}
	pointer, ok := receiver.Type().(*types.Pointer)
	if !ok {
		return ""
	}
	named, ok := pointer.Elem().(*types.Named)
	if !ok || named.Obj().Name() != "Client" || function.Signature.Params().Len() < 2 { // Options() and the like
		return ""
	}
	return service + "." + function.Name()
}

// transactionParts are the fields of DynamoDB's TransactWriteItem that a function sets.
func transactionParts(function *ssa.Function) map[string]bool {
	found := map[string]bool{}
	for _, block := range function.Blocks {
		for _, instruction := range block.Instrs {
			field, ok := instruction.(*ssa.FieldAddr)
			if !ok {
				continue
			}
			pointer, ok := field.X.Type().Underlying().(*types.Pointer)
			if !ok {
				continue
			}
			named, ok := pointer.Elem().(*types.Named)
			if !ok || named.Obj().Name() != "TransactWriteItem" || function.Pkg == nil || !strings.HasPrefix(function.Pkg.Pkg.Path(), module) {
				continue
			}
			found["TransactWriteItem."+named.Underlying().(*types.Struct).Field(field.Field).Name()] = true
		}
	}
	return found
}
