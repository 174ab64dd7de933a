package engine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
)

// A failure at any operation, before it or after it, with or without the process: each product changes once in effect, the
// undo file is complete before each PATCH (playWriting checks), and one undo restores what was there.
func TestAFailureAtAnyOperationOfAWrite(t *testing.T) {
	scenario := func(t *testing.T, plan fault) *faults {
		v := newFixture(t, writing(2, engine.Writes{Attributes: []string{"name", "ean"}, Models: engine.ModelsWrite, Categories: true}, updating(func(item jobs.Item) pim.Update {
			u := pim.Update{Values: values("name", "fr_FR", "", `"ours"`), AddCategories: []string{"reviewed"}}
			if item.ID == uuid(61) {
				u.Values = values("ean", "", "", `"12345678901234567890"`) // refused
			}
			return u
		})), fault{}).playWriting(fewGoods(0, 60, 61))
		before := v.shown()
		id := v.work(`{}`, one(60), one(61), one(0))
		v.faults.plan, v.faults.count = plan, 0
		v.drain()
		count, names := v.faults.count, v.faults.names
		v.faults.plan = fault{}
		job, failures := v.ended(id)
		if job.State != jobs.Partial || job.Changed != 2 || len(failures) != 1 || failures[0].Item != one(61) {
			t.Fatalf("%s, %d changed, %v", job.State, job.Changed, failures)
		}
		for place, want := range map[string]string{uuid(60): "ours", uuid(0): "ours"} {
			if !strings.Contains(v.shown()[place], want) || !strings.Contains(v.shown()[place], "reviewed") {
				t.Errorf("%s: %s", place, v.shown()[place])
			}
		}
		v.faults.plan, v.faults.count = fault{at: plan.at - count, after: plan.after, crash: plan.crash}, 0
		undone, err := v.submitter.Undo(t.Context(), id, jobs.User{})
		if err != nil && plan.at > count {
			v.faults.restart()
			undone, err = v.submitter.Undo(t.Context(), id, jobs.User{})
		}
		if err == nil || errors.Is(err, jobs.ErrUndoing) { // by the press whose answer was lost
			v.drain()
			count, names = count+v.faults.count, append(names, v.faults.names...)
		}
		v.faults.plan = fault{}
		if undone, failures := v.ended(undone.ID); undone.State != jobs.Succeeded {
			t.Errorf("undo: %s, %v", undone.State, failures)
		}
		if !reflect.DeepEqual(before, v.shown()) {
			t.Errorf("undo leaves %s, %s", v.shown()[uuid(60)], v.shown()[uuid(0)])
		}
		v.faults.count, v.faults.names = count, names
		return v.faults
	}
	sweep(t, 30, scenario)
}

// Whatever is asked of whatever products, with whatever rights and interruptions: what the job says it changed is what
// differs in the PIM, and one undo is its inverse.
func TestWhatAJobSaysItChangedIsWhatDiffers(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			randomWrite(t, rand.New(rand.NewPCG(seed, 7)))
		})
	}
}

