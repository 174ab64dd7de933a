// Package functions_test holds what is true of the project as a whole: who imports whom, what each function links, and
// what lies at the top.
package functions_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	root   = ".."
	module = "github.com/pim-functions/pim-functions/"
)

// arrow says which folders of the project a folder may import. Patterns are path.Match's; a final /** is the folder
// and all below it.
type arrow struct {
	from  string
	to    []string
	never []string
}

// arrows is the project's layering. The first that matches a folder holds for it.
var arrows = []arrow{
	// Mains put the parts together.
	{from: "functions/*/bootstrap", to: []string{"functions/*", "shared/**"}},
	{from: "functions/pimctl", to: []string{"functions/*", "shared/**"}},
	{from: "functions/local", to: []string{"functions/*", "functions/local/*", "shared/**"}},
	// Its parts point one way: inspector → pim, destination, cloud → loopback, recent. The gateway plays AWS alone.
	{from: "functions/local/gateway"},
	{from: "functions/local/loopback"},
	{from: "functions/local/recent"},
	{from: "functions/local/destination", to: []string{"functions/local/recent"}},
	{from: "functions/local/cloud", to: []string{
		"functions/local/recent", "shared/actions/publish", "shared/actions/statemachine", "shared/awsconfig", "shared/files", "shared/files/address", "shared/jobs", "shared/ledger", "shared/pimevent",
		"shared/queue", "shared/secrets", "shared/signature", "shared/table",
	}},
	{from: "functions/local/pim", to: []string{
		"functions/local/loopback", "shared/config", "shared/pim", "shared/pim/pimtest", "shared/pimevent", "shared/platformapi/platformtest", "shared/secrets", "shared/senders",
		"shared/signature",
	}},
	{from: "functions/local/inspector", to: []string{
		"functions/local/cloud", "functions/local/destination", "functions/local/gateway", "functions/local/loopback",
		"functions/local/pim", "functions/local/recent", "shared/**",
	}},

	// Functions know no other function. Those that face the outside verify, record, queue and answer: they cannot act.
	// What plays a sender is for those who test them.
	{from: "functions/worker", to: []string{"shared/**"}, never: []string{"shared/senders"}},
	// It asks our own deployment as the senders would.
	{from: "functions/register", to: []string{"shared/**"}},
	{from: "functions/fixture", to: []string{"shared/**", "functions/local/gateway"}},
	{from: "functions/*", to: []string{"shared/**"}, never: []string{"shared/engine", "shared/actions/**", "shared/pim/**", "shared/senders"}},

	// Kinds of action know the engine, never each other; template, expression and csv are what they share, and shared/actions
	// lists them.
	{from: "shared/actions", to: []string{"shared/actions/*", "shared/engine", "shared/jobs", "shared/config", "shared/outbound", "shared/credential", "shared/eventtype"}},
	{from: "shared/actions/template", to: []string{"shared/actions/expression", "shared/urlwriter", "shared/engine", "shared/jobs", "shared/pimevent", "shared/config", "shared/pim"}},
	{from: "shared/actions/outcome", to: []string{"shared/callback", "shared/engine", "shared/jobs", "shared/config", "shared/outbound", "shared/pim"}},
	{from: "shared/actions/csv"},
	{from: "shared/actions/validate", to: []string{"shared/actions/csv", "shared/actions/expression", "shared/engine", "shared/jobs", "shared/config", "shared/pim", "shared/files"}},
	{from: "shared/actions/expression", to: []string{"shared/pim"}},
	{from: "shared/actions/export/table", to: []string{"shared/pim"}},
	{from: "shared/actions/export", to: []string{
		"shared/actions/export/table", "shared/actions/csv", "shared/actions/template", "shared/engine", "shared/jobs", "shared/config", "shared/pim", "shared/files",
		"shared/outbound", "shared/sftp",
	}},
	{from: "shared/actions/*", to: []string{
		"shared/actions/outcome", "shared/actions/template", "shared/actions/expression", "shared/engine", "shared/jobs", "shared/pimevent", "shared/config",
		"shared/eventtype", "shared/outbound", "shared/credential", "shared/pim", "shared/contentfulapi", // clients of what a kind works with
	}},
	{from: "shared/engine", to: []string{
		"shared/jobs", "shared/ledger", "shared/pimevent", "shared/config", "shared/metric", "shared/queue", "shared/pim", "shared/files",
		"shared/eventtype",
	}},
	{from: "shared/order", to: []string{"shared/config", "shared/jobs"}},
	{from: "shared/schedule", to: []string{"shared/config"}},
	{from: "shared/files", to: []string{"shared/files/address"}},
	{from: "shared/files/address", to: []string{"shared/signature"}},
	{from: "shared/config", to: []string{"shared/urlwriter", "shared/address", "shared/eventtype", "shared/levenshtein"}},
	{from: "shared/outbound", to: []string{"shared/address"}},
	{from: "shared/credential", to: []string{"shared/outbound", "shared/signature"}},
	{from: "shared/jobs", to: []string{"shared/queue", "shared/table"}},
	{from: "shared/ledger", to: []string{"shared/table"}},
	{from: "shared/gate", to: []string{"shared/signature", "shared/secrets", "shared/config", "shared/web", "shared/metric", "shared/queue"}},
	{from: "shared/body", to: []string{"shared/web"}},
	{from: "shared/callback", to: []string{"shared/body"}},
	{from: "shared/texts", to: []string{"shared/config", "shared/jobs"}},
	// Where programs of one shape begin is a composition root itself.
	{from: "shared/startup", to: []string{"shared/awsconfig", "shared/config", "shared/env", "shared/metric", "shared/secrets", "shared/web"}},
	{from: "shared/web", to: []string{"shared/metric"}},
	{from: "shared/sftp", to: []string{"shared/outbound"}},
	{from: "shared/pim", to: []string{"shared/outbound"}},
	{from: "shared/platformapi", to: []string{"shared/outbound", "shared/eventtype"}},
	{from: "shared/contentfulapi", to: []string{"shared/outbound"}},
	{from: "shared/*/*test", to: []string{"shared/pim", "shared/platformapi", "shared/contentfulapi", "shared/table"}}, // each plays its other side
	{from: "shared/signature/doctor", to: []string{"shared/signature"}},
	{from: "shared/senders", to: []string{"shared/signature", "shared/levenshtein", "events"}},
	{from: "shared/*"}, // every other room stands on its own

	{from: "events"}, // holds files
}

