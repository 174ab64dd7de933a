package jobs

import (
	"slices"
	"time"
)

// maxOpen is how many items may wait for one workflow of a PIM at a time, together: what one record can hold.
const maxOpen = 5000

// Runs are the runs of a workflow that one of our jobs has started, or is about to: one on each of some items.
type Runs struct {
	Job   string    `json:"job"`
	Wait  string    `json:"wait"`  // name of the wait that the last end is for
	Since time.Time `json:"since"` // what ended before is another run
	Until time.Time `json:"until"` // nobody waits any longer
	Open  []string  `json:"open"`  // items whose run has not ended, see WorkflowItem
	// Failed are items on which no run has started.
	Failed []string `json:"failed,omitempty"`
	Asked  bool     `json:"asked,omitempty"` // Failed is complete
	Told   bool     `json:"told,omitempty"`  // the job knows that all have ended
}

// WorkflowKey names a workflow of a PIM among the profiles.
func WorkflowKey(pim, workflow string) string { return ProfileKey(pim, "workflow", workflow) }

// WorkflowItem names an item in Runs.
func WorkflowItem(item Item) string { return item.Type + "/" + item.ID }

func (p *Profile) runs(job, wait string) int {
	return slices.IndexFunc(p.Runs, func(r Runs) bool { return r.Job == job && r.Wait == wait })
}

// Expect notes runs before the PIM is asked to start them: an end that comes at once counts. false: too many wait already.
func (p *Profile) Expect(r Runs) bool {
	if at := p.runs(r.Job, r.Wait); at >= 0 {
		p.Runs = slices.Delete(p.Runs, at, at+1)
	}
	open := len(r.Open)
	for _, other := range p.Runs {
		open += len(other.Open)
	}
	if open > maxOpen {
		return false
	}
	p.Runs = append(p.Runs, r)
	return true
}

// Asked notes on which items no run has started, and returns how many of the others have not ended. It may be told again.
func (p *Profile) Asked(r Runs, failed []string) (open int) {
	at := p.runs(r.Job, r.Wait)
	if at < 0 {
		return 0
	}
	own := &p.Runs[at]
	own.Asked, own.Failed = true, failed
	own.Open = slices.DeleteFunc(own.Open, func(item string) bool { return slices.Contains(failed, item) })
	return len(own.Open)
}

// Told notes that a job knows the end of its runs, and returns on which items none has started. It may be told again.
func (p *Profile) Told(job, wait string) (failed []string) {
	at := p.runs(job, wait)
	if at < 0 {
		return nil
	}
	if failed = p.Runs[at].Failed; len(failed) == 0 {
		p.Runs = slices.Delete(p.Runs, at, at+1)
		return nil
	}
	p.Runs[at].Told, p.Runs[at].Open = true, nil
	return failed
}

// Over notes that the workflow's run on an item has ended, and returns those whose runs have all ended. It may be told again.
func (p *Profile) Over(item string, at time.Time) (told []Runs) {
	for i := range p.Runs {
		own := &p.Runs[i]
		if !at.Before(own.Since.Add(-clockSkew)) {
			own.Open = slices.DeleteFunc(own.Open, func(open string) bool { return open == item })
		}
		if own.Asked && !own.Told && len(own.Open) == 0 {
			told = append(told, *own)
		}
	}
	return told
}
