package jobs_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

func launch(job string, since time.Time) jobs.Launch {
	return jobs.Launch{Job: job, Wait: "0-0", Since: since, Until: since.Add(2 * time.Hour)}
}

func endOf(execution string, started time.Time) jobs.End {
	return jobs.End{Execution: execution, Status: "COMPLETED", Started: started, At: started.Add(time.Minute)}
}

// Whichever comes first, the launch's answer or the event, the second sees the first.
func TestALaunchAndItsEndFindEachOther(t *testing.T) {
	for _, row := range []struct {
		name, answer, event string
		found               bool
	}{
		{"by a number", "4711", "4711", true},
		{"by a number, of another run", "4711", "4712", false},
		{"by a UUID that the event has too", "0f4b4cb2-4b6d", "0f4b4cb2-4b6d", true},
		{"by the profile alone, since the answer is a UUID", "0f4b4cb2-4b6d", "4711", true},
		{"by the profile alone, since there was no answer", "", "4711", true},
	} {
		for _, first := range []string{"answer", "event"} {
			t.Run(row.name+", "+first+" first", func(t *testing.T) {
				var p jobs.Profile
				l := launch("job", noon)
				if other := p.Begin(l); other != nil {
					t.Fatalf("held by %+v", other)
				}
				_, numeric := strconv.Atoi(row.answer)
				answer := func() bool {
					end := p.Launched(l, row.answer, numeric == nil)
					return end != nil && end.Status == "completed"
				}
				event := func() bool {
					_, l, waits := p.Ended(endOf(row.event, noon.Add(time.Second)))
					return waits && l.Job == "job" && l.Wait == "0-0"
				}
				steps := []func() bool{answer, event}
				if first == "event" {
					steps = []func() bool{event, answer}
				}
				if steps[0]() || steps[1]() != row.found {
					t.Errorf("%+v", p)
				}
				if row.found && p.Open != nil {
					t.Errorf("still open: %+v", p.Open)
				}
				for range 2 { // an answer, or an event, whose work was lost comes again
					if event() != row.found && first == "answer" || answer() != row.found {
						t.Errorf("again: %+v", p)
					}
				}
			})
		}
	}
}

func TestWhatTheProfileAloneDoesNotMatch(t *testing.T) {
	for _, row := range []struct {
		name string
		play func(*jobs.Profile)
		end  jobs.End
	}{
		{"a run that started before", func(p *jobs.Profile) { p.Launched(launch("job", noon), "", false) }, endOf("1", noon.Add(-6*time.Second))},
		{"a run while the PIM is being called", func(p *jobs.Profile) { p.Begin(launch("job", noon)) }, endOf("1", noon.Add(time.Second))},
		{"another launch of ours", func(p *jobs.Profile) {
			p.Begin(launch("other", noon))
			p.Launched(launch("other", noon), "1", true)
			p.Launched(launch("job", noon), "", false)
		}, endOf("1", noon.Add(time.Second))},
		{"an end that is another's", func(p *jobs.Profile) {
			p.Launched(launch("other", noon), "", false)
			p.Ended(endOf("1", noon.Add(time.Second)))
			p.Launched(launch("job", noon), "", false)
		}, endOf("1", noon.Add(time.Second))},
	} {
		t.Run(row.name, func(t *testing.T) {
			var p jobs.Profile
			row.play(&p)
			if _, l, waits := p.Ended(row.end); waits && l.Job == "job" {
				t.Errorf("%+v has it", l)
			}
		})
	}
}