// libraries are the modules of others, and who may import them. What is not here may be imported by nobody.
var libraries = []struct {
	name string
	by   func(file) bool
}{
	{"github.com/aws/aws-sdk-go-v2/config", nobody}, // brings SSO, STS and instance metadata, which cost a cold start
	{"github.com/aws/aws-sdk-go-v2", adapters},
	{"github.com/aws/smithy-go", adapters},
	{"github.com/aws/aws-lambda-go/events", func(f file) bool { return f.folder == "functions/worker" && f.name == "lambda.go" }},
	{"github.com/aws/aws-lambda-go", func(f file) bool { return f.main }},
	{"github.com/spf13/cobra", commandLine},
	{"github.com/spf13/pflag", commandLine},
	{"github.com/robfig/cron/v3", func(f file) bool { return f.folder == "shared/schedule" }},
	{"golang.org/x/sync/semaphore", func(f file) bool { return f.folder == "functions/worker" }},
	{"golang.org/x/sync/singleflight", func(f file) bool {
		return slices.Contains([]string{"shared/secrets", "shared/pim", "shared/contentfulapi", "shared/credential", "functions/data"}, f.folder)
	}},
	{"golang.org/x/oauth2", func(f file) bool { return f.folder == "shared/credential" }},
	{"github.com/xuri/excelize/v2", func(f file) bool { return f.folder == "shared/actions/export/table" && f.name == "xlsx.go" }},
	{"golang.org/x/text/language", func(f file) bool { return f.folder == "shared/actions/export/table" }},
	{"github.com/pkg/sftp", func(f file) bool { return matches("shared/sftp/**", f.folder) }},
	{"golang.org/x/crypto/ssh", func(f file) bool { return matches("shared/sftp/**", f.folder) }},
	{"github.com/go-json-experiment/json/jsontext", func(f file) bool { return f.folder == "shared/body" }},
	{"github.com/expr-lang/expr", func(f file) bool { return f.folder == "shared/actions/expression" }},
	{"go.yaml.in/yaml/v3", func(f file) bool { return f.folder == "shared/config" }},
}

