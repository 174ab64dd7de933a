package table

import (
	"slices"
	"strconv"
	"strings"
)

// sorted are codes in PHP's order: two numbers by their value, everything else by its bytes.
func sorted(codes []string) []string {
	list := slices.Clone(codes)
	slices.SortStableFunc(list, func(a, b string) int {
		x, errX := strconv.ParseFloat(a, 64)
		y, errY := strconv.ParseFloat(b, 64)
		if errX == nil && errY == nil && numeric(a) && numeric(b) {
			switch {
			case x < y:
				return -1
			case x > y:
				return 1
			}
			return 0
		}
		return strings.Compare(a, b)
	})
	return list
}

// numeric says whether PHP takes a text for a number: words such as Inf and hexadecimal are none.
func numeric(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool { return !strings.ContainsRune("0123456789.+-eE", r) })
}
