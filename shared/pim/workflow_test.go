package pim_test

import (
	"errors"
	"maps"
	"net/http"
	"testing"

	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
)

const review = "78e72192-8989-4a10-a121-09fc8cf921ff"

func TestAWorkflowStartsOnProductsAndModels(t *testing.T) {
	f := newFixture(t)
	ids := uuids(3)
	f.pim.Hide(true, ids[1])
	refused, err := f.StartWorkflow(t.Context(), review, []pim.Subject{
		{Type: pim.TypeProduct, ID: ids[0]}, {Type: pim.TypeProduct, ID: ids[1]}, {Type: pim.TypeModel, ID: "model-shirt"}, {Type: pim.TypeProduct, ID: "model-shirt"},
	})
	const missing = "Cannot start workflow execution: Product not found"
	if err != nil || !maps.Equal(refused, map[int]string{1: missing, 3: missing}) {
		t.Errorf("refused %v, %v", refused, err)
	}
	if started := f.pim.Started(); len(started) != 2 || started[0].ID != ids[0] || !started[1].Model || started[1].ID != "model-shirt" || started[1].Workflow != review {
		t.Errorf("started %+v", started)
	}
	if refused, err := f.StartWorkflow(t.Context(), review, []pim.Subject{{Type: pim.TypeProduct, ID: ids[2]}}); err != nil || len(refused) != 0 {
		t.Errorf("all start: %v, %v", refused, err)
	}
	if refused, err := f.StartWorkflow(t.Context(), ids[0], []pim.Subject{{Type: pim.TypeProduct, ID: ids[2]}}); err != nil || refused[0] != "Cannot start workflow execution: Workflow not found" {
		t.Errorf("no such workflow: %v, %v", refused, err)
	}
}

func TestAStartIsNotRepeatedWhereItMayHaveBegun(t *testing.T) {
	subjects := []pim.Subject{{Type: pim.TypeProduct, ID: uuids(1)[0]}}
	for _, row := range []struct {
		name    string
		spoil   func(*pimtest.PIM)
		started int
		unmade  bool
	}{
		{"the answer is lost", func(p *pimtest.PIM) { p.Lose("/api/rest/v1/workflows", 1) }, 1, false},
		{"away", func(p *pimtest.PIM) { p.Fail("/api/rest/v1/workflows", 502, 1) }, 0, false},
		{"not allowed", func(p *pimtest.PIM) { p.Fail("/api/rest/v1/workflows", 403, 1) }, 0, true},
	} {
		f := newFixture(t)
		row.spoil(f.pim)
		if _, err := f.StartWorkflow(t.Context(), review, subjects); err == nil || pim.Unmade(err) != row.unmade || len(f.pim.Started()) != row.started {
			t.Errorf("%s: %v, unmade %v, %d started", row.name, err, pim.Unmade(err), len(f.pim.Started()))
		}
	}
	if _, err := newFixture(t).StartWorkflow(t.Context(), review, make([]pim.Subject, 101)); !pim.Unmade(err) {
		t.Errorf("more than a call takes: %v", err)
	}
}

// An answer that cannot be read says nothing of what has started.
func TestAPartialAnswerOfAnotherShape(t *testing.T) {
	for _, text := range []string{`no JSON`, ``, `{"errors":[{"index":1,"message":"x"}]}`, `{"errors":[{"index":-1,"message":"x"}]}`, `{"errors":{}}`} {
		f := newFixture(t)
		f.connect(t, played(http.StatusMultiStatus, text))
		_, err := f.StartWorkflow(t.Context(), review, []pim.Subject{{Type: pim.TypeProduct, ID: uuids(1)[0]}})
		if failed, ok := errors.AsType[*pim.Error](err); !ok || failed.Permanent() || pim.Unmade(err) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
