package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/config"
)

// FuzzLoad: whatever the file, Load ends with a configuration whose names all lead somewhere, or with problems that
// each have a line and a text.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds in testdata: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, "local")
	}
	f.Add(config.Embedded(), "production")
	f.Add([]byte(right), "production")
	f.Add([]byte("actions: {a: {kind: k, then: {failed: a}}}"), "")
	f.Add([]byte("a: &a [*a]"), "")
	f.Add([]byte(`pims: {a: {url: "http://[::1]:443/"}}`), "x")
	f.Add([]byte("? [a]\n: ${b\n"), "x")
	f.Fuzz(func(t *testing.T, text []byte, stage string) {
		loaded, err := config.Load(config.Source{File: "f.yaml", Text: text, Stage: stage, Lookup: variables(map[string]string{"SINK": "https://a.example.com", "PIM_URL": "https://b.example.com"})})
		if err != nil {
			problems, ok := errors.AsType[config.Problems](err)
			if !ok || len(problems) == 0 {
				t.Fatalf("not problems: %v", err)
			}
			last := 1
			for _, problem := range problems {
				if problem.Line < last || problem.Message == "" || problem.Remedy == "" || problem.File != "f.yaml" {
					t.Errorf("after line %d: %+v", last, problem)
				}
				last = problem.Line
			}
			return
		}
		for name, pim := range loaded.PIMs {
			if pim.Name != name || !strings.HasPrefix(pim.URL, "http") || strings.HasSuffix(pim.URL, "/") {
				t.Errorf("pim %q: %+v", name, pim)
			}
		}
		led := func(from, to string) {
			if _, ok := loaded.Actions[to]; !ok {
				t.Errorf("%q leads to %q, which is no action", from, to)
			}
		}
		for name, action := range loaded.Actions {
			if action.Kind == "" {
				t.Errorf("action %q has no kind", name)
			}
			if problems, ok := errors.AsType[config.Problems](action.Section.Decode(&options{})); ok {
				for _, problem := range problems {
					if problem.Line < 1 || problem.Message == "" || problem.Remedy == "" {
						t.Errorf("action %q: %+v", name, problem)
					}
				}
			}
			for _, next := range action.Then {
				led(name, next)
			}
		}
		for name, extension := range loaded.Extensions {
			if len(extension.Registrations()) == 0 || extension.Label.In("") == "" || loaded.PIMs[extension.PIM].URL == "" {
				t.Errorf("extension %q: %+v", name, extension)
			}
			if extension.Type == "action" {
				led(name, extension.Action)
			}
			for _, action := range extension.Actions {
				led(name, action)
			}
		}
		for name, subscription := range loaded.Subscriptions {
			led(name, subscription.Action)
		}
		for name, notification := range loaded.Notifications {
			led(name, notification.Action)
		}
		for name, action := range loaded.Contentful.Actions {
			led(name, action.Action)
		}
	})
}
