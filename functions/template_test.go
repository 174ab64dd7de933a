package functions_test

import (
	"fmt"
	"go/build"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/pim-functions/pim-functions/shared/table"
)

// template is what the tests read of template.yaml.
type template struct {
	Globals struct {
		Function properties `yaml:"Function"`
	} `yaml:"Globals"`
	Parameters map[string]struct {
		Default string `yaml:"Default"`
	} `yaml:"Parameters"`
	Resources map[string]resource `yaml:"Resources"`
}

type resource struct {
	Type     string `yaml:"Type"`
	Metadata struct {
		BuildMethod string `yaml:"BuildMethod"`
	} `yaml:"Metadata"`
	Properties yaml.Node `yaml:"Properties"` // those of other types are no concern of ours
}

type properties struct {
	CodeURI     string `yaml:"CodeUri"`
	Environment struct {
		Variables map[string]yaml.Node `yaml:"Variables"`
	} `yaml:"Environment"`
}

// functions are the Lambda functions of a template, by name.
func (t template) functions() (map[string]properties, error) {
	found := map[string]properties{}
	for name, resource := range t.Resources {
		if resource.Type != "AWS::Serverless::Function" {
			continue
		}
		var own properties
		if err := resource.Properties.Decode(&own); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		found[name] = own
	}
	return found, nil
}

func readTemplate(t *testing.T) template {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return parseTemplate(t, string(text))
}

func parseTemplate(t *testing.T, text string) template {
	t.Helper()
	var parsed template
	if err := writtenOut(t, text).Decode(&parsed); err != nil {
		t.Fatal(err)
	}
	return parsed
}

// writtenOut is a template as `sam build` writes it: without aliases and merges.
func writtenOut(t *testing.T, text string) *yaml.Node {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	return withoutAliases(&document)
}

// withoutAliases copies a node with each alias replaced by what it stands for, and each merge (<<) by the members of
// its mapping that the merging one has not.
func withoutAliases(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return withoutAliases(node.Alias)
	}
	written := *node
	written.Anchor, written.Content = "", nil
	if node.Kind != yaml.MappingNode {
		for _, member := range node.Content {
			written.Content = append(written.Content, withoutAliases(member))
		}
		return &written
	}
	own := map[string]bool{}
	for i := 0; i < len(node.Content); i += 2 {
		own[node.Content[i].Value] = true
	}
	for i := 0; i < len(node.Content); i += 2 {
		key, value := node.Content[i], withoutAliases(node.Content[i+1])
		if key.Tag != "!!merge" {
			written.Content = append(written.Content, key, value)
			continue
		}
		for j := 0; j < len(value.Content); j += 2 {
			if !own[value.Content[j].Value] {
				written.Content = append(written.Content, value.Content[j], value.Content[j+1])
			}
		}
	}
	return &written
}

func TestAliasesAndMergesAreWrittenOut(t *testing.T) {
	written := writtenOut(t, "a: &a {one: 1, two: !Ref Two}\nb: {<<: *a, one: 3}\nc: [*a]")
	text, err := yaml.Marshal(written)
	if err != nil {
		t.Fatal(err)
	}
	if want := "a: {one: 1, two: !Ref Two}\nb: {two: !Ref Two, one: 3}\nc: [{one: 1, two: !Ref Two}]\n"; string(text) != want {
		t.Errorf("written out: %s, want %s", text, want)
	}
}

// SAM's builder makes an archive of a library package too, and says that it succeeded.
func TestEveryCodeUriIsAProgram(t *testing.T) {
	for _, problem := range codeProblems(readTemplate(t), bootstraps(t)) {
		t.Error(problem)
	}
}

