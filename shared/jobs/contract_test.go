package jobs_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

// contract is what every Store must keep, clause by clause. Clauses on once keys, failures and lists have files of their own.
var contract = []struct {
	name string
	test func(*testing.T, bench)
}{
	{"what is created is read back", readBack},
	{"a job of zero values is a job", zeroValues},
	{"files outlive the work that made them", filesOutliveWork},
	{"an ID is taken once, whoever holds the once key", exists},
	{"a once key has one holder", once},
	{"of twenty creates with one once key one wins", onceRace},
	{"the end of a job frees its once key", onceFreed},
	{"the end of a job does not free the key of another", onceNotFreed},
	{"a takeover passes the once key and ends its holder in one step", takeover},
	{"a takeover of what has changed changes nothing", takeoverConflict},
	{"a save replaces the version it was made for", save},
	{"of twenty writers one wins each version", race},
	{"items, context and params never change", unchanged},
	{"failures are kept by index, over rows and saves", failures},
	{"failures are read page by page", failurePages},
	{"a selection keeps its page and what it has seen", selections},
	{"the end of a selection moves its mark, forwards alone", marks},
	{"what the clock remembers", ticks},
	{"what is known of a profile's runs", profiles},
	{"of twenty that change a profile none is lost", profileRace},
	{"a wait has one signal: the first", firstSignal},
	{"a signal is found by its job and its wait alone", otherSignals},
	{"of twenty signals for one wait one counts", signalRace},
	{"a signal outlives the wait, not everything", signalLife},
	{"a job that rests has the turn that was written down", rests},
	{"reasons are cut between characters", longReasons},
	{"an end, its failures and its once key are one step", wholeEnd},
	{"a job is gone after its time to live", expiry},
	{"limits hold", limits},
	{"what fits the limits is kept", largest},
	{"a store shares nothing with its callers", copies},
	{"an ID that cannot be is no job", impossibleIDs},
	{"a context that has ended ends the call", ended},
	{"a list is newest first", listOrder},
	{"a list has pages", listPages},
	{"a list is of one owner or one entity", listIndexes},
	{"a list keeps to its query", listRefused},
}

func TestMemory(t *testing.T) {
	for _, clause := range contract {
		t.Run(clause.name, func(t *testing.T) {
			t.Parallel()
			c := &clock{now: noon}
			clause.test(t, bench{jobs.NewMemory(jobs.MemoryConfig{Now: c.Now}), c})
		})
	}
}

func TestMemoryAllIsNewestFirstWithItems(t *testing.T) {
	c := &clock{now: noon}
	m := jobs.NewMemory(jobs.MemoryConfig{Now: c.Now})
	for i, id := range []string{"a", "b", "c"} {
		job := request(id)
		job.Once, job.CreatedAt = "", noon.Add(time.Duration(i)*time.Second)
		create(t, m, job)
	}
	all := m.All()
	if got := ids(all); !slices.Equal(got, []string{"c", "b", "a"}) || len(all[0].Items) != 1 {
		t.Errorf("%v, %d items", got, len(all[0].Items))
	}
	c.pass(jobs.Life)
	if all := m.All(); len(all) != 0 {
		t.Errorf("%d jobs after their time", len(all))
	}
}

func readBack(t *testing.T, b bench) {
	given := fullJob()
	created := create(t, b, given)

	want := given
	want.Version, want.UpdatedAt, want.ExpiresAt = 1, noon, noon.Add(jobs.Life)
	want.CreatedAt, want.DownSince, want.Lease.Until = given.CreatedAt.UTC(), given.DownSince.UTC(), given.Lease.Until.UTC()
	want.Files = []jobs.File{given.Files[0]}
	want.Files[0].Until = given.Files[0].Until.UTC()
	awaits := *given.Awaits
	awaits.Until = awaits.Until.UTC()
	want.Awaits = &awaits
	want.NotBefore, want.NextTry, want.GivesUpAt = given.NotBefore.UTC(), given.NextTry.UTC(), given.GivesUpAt.UTC()
	same(t, "created", created, want)
	same(t, "loaded", load(t, b, given.ID), want)
	same(t, "got", get(t, b, given.ID), bare(want))

	fields := reflect.ValueOf(given)
	for i := range fields.NumField() {
		if name := fields.Type().Field(i).Name; fields.Field(i).IsZero() && !slices.Contains([]string{"Version", "UpdatedAt", "ExpiresAt", "Select"}, name) {
			t.Errorf("the test's job has no %s", name)
		}
	}
}

