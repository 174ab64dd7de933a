package config_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/config"
)

// The README's table has every position, with the types that the PIM shows there.
func TestPositionsInTheREADME(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile("`([^`]+)`")
	described := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		if cells := strings.Split(line, "|"); len(cells) > 3 && strings.HasPrefix(cells[1], " `pim.") {
			var types []string
			for _, name := range code.FindAllStringSubmatch(cells[2], -1) {
				types = append(types, name[1])
			}
			described[strings.Trim(cells[1], " `")] = types
		}
	}
	for _, position := range slices.Sorted(maps.Keys(config.Positions)) {
		if !slices.Equal(described[position], config.Positions[position]) {
			t.Errorf("README.md says of %s: %v, and it is %v", position, described[position], config.Positions[position])
		}
	}
	for position := range described {
		if config.Positions[position] == nil {
			t.Errorf("README.md describes %s, which is no position that is known", position)
		}
	}
}
