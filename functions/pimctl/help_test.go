package main

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/pim-functions/pim-functions/shared/env"
)

var update = flag.Bool("update", false, "write testdata/help.golden anew")

// commands are all that pimctl has, with root as "".
func commands(t *testing.T) []string {
	t.Helper()
	all := []string{""} // with what they have below them: "letters redrive"
	root := process{variables: env.Read(func(string) (string, bool) { return "", false }), now: time.Now}.root()
	root.InitDefaultHelpCmd()
	var add func(above *cobra.Command)
	add = func(above *cobra.Command) {
		for _, command := range above.Commands() {
			all = append(all, strings.TrimPrefix(command.CommandPath(), "pimctl "))
			if command.Name() != "completion" { // what is below it is cobra's
				add(command)
			}
		}
	}
	add(root)
	for _, want := range []string{"dev", "send", "check", "explain", "plan", "apply", "drift", "down", "preflight", "rotate", "print", "secrets", "subscribe", "run", "jobs undo", "letters redrive", "version", "completion", "help"} {
		if !slices.Contains(all, want) {
			t.Errorf("no command %s in %q", want, all)
		}
	}
	return all
}

// A command's help is read at a glance: it goes to standard output and fits a screen.
func TestHelpFitsAScreen(t *testing.T) {
	const lines, columns = 40, 100
	var all strings.Builder
	for _, name := range commands(t) {
		code, out, errs := pimctl(t, nil, append(strings.Fields(name), "--help")...)
		if code != succeeded || errs != "" {
			t.Errorf("%s --help ends with %d: %s", name, code, errs)
		}
		all.WriteString("$ pimctl " + strings.TrimSpace(name+" --help") + "\n" + strings.TrimRight(out, "\n") + "\n\n")
		if count := strings.Count(out, "\n"); count > lines {
			t.Errorf("%s --help has %d lines, more than %d", name, count, lines)
		}
		for line := range strings.Lines(out) {
			if width := utf8.RuneCountInString(line) - 1; width > columns {
				t.Errorf("%s --help is %d columns wide: %s", name, width, line)
			}
		}
		if code, same, _ := pimctl(t, nil, append([]string{"help"}, strings.Fields(name)...)...); code != succeeded || same != out {
			t.Errorf("help %s ends with %d and differs from %s --help", name, code, name)
		}
	}
	const golden = "testdata/help.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(all.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || all.String() != string(want) {
		t.Errorf("%s is not what the commands print: if the change is meant, go test ./functions/pimctl -update (%v)", golden, err)
	}
}

// Every command refuses what it does not know, in one line, and says where help is.
func TestWhatACommandDoesNotKnow(t *testing.T) {
	for _, name := range commands(t) {
		for _, args := range [][]string{{"--nope"}, {"-x"}, {"a", "b", "c", "--nope"}} {
			code, out, errs := pimctl(t, nil, append(strings.Fields(name), args...)...)
			if name == "" && args[0] == "a" {
				args[0] = "the unknown command a"
			}
			if code != misused || out != "" || !strings.HasSuffix(errs, " --help.\n") || strings.Count(errs, "\n") > 6 {
				t.Errorf("%s %q ends with %d, prints %q, complains %q", name, args, code, out, errs)
			}
		}
	}
}

// The same flag means the same everywhere.
func TestFlagsAreTheSameEverywhere(t *testing.T) {
	about, where := map[string]string{}, map[string]string{}
	for _, name := range commands(t) {
		_, out, _ := pimctl(t, nil, append(strings.Fields(name), "--help")...)
		for line := range strings.Lines(out) {
			words := strings.Fields(line)
			if len(words) < 2 || !strings.HasPrefix(words[0], "--") || !slices.Contains([]string{"--config", "--stage", "--secrets", "--signing-id", "--connection-id", "--url"}, words[0]) {
				continue
			}
			kind := words[1] // the name of its value
			if known, there := about[words[0]]; there && known != kind {
				t.Errorf("%s is a %s for %s, a %s for %s", words[0], kind, name, known, where[words[0]])
			}
			about[words[0]], where[words[0]] = kind, name
		}
	}
	if len(about) != 6 {
		t.Errorf("only %v were found", about)
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if code, out, errs := pimctl(t, nil, "completion", shell); code != succeeded || !strings.Contains(out, "pimctl") || errs != "" {
			t.Errorf("%s ends with %d: %s", shell, code, errs)
		}
	}
	if code, _, errs := pimctl(t, nil, "completion", "tcsh"); code != misused || !strings.Contains(errs, `unknown command "tcsh"`) {
		t.Errorf("of an unknown shell ends with %d: %s", code, errs)
	}
	if _, out, _ := pimctl(t, nil, "__complete", "send", "action-product-gr"); !strings.HasPrefix(out, "action-product-grid\n") {
		t.Errorf("a sample's name is completed to %q", out)
	}
}
