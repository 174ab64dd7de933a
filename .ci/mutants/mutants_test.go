package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAReportCountsWhatWasNoticed(t *testing.T) {
	source := write(t, "a.go", "package a\n\tif x < 1 {\n")
	name := write(t, "report.json", `{"files":[{"file_name":"a.go","mutations":[
		{"type":"A","status":"KILLED","line":1},{"type":"B","status":"TIMED OUT","line":1},{"type":"C","status":"LIVED","line":2},
		{"type":"D","status":"NOT COVERED","line":2},{"type":"E","status":"NOT VIABLE","line":1}]}]}`)
	got, err := readReport(name, filepath.Dir(source), "shared/a")
	if err != nil || got.mutants != 4 || got.noticed != 2 || len(got.survivors) != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	if want := (survivor{"shared/a/a.go", "C", "if x < 1 {", 2}); got.survivors[0] != want {
		t.Errorf("%+v", got.survivors[0])
	}
}

func TestSurvivorsAreKnownByTheTextOfTheirLine(t *testing.T) {
	known, err := readSurvivors(write(t, "survivors.txt", "# why\n\nshared/a/a.go\tC\tif x < 1 {\tequal\n"))
	if err != nil {
		t.Fatal(err)
	}
	listed, unlisted := known.split([]survivor{{"shared/a/a.go", "C", "if x < 1 {", 7}, {"shared/a/a.go", "D", "if x < 1 {", 7}})
	if len(listed) != 1 || len(unlisted) != 1 || unlisted[0].kind != "D" {
		t.Errorf("listed %v, unlisted %v", listed, unlisted)
	}
	for _, text := range []string{"shared/a/a.go\tC\tif x < 1 {\n", "shared/a/a.go\tC\tif x < 1 {\t\n"} {
		if _, err := readSurvivors(write(t, "survivors.txt", text)); err == nil {
			t.Errorf("%q has no reason, and is read", text)
		}
	}
}

// The committed list can be read, and names lines that are there.
func TestTheListOfSurvivorsIsTrue(t *testing.T) {
	known, err := readSurvivors("survivors.txt")
	if err != nil {
		t.Fatal(err)
	}
	for one := range known {
		if !contains(t, filepath.Join("..", "..", filepath.FromSlash(one.file)), one.text) {
			t.Errorf("%s has no line %q: take it off the list", one.file, one.text)
		}
	}
}

func TestEveryFileOfAProfileIsCoveredAsAWhole(t *testing.T) {
	name := write(t, "profile", "mode: set\nx/a.go:1.2,3.4 1 0\nx/a.go:5.6,7.8 1 1\nx/b.go:1.2,3.4 1 0\n")
	if err := coverAll(name); err != nil {
		t.Fatal(err)
	}
	got, _ := os.ReadFile(name)
	if want := "mode: set\nx/a.go:1.1,999999.1 1 1\nx/b.go:1.1,999999.1 1 1\n"; string(got) != want {
		t.Errorf("%s", got)
	}
}

// Which mutants of a sample are tried depends on their text alone: not on the tests, nor on the folder.
func TestASampleIsTheSameEachTime(t *testing.T) {
	chosen := 0
	for i := range 1000 {
		source := write(t, "a.go", fmt.Sprintf("package a\nconst x = %d\n", i))
		first, err := sampled(filepath.Dir(source), 4)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(strings.Replace(source, "a.go", "a_test.go", 1), []byte("package a\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if second, err := sampled(filepath.Dir(source), 4); err != nil || second != first {
			t.Fatalf("%d: %t, then %t, %v", i, first, second, err)
		}
		if first {
			chosen++
		}
	}
	if chosen < 200 || chosen > 300 {
		t.Errorf("%d of 1000 are one in four", chosen)
	}
}

// A mutant that does not compile is none, tests that fail notice one, and slow tests run where the others do not.
func TestWhatBecomesOfAMutant(t *testing.T) {
	t.Setenv(goVariable, "go")
	t.Setenv("GOWORK", "off")
	for _, row := range []struct {
		name, source, tests, slow string
		want                      int
	}{
		{"not noticed", "func F() int { return 1 }", "func TestA(t *testing.T) { F() }", "", lived},
		{"noticed", "func F() int { return 1 }", "func TestA(t *testing.T) { if F() != 2 { t.Fail() } }", "", killed},
		{"noticed by a slow test", "func F() int { return 1 }", "func TestA(t *testing.T) { F() }\nfunc TestSlow(t *testing.T) { if F() != 2 { t.Fail() } }", "^TestSlow$", killed},
		{"not noticed by a slow test", "func F() int { return 1 }", "func TestA(t *testing.T) { F() }\nfunc TestSlow(t *testing.T) {}", "^TestSlow$", lived},
		{"ends by its limit", "func F() int { for {} }", "func TestA(t *testing.T) { F() }", "", killed},
		{"does not compile", "func F() string { return \"a\" - \"b\" }", "func TestA(t *testing.T) { F() }", "", notViable},
	} {
		folder := t.TempDir()
		for name, text := range map[string]string{"go.mod": "module a\n\ngo 1.26\n", "a.go": "package a\n\n" + row.source + "\n", "a_test.go": "package a\n\nimport \"testing\"\n\n" + row.tests + "\n"} {
			if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		t.Chdir(folder)
		if got := runTests(row.slow, "1"); got != row.want {
			t.Errorf("%s: %d, want %d", row.name, got, row.want)
		}
	}
}

func contains(t *testing.T, file, line string) bool {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for at := range strings.SplitSeq(string(text), "\n") {
		if strings.TrimSpace(at) == line {
			return true
		}
	}
	return false
}
