// Mutants breaks the project on purpose, one small change at a time, and reports how many of the changes a package's
// own tests notice. It runs gremlins (https://gremlins.dev) package by package:
//
//	go -C .ci run ./mutants [-one-in N] [PACKAGE …]
//
// Of a package whose tests take long, a part of the changes is tried, which the table says: which ones depends on their
// content alone, so that the same code always gives the same table. -one-in 1 tries all of them.
//
// A package passes when its tests notice 85 % of the changes. What they do not notice is listed in survivors.txt with
// the reason; a survivor that is not listed there is printed. The exit code is 1 where a package does not pass.
package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

const (
	gremlins = "github.com/go-gremlins/gremlins/cmd/gremlins@v0.6.0"
	enough   = 85 // percent
)

// packages are those whose guarantees the README promises.
var packages = []string{
	"shared/signature", "shared/gate", "shared/jobs", "shared/ledger", "shared/engine", "shared/queue", "shared/secrets",
	"shared/outbound", "shared/actions/template",
}

// samples are packages of which one change in so many is tried.
var samples = map[string]int{"shared/engine": 2}

// slow are tests of a package that take long: they run only for what the others do not notice.
var slow = map[string]string{
	"shared/actions/template": "^TestEveryJSONValueComesOutAsItWentIn$",
	"shared/engine":           "^TestDeliveriesConverge$",
}

func main() {
	if filepath.Base(os.Args[0]) == "go" { // gremlins calls us in place of the go command
		os.Exit(runGo(os.Args[1:]))
	}
	oneIn := flag.Int("one-in", 0, "of `N` changes, try one (0: as the package has it)")
	flag.Parse()
	ok, err := run(flag.Args(), *oneIn)
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

func run(chosen []string, oneIn int) (ok bool, err error) {
	root, err := filepath.Abs("..")
	if err != nil {
		return false, err
	}
	if len(chosen) == 0 {
		chosen = packages
	}
	tool, err := install()
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(tool.folder)
	known, err := readSurvivors(filepath.Join(root, ".ci", "mutants", "survivors.txt"))
	if err != nil {
		return false, err
	}
	ok = true
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "package\tmutants\tnoticed\t%\tlisted\tnot listed\ttime\t")
	start := time.Now()
	var strangers []survivor
	var failed []error
	for _, name := range chosen {
		began := time.Now()
		part := max(cmp.Or(oneIn, samples[name]), 1)
		report, err := tool.unleash(root, name, part)
		if err != nil { // the others are tried all the same
			failed = append(failed, fmt.Errorf("%s: %w", name, err))
			continue
		}
		listed, unlisted := known.split(report.survivors)
		strangers = append(strangers, unlisted...)
		percent := 100 * report.noticed / max(report.mutants, 1)
		ok = ok && percent >= enough
		title := name
		if part > 1 {
			title = fmt.Sprintf("%s (one in %d)", name, part)
		}
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%d\t%s\t\n", title, report.mutants, report.noticed, percent, len(listed), len(unlisted), time.Since(began).Round(time.Second))
		fmt.Fprintf(os.Stderr, "%s: %d of %d noticed\n", name, report.noticed, report.mutants)
	}
	fmt.Fprintf(table, "together\t\t\t\t\t\t%s\t\n", time.Since(start).Round(time.Second))
	if err := table.Flush(); err != nil {
		return false, err
	}
	for _, s := range strangers {
		fmt.Printf("%s:%d: not noticed: %s\n", s.file, s.line, s.kind)
		fmt.Printf("\t%s\n", s.text)
	}
	return ok, errors.Join(failed...)
}

// tool is gremlins, and a folder in which this program is called go.
type tool struct{ folder, goCommand string }

func install() (tool, error) {
	goCommand, err := exec.LookPath("go")
	if err != nil {
		return tool{}, err
	}
	folder, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return tool{}, err
	}
	command := exec.Command(goCommand, "install", gremlins)
	command.Env = append(os.Environ(), "GOBIN="+folder)
	if output, err := command.CombinedOutput(); err != nil {
		return tool{}, fmt.Errorf("install gremlins: %w\n%s", err, output)
	}
	self, err := os.Executable()
	if err != nil {
		return tool{}, err
	}
	wrapper := filepath.Join(folder, "path")
	if err := os.Mkdir(wrapper, 0o755); err != nil {
		return tool{}, err
	}
	return tool{folder, goCommand}, os.Symlink(self, filepath.Join(wrapper, "go"))
}

// unleash runs gremlins on one package, without the packages below it.
func (t tool) unleash(root, name string, oneIn int) (report, error) {
	output := filepath.Join(t.folder, "report.json")
	command := exec.Command(filepath.Join(t.folder, "gremlins"), "unleash", "--silent", "--invert-logical",
		"--workers", "2", "--timeout-coefficient", "1000", "--exclude-files", "/", "--output", output, "./"+name)
	command.Dir = root
	command.Env = append(os.Environ(), goVariable+"="+t.goCommand, slowVariable+"="+slow[name], sampleVariable+"="+strconv.Itoa(oneIn),
		"PATH="+filepath.Join(t.folder, "path")+string(os.PathListSeparator)+os.Getenv("PATH"))
	if text, err := command.CombinedOutput(); err != nil {
		return report{}, fmt.Errorf("gremlins: %w\n%s", err, strings.TrimSpace(cmp.Or(string(text), "no output")))
	}
	return readReport(output, filepath.Join(root, name), name)
}
