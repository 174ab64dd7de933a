package config_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
)

// The schema's patterns take what Load takes.
func TestSchemaPatterns(t *testing.T) {
	duration := func(text string) bool {
		_, err := config.ParseDuration(text)
		return err == nil
	}
	for _, row := range []struct {
		name, pattern string
		takes         func(string) bool
		texts         []string
	}{
		{"names", config.NamePattern, config.IsName, []string{"a", "send-to_ERP9", strings.Repeat("a", 40), "", "a b", "a/b", "é", strings.Repeat("a", 41)}},
		{"locales", config.LocalePattern, config.IsLocale, []string{"en_US", "zh_Hans_CN", "en_029", "en-US", "en", "e_US", "en_U", "12_US", ""}},
		{"times", config.DurationPattern, duration, []string{"30s", "1h30m", "1.5h", "500ms", "1d", "14d", "1d12h", "soon", "1w", "30", "1.5d", "12h1d"}},
	} {
		pattern := regexp.MustCompile(row.pattern)
		for _, text := range row.texts {
			if pattern.MatchString(text) != row.takes(text) {
				t.Errorf("%s: the schema says %t of %q, Load %t", row.name, !row.takes(text), text, row.takes(text))
			}
		}
	}
}

// A kind's keys come from its struct; a kind without one takes any.
func TestSchemaOfKinds(t *testing.T) {
	var schema struct {
		Properties struct {
			Actions struct {
				AdditionalProperties struct {
					Properties map[string]any
					AllOf      []struct {
						If struct {
							Properties struct{ Kind struct{ Const string } }
						}
						Then struct {
							Properties           map[string]any
							AdditionalProperties bool
						}
					}
				}
			}
		}
	}
	kinds := map[string]any{"open": nil, "own": struct {
		URL   string        `yaml:"url"`
		Times []int         `yaml:"times"`
		Every time.Duration `yaml:"every"`
	}{}}
	text, err := config.Schema(kinds)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	actions := schema.Properties.Actions.AdditionalProperties
	if len(actions.AllOf) != 1 || actions.AllOf[0].If.Properties.Kind.Const != "own" || actions.AllOf[0].Then.AdditionalProperties {
		t.Fatalf("%+v", actions.AllOf)
	}
	for _, key := range []string{"url", "times", "every", "kind", "retry", "destination"} {
		if actions.AllOf[0].Then.Properties[key] == nil {
			t.Errorf("the kind's keys lack %s", key)
		}
	}
}
