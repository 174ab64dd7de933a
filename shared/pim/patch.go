package pim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

const (
	collectionType = "application/vnd.akeneo.collection+json" // of a batch (Akeneo: "Update several products")
	maxLine        = 1_000_000                                // characters of one line of a batch
	largeBody      = 256 << 10                                // bytes from which a 403 may mean the size: the edge before a PIM says so
)

// Change is what is written to one product or model: the keys of a PATCH, without the entity's own. Objects merge; lists
// and everything else replace (Akeneo: "Update behavior").
type Change struct {
	ID   string
	Body map[string]json.RawMessage
}

// Written is what the PIM answered to one Change. Taken does not mean changed: the PIM drops values of another level, and
// makes drafts of what the connection may only propose, with the same answer.
type Written struct {
	Taken      bool
	Created    bool // the PIM did not have the entity; it has it now
	Message    string
	Violations []Violation
}

// Patch writes changes of products (kind TypeProduct) or models, a hundred in one call, and returns an answer for each. A
// batch that the PIM finds too large is written in halves. An answer that ends early, or lacks a line, leaves the rest
// unknown: those changes are sent once more, which changes nothing that was taken before.
//
// Its error is that of a whole call; what was answered before it comes too, with nil for what was not.
func (c *Client) Patch(ctx context.Context, kind string, changes []Change) ([]*Written, error) {
	answers := make([]*Written, len(changes))
	for from := 0; from < len(changes); from += MaxPage {
		to := min(from+MaxPage, len(changes))
		if err := c.patch(ctx, kind, changes[from:to], answers[from:to]); err != nil {
			return answers, err
		}
	}
	return answers, nil
}

// patch writes one batch until every line is answered.
func (c *Client) patch(ctx context.Context, kind string, changes []Change, answers []*Written) error {
	for range attempts {
		var open []int
		var body bytes.Buffer
		for i := range changes {
			if answers[i] != nil {
				continue
			}
			line, err := changes[i].line(kind)
			if err != nil {
				return err
			}
			if len(line) > maxLine {
				answers[i] = &Written{Message: "the change is too large for the PIM"}
				continue
			}
			if len(open) > 0 {
				body.WriteByte('\n')
			}
			body.Write(line)
			open = append(open, i)
		}
		if len(open) == 0 {
			return nil
		}
		answer, err := c.do(ctx, request{
			method: http.MethodPatch, path: lists[kind].path, body: body.Bytes(),
			header: http.Header{"Content-Type": {collectionType}, "Accept": {"*/*"}},
		})
		if failed, ok := errors.AsType[*Error](err); ok && len(open) > 1 && (failed.TooLarge() || (failed.Status == http.StatusForbidden && body.Len() > largeBody)) {
			return c.patchHalves(ctx, kind, changes, answers, open)
		}
		if err != nil {
			return err
		}
		readLines(answer.Body, open, answers)
	}
	for _, answered := range answers {
		if answered == nil {
			return &Error{Method: http.MethodPatch, Path: lists[kind].path, Status: http.StatusOK, malformed: true}
		}
	}
	return nil
}

// patchHalves writes the open changes in two batches.
func (c *Client) patchHalves(ctx context.Context, kind string, changes []Change, answers []*Written, open []int) error {
	for _, half := range [][]int{open[:len(open)/2], open[len(open)/2:]} {
		part, answered := make([]Change, len(half)), make([]*Written, len(half))
		for i, index := range half {
			part[i] = changes[index]
		}
		err := c.patch(ctx, kind, part, answered)
		for i, index := range half {
			answers[index] = answered[i]
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// line is a change as one line of a batch.
func (c Change) line(kind string) ([]byte, error) {
	body := make(map[string]json.RawMessage, len(c.Body)+1)
	for name, value := range c.Body {
		body[name] = value
	}
	id, err := json.Marshal(c.ID)
	if err != nil {
		return nil, err
	}
	body[keys[kind]] = id
	line, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode change: %w", err)
	}
	return line, nil
}

// keys are what a line names its entity by.
var keys = map[string]string{TypeProduct: "uuid", TypeModel: "code"}

// readLines gives the answers of a batch to the changes they belong to, by line number. A line that is cut, doubled or
// of no change is left out.
func readLines(body []byte, open []int, answers []*Written) {
	for _, text := range bytes.Split(body, []byte("\n")) {
		var line struct {
			Line    int             `json:"line"`
			Status  int             `json:"status_code"`
			Code    json.RawMessage `json:"code"` // a number where status_code is missing; else a model's own code
			Message string          `json:"message"`
			Errors  []Violation     `json:"errors"`
		}
		if json.Unmarshal(text, &line) != nil || line.Line < 1 || line.Line > len(open) || answers[open[line.Line-1]] != nil {
			continue
		}
		if line.Status == 0 && json.Unmarshal(line.Code, &line.Status) != nil {
			continue
		}
		if line.Status >= 500 || line.Status == http.StatusTooManyRequests {
			continue // unknown: it is sent again
		}
		written := &Written{Taken: line.Status == http.StatusNoContent || line.Status == http.StatusCreated || line.Status == http.StatusOK, Created: line.Status == http.StatusCreated}
		if !written.Taken {
			written.Message, written.Violations = sentences(text)
			if written.Message == "" {
				written.Message = "the PIM refuses the change"
			}
		}
		answers[open[line.Line-1]] = written
	}
}
