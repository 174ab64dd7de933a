package functions_test

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write the golden files of what each bootstrap links")

// What a bootstrap links is what a cold start loads: a new package there is a decision, not an accident. Of the standard
// library only time/tzdata is listed, half a megabyte of data.
func TestBootstrapsLinkWhatTheGoldenFilesList(t *testing.T) {
	for _, folder := range bootstraps(t) {
		name := path.Base(path.Dir(folder))
		t.Run(name, func(t *testing.T) {
			list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if or (not .Standard) (eq .ImportPath \"time/tzdata\")}}{{.ImportPath}}{{end}}", "./"+folder)
			list.Dir = root
			// As `make build` builds it: the list differs between systems.
			list.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0", "GOFLAGS=-tags=lambda.norpc")
			list.Stderr = os.Stderr
			output, err := list.Output()
			if err != nil {
				t.Fatalf("go list: %v", err)
			}
			got := strings.Fields(string(output))
			slices.Sort(got)

			golden := filepath.Join("testdata", name+".imports")
			if *update {
				if err := os.WriteFile(golden, []byte(strings.Join(got, "\n")+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			text, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			for _, difference := range differences(got, strings.Fields(string(text))) {
				t.Errorf("%s: %s", golden, difference)
			}
			if t.Failed() {
				t.Log("if that is meant: go test ./functions -update")
			}
		})
	}
}

// bootstraps are the folders of the programs that Lambda runs.
func bootstraps(t *testing.T) (folders []string) {
	found, err := fs.Glob(os.DirFS(root), "functions/*/bootstrap")
	if err != nil || len(found) == 0 {
		t.Fatalf("no bootstrap was found: %v", err)
	}
	return found
}

func TestAChangeOfWhatIsLinkedIsNoticed(t *testing.T) {
	got := differences([]string{"a", "new"}, []string{"a", "old"})
	if want := []string{"new is linked, and not listed", "old is listed, and not linked"}; !slices.Equal(got, want) {
		t.Errorf("differences = %q, want %q", got, want)
	}
}

func differences(linked, listed []string) (found []string) {
	for _, name := range linked {
		if !slices.Contains(listed, name) {
			found = append(found, name+" is linked, and not listed")
		}
	}
	for _, name := range listed {
		if !slices.Contains(linked, name) {
			found = append(found, name+" is listed, and not linked")
		}
	}
	return found
}

// A variable that is missing stops a function only when it starts on AWS, and one that nobody reads misleads.
func TestTheTemplateSetsWhatTheBootstrapsRead(t *testing.T) {
	parsed := readTemplate(t)
	functions, err := parsed.functions()
	if err != nil {
		t.Fatal(err)
	}
	configuration, err := os.ReadFile(filepath.Join(root, "shared", "config", "extensions.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for name, own := range functions {
		t.Run(name, func(t *testing.T) {
			read := variablesIn(t, own.CodeURI)
			if len(read) == 0 {
				t.Fatal("the bootstrap reads nothing through variables: the test looks for the wrong name")
			}
			set := maps.Clone(parsed.Globals.Function.Environment.Variables)
			maps.Copy(set, own.Environment.Variables)
			for _, problem := range variableProblems(read, set, parsed, string(configuration)) {
				t.Error(problem)
			}
		})
	}
}

func TestAVariableOfOneSideAloneIsNoticed(t *testing.T) {
	const program = `package main
func build() { variables.Required("READ", "…"); variables.Int("BOTH", 5); variables.Required("AWS_REGION", ""); variables.Required("MAYBE", "") }`
	parsed := parseTemplate(t, `
Parameters: {Url: {Type: String, Default: ""}}
Globals: {Function: {Environment: {Variables: {BOTH: 5, ERP_URL: !Ref Url, MAYBE: !Ref Url, SET: !Ref Queue, GOMEMLIMIT: 400MiB}}}}`)
	got := variableProblems(variablesOf(t, program, func(string) bool { return true }), parsed.Globals.Function.Environment.Variables, parsed, "url: ${ERP_URL}")
	want := []string{
		"MAYBE is required by the bootstrap, and empty unless somebody sets the parameter Url",
		"READ is read by the bootstrap and not set by template.yaml",
		"SET is set by template.yaml and read by nobody",
	}
	if !slices.Equal(got, want) {
		t.Errorf("problems = %q, want %q", got, want)
	}
}

// variableProblems compares the variables that a bootstrap reads (true: it requires them), and those that extensions.yaml
// names as ${NAME}, with those that are set. Lambda sets its own, and Go reads GOMEMLIMIT.
func variableProblems(read map[string]bool, set map[string]yaml.Node, parsed template, configuration string) (found []string) {
	for _, name := range slices.Sorted(maps.Keys(read)) {
		value, there := set[name]
		parameter, declared := parsed.Parameters[value.Value]
		switch lambda := strings.HasPrefix(name, "AWS_") && name != "AWS_ENDPOINT_URL"; {
		case !there && !lambda:
			found = append(found, name+" is read by the bootstrap and not set by template.yaml")
		case read[name] && value.Tag == "!Ref" && declared && parameter.Default == "":
			found = append(found, name+" is required by the bootstrap, and empty unless somebody sets the parameter "+value.Value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if _, reads := read[name]; !reads && name != "GOMEMLIMIT" && !strings.Contains(configuration, "${"+name+"}") {
			found = append(found, name+" is set by template.yaml and read by nobody")
		}
	}
	return found
}

// variablesIn are the variables that a bootstrap's folder reads, and shared/startup where it begins there.
func variablesIn(t *testing.T, folder string) map[string]bool {
	t.Helper()
	read := map[string]bool{}
	starts, begin := false, "" // the bootstrap's own text
	for _, pattern := range []string{filepath.Join(root, folder, "*.go"), filepath.Join(root, "shared", "startup", "*.go")} {
		if strings.Contains(pattern, "startup") && !starts {
			continue
		}
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			starts = starts || strings.Contains(string(text), `"`+module+`shared/startup"`)
			if !strings.Contains(pattern, "startup") {
				begin += string(text)
			}
			maps.Copy(read, variablesOf(t, string(text), func(function string) bool {
				return !strings.Contains(pattern, "startup") || !token.IsExported(function) || strings.Contains(begin, "startup."+function+"(")
			}))
		}
	}
	return read
}

// variablesOf are the names that a program reads through variables, and whether it requires them, in the functions that
// count.
func variablesOf(t *testing.T, program string, counts func(function string) bool) map[string]bool {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), "main.go", program, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	read := map[string]bool{}
	ast.Inspect(parsed, func(node ast.Node) bool {
		if function, ok := node.(*ast.FuncDecl); ok && !counts(function.Name.Name) {
			return false
		}
		call, ok := node.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		reader, _ := method.X.(*ast.Ident)
		literal, _ := call.Args[0].(*ast.BasicLit)
		if reader == nil || reader.Name != "variables" || literal == nil {
			return true
		}
		if name, err := strconv.Unquote(literal.Value); err == nil {
			read[name] = method.Sel.Name == "Required"
		}
		return true
	})
	return read
}
