package engine

import (
	"encoding/json"
	"fmt"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

const maxReported = 20 // changes that a dry run's result names

// would is one change that a dry run tells.
type would struct {
	Type  string          `json:"type"`
	ID    string          `json:"id"`
	What  string          `json:"what"`
	From  json.RawMessage `json:"from,omitempty"`
	To    json.RawMessage `json:"to,omitempty"`
	Into  []string        `json:"into,omitempty"`
	OutOf []string        `json:"outOf,omitempty"`
}

// report is what a dry run tells: how many items would change, and the first changes.
func (w *writing) report(result Result) Result {
	items := map[int]bool{}
	models := 0
	told := struct {
		DryRun      bool    `json:"dryRun"`
		WouldChange int     `json:"wouldChange"`
		Changes     []would `json:"changes"`
	}{DryRun: true, Changes: []would{}}
	for _, t := range w.targets {
		if len(t.edits) == 0 || w.failedAll(t) {
			continue
		}
		for _, n := range t.of {
			items[n] = true
			if t.Type == jobs.ProductModel && w.run.Items[n] != t.Item {
				models++
			}
		}
		for _, edit := range t.edits {
			if len(told.Changes) < maxReported {
				told.Changes = append(told.Changes, would{Type: t.Type, ID: t.ID, What: edit.Name(), From: edit.Previous, To: edit.New, Into: edit.Added, OutOf: edit.Removed})
			}
		}
	}
	told.WouldChange = len(items)
	result.Message = fmt.Sprintf("dry run: %d of %d would change; nothing was changed", len(items), len(w.run.Items))
	if models > 0 {
		result.Message += "; values of product models would change, and with them what all their variants show"
	}
	text, err := json.Marshal(told)
	for err == nil && len(text) > jobs.MaxKindState && len(told.Changes) > 0 {
		told.Changes = told.Changes[:len(told.Changes)/2]
		text, err = json.Marshal(told)
	}
	if err == nil {
		result.Result = text
	}
	return result
}
