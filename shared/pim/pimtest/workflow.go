package pimtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

// Workflow is one that users have set up in the PIM.
type Workflow struct {
	UUID    string            `json:"uuid"`
	Code    string            `json:"code"`
	Labels  map[string]string `json:"labels"`
	Enabled bool              `json:"enabled"`
}

// Started is a workflow that runs on a product or model.
type Started struct {
	Workflow string // UUID
	ID       string // of the product or model
	Model    bool
	At       time.Time
}

// Started are the executions of workflows so far, oldest first.
func (p *PIM) Started() []Started {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.started)
}

// maxStart is how many executions one call starts.
const maxStart = 100

// startWorkflows starts workflows on products and models (Akeneo: "Start workflow executions").
func (p *PIM) startWorkflows(w http.ResponseWriter, r *http.Request) {
	if refused := p.authorize(r); refused != nil {
		refused.write(w)
		return
	}
	type key struct{ UUID, Code string }
	var sent []struct {
		Workflow key  `json:"workflow"`
		Product  *key `json:"product"`
		Model    *key `json:"product_model"`
	}
	text, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil || json.Unmarshal(text, &sent) != nil || len(sent) == 0 || len(sent) > maxStart {
		(&refusal{status: http.StatusBadRequest, Message: fmt.Sprintf("Between 1 and %d executions are expected.", maxStart)}).write(w)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	type wrong struct {
		Index   int    `json:"index"`
		Message string `json:"message"`
	}
	errors, processed := []wrong{}, 0
	for i, one := range sent {
		known := slices.ContainsFunc(p.catalogue.Workflows, func(w Workflow) bool { return w.UUID == one.Workflow.UUID && w.Enabled })
		subject := Started{Workflow: one.Workflow.UUID, At: p.now().UTC()}
		var entity *Entity
		switch {
		case one.Product != nil && one.Model == nil:
			subject.ID, entity = one.Product.UUID, p.catalogue.products[one.Product.UUID]
		case one.Model != nil && one.Product == nil:
			subject.ID, subject.Model, entity = one.Model.Code, true, p.catalogue.models[one.Model.Code]
		}
		switch {
		case !known:
			errors = append(errors, wrong{i, "Cannot start workflow execution: Workflow not found"})
		case entity == nil || p.faults.hidden[subject.ID]:
			errors = append(errors, wrong{i, "Cannot start workflow execution: Product not found"})
		default:
			p.started, processed = append(p.started, subject), processed+1
		}
	}
	if len(errors) == 0 {
		w.WriteHeader(http.StatusCreated)
		return
	}
	writeJSON(w, http.StatusMultiStatus, map[string]any{
		"code": http.StatusMultiStatus, "message": "Workflow executions started with some errors", "processed": processed, "errors": errors,
	})
}

// workflowRuns are the executions on an entity, as its reads show them.
func (p *PIM) workflowRuns(e *Entity) []map[string]any {
	runs := []map[string]any{}
	for i, one := range p.started {
		if one.ID == e.id() {
			runs = append(runs, map[string]any{
				"uuid": fmt.Sprintf("b0d1f3b2-8a34-4e8b-9a07-%012d", i), "status": "in_progress", "started_at": stamp(one.At), "completed_at": nil,
				"workflow": map[string]any{"uuid": one.Workflow, "code": "review", "labels": map[string]string{}}, "tasks": []any{},
			})
		}
	}
	return runs
}
