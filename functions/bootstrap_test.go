package functions_test

import (
	"flag"
	"go/build"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write the golden files of what each bootstrap links")

// What a bootstrap links is what a cold start loads: a new package there is a decision, not an accident.
func TestBootstrapsLinkWhatTheGoldenFilesList(t *testing.T) {
	for _, folder := range bootstraps(t) {
		name := path.Base(path.Dir(folder))
		t.Run(name, func(t *testing.T) {
			list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "./"+folder)
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
			want := strings.Fields(string(text))
			for _, more := range got {
				if !slices.Contains(want, more) {
					t.Errorf("links %s, which %s does not list", more, golden)
				}
			}
			for _, less := range want {
				if !slices.Contains(got, less) {
					t.Errorf("does not link %s, which %s lists", less, golden)
				}
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

// SAM's builder makes an archive of a library package too, and says that it succeeded.
func TestEveryCodeUriIsAProgram(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var template struct {
		Resources map[string]struct {
			Type     string `yaml:"Type"`
			Metadata struct {
				BuildMethod string `yaml:"BuildMethod"`
			} `yaml:"Metadata"`
			Properties yaml.Node `yaml:"Properties"` // those of other types are no concern of ours
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(text, &template); err != nil {
		t.Fatal(err)
	}
	var deployed []string
	for name, resource := range template.Resources {
		if resource.Type != "AWS::Serverless::Function" {
			continue
		}
		var properties struct {
			CodeURI string `yaml:"CodeUri"`
		}
		if err := resource.Properties.Decode(&properties); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		deployed = append(deployed, path.Clean(properties.CodeURI))
		if resource.Metadata.BuildMethod != "go1.x" {
			t.Errorf("%s: BuildMethod is %q, want go1.x", name, resource.Metadata.BuildMethod)
		}
		program, err := build.ImportDir(filepath.Join(root, properties.CodeURI), 0)
		switch {
		case err != nil:
			t.Errorf("%s: CodeUri: %v", name, err)
		case program.Name != "main":
			t.Errorf("%s: CodeUri %s holds package %s, want main", name, properties.CodeURI, program.Name)
		}
	}
	slices.Sort(deployed)
	if want := bootstraps(t); !slices.Equal(deployed, want) {
		t.Errorf("template.yaml deploys %q; the bootstraps are %q", deployed, want)
	}
}
