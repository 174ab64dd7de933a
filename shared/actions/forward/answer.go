package forward

import (
	"encoding/json"
	"strings"
	"unicode"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

const maxAnswer = 256 << 10 // bytes of an answer that are read: room for a reason per item of the largest batch

// answer is what a destination may say with a 2xx, as JSON. Whatever else it says is taken as "all done".
type answer struct {
	Failures []struct {
		Index  *int   `json:"index"` // among the items of the request, from 0
		ID     string `json:"id"`    // or the item's id
		Reason string `json:"reason"`
	} `json:"failures"`
	Message string          `json:"message"`
	Result  json.RawMessage `json:"result"`
}

// read turns an answer into a result. Failures that name no item of the batch are left out.
func read(body []byte, items []jobs.Item) engine.Result {
	var said answer
	if err := json.Unmarshal(body, &said); err != nil {
		return engine.Result{}
	}
	result := engine.Result{Message: clean(said.Message), Result: said.Result}
	seen := map[int]bool{}
	fail := func(index int, reason string) {
		if index >= 0 && index < len(items) && !seen[index] {
			seen[index] = true
			result.Failures = append(result.Failures, engine.Failure{Index: index, Reason: reason})
		}
	}
	for _, failure := range said.Failures {
		reason := clean(failure.Reason)
		if reason == "" {
			reason = "refused by the destination"
		}
		if failure.Index != nil {
			fail(*failure.Index, reason)
			continue
		}
		for index, item := range items {
			if item.ID == failure.ID {
				fail(index, reason)
			}
		}
	}
	return result
}

// clean makes a line of text that a user can read: no control characters, at most jobs.MaxReason bytes.
func clean(text string) string {
	text = strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text), "")
	text = strings.TrimSpace(text)
	if len(text) > jobs.MaxReason {
		text = strings.ToValidUTF8(text[:jobs.MaxReason], "")
	}
	return text
}
