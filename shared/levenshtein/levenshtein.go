// Package levenshtein says how far words are apart, for whoever suggests which known word was meant. What is near enough,
// and what to tell the reader, is the caller's.
package levenshtein

import "slices"

// Distance is how many bytes must be added, left out or changed to make one word the other (Levenshtein 1965).
func Distance(typed, word string) int {
	row := distances(typed, word, 1)
	return row[len(word)]
}

// Within is how many bytes of typed must be added, left out or changed to make it some part of word: what the word has
// before and after that part costs nothing.
func Within(typed, word string) int { return slices.Min(distances(typed, word, 0)) }

// distances are those of typed to each beginning of word, where each byte of the word before the first that is compared
// costs so much.
func distances(typed, word string, lead int) []int {
	row := make([]int, len(word)+1)
	for j := range row {
		row[j] = j * lead
	}
	for i := range len(typed) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(word) {
			change := diagonal
			if typed[i] != word[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row
}
