package platformapi

import (
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/shared/eventtype"
)

// Types are the documented event types by their full names, sorted.
func Types() []string { return eventtype.Documented() }

// Expand turns patterns, in which * stands for anything, into what the platform takes: full types, sorted, each once. A
// pattern is held against the documented types; a type without * is taken as it is. empty are the patterns that match
// nothing.
func Expand(patterns []string) (types, empty []string) {
	for _, pattern := range patterns {
		if !strings.Contains(pattern, "*") {
			types = append(types, pattern)
			continue
		}
		found := slices.DeleteFunc(Types(), func(name string) bool { return !eventtype.Matches(pattern, name) })
		if len(found) == 0 {
			empty = append(empty, pattern)
		}
		types = append(types, found...)
	}
	slices.Sort(types)
	return slices.Compact(types), empty
}
