package config_test

import (
	"os"
	"testing"

	"github.com/pim-functions/pim-functions/shared/config"
)

// The file that ships is right for every stage in it, and says nothing odd.
func TestEmbedded(t *testing.T) {
	stages, err := config.Stages(config.Embedded())
	if err != nil {
		t.Fatal(err)
	}
	if len(stages) == 0 {
		t.Fatal("no environments")
	}
	for _, stage := range stages {
		var lookup func(string) (string, bool)
		if stage == config.Local {
			lookup = variables(map[string]string{"PIM_URL": "http://localhost:8081", "ERP_URL": "http://localhost:8080/erp"})
		}
		loaded, err := config.Load(config.Source{File: "extensions.yaml", Text: config.Embedded(), Stage: stage, Lookup: lookup})
		if err != nil {
			t.Errorf("%s: %v", stage, err)
			continue
		}
		if len(loaded.Warnings) > 0 {
			t.Errorf("%s: %v", stage, loaded.Warnings)
		}
	}
}

// testdata/every-feature.yaml has no environments: its variables come from the process alone.
func TestEveryFeature(t *testing.T) {
	text, err := os.ReadFile("testdata/every-feature.yaml")
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := config.Load(config.Source{
		File: "every-feature.yaml", Text: text, Stage: config.Local,
		Lookup: variables(map[string]string{"PIM_URL": "http://127.0.0.1:8081", "SINK": "http://127.0.0.1:9000"}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(loaded.Warnings) > 0 {
		t.Error(loaded.Warnings)
	}
	if len(loaded.Extensions) != 14 || len(loaded.Actions) != 8 || len(loaded.Contentful.Actions) != 2 {
		t.Errorf("%d extensions, %d actions, %d Contentful actions", len(loaded.Extensions), len(loaded.Actions), len(loaded.Contentful.Actions))
	}
}

func variables(values map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := values[name]
		return value, ok
	}
}
