package main

import (
	"bytes"
	"debug/elf"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// machines are the processors as Lambda names them.
var machines = map[string]elf.Machine{"x86_64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// check looks at two builds of the template's functions: each executable is static, stripped, for the processor, the same
// twice, and says which variables it lacks where this machine can run it.
func check(folder, again, processor string, functions []string) error {
	found, err := filepath.Glob(filepath.Join(root, folder, "*", "bootstrap"))
	if err != nil {
		return err
	}
	var names []string
	for _, path := range found {
		names = append(names, filepath.Base(filepath.Dir(path)))
	}
	slices.Sort(functions)
	if !slices.Equal(names, functions) {
		return fmt.Errorf("%s holds %q, the template declares %q", folder, names, functions)
	}
	for i, path := range found {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		second, err := os.ReadFile(filepath.Join(root, again, names[i], "bootstrap"))
		if err != nil {
			return err
		}
		problems := executableProblems(text, machines[processor])
		if !bytes.Equal(text, second) {
			problems = append(problems, "differs from one build to the next")
		}
		named := ""
		if runtime.GOARCH == map[string]string{"x86_64": "amd64", "arm64": "arm64"}[processor] && len(problems) == 0 {
			missing, problem := startWithNothing(path)
			problems = append(problems, problem...)
			named = fmt.Sprintf(", names %d missing variables", missing)
		}
		if len(problems) > 0 {
			return fmt.Errorf("%s for %s %s", names[i], processor, strings.Join(problems, ", and "))
		}
		fmt.Printf("archives: %s for %s: static, stripped, %.1f MiB, the same twice%s\n", names[i], processor, float64(len(text))/(1<<20), named)
	}
	return nil
}

// executableProblems says what keeps a file from running on Lambda as it should.
func executableProblems(text []byte, machine elf.Machine) (found []string) {
	file, err := elf.NewFile(bytes.NewReader(text))
	if err != nil {
		return []string{"is no ELF file"}
	}
	if file.Class != elf.ELFCLASS64 || file.Machine != machine {
		found = append(found, fmt.Sprintf("is for %s, not for %s", file.Machine, machine))
	}
	if slices.ContainsFunc(file.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		found = append(found, "is linked dynamically")
	}
	if file.SectionByType(elf.SHT_SYMTAB) != nil {
		found = append(found, "is not stripped")
	}
	return found
}

var notSet = regexp.MustCompile(`([A-Z][A-Z0-9_]+) is not set`)

// startWithNothing starts a function without any variable: it must end, and name all that it lacks at once, which is how
// whoever deploys learns of it.
func startWithNothing(path string) (missing int, problems []string) {
	command := exec.Command(path)
	command.Env = []string{}
	output, err := command.CombinedOutput()
	if err == nil {
		return 0, []string{"starts without its variables"}
	}
	named := map[string]bool{}
	for _, found := range notSet.FindAllStringSubmatch(string(output), -1) {
		named[found[1]] = true
	}
	for _, always := range []string{"STAGE", "AWS_REGION"} {
		if !named[always] {
			problems = append(problems, fmt.Sprintf("does not say that %s is not set, but of %q", always, slices.Sorted(maps.Keys(named))))
		}
	}
	// With all of them but one, it names that one.
	all := slices.Sorted(maps.Keys(named))
	for _, left := range all {
		command := exec.Command(path)
		for _, name := range all {
			if name != left {
				command.Env = append(command.Env, name+"=local")
			}
		}
		output, err := command.CombinedOutput()
		found := notSet.FindAllStringSubmatch(string(output), -1)
		if err == nil || len(found) != 1 || found[0][1] != left {
			problems = append(problems, fmt.Sprintf("does not say of %s alone that it is not set", left))
		}
	}
	return len(named), problems
}
