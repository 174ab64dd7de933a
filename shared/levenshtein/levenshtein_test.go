package levenshtein_test

import (
	"testing"

	"github.com/pim-functions/pim-functions/shared/levenshtein"
)

func TestDistances(t *testing.T) {
	for _, row := range []struct {
		typed, word      string
		distance, within int
	}{
		{"", "", 0, 0},
		{"", "grid", 4, 0},
		{"grid", "", 4, 4},
		{"grid", "grid", 0, 0},
		{"gird", "grid", 2, 2},
		{"grid", "product-grid", 8, 0},
		{"prodct", "product-grid", 6, 1},
		{"kitten", "sitting", 3, 2},
		{"abc", "xyz", 3, 3},
		{"é", "e", 2, 2}, // bytes
	} {
		if got := levenshtein.Distance(row.typed, row.word); got != row.distance {
			t.Errorf("Distance(%q, %q) = %d, want %d", row.typed, row.word, got, row.distance)
		}
		if got := levenshtein.Within(row.typed, row.word); got != row.within {
			t.Errorf("Within(%q, %q) = %d, want %d", row.typed, row.word, got, row.within)
		}
	}
}

// Distances are symmetric, at most the longer word, and never less within than from end to end.
func FuzzDistances(f *testing.F) {
	f.Add("gird", "product-grid")
	f.Add("", "a")
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a) > 200 || len(b) > 200 {
			return
		}
		distance := levenshtein.Distance(a, b)
		if distance != levenshtein.Distance(b, a) || distance > max(len(a), len(b)) || distance < 0 || (distance == 0) != (a == b) {
			t.Errorf("Distance(%q, %q) = %d, the other way %d", a, b, distance, levenshtein.Distance(b, a))
		}
		if within := levenshtein.Within(a, b); within > distance || within > len(a) || within < 0 {
			t.Errorf("Within(%q, %q) = %d, Distance %d", a, b, within, distance)
		}
	})
}