// A record lives as long as the longest of its files' links: whoever follows one is told from it.
func filesOutliveWork(t *testing.T, b bench) {
	created := create(t, b, jobs.Job{ID: "files"})
	for _, row := range []struct {
		life, want time.Duration
	}{{jobs.Life - time.Hour, jobs.Life}, {90 * 24 * time.Hour, 90 * 24 * time.Hour}} {
		created.Files = append(created.Files, jobs.File{Name: "a.csv", Key: "k", Until: noon.Add(row.life)})
		saved, err := b.Save(t.Context(), created)
		if err != nil {
			t.Fatal(err)
		}
		if !saved.ExpiresAt.Equal(noon.Add(row.want)) || !get(t, b, "files").ExpiresAt.Equal(noon.Add(row.want)) {
			t.Errorf("expires %s, want %s", saved.ExpiresAt, noon.Add(row.want))
		}
		created = saved
	}
	created.Files = make([]jobs.File, jobs.MaxFiles+1)
	if _, err := b.Save(t.Context(), created); !errors.Is(err, jobs.ErrTooLarge) {
		t.Errorf("%d files: %v", len(created.Files), err)
	}
}

func zeroValues(t *testing.T, b bench) {
	created := create(t, b, jobs.Job{ID: "zero"})
	want := jobs.Job{ID: "zero", Format: jobs.Format, Version: 1, UpdatedAt: noon, ExpiresAt: noon.Add(jobs.Life)}
	same(t, "created", created, want)
	same(t, "loaded", load(t, b, "zero"), want)
	created.State = jobs.Succeeded // ends without a once key
	want.State, want.Version = jobs.Succeeded, 2
	same(t, "saved", mustSave(t, b, created), want)
	if found, err := b.Failures(t.Context(), "zero", 0); len(found) != 0 || err != nil {
		t.Errorf("failures %v, %v", found, err)
	}
}

func save(t *testing.T, b bench) {
	if _, err := b.Save(t.Context(), request("nobody")); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("no such job: %v", err)
	}
	gone(t, b, "nobody")
	first := create(t, b, request("a"))
	b.pass(time.Hour)
	next := first
	next.State, next.Message = jobs.Waiting, "the ERP is down"
	saved := mustSave(t, b, next)
	next.Version, next.UpdatedAt, next.ExpiresAt = 2, b.Now(), b.Now().Add(jobs.Life)
	same(t, "saved", saved, next)
	same(t, "loaded", load(t, b, "a"), next)
	for name, failures := range map[string][]jobs.Failure{"alone": nil, "with failures": {{Index: 1}}} {
		if _, err := b.Save(t.Context(), first, failures...); !errors.Is(err, jobs.ErrConflict) {
			t.Errorf("a stale write %s: %v", name, err)
		}
		if _, err := b.Save(t.Context(), request("nobody"), failures...); !errors.Is(err, jobs.ErrNotFound) {
			t.Errorf("of no job, %s: %v", name, err)
		}
	}
	ahead := saved
	ahead.Version++
	if _, err := b.Save(t.Context(), ahead); !errors.Is(err, jobs.ErrConflict) {
		t.Errorf("a write of a version to come: %v", err)
	}
	if found, _ := b.Failures(t.Context(), "a", 0); len(found) != 0 {
		t.Errorf("a refused write left %v", found)
	}
}

func race(t *testing.T, b bench) {
	const n = 20
	create(t, b, request("a"))
	versions := make([]int64, n)
	together(n, func(i int) {
		for range 10 * n {
			job, err := b.Get(t.Context(), "a")
			if err != nil {
				t.Error(err)
				return
			}
			job.Done++
			var failed []jobs.Failure
			if i%2 == 0 { // a write of one row, or of two
				failed = []jobs.Failure{{Index: i, Reason: "r"}}
			}
			job, err = b.Save(t.Context(), job, failed...)
			if err == nil {
				versions[i] = job.Version
				return
			}
			if !errors.Is(err, jobs.ErrConflict) {
				t.Error(err)
				return
			}
		}
	})
	slices.Sort(versions)
	if won := slices.Compact(versions); len(won) != n || won[0] < 2 {
		t.Errorf("%d writers won versions %v", n, won)
	}
	// A write whose answer is lost for good may read as a conflict and be made again, but no write is overwritten.
	if job := get(t, b, "a"); job.Done < n || int64(job.Done) != job.Version-1 {
		t.Errorf("%d writes are in version %d", job.Done, job.Version)
	}
	if found, err := b.Failures(t.Context(), "a", 0); len(found) != n/2 || err != nil {
		t.Errorf("%d failures, %v", len(found), err)
	}
}

