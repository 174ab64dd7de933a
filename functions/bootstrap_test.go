package functions_test

import (
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
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
