package platformapi

import (
	"path"
	"slices"
	"strings"
)

const typePrefix = "com.akeneo.pim.v1."

// documented are the event types of the vendor's list (Akeneo: "Event Platform", "Available events"), without their
// prefix. The list grows: what is missing here can be subscribed to by its full name.
var documented = []string{
	"app.deleted",
	"asset.created", "asset.deleted", "asset.updated",
	"attribute-group.created", "attribute-group.deleted", "attribute-group.updated",
	"attribute-option.created", "attribute-option.deleted", "attribute-option.updated",
	"attribute.created", "attribute.deleted", "attribute.updated",
	"category.created", "category.deleted", "category.updated",
	"connection.deleted",
	"family.created", "family.deleted", "family.updated",
	"job.export.status-changed", "job.import.status-changed", "job.mass-edit.status-changed",
	"product-model.created", "product-model.deleted", "product-model.updated", "product-model.updated.delta",
	"product.became-complete", "product.became-incomplete", "product.created", "product.deleted", "product.updated", "product.updated.delta",
	"reference-entity-record.created", "reference-entity-record.deleted", "reference-entity-record.updated",
	"workflow.task.created",
}

// Types are the documented event types by their full names, sorted.
func Types() []string {
	types := make([]string, len(documented))
	for i, name := range documented {
		types[i] = typePrefix + name
	}
	slices.Sort(types)
	return types
}

// Expand turns patterns, in which * stands for anything, into what the platform takes: full types, sorted, each once. A
// pattern is held against the documented types; a type without * is taken as it is. empty are the patterns that match
// nothing.
func Expand(patterns []string) (types, empty []string) {
	for _, pattern := range patterns {
		if !strings.Contains(pattern, "*") {
			types = append(types, pattern)
			continue
		}
		found := slices.DeleteFunc(Types(), func(name string) bool { return !matches(pattern, name) })
		if len(found) == 0 {
			empty = append(empty, pattern)
		}
		types = append(types, found...)
	}
	slices.Sort(types)
	return slices.Compact(types), empty
}

// matches: no type holds a slash, so * stands for anything.
func matches(pattern, name string) bool {
	matched, err := path.Match(literal.Replace(pattern), name)
	return matched && err == nil
}

// literal keeps path.Match from reading more than * into a pattern.
var literal = strings.NewReplacer(`\`, `\\`, "[", `\[`, "?", `\?`)