func unchanged(t *testing.T, b bench) {
	given := create(t, b, fullJob())
	altered := given
	altered.Items, altered.Context, altered.Params = []jobs.Item{{Type: "x", ID: "y"}}, nil, json.RawMessage(`{}`)
	saved := mustSave(t, b, altered)
	same(t, "what was given comes back", saved.Items, altered.Items)
	saved.Items, saved.Context, saved.Params = given.Items, given.Context, given.Params
	same(t, "loaded", load(t, b, given.ID), saved)
	empty := mustSave(t, b, bare(saved))
	saved.Version = empty.Version
	same(t, "after a save of what Get returned", load(t, b, given.ID), saved)
}

func expiry(t *testing.T, b bench) {
	job := request("a")
	job.User.UUID = "u"
	job = create(t, b, job)
	b.pass(jobs.Life - time.Second)
	if _, err := b.Get(t.Context(), "a"); err != nil {
		t.Errorf("a second before: %v", err)
	}
	job = mustSave(t, b, job, jobs.Failure{Index: 0, Reason: "r"}) // its time begins anew
	b.pass(jobs.Life - time.Second)
	if got := load(t, b, "a"); len(got.Items) != 1 {
		t.Errorf("%d items, long after they were written", len(got.Items))
	}
	if found, err := b.Failures(t.Context(), "a", 0); len(found) != 1 || err != nil {
		t.Errorf("failures %v, %v", found, err)
	}
	b.pass(time.Second)
	gone(t, b, "a")
	if found, err := b.Failures(t.Context(), "a", 0); len(found) != 0 || err != nil {
		t.Errorf("failures %v, %v", found, err)
	}
	if _, err := b.Save(t.Context(), job); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("save: %v", err)
	}
	if _, err := b.Save(t.Context(), job, jobs.Failure{}); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("save with failures: %v", err)
	}
	listed(t, b, jobs.Query{Owner: jobs.Owner("main", "u")})
	create(t, b, request("b")) // the once key is free
	again := request("a")
	again.Once = ""
	job = create(t, b, again)
	if job.Version != 1 {
		t.Errorf("created anew as version %d", job.Version)
	}
	if found, err := b.Failures(t.Context(), "a", 0); len(found) != 0 || err != nil {
		t.Errorf("the new job has failures of the old one: %v, %v", found, err)
	}
	mustSave(t, b, job, jobs.Failure{Index: 5, Reason: "its own"})
	if found, err := b.Failures(t.Context(), "a", 1); len(found) != 1 || found[0].Index != 5 || err != nil {
		t.Errorf("failures of the new job: %v, %v", found, err)
	}
}

