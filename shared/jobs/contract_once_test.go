package jobs_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

func exists(t *testing.T, b bench) {
	first := create(t, b, request("a"))
	refused(t, b, request("a"), nil, jobs.ErrExists) // a holds the key itself
	first.State = jobs.Succeeded
	first = mustSave(t, b, first)
	refused(t, b, request("a"), nil, jobs.ErrExists) // nobody does
	other := create(t, b, request("b"))
	refused(t, b, request("a"), nil, jobs.ErrExists) // b does
	other.State = jobs.Failed
	refused(t, b, request("a"), &other, jobs.ErrExists) // and it could be taken over
	same(t, "the first", get(t, b, "a"), bare(first))
	if got := get(t, b, "b"); got.Version != 1 {
		t.Errorf("the holder is at version %d", got.Version)
	}
}

func once(t *testing.T, b bench) {
	create(t, b, request("a"))
	heldBy(t, b, request("b"), "a")
	gone(t, b, "b")
	free := request("c")
	free.Once = ""
	create(t, b, free)
	other := request("d")
	other.Once = "another"
	create(t, b, other)
}

func onceRace(t *testing.T, b bench) {
	const n = 20
	results := make([]error, n)
	together(n, func(i int) {
		_, results[i] = b.Create(t.Context(), request(fmt.Sprint(i)), nil)
	})
	winner := slices.Index(results, nil)
	if winner < 0 {
		t.Fatal(errors.Join(results...))
	}
	for i, err := range results {
		held, ok := errors.AsType[*jobs.OnceError](err)
		if i != winner && (!ok || held.Holder != fmt.Sprint(winner)) {
			t.Errorf("%d: %v; the holder is %d", i, err, winner)
		}
	}
}

func onceFreed(t *testing.T, b bench) {
	for i, end := range []jobs.State{jobs.Succeeded, jobs.Partial, jobs.Failed, jobs.Cancelled} {
		job := create(t, b, request(fmt.Sprint(i)))
		for _, state := range []jobs.State{jobs.Queued, jobs.Running, jobs.Waiting} {
			job.State = state
			job = mustSave(t, b, job)
			heldBy(t, b, request("x"), job.ID)
		}
		job.State = end
		job = mustSave(t, b, job)
		job.ThenDue = nil // a write after the end finds no key to free
		mustSave(t, b, job)
	}
}

func onceNotFreed(t *testing.T, b bench) {
	for _, keeps := range []string{"once", ""} { // what the former holder believes
		former := create(t, b, request("former"+keeps))
		former.State, former.Once = jobs.Running, keeps
		holder := request("holder" + keeps)
		holder, err := b.Create(t.Context(), holder, &former)
		if err != nil {
			t.Fatal(err)
		}
		former.Version++
		former.State = jobs.Succeeded
		former = mustSave(t, b, former)
		former.Message = "again"
		mustSave(t, b, former, jobs.Failure{Index: 0, Reason: "r"})
		heldBy(t, b, request("x"), holder.ID)
		holder.State = jobs.Succeeded
		mustSave(t, b, holder)
	}
}

func takeover(t *testing.T, b bench) {
	a := create(t, b, request("a"))
	b.pass(time.Minute)
	before := a
	a.State, a.Reason = jobs.Failed, jobs.ReasonNotStarted
	created, err := b.Create(t.Context(), request("b"), &a)
	if err != nil {
		t.Fatal(err)
	}
	a.Version, a.UpdatedAt, a.ExpiresAt = 2, b.Now(), b.Now().Add(jobs.Life)
	same(t, "taken over", load(t, b, "a"), a)
	same(t, "created", load(t, b, "b"), created)
	heldBy(t, b, request("c"), "b")
	if _, err := b.Save(t.Context(), before); !errors.Is(err, jobs.ErrConflict) {
		t.Errorf("a late write of the job that was taken over: %v", err)
	}
}

func takeoverConflict(t *testing.T, b bench) {
	a := create(t, b, request("a"))
	stale := a
	stale.State = jobs.Failed
	a.State = jobs.Queued
	a = mustSave(t, b, a)
	refused(t, b, request("b"), &stale, jobs.ErrConflict)
	gone(t, b, "b")
	same(t, "the holder", load(t, b, "a"), a)

	unknown := request("unknown")
	unknown.Version = 1
	refused(t, b, request("b"), &unknown, jobs.ErrConflict)

	a.State = jobs.Succeeded
	a = mustSave(t, b, a)
	refused(t, b, request("b"), &a, jobs.ErrConflict) // the key is free by now
	same(t, "the former holder", load(t, b, "a"), a)

	without := request("b")
	without.Once = ""
	if _, err := b.Create(t.Context(), without, &a); err == nil {
		t.Error("a takeover without a once key: no error")
	}
}
