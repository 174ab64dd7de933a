package engine_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
)

// renaming is a PIM, and an action that gives each product of a selection a name of its own, a few in each batch.
func renaming(t *testing.T, batch int, catalogue *pimtest.Catalogue) *written {
	t.Helper()
	return newFixture(t, writing(batch, engine.Writes{Attributes: []string{"name"}, Models: engine.ModelsWrite}, updating(func(item jobs.Item) pim.Update {
		return pim.Update{Values: values("name", "fr_FR", "", fmt.Sprintf("%q", "ours: "+item.ID))}
	})), fault{}).playWriting(catalogue)
}

// What a job over a selection changed is taken back page by page, though its items are not kept: also what two of its batches
// changed on one model, and the undo in its turn. What somebody changed since stays and is named.
func TestAnUndoOfASelection(t *testing.T) {
	for name, c := range map[string]struct {
		batch, products int
		catalogue       *pimtest.Catalogue
	}{
		"two batches of one model": {1, 5, fewGoods(0, 1, 2, 60, 61)},
		"three pages":              {100, 250, large(250, 0)},
	} {
		t.Run(name, func(t *testing.T) { undoASelection(t, renaming(t, c.batch, c.catalogue), c.products) })
	}
}

func undoASelection(t *testing.T, v *written, products int) {
	before := v.shown()
	job := v.all("everything")
	if job.State != jobs.Succeeded || job.Done != products || job.Changed != products || !job.Undoable() {
		t.Fatalf("%s, %d of %d changed, %q", job.State, job.Changed, job.Done, job.Message)
	}
	after := v.shown()
	undone, failures := v.undo(job.ID)
	if undone.State != jobs.Succeeded || len(failures) > 0 || undone.Open() || undone.Total != undone.Done || !reflect.DeepEqual(before, v.shown()) {
		t.Fatalf("%s, %d of %d, %v", undone.State, undone.Changed, undone.Total, failures)
	}
	again, failures := v.undo(undone.ID)
	if again.State != jobs.Succeeded || len(failures) > 0 || !reflect.DeepEqual(after, v.shown()) {
		t.Fatalf("%s, %v", again.State, failures)
	}
	v.person(uuid(60), `{"name":[{"locale":"fr_FR","scope":null,"data":"by a person"}]}`)
	undone, failures = v.undo(again.ID)
	if undone.State != jobs.Partial || len(failures) != 1 || failures[0].Item != one(60) || !strings.Contains(failures[0].Reason, "name fr_FR was changed since") {
		t.Errorf("%s, %v", undone.State, failures)
	}
	now := v.shown()
	if now[uuid(60)] == before[uuid(60)] {
		t.Error("somebody's change was undone")
	}
	now[uuid(60)] = before[uuid(60)]
	if !reflect.DeepEqual(before, now) {
		t.Error("not all the others are what they were")
	}
}

// A failure at any operation of an undo of three batches: one undo restores what was there.
func TestAFailureAtAnyOperationOfAnUndoOfASelection(t *testing.T) {
	scenario := func(t *testing.T, plan fault) *faults {
		v := renaming(t, 1, fewGoods(0, 1, 60))
		before := v.shown()
		job := v.all("everything")
		if job.State != jobs.Succeeded || len(job.Undo) != 3 || reflect.DeepEqual(before, v.shown()) {
			t.Fatalf("%s, undo files %q", job.State, job.Undo)
		}
		v.faults.plan, v.faults.count, v.faults.names = plan, 0, nil
		var undone jobs.Job
		for { // a user presses again until told success
			var err error
			undone, err = v.submitter.Undo(context.Background(), job.ID, jobs.User{})
			if restarted := v.faults.restart(); !restarted && (err == nil || errors.Is(err, jobs.ErrUndoing)) {
				break
			}
		}
		v.drain()
		count := &faults{count: v.faults.count, names: v.faults.names}
		v.faults.plan = fault{}
		if undone, failures := v.ended(undone.ID); undone.State != jobs.Succeeded || undone.Changed != undone.Done || !reflect.DeepEqual(before, v.shown()) {
			t.Errorf("%s, %d of %d changed, %v; the PIM shows %s and %s", undone.State, undone.Changed, undone.Done, failures, v.shown()[uuid(0)], v.shown()[uuid(60)])
		}
		return count
	}
	sweep(t, 20, scenario)
}