func limits(t *testing.T, b bench) {
	for name, c := range map[string]struct {
		change   func(*jobs.Job)
		tooLarge bool
	}{
		"too many items":            {func(j *jobs.Job) { j.Items = manyItems(jobs.MaxItems+1, 1) }, true},
		"an item ID too long":       {func(j *jobs.Job) { j.Items[0].ID = strings.Repeat("x", jobs.MaxCode+1) }, true},
		"params too large":          {func(j *jobs.Job) { j.Params = jsonText("x", jobs.MaxRecord) }, true},
		"context too large":         {func(j *jobs.Job) { j.Context = jsonText("x", jobs.MaxRecord) }, true},
		"all together too large":    {func(j *jobs.Job) { j.Items = manyItems(1000, 255); j.Params = jsonText("x", 80<<10) }, true},
		"too large once it is JSON": {func(j *jobs.Job) { j.Items = sameItems(1000, strings.Repeat("\x01", 100)) }, true},
		"groups too large":          {func(j *jobs.Job) { j.User.Groups = []string{strings.Repeat("x", jobs.MaxRecord)} }, true},
		"an item without an ID":     {func(j *jobs.Job) { j.Items[0].ID = "" }, false},
		"an item without a type":    {func(j *jobs.Job) { j.Items[0].Type = "" }, false},
		"an item ID not UTF-8":      {func(j *jobs.Job) { j.Items[0].ID = "\xff" }, false},
		"params that are not JSON":  {func(j *jobs.Job) { j.Params = json.RawMessage(`{`) }, false},
		"context that is not JSON":  {func(j *jobs.Job) { j.Context = json.RawMessage(`{`) }, false},
		"no ID":                     {func(j *jobs.Job) { j.ID = "" }, false},
		"an ID too long":            {func(j *jobs.Job) { j.ID = strings.Repeat("x", 65) }, false},
	} {
		job := request("a")
		c.change(&job)
		if _, err := b.Create(t.Context(), job, nil); err == nil || errors.Is(err, jobs.ErrTooLarge) != c.tooLarge {
			t.Errorf("%s: %v", name, err)
		}
	}
	job := create(t, b, request("a")) // nothing was left behind, not even the once key
	job.Message = strings.Repeat("x", jobs.MaxRecord)
	if _, err := b.Save(t.Context(), job); !errors.Is(err, jobs.ErrTooLarge) {
		t.Errorf("save: %v", err)
	}
}

func largest(t *testing.T, b bench) {
	for name, change := range map[string]func(*jobs.Job){
		"items":  func(j *jobs.Job) { j.Items = manyItems(jobs.MaxItems, jobs.MaxCode) },
		"params": func(j *jobs.Job) { j.Params = jsonText("<", jobs.MaxRecord-200) },
		"id":     func(j *jobs.Job) { j.ID = strings.Repeat("x", 64) },
	} {
		job := request(name)
		job.Once = ""
		change(&job)
		created := create(t, b, job)
		same(t, name, load(t, b, job.ID), created)
	}
}

func copies(t *testing.T, b bench) {
	given := fullJob()
	want := create(t, b, fullJob())
	given.ID, given.Once = "other", ""
	created := create(t, b, given)
	spoil := func(job jobs.Job) {
		job.User.Groups[0], job.Result[0], job.KindState[0], job.Ended.Job = "spoilt", 'x', 'x', "spoilt"
		if len(job.Items) > 0 {
			job.Items[0].ID, job.Context[0], job.Params[0] = "spoilt", 'x', 'x'
		}
	}
	saved := mustSave(t, b, load(t, b, "other"), jobs.Failure{Index: 0, Reason: "r"})
	spoil(given)
	spoil(created)
	spoil(load(t, b, "other"))
	spoil(get(t, b, "other"))
	spoil(saved)
	found, _, err := b.List(t.Context(), jobs.Query{Owner: jobs.Owner("main", "u")})
	if err != nil {
		t.Fatal(err)
	}
	for _, job := range found {
		spoil(job)
	}
	if some, _ := b.Failures(t.Context(), "other", 0); len(some) == 1 {
		some[0].Reason = "spoilt"
	}
	want.ID, want.Once, want.Version = "other", "", 2
	same(t, "loaded", load(t, b, "other"), want)
	if some, _ := b.Failures(t.Context(), "other", 0); len(some) != 1 || some[0].Reason != "r" {
		t.Errorf("failures %v", some)
	}
}

func impossibleIDs(t *testing.T, b bench) {
	for _, id := range []string{"", strings.Repeat("x", 5000)} {
		gone(t, b, id)
		if found, err := b.Failures(t.Context(), id, 0); len(found) != 0 || err != nil {
			t.Errorf("failures: %v, %v", found, err)
		}
		if _, err := b.Save(t.Context(), jobs.Job{ID: id, Version: 1}); !errors.Is(err, jobs.ErrNotFound) {
			t.Errorf("save: %v", err)
		}
	}
}

func ended(t *testing.T, b bench) {
	job := create(t, b, request("a"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	calls := map[string]error{}
	_, calls["create"] = b.Create(ctx, request("b"), nil)
	_, calls["get"] = b.Get(ctx, "a")
	_, calls["load"] = b.Load(ctx, "a")
	_, calls["save"] = b.Save(ctx, job)
	_, calls["failures"] = b.Failures(ctx, "a", 0)
	_, _, calls["list"] = b.List(ctx, jobs.Query{Owner: "o"})
	for name, err := range calls {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