func TestACodeUriThatIsNoProgramIsRefused(t *testing.T) {
	const function = "Resources: {F: {Type: AWS::Serverless::Function, Metadata: {BuildMethod: %s}, Properties: {CodeUri: %s}}}"
	for _, row := range []struct {
		name, method, code string
		want               string
	}{
		{"the handler's own package", "go1.x", "functions/action/", "holds package action, want main"},
		{"a folder that is not there", "go1.x", "functions/nothing/bootstrap/", "cannot find"},
		{"a folder without Go", "go1.x", "functions/testdata/", "no buildable Go source"},
		{"built in another way", "makefile", "functions/action/bootstrap/", `BuildMethod is "makefile"`},
		{"a program that is no bootstrap", "go1.x", "functions/pimctl/", "deploys"},
	} {
		t.Run(row.name, func(t *testing.T) {
			parsed := parseTemplate(t, fmt.Sprintf(function, row.method, row.code))
			problems := codeProblems(parsed, []string{"functions/action/bootstrap"})
			if !strings.Contains(strings.Join(problems, "\n"), row.want) {
				t.Errorf("problems = %q, want one with %q", problems, row.want)
			}
		})
	}
	t.Run("a bootstrap that is not deployed", func(t *testing.T) {
		if problems := codeProblems(template{}, []string{"functions/action/bootstrap"}); len(problems) != 1 {
			t.Errorf("problems = %q, want one", problems)
		}
	})
}

// codeProblems says which functions of a template SAM would not build into a program, and whether they are those of
// the bootstraps' folders.
func codeProblems(parsed template, bootstraps []string) (found []string) {
	functions, err := parsed.functions()
	if err != nil {
		return []string{err.Error()}
	}
	var deployed []string
	for name, own := range functions {
		deployed = append(deployed, path.Clean(own.CodeURI))
		if method := parsed.Resources[name].Metadata.BuildMethod; method != "go1.x" {
			found = append(found, fmt.Sprintf("%s: BuildMethod is %q, want go1.x", name, method))
		}
		program, err := build.ImportDir(filepath.Join(root, own.CodeURI), 0)
		switch {
		case err != nil:
			found = append(found, fmt.Sprintf("%s: CodeUri: %v", name, err))
		case program.Name != "main":
			found = append(found, fmt.Sprintf("%s: CodeUri %s holds package %s, want main", name, own.CodeURI, program.Name))
		}
	}
	slices.Sort(deployed)
	if !slices.Equal(deployed, bootstraps) {
		found = append(found, fmt.Sprintf("template.yaml deploys %q; the bootstraps are %q", deployed, bootstraps))
	}
	return found
}

// Tests and tries make the table from what the code describes; AWS makes it from the template.
func TestTheTableIsTheOneThatTheCodeDescribes(t *testing.T) {
	type key struct {
		Name string `yaml:"AttributeName"`
		Type string `yaml:"KeyType"`
	}
	var declared struct {
		BillingMode string `yaml:"BillingMode"`
		KeySchema   []key  `yaml:"KeySchema"`
		Indexes     []struct {
			Name       string `yaml:"IndexName"`
			Keys       []key  `yaml:"KeySchema"`
			Projection struct {
				Type string `yaml:"ProjectionType"`
			} `yaml:"Projection"`
		} `yaml:"GlobalSecondaryIndexes"`
	}
	resource := readTemplate(t).Resources["Table"]
	if err := resource.Properties.Decode(&declared); err != nil {
		t.Fatal(err)
	}
	var want, got []string
	described := table.Definition("table")
	for _, one := range described.KeySchema {
		want = append(want, fmt.Sprintf("table %s %s", *one.AttributeName, one.KeyType))
	}
	for _, index := range described.GlobalSecondaryIndexes {
		for _, one := range index.KeySchema {
			want = append(want, fmt.Sprintf("%s %s %s %s", *index.IndexName, *one.AttributeName, one.KeyType, index.Projection.ProjectionType))
		}
	}
	for _, one := range declared.KeySchema {
		got = append(got, fmt.Sprintf("table %s %s", one.Name, one.Type))
	}
	for _, index := range declared.Indexes {
		for _, one := range index.Keys {
			got = append(got, fmt.Sprintf("%s %s %s %s", index.Name, one.Name, one.Type, index.Projection.Type))
		}
	}
	if !slices.Equal(got, want) || declared.BillingMode != string(described.BillingMode) {
		t.Errorf("the template declares %q (%s), the code describes %q", got, declared.BillingMode, want)
	}
}