func nobody(file) bool { return false }

func commandLine(f file) bool { return f.folder == "functions/pimctl" }

// adapters are the files that may know AWS.
func adapters(f file) bool {
	adapter := slices.Contains([]string{"secretsmanager.go", "eventbridge.go", "ses.go", "stepfunctions.go", "cloudwatch.go"}, f.name) || matches("s3*.go", f.name) || matches("sqs*.go", f.name)
	return f.main || adapter || f.folder == "functions/local/cloud" && f.name == "endpoint.go" ||
		slices.Contains([]string{"shared/awsconfig", "shared/startup", "shared/table", "shared/table/tabletest"}, f.folder)
}

// environment are the functions that read variables of the process, which is for shared/env alone.
var environment = []string{"Getenv", "LookupEnv", "Environ", "ExpandEnv"}

// file is what the rules look at.
type file struct {
	folder  string // in the project, with slashes
	name    string
	main    bool
	imports []string
	reads   []string // what it uses of environment
}

func parseFile(name string, text any) (file, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
	if err != nil {
		return file{}, err
	}
	f := file{folder: path.Dir(name), name: path.Base(name), main: parsed.Name.Name == "main"}
	system := map[string]bool{} // the names by which this file knows os and syscall
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return file{}, err
		}
		f.imports = append(f.imports, imported)
		if imported == "os" || imported == "syscall" {
			system[imported] = spec.Name == nil
			if spec.Name != nil {
				system[spec.Name.Name] = true
			}
		}
	}
	ast.Inspect(parsed, func(node ast.Node) bool {
		if selector, ok := node.(*ast.SelectorExpr); ok {
			from, _ := selector.X.(*ast.Ident)
			if from != nil && system[from.Name] && slices.Contains(environment, selector.Sel.Name) {
				f.reads = append(f.reads, selector.Sel.Name)
			}
		}
		return true
	})
	return f, nil
}

// problems says which rules a file breaks.
func (f file) problems() (found []string) {
	for _, imported := range f.imports {
		if problem := f.problem(imported); problem != "" {
			found = append(found, problem)
		}
	}
	if len(f.reads) > 0 && f.folder != "shared/env" {
		found = append(found, fmt.Sprintf("reads the environment (%s): that is for shared/env alone", f.reads[0]))
	}
	return found
}

func (f file) problem(imported string) string {
	if own, ok := strings.CutPrefix(imported, module); ok {
		if own == f.folder {
			return ""
		}
		for _, a := range arrows {
			if !matches(a.from, f.folder) {
				continue
			}
			allowed := func(pattern string) bool { return matches(pattern, own) }
			if slices.ContainsFunc(a.never, allowed) || !slices.ContainsFunc(a.to, allowed) {
				return fmt.Sprintf("%s may not import %s", f.folder, own)
			}
			return ""
		}
		return fmt.Sprintf("no arrow begins at %s: add one, and think of the layering", f.folder)
	}
	first, _, _ := strings.Cut(imported, "/")
	if !strings.Contains(first, ".") {
		return "" // the standard library
	}
	for _, library := range libraries {
		if imported == library.name || strings.HasPrefix(imported, library.name+"/") {
			if !library.by(f) {
				return fmt.Sprintf("%s/%s may not import %s", f.folder, f.name, imported)
			}
			return ""
		}
	}
	return fmt.Sprintf("nobody may import %s: add it to libraries if it must be", imported)
}

