package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/shared/levenshtein"
)

// nearest is the remedy for an unknown word: the known one that looks most like it, or the list.
func nearest(word string, known map[string]bool) string {
	words := slices.Sorted(maps.Keys(known))
	if best := closest(word, words); best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	return "known are " + strings.Join(words, ", ")
}

// closest is the word that looks most like another; "" if none does. One that begins with it does, whatever stands
// between its letters: pim.product.grid is pim.product-grid.action-bar.
func closest(word string, words []string) string {
	best, distance := "", len(word)/2+1
	for _, candidate := range words {
		d := levenshtein.Distance(word, candidate)
		if begin := letters.Replace(word); begin != "" && strings.HasPrefix(letters.Replace(candidate), begin) {
			d = min(d, 1)
		}
		if d < distance {
			best, distance = candidate, d
		}
	}
	return best
}

var letters = strings.NewReplacer("-", "", "_", "", ".", "")
