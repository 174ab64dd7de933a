package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
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
		d := editDistance(word, candidate)
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

// editDistance is the Levenshtein distance in bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost = min(diagonal, row[j-1], row[j]) + 1
			}
			diagonal, row[j] = row[j], cost
		}
	}
	return row[len(b)]
}
