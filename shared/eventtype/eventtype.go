// Package eventtype is the types of event that a PIM sends through each of its APIs, and the patterns in which
// extensions.yaml names them. Events themselves are package pimevent's.
package eventtype

import (
	"slices"
	"strings"
)

// Prefix begins every type of the Event Platform (Akeneo: "Event Platform", "Available events").
const Prefix = "com.akeneo.pim.v1."

// documented are the types of the vendor's list (Akeneo: "Event Platform", "Available events"), without their prefix.
// The list grows.
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

// newer are types that PIMs send and that the vendor's list does not have yet.
var newer = []string{
	"activity.authentication", "activity.data-access", "asset.updated.delta", "attribute-option.updated.delta", "category.updated.delta",
	"family-variant.created", "family-variant.deleted", "family-variant.updated",
	"product-model.became-not-ready", "product-model.became-ready", "product.became-not-ready", "product.became-ready",
	"reference-entity-record.updated.delta", "workflow.execution.completed", "workflow.execution.started", "workflow.task.completed",
}

// EventsAPI are the types of the Events API, all of them (Akeneo: "Events API", "Events reference").
var EventsAPI = []string{
	"product.created", "product.updated", "product.removed",
	"product_model.created", "product_model.updated", "product_model.removed",
}

// Documented are the types of the vendor's list for the Event Platform by their full names, sorted. What is missing
// here can be subscribed to by its full name.
func Documented() []string { return full(documented) }

// Known are all types of the Event Platform that we have seen, sorted. It may send more.
func Known() []string { return full(append(slices.Clone(documented), newer...)) }

func full(names []string) []string {
	types := make([]string, len(names))
	for i, name := range names {
		types[i] = Prefix + name
	}
	slices.Sort(types)
	return types
}

// Matches compares a type with a pattern in which * stands for anything.
func Matches(pattern, eventType string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == eventType
	}
	rest, ok := strings.CutPrefix(eventType, parts[0])
	if !ok {
		return false
	}
	last := parts[len(parts)-1]
	for _, part := range parts[1 : len(parts)-1] {
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, last)
}
