package functions_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What a Makefile of ours defines, a recipe put behind it can show.
func showMake(t *testing.T, recipe string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "make", "--no-print-directory", "-f", "-", "show")
	command.Dir = root
	command.Env = append(os.Environ(), "GOWORK="+filepath.Join(t.TempDir(), "go.work")) // a workspace that is not there
	command.Stdin = strings.NewReader("include Makefile\nshow:\n\t@" + recipe + "\n")
	output, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(output))
}

// A workspace of a parent folder must not choose what is built.
func TestMakeWorksOutsideOfWorkspaces(t *testing.T) {
	if got := showMake(t, "go env GOWORK"); got != "off" {
		t.Errorf("GOWORK is %q for make's recipes", got)
	}
}

// Every test that wants an emulator runs in make test-aws; without one it is left out.
func TestEveryTestOfAWSIsRun(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	_, recipe, _ := strings.Cut(string(makefile), "\ntest-aws:")
	recipe, _, _ = strings.Cut(recipe, "\n\n")
	run := slices.DeleteFunc(strings.Fields(recipe), func(word string) bool { return !strings.HasPrefix(word, "./") })

	var want []string
	err = fs.WalkDir(os.DirFS(root), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && strings.HasPrefix(entry.Name(), "."):
			return fs.SkipDir
		}
		if !strings.HasSuffix(name, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(filepath.Join(root, name))
		if folder := "./" + path.Dir(name); strings.Contains(string(text), `Getenv("AWS_`+`ENDPOINT_URL")`) && !slices.Contains(want, folder) {
			want = append(want, folder)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(run)
	slices.Sort(want)
	if len(want) < 5 || !slices.Equal(run, want) {
		t.Errorf("make test-aws runs %q, want %q", run, want)
	}
}