func TestOneLaunchIsOpenAtATime(t *testing.T) {
	var p jobs.Profile
	first, second := launch("first", noon), launch("second", noon)
	p.Begin(first)
	if other := p.Begin(second); other == nil || other.Job != "first" {
		t.Errorf("second beside first: %+v", other)
	}
	p.Free(second)
	again := first
	again.Since = noon.Add(time.Minute)
	if p.Begin(again) != nil || p.Open.Since != again.Since {
		t.Errorf("a second try: %+v", p.Open)
	}
	p.Free(first)
	if p.Begin(second) != nil {
		t.Error("freed, and still held")
	}
	p.Launched(second, "4711", true)
	if p.Open != nil || p.Begin(first) != nil {
		t.Error("a launch with a number keeps others out")
	}
	p.Launched(first, "", false)
	if other := p.Begin(second); other == nil || !other.Made {
		t.Error("a launch without a number keeps nobody out")
	}
	var kept jobs.Memory
	kept.Now = func() time.Time { return noon }
	if err := kept.SaveProfile(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	err := jobs.ChangeProfile(t.Context(), &kept, "", noon.Add(2*time.Hour), func(p *jobs.Profile) bool {
		if p.Begin(launch("third", noon)) != nil {
			t.Error("held by one that nobody waits for any longer")
		}
		return false
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAnEndStaysWhatItWas(t *testing.T) {
	var p jobs.Profile
	p.Ended(jobs.End{Execution: "1", Status: "Failed", At: noon})
	known, _, _ := p.Ended(jobs.End{Execution: "1", Status: "completed", At: noon.Add(time.Hour)})
	if known.Status != "failed" || known.Started != noon || len(p.Ends) != 1 {
		t.Errorf("%+v", known)
	}
}

// The record stays small, however often others run the profile.
func TestAProfilesRecordIsBounded(t *testing.T) {
	kept := jobs.NewMemory(jobs.MemoryConfig{Now: func() time.Time { return noon }})
	for i := range 300 {
		err := jobs.ChangeProfile(t.Context(), kept, "k", noon.Add(time.Duration(i)*time.Second), func(p *jobs.Profile) bool {
			p.Ended(endOf(fmt.Sprint(i), noon.Add(time.Duration(i)*time.Second)))
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	p, err := kept.Profile(t.Context(), "k")
	if err != nil || len(p.Ends) > 101 || p.Ends[len(p.Ends)-1].Execution != "299" {
		t.Errorf("%d ends, %v", len(p.Ends), err)
	}
	err = jobs.ChangeProfile(t.Context(), kept, "k", noon.Add(8*24*time.Hour), func(p *jobs.Profile) bool {
		if len(p.Ends) != 0 {
			t.Errorf("%d ends after a week", len(p.Ends))
		}
		return false
	})
	if err != nil {
		t.Fatal(err)
	}
}

// In whatever order launches, answers and events of a profile come, and come again: each launch has exactly one end, one of
// the profile that began after it, its own where the PIM names a number, and no end has two launches.
func TestEachLaunchHasItsEnd(t *testing.T) {
	for seed := range uint64(2000) {
		random := rand.New(rand.NewPCG(seed, 15))
		var p jobs.Profile
		now, executions := noon, 0
		ends, given := map[string]string{}, map[string]string{} // execution by job, job by execution
		give := func(job, execution string) {
			if before, there := ends[job]; there && before != execution {
				t.Fatalf("seed %d: %s has the ends of %s and %s", seed, job, before, execution)
			}
			if before, there := given[execution]; there && before != job {
				t.Fatalf("seed %d: %s is the end of %s and %s", seed, execution, before, job)
			}
			ends[job], given[execution] = execution, job
		}
		event := func(execution string, started time.Time) {
			for range 1 + random.IntN(2) {
				if _, l, waits := p.Ended(endOf(execution, started)); waits {
					give(l.Job, execution)
				}
			}
		}
		var pending []func()
		own := map[string]string{} // execution that a job has launched, where the PIM names it
		jobsLaunched := 0
		for range 30 {
			now = now.Add(10 * time.Second)
			switch random.IntN(3) {
			case 0: // one of ours
				l := launch(fmt.Sprintf("job%d", jobsLaunched), now)
				if p.Begin(l) != nil {
					continue
				}
				jobsLaunched++
				executions++
				execution, started := fmt.Sprint(executions), now.Add(time.Second)
				answer, numeric := execution, true
				if random.IntN(2) == 0 {
					answer, numeric = []string{"", "uuid-" + execution}[random.IntN(2)], false
				} else {
					own[l.Job] = execution
				}
				if random.IntN(3) == 0 {
					event(execution, started)
				} else {
					pending = append(pending, func() { event(execution, started) })
				}
				for range 1 + random.IntN(2) {
					if end := p.Launched(l, answer, numeric); end != nil {
						give(l.Job, end.Execution)
					}
				}
			case 1: // somebody else's, that is over before
				executions++
				event(fmt.Sprint(executions), now.Add(-time.Hour))
			default:
				if len(pending) > 0 {
					at := random.IntN(len(pending))
					pending[at]()
					pending = append(pending[:at], pending[at+1:]...)
				}
			}
		}
		for _, event := range pending {
			event()
		}
		if len(ends) != jobsLaunched {
			t.Fatalf("seed %d: %d of %d launches have an end: %v", seed, len(ends), jobsLaunched, ends)
		}
		for job, execution := range own {
			if ends[job] != execution {
				t.Fatalf("seed %d: %s has the end of %s, want %s", seed, job, ends[job], execution)
			}
		}
	}
}
