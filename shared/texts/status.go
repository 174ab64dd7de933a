package texts

import (
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

// Status is how a job is, in one sentence for whoever looks at it; "" while there is nothing to say but its state. A
// success says what was done; an end keeps the destination's own words; what waits says why, when it goes on, and when
// that ends.
func Status(job jobs.Job, locale string, v Values) string {
	switch {
	case job.Stop && !job.State.Ended():
		return Say("stopping", locale, nil, v)
	case !job.State.Ended() || v.Message != "":
		return v.Message
	case job.State == jobs.Succeeded && job.Total == 0:
		return Say("done", locale, nil, v)
	case job.State == jobs.Succeeded:
		return Say("all_done", locale, nil, v)
	case job.Total > 0:
		return Say("some_done", locale, nil, v)
	}
	return ""
}

// End tells whoever waited for it how a job ended: in the extension's own words, the job's, or ours.
func End(job jobs.Job, locale string, own map[string]config.Text, v Values) string {
	name := string(job.State)
	switch mine := own[name].In(locale); {
	case mine == "" && v.Message != "":
		return v.Message
	case mine == "" && job.State == jobs.Succeeded && job.Total == 0:
		name = "succeeded_none"
	}
	return Say(name, locale, own, v)
}

// message is what Values name as a job's own: why it waits and until when, or how it ended. The record's Message is for
// users where it says what the destination said; where it says why a try failed, the cause is known, and our own words
// take its place.
func (v Values) message(job jobs.Job, locale string) string {
	ended, cause := "ended_"+job.Reason, "cause_"+job.Cause
	switch {
	case job.State.Ended() && table[ended] != nil:
		return Say(ended, locale, nil, v)
	case job.AtRest() && table["waits_"+job.Awaits.For] != nil:
		return Say("waits_"+job.Awaits.For, locale, nil, v)
	case job.AtRest():
		return Say("waits_other", locale, nil, v)
	case job.Cause == jobs.CauseConfiguration && job.Message != "":
		return Say(cause, locale, nil, v) + " (" + job.Message + ")"
	case job.State != jobs.Waiting || job.Cause == "":
		return job.Message
	case table[cause] == nil:
		cause = "cause_other"
	}
	next := ""
	switch {
	case !job.NextTry.IsZero() && !job.GivesUpAt.IsZero():
		next = " " + Say("next_until", locale, nil, v)
	case !job.NextTry.IsZero():
		next = " " + Say("next", locale, nil, v)
	}
	return Say(cause, locale, nil, v) + next
}
