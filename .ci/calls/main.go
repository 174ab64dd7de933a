// Calls finds which calls of AWS the code of each bootstrap can reach, and compares them with functions/testdata/NAME.calls.
// `make test` compares those lists with the policies of template.yaml. Started by `make verify`: building the call graph
// takes a minute.
//
//	go run ./calls [-update]
package main

import (
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// root is the project's folder, as seen from .ci.
const root = ".."

func main() {
	update := flag.Bool("update", false, "write the lists")
	flag.Parse()
	if err := run(*update); err != nil {
		fmt.Fprintln(os.Stderr, "calls:", err)
		os.Exit(1)
	}
}

func run(update bool) error {
	folders, err := filepath.Glob(filepath.Join(root, "functions", "*", "bootstrap"))
	if err != nil || len(folders) == 0 {
		return fmt.Errorf("no bootstrap was found: %v", err)
	}
	calls, err := reachableCalls(folders)
	if err != nil {
		return err
	}
	var problems []string
	for _, folder := range folders {
		name := path.Base(path.Dir(filepath.ToSlash(folder)))
		found, list := calls[name], filepath.Join(root, "functions", "testdata", name+".calls")
		if len(found) == 0 {
			return fmt.Errorf("%s calls nothing: the call graph does not reach its handler", name)
		}
		if update {
			if err := os.WriteFile(list, []byte(strings.Join(found, "\n")+"\n"), 0o644); err != nil {
				return err
			}
			continue
		}
		text, err := os.ReadFile(list)
		if err != nil {
			return err
		}
		problems = append(problems, differences(name, found, strings.Fields(string(text)))...)
	}
	if len(problems) > 0 {
		return fmt.Errorf("the lists of functions/testdata are not what the code calls; if that is meant: cd .ci && go run ./calls -update\n  %s",
			strings.Join(problems, "\n  "))
	}
	fmt.Printf("calls: what %d functions call of AWS is what functions/testdata lists\n", len(folders))
	return nil
}

// differences says what is called and not listed, and what is listed and not called.
func differences(name string, called, listed []string) (found []string) {
	for _, call := range called {
		if !slices.Contains(listed, call) {
			found = append(found, name+" calls "+call+", which is not listed")
		}
	}
	for _, call := range listed {
		if !slices.Contains(called, call) {
			found = append(found, name+" does not call "+call+", which is listed")
		}
	}
	return found
}
