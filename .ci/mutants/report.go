package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// report is what became of a package's mutants.
type report struct {
	mutants, noticed int
	survivors        []survivor
}

// survivor is a change that no test noticed.
type survivor struct {
	file string // in the project, with slashes
	kind string // of gremlins: CONDITIONALS_BOUNDARY, …
	text string // of the line, without its indentation
	line int
}

// readReport reads gremlins' report about the package in a folder.
func readReport(name, folder, pkg string) (report, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return report{}, err
	}
	var read struct {
		Files []struct {
			Name      string `json:"file_name"`
			Mutations []struct {
				Type, Status string
				Line         int
			}
		}
	}
	if err := json.Unmarshal(text, &read); err != nil {
		return report{}, fmt.Errorf("read gremlins' report: %w", err)
	}
	var r report
	for _, file := range read.Files {
		source, err := os.ReadFile(filepath.Join(folder, filepath.Base(file.Name)))
		if err != nil {
			return report{}, err
		}
		lines := strings.Split(string(source), "\n")
		for _, m := range file.Mutations {
			switch m.Status {
			case "KILLED", "TIMED OUT":
				r.noticed++
			case "LIVED", "NOT COVERED":
				r.survivors = append(r.survivors, survivor{pkg + "/" + filepath.Base(file.Name), m.Type, strings.TrimSpace(lines[m.Line-1]), m.Line})
			default: // NOT VIABLE: it does not compile
				continue
			}
			r.mutants++
		}
	}
	return r, nil
}

// survivors are those that stay, by what names them: their line may move.
type survivors map[survivor]string // without its line → the reason

// readSurvivors reads lines of file, kind, text of the line and reason, parted by tabs. Lines that begin with # and empty
// ones say nothing.
func readSurvivors(name string) (survivors, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	known := survivors{}
	for i, line := range strings.Split(string(text), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		parts := strings.Split(line, "\t")
		if len(parts) != 4 || slices.Contains(parts, "") {
			return nil, fmt.Errorf("%s:%d: want file, kind, text of the line and reason, parted by tabs", name, i+1)
		}
		known[survivor{file: parts[0], kind: parts[1], text: parts[2]}] = parts[3]
	}
	return known, nil
}

// split parts survivors into those that are listed and those that are not.
func (s survivors) split(all []survivor) (listed, unlisted []survivor) {
	for _, one := range all {
		name := one
		name.line = 0
		if _, known := s[name]; known {
			listed = append(listed, one)
		} else {
			unlisted = append(unlisted, one)
		}
	}
	return listed, unlisted
}
