package pim

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/pim-functions/pim-functions/shared/outbound"
)

// workflowTimeout is for calls about workflows: a PIM without the feature may not answer them at all.
const workflowTimeout = 10 * time.Second

// Subject is what a workflow is started on.
type Subject struct {
	Type string // TypeProduct or TypeModel
	ID   string // UUID, or the model's code
}

// StartWorkflow starts a workflow on 1 to MaxPage products and models in one call, and returns why it did not start, by
// the subject's index; the others have started (Akeneo: "Start workflow executions"). The PIM names no executions.
//
// The call is not repeated unless the PIM has certainly not begun: whether it may have, Unmade tells of the error.
func (c *Client) StartWorkflow(ctx context.Context, workflow string, subjects []Subject) (refused map[int]string, err error) {
	type key map[string]string
	executions := make([]map[string]key, len(subjects))
	for i, subject := range subjects {
		executions[i] = map[string]key{"workflow": {"uuid": workflow}}
		if subject.Type == TypeModel {
			executions[i]["product_model"] = key{"code": subject.ID}
		} else {
			executions[i]["product"] = key{"uuid": subject.ID}
		}
	}
	body, err := json.Marshal(executions)
	if err != nil {
		return nil, err
	}
	r := request{
		method: http.MethodPost, path: "/api/rest/v1/workflows/executions", body: body, once: true, timeout: workflowTimeout,
		header: http.Header{"Content-Type": {"application/json"}},
	}
	answer, err := c.do(ctx, r)
	if err != nil {
		return nil, err
	}
	if answer.Status != http.StatusMultiStatus {
		return nil, nil
	}
	var partly struct {
		Errors []struct {
			Index   int    `json:"index"` // from 0, in the request
			Message string `json:"message"`
		} `json:"errors"`
	}
	if decode(answer.Body, &partly) != nil {
		return nil, &Error{Method: r.method, Path: r.path, Status: answer.Status, malformed: true}
	}
	refused = make(map[int]string, len(partly.Errors))
	for _, wrong := range partly.Errors {
		if wrong.Index < 0 || wrong.Index >= len(subjects) {
			return nil, fmt.Errorf("%w: an error about execution %d of %d", &Error{Method: r.method, Path: r.path, Status: answer.Status, malformed: true}, wrong.Index, len(subjects))
		}
		refused[wrong.Index] = outbound.Clean(wrong.Message, maxMessage)
	}
	return refused, nil
}

// clockSkew is by how much the PIM's clock may be behind ours.
const clockSkew = 5 * time.Second

// WorkflowRuns says of each of up to MaxPage products and models whether a workflow runs on it, or has run since a time. One
// that is not in the PIM has no workflow.
func (c *Client) WorkflowRuns(ctx context.Context, workflow string, subjects []Subject, since time.Time) ([]bool, error) {
	read := Read{Workflows: true}
	if main, err := c.MainIdentifier(ctx); err == nil { // else all values come along
		read.Attributes = []string{main}
	}
	found := map[Subject]Product{}
	for _, kind := range []string{TypeProduct, TypeModel} {
		var ids []string
		for _, subject := range subjects {
			if subject.Type == kind {
				ids = append(ids, subject.ID)
			}
		}
		products, err := c.Several(ctx, kind, ids, read)
		if err != nil {
			return nil, err
		}
		for id, product := range products {
			found[Subject{Type: kind, ID: id}] = product
		}
	}
	runs := make([]bool, len(subjects))
	for i, subject := range subjects {
		for _, run := range found[subject].Workflows {
			runs[i] = runs[i] || run.Workflow.UUID == workflow && (run.Status == "in_progress" || !run.Started.Before(since.Add(-clockSkew)))
		}
	}
	return runs, nil
}
