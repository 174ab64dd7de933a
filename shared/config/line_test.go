package config_test

import (
	"testing"

	"github.com/pim-functions/pim-functions/shared/config"
)

func TestLine(t *testing.T) {
	const file = "pims:\n  main:\n    url: x\nextensions:\n  export:\n    label: {default: Export}\n    type: action\n"
	for _, c := range []struct {
		path []string
		want int
	}{
		{[]string{"extensions", "export", "label"}, 6}, {[]string{"extensions", "export", "label", "default"}, 6}, {[]string{"extensions", "export", "nothing"}, 5},
		{[]string{"extensions", "nobody"}, 4}, {[]string{"nothing"}, 0}, {nil, 0},
	} {
		if got := config.Line([]byte(file), c.path...); got != c.want {
			t.Errorf("%q: line %d, want %d", c.path, got, c.want)
		}
	}
	if got := config.Line([]byte("a: [b"), "a"); got != 0 {
		t.Errorf("of no YAML: %d", got)
	}
}