func matches(pattern, name string) bool {
	if above, ok := strings.CutSuffix(pattern, "/**"); ok {
		return name == above || strings.HasPrefix(name, above+"/")
	}
	matched, err := path.Match(pattern, name)
	return matched && err == nil
}

// Tests may import what they need.
func TestEveryImportFollowsAnArrow(t *testing.T) {
	var read int
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "testdata"):
			return fs.SkipDir
		case entry.IsDir() || path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return err
		}
		f, err := parseFile(name, text)
		if err != nil {
			return err
		}
		read++
		for _, problem := range f.problems() {
			t.Errorf("%s: %s", name, problem)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if read == 0 {
		t.Fatal("no Go file was found: the test looks in the wrong place")
	}
}

func TestForbiddenArrowsAreRefused(t *testing.T) {
	const (
		sdk    = "github.com/aws/aws-sdk-go-v2/"
		lambda = "github.com/aws/aws-lambda-go/lambda"
	)
	for _, row := range []struct {
		name, file, text string
	}{
		{"a function imports another", "functions/action/x.go", imports("action", module+"functions/worker")},
		{"a function imports the local system", "functions/worker/x.go", imports("worker", module+"functions/local")},
		{"a function that faces the outside imports the engine", "functions/action/x.go", imports("action", module+"shared/engine")},
		{"… or a kind of action", "functions/action/x.go", imports("action", module+"shared/actions/forward")},
		{"… or the PIM's client", "functions/action/x.go", imports("action", module+"shared/pim")},
		{"… and so does one that is not there yet", "functions/iframe/x.go", imports("iframe", module+"shared/engine")},
		{"a part of the local system imports the whole", "functions/local/inspector/x.go", imports("inspector", module+"functions/local")},
		{"the PIM that is played imports what watches it", "functions/local/pim/x.go", imports("pim", module+"functions/local/inspector")},
		{"the destination that is played knows what calls it", "functions/local/destination/x.go", imports("destination", module+"functions/local/pim")},
		{"the local API Gateway knows a function", "functions/local/gateway/x.go", imports("gateway", module+"functions/action")},
		{"the SDK in the local system's composition", "functions/local/x.go", imports("local", sdk+"service/sqs")},
		{"a shared room imports a function", "shared/jobs/x.go", imports("jobs", module+"functions/action")},
		{"the engine imports a kind", "shared/engine/x.go", imports("engine", module+"shared/actions/notify")},
		{"the engine makes calls", "shared/engine/x.go", imports("engine", module+"shared/outbound")},
		{"a kind imports another", "shared/actions/notify/x.go", imports("notify", module+"shared/actions/forward")},
		{"a kind imports the list of kinds", "shared/actions/notify/x.go", imports("notify", module+"shared/actions")},
		{"what kinds share imports a kind", "shared/actions/template/x.go", imports("template", module+"shared/actions/notify")},
		{"a kind reads records", "shared/actions/notify/x.go", imports("notify", module+"shared/secrets")},
		{"the queue knows jobs", "shared/queue/x.go", imports("queue", module+"shared/jobs")},
		{"a room that stands alone imports another", "shared/signature/x.go", imports("signature", module+"shared/secrets")},
		{"a room that is not there yet does", "shared/newroom/x.go", imports("newroom", module+"shared/jobs")},
		{"the samples import what signs them", "events/x.go", imports("events", module+"shared/signature")},
		{"a sender knows configuration", "shared/senders/x.go", imports("senders", module+"shared/config")},
		{"a function plays a sender", "functions/worker/x.go", imports("worker", module+"shared/senders")},
		{"a folder at the top", "tools/x.go", imports("main", module+"shared/jobs")},
		{"the SDK outside of an adapter", "shared/jobs/x.go", imports("jobs", sdk+"service/dynamodb")},
		{"the SDK in a function", "functions/action/action.go", imports("action", sdk+"service/sqs")},
		{"the SDK in the local system, outside of its adapter", "functions/local/system.go", imports("local", sdk+"aws")},
		{"the library of the command line elsewhere", "functions/local/local.go", imports("local", "github.com/spf13/cobra")},
		{"the SDK's config package in an adapter", "shared/queue/sqs.go", imports("queue", sdk+"config")},
		{"the SDK's config package in a main", "functions/action/bootstrap/main.go", imports("main", sdk+"config")},
		{"a part of the SDK's config package", "functions/pimctl/main.go", imports("main", sdk+"config/x")},
		{"the Lambda runtime in a handler", "functions/action/action.go", imports("action", lambda)},
		{"YAML outside of the configuration", "shared/jobs/x.go", imports("jobs", "go.yaml.in/yaml/v3")},
		{"the language of expressions outside of its room", "shared/actions/notify/x.go", imports("notify", "github.com/expr-lang/expr/vm")},
		{"a library that is not listed", "functions/pimctl/main.go", imports("main", "github.com/stretchr/testify")},
		{"the environment read by a handler", "functions/action/x.go", "package action\nimport \"os\"\nvar x = os.Getenv(\"STAGE\")"},
		{"… by a main", "functions/action/bootstrap/main.go", "package main\nimport \"os\"\nvar x = os.Environ()"},
		{"… under another name", "shared/jobs/x.go", "package jobs\nimport system \"os\"\nvar x, _ = system.LookupEnv(\"STAGE\")"},
		{"… handed on", "shared/jobs/x.go", "package jobs\nimport \"os\"\nvar x = os.LookupEnv"},
		{"… through syscall", "shared/jobs/x.go", "package jobs\nimport \"syscall\"\nvar x, _ = syscall.Getenv(\"STAGE\")"},
	} {
		t.Run(row.name, func(t *testing.T) {
			f, err := parseFile(row.file, row.text)
			if err != nil {
				t.Fatal(err)
			}
			if problems := f.problems(); len(problems) != 1 {
				t.Errorf("problems = %q, want one", problems)
			}
		})
	}
}

