package eventplatform

import (
	"path"
	"slices"
	"strings"
)

const typePrefix = "com.akeneo.pim.v1."

// documented are the event types of the vendor's list (Akeneo: "Event Platform", "Available events"), without their
// prefix.
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

// newer are types that have been seen since. Not every PIM has them, so they are subscribed to by their full names
// alone: the platform refuses a whole subscription for one type that it does not know. The activity types hold the data
// of people, which nobody should get by a *.
var newer = []string{
	"activity.authentication", "activity.data-access",
	"asset.updated.delta", "attribute-option.updated.delta", "category.updated.delta", "reference-entity-record.updated.delta",
	"family-variant.created", "family-variant.deleted", "family-variant.updated",
	"product-model.became-not-ready", "product-model.became-ready", "product.became-not-ready", "product.became-ready",
	"workflow.execution.completed", "workflow.execution.started", "workflow.task.completed",
}

// Types are the event types that a * stands for, by their full names, sorted.
func Types() []string {
	types := make([]string, len(documented))
	for i, name := range documented {
		types[i] = typePrefix + name
	}
	slices.Sort(types)
	return types
}

// Known says whether a full type is one of the platform's, as far as we know: its list grows.
func Known(name string) bool {
	short, ok := strings.CutPrefix(name, typePrefix)
	return ok && (slices.Contains(documented, short) || slices.Contains(newer, short))
}

// Expand turns patterns, in which * stands for anything, into what the platform takes: full types, sorted, each once.
// unknown are the patterns that match no type of Types, and the full types that are not Known, in their order.
func Expand(patterns []string) (types, unknown []string) {
	for _, pattern := range patterns {
		var found []string
		switch {
		case strings.Contains(pattern, "*"):
			found = slices.DeleteFunc(Types(), func(name string) bool { return !matches(pattern, name) })
		case Known(pattern):
			found = []string{pattern}
		}
		if len(found) == 0 {
			unknown = append(unknown, pattern)
		}
		types = append(types, found...)
	}
	slices.Sort(types)
	return slices.Compact(types), unknown
}

// matches: no type holds a slash, so * stands for anything.
func matches(pattern, name string) bool {
	matched, err := path.Match(literal.Replace(pattern), name)
	return matched && err == nil
}

// literal keeps path.Match from reading more than * into a pattern.
var literal = strings.NewReplacer(`\`, `\\`, "[", `\[`, "?", `\?`)
