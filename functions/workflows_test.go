package functions_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// workflow is what the rules read of a GitHub workflow.
type workflow struct {
	Permissions map[string]string `yaml:"permissions"`
	Jobs        map[string]struct {
		Permissions map[string]string `yaml:"permissions"`
		Steps       []struct {
			Uses string         `yaml:"uses"`
			Run  string         `yaml:"run"`
			With map[string]any `yaml:"with"`
		} `yaml:"steps"`
	} `yaml:"jobs"`
}

// A dependency that turned bad may run in a workflow; it must find no token that can write.
func TestWorkflowsGiveNoTokenThatCanWriteToTheCodeOfOthers(t *testing.T) {
	files, err := fs.Glob(os.DirFS(root), ".github/workflows/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no workflow was found: %v", err)
	}
	for _, name := range files {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, problem := range workflowProblems(t, string(text)) {
			t.Errorf("%s: %s", name, problem)
		}
	}
}

func TestAWorkflowThatGivesTooMuchIsNoticed(t *testing.T) {
	const (
		pinned = "actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683"
		head   = "permissions: {}\njobs: {j: {permissions: {contents: read}, steps: ["
	)
	for _, row := range []struct{ name, text, want string }{
		{"in order", head + "{uses: " + pinned + ", with: {persist-credentials: false}}, {run: make test}]}}", ""},
		{"a tag, which can be moved", head + "{uses: actions/checkout@v4, with: {persist-credentials: false}}]}}", "not pinned"},
		{"a token that stays in the clone", head + "{uses: " + pinned + "}]}}", "persist-credentials"},
		{"everything may be written by default", "jobs: {j: {permissions: {contents: read}, steps: [{run: make test}]}}", "its own permissions"},
		{"a job that does not say", "permissions: {}\njobs: {j: {steps: [{run: make test}]}}", "j: no permissions"},
		{"our build with a token that can write", "permissions: {}\njobs: {j: {permissions: {contents: write}, steps: [{run: make test}]}}", "can write"},
		{"GitHub's tool with a token that can write", "permissions: {}\njobs: {j: {permissions: {contents: write}, steps: [{run: gh release create v1}]}}", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			problems := strings.Join(workflowProblems(t, row.text), "\n")
			if (row.want == "") != (problems == "") || !strings.Contains(problems, row.want) {
				t.Errorf("problems = %q, want %q", problems, row.want)
			}
		})
	}
}

var pinnedAction = regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40}$`)

func workflowProblems(t *testing.T, text string) (found []string) {
	t.Helper()
	var w workflow
	if err := yaml.Unmarshal([]byte(text), &w); err != nil {
		t.Fatal(err)
	}
	if w.Permissions == nil || len(w.Permissions) > 0 {
		found = append(found, "each job has its own permissions: permissions: {} at the top")
	}
	for name, job := range w.Jobs {
		if job.Permissions == nil {
			found = append(found, name+": no permissions")
		}
		writes := slices.Contains(slices.Collect(maps.Values(job.Permissions)), "write")
		for _, step := range job.Steps {
			switch {
			case step.Uses != "" && !pinnedAction.MatchString(step.Uses):
				found = append(found, name+": "+step.Uses+" is not pinned to a commit")
			case strings.HasPrefix(step.Uses, "actions/checkout@") && step.With["persist-credentials"] != false:
				found = append(found, name+": checkout leaves its token in the clone: persist-credentials: false")
			}
			foreign := step.Uses != "" && !strings.HasPrefix(step.Uses, "actions/") || step.Run != "" && !strings.HasPrefix(step.Run, "gh ")
			if writes && foreign {
				found = append(found, name+": "+step.Uses+step.Run+" runs with a token that can write")
			}
		}
	}
	return found
}