func imports(name, imported string) string {
	return fmt.Sprintf("package %s\nimport _ %q\n", name, imported)
}

// A new reader sees in one look what there is.
func TestTheTopLevelStaysSmall(t *testing.T) {
	list := exec.CommandContext(t.Context(), "git", "ls-files")
	list.Dir = root
	output, err := list.Output()
	if err != nil {
		t.Skipf("git cannot list the files here: %v", err)
	}
	if found := strangers(strings.Fields(string(output))); len(found) > 0 {
		t.Errorf("at the top level lie %q: give them a folder, or a place in this list", found)
	}
}

func TestAStrangerAtTheTopLevelIsNoticed(t *testing.T) {
	got := strangers([]string{".ci/run", ".gitignore", "LICENSE", "cmd/a.go", "cmd/b.go", "events/main.go", "notes.md"})
	if want := []string{"cmd", "notes.md"}; !slices.Equal(got, want) {
		t.Errorf("strangers = %q, want %q", got, want)
	}
}

// strangers returns what has no place at the top level, of the files of the project.
func strangers(files []string) (found []string) {
	allowed := []string{
		"LICENSE", "Makefile", "README.md", "events", "functions", "go.mod", "go.sum", "samconfig.toml", "shared", "template.yaml",
	}
	for _, name := range files {
		top, _, _ := strings.Cut(name, "/")
		if !strings.HasPrefix(top, ".") && !slices.Contains(allowed, top) && !slices.Contains(found, top) {
			found = append(found, top)
		}
	}
	return found
}