func randomWrite(t *testing.T, random *rand.Rand) {
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	wishes := []func() map[string][]pim.Entry{
		func() map[string][]pim.Entry {
			return values("name", pick("fr_FR", "de_DE", "xx_XX"), "", pick(`"a"`, `"b"`, `null`, `""`, `7`, `["x"]`))
		},
		func() map[string][]pim.Entry {
			return values("rating", "", "", pick(`7.25`, `"7.2500"`, `"7.25"`, `null`, `"x"`))
		},
		func() map[string][]pim.Entry {
			return values("price", "", "", pick(`[]`, `[{"amount":"1","currency":"EUR"}]`, `[{"amount":1.00,"currency":"EUR"},{"amount":null,"currency":"USD"}]`, `[{"amount":1,"currency":"XXX"}]`))
		},
		func() map[string][]pim.Entry {
			return values("materials", "", "", pick(`["wool","cotton"]`, `["cotton","wool"]`, `[]`, `["stone"]`))
		},
		func() map[string][]pim.Entry {
			return values("weight", "", "", pick(`{"amount":1,"unit":"GRAM"}`, `{"amount":"1.0000","unit":"GRAM"}`, `null`, `"x"`))
		},
		func() map[string][]pim.Entry { return values("waterproof", "", "", pick(`true`, `false`, `null`)) },
		func() map[string][]pim.Entry { return values("nothing", "", "", `"x"`) },
	}
	made := map[jobs.Item]pim.Update{}
	models := pick(engine.ModelsRefuse, engine.ModelsWrite)
	v := newFixture(t, writing(1+random.IntN(5), engine.Writes{Attributes: []string{"name", "rating", "price", "materials", "weight", "waterproof", "nothing"}, Categories: true, Groups: true, Enabled: true, Models: models},
		updating(func(item jobs.Item) pim.Update {
			if u, there := made[item]; there {
				return u
			}
			u := pim.Update{Values: map[string][]pim.Entry{}}
			for range random.IntN(3) {
				for code, entries := range wishes[random.IntN(len(wishes))]() {
					u.Values[code] = entries
				}
			}
			if random.IntN(3) == 0 {
				u.AddCategories = []string{pick("reviewed", "new_in", "clothing")}
			}
			if random.IntN(4) == 0 {
				u.Groups = &[]string{"gifts"}
			}
			if random.IntN(5) == 0 {
				on := random.IntN(2) == 0
				u.Enabled = &on
			}
			made[item] = u
			return u
		})), fault{}).playWriting(goods())
	var items []jobs.Item
	for range 12 {
		if n := random.IntN(200); n < 6 || n > 11 { // the variants of the jacket show what its models change
			items = append(items, one(n))
		}
	}
	items = append(items, jobs.Item{Type: jobs.ProductModel, ID: pick("model-jacket", "model-jacket-blue")})
	items = distinct(items)
	for _, item := range items {
		switch random.IntN(8) {
		case 0:
			v.Grant(pimtest.Right(random.IntN(3)), item.ID)
		case 1:
			v.Lag(item.ID, random.IntN(4))
		case 2:
			v.Hide(true, item.ID)
		}
	}
	if random.IntN(3) == 0 {
		v.ViewLocale("de_DE")
	}
	if random.IntN(3) == 0 {
		v.CutAnswers(1, random.IntN(300))
	}
	before := v.shown()
	id := v.work(`{}`, items...)
	v.faults.count, v.faults.plan = 0, fault{at: 1 + random.IntN(40), after: random.IntN(2) == 0, crash: random.IntN(2) == 0}
	v.drain()
	v.faults.plan = fault{}
	job, failures := v.ended(id)
	failed := map[jobs.Item]string{}
	for _, failure := range failures {
		failed[failure.Item] = failure.Reason
	}
	after := v.shown()
	differ := 0
	for _, item := range items {
		if before[item.ID] == after[item.ID] {
			continue
		}
		if failed[item] != "" && models == engine.ModelsRefuse && !strings.Contains(failed[item], "shows another value") { // of a level that nobody can know: its model is hidden
			t.Errorf("%v failed (%s) and differs:\n%s\n%s", item, failed[item], before[item.ID], after[item.ID])
		}
		if failed[item] == "" {
			differ++
		}
	}
	if models == engine.ModelsRefuse && job.Changed != own(items, failed, before, after, v) {
		t.Errorf("%d changed, it says; %d differ", job.Changed, own(items, failed, before, after, v))
	}
	if models == engine.ModelsWrite && job.Changed > differ {
		t.Errorf("%d changed, it says; %d differ", job.Changed, differ)
	}
	if len(job.Undo) == 0 {
		if !reflect.DeepEqual(before, after) {
			t.Error("it changed something and cannot be undone")
		}
		return
	}
	undone, failures := v.undo(id)
	if undone.State != jobs.Succeeded || !reflect.DeepEqual(before, v.shown()) {
		for id, text := range v.shown() {
			if text != before[id] {
				t.Errorf("undo leaves %s\n%s\n%s", id, before[id], text)
			}
		}
		t.Errorf("undo: %s, %v", undone.State, failures)
	}
}

// own counts the items that differ by what is their own: a variant shows its model's change too.
func own(items []jobs.Item, failed map[jobs.Item]string, before, after map[string]string, v *written) (count int) {
	touched := map[string]bool{}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, line := range v.sent {
		var sent struct{ UUID, Code string }
		_ = json.Unmarshal([]byte(line), &sent)
		touched[sent.UUID+sent.Code] = true
	}
	for _, item := range items {
		if failed[item] == "" && touched[item.ID] && before[item.ID] != after[item.ID] {
			count++
		}
	}
	return count
}

func distinct(items []jobs.Item) (found []jobs.Item) {
	seen := map[jobs.Item]bool{}
	for _, item := range items {
		if !seen[item] {
			seen[item] = true
			found = append(found, item)
		}
	}
	return found
}
