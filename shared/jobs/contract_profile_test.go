package jobs_test

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

func profiles(t *testing.T, b bench) {
	kept := b.Store.(jobs.Profiles)
	key := jobs.ProfileKey("main", "export", "csv <é>/1")
	read := func() jobs.Profile {
		t.Helper()
		profile, err := kept.Profile(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		return profile
	}
	first := read()
	if !reflect.DeepEqual(first, jobs.Profile{Key: key}) {
		t.Errorf("nothing is known: %+v", first)
	}
	long := jobs.Launch{Job: "job-1", Wait: "0-0", Since: noon, Until: noon.Add(10 * 24 * time.Hour), Execution: "4711", Made: true}
	first.Open, first.Launches = &jobs.Launch{Job: "job-2", Wait: "0-0", Since: noon, Until: noon.Add(time.Hour)}, []jobs.Launch{long}
	first.Ends = []jobs.End{{Execution: "4710", Status: "completed", Label: "<é>", Rows: 3, Skipped: 1, Warnings: 2, Started: noon, At: noon, Job: "job-0"}}
	first.Runs = []jobs.Runs{{Job: "job-3", Wait: "0-1", Since: noon, Until: noon.Add(time.Hour), Open: []string{"product/1"}, Failed: []string{"product_model/é"}, Asked: true, Told: true}}
	if err := kept.SaveProfile(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if err := kept.SaveProfile(t.Context(), first); !errors.Is(err, jobs.ErrConflict) {
		t.Errorf("a second first write: %v", err)
	}
	next := read()
	if next.Version == 0 {
		t.Fatal("no version")
	}
	first.Version = next.Version
	if !reflect.DeepEqual(next, first) {
		t.Errorf("read %+v\nwant %+v", next, first)
	}
	next.Open, next.Ends = nil, nil
	if err := kept.SaveProfile(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	if err := kept.SaveProfile(t.Context(), next); !errors.Is(err, jobs.ErrConflict) {
		t.Errorf("a stale write: %v", err)
	}
	b.pass(10*24*time.Hour - time.Minute)
	if last := read(); len(last.Launches) != 1 {
		t.Errorf("while its launch waits: %+v", last)
	}
	b.pass(time.Minute + time.Second)
	if gone := read(); !reflect.DeepEqual(gone, jobs.Profile{Key: key}) {
		t.Errorf("afterwards: %+v", gone)
	}
	if err := kept.SaveProfile(t.Context(), jobs.Profile{Key: key}); err != nil {
		t.Errorf("anew: %v", err)
	}
}

func profileRace(t *testing.T, b bench) {
	kept := b.Store.(jobs.Profiles)
	const key, n = "main/export/csv", 20
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			change := func(p *jobs.Profile) bool {
				_, _, _ = p.Ended(jobs.End{Execution: fmt.Sprint(i), Status: "completed", At: noon})
				return true
			}
			for range n { // who is always late tries again
				if err := jobs.ChangeProfile(t.Context(), kept, key, noon, change); !errors.Is(err, jobs.ErrConflict) {
					if err != nil {
						t.Error(err)
					}
					return
				}
			}
		})
	}
	all.Wait()
	if profile, err := kept.Profile(t.Context(), key); err != nil || len(profile.Ends) != n {
		t.Errorf("%d ends, %v", len(profile.Ends), err)
	}
}
