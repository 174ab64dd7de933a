package functions_test

import (
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rooms are the folders of functions and shared that hold a package of the project.
func rooms(t *testing.T) (found []string) {
	t.Helper()
	for _, parent := range []string{"functions", "shared"} {
		entries, err := os.ReadDir(path.Join(root, parent))
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			if entry.IsDir() && entry.Name() != "testdata" {
				found = append(found, parent+"/"+entry.Name())
			}
		}
	}
	return found
}

// The README's last table is the map of the project: it names every room, and no other.
func TestTheREADMENamesEveryRoom(t *testing.T) {
	text, err := os.ReadFile(path.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, structure, _ := strings.Cut(string(text), "\n## Project structure\n")
	named := map[string]bool{}
	for _, row := range regexp.MustCompile(`(?m)^\| (`+"`"+`.+?) \|`).FindAllStringSubmatch(structure, -1) {
		for _, cell := range strings.Split(row[1], ", ") {
			named[strings.Trim(cell, "`")] = true
		}
	}
	if len(named) < 20 {
		t.Fatalf("the table of the README was not found: %v", named)
	}
	all := rooms(t)
	for _, room := range all {
		if !named[room] {
			t.Errorf("README.md, Project structure: %s is missing", room)
		}
	}
	for room := range named {
		if depth := strings.Count(room, "/"); depth == 1 && !slices.Contains(all, room) {
			t.Errorf("README.md, Project structure: there is no %s", room)
		}
	}
}
