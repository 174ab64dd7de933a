package inspector

import (
	"net/http"
	"time"

	"github.com/pim-functions/pim-functions/functions/local/loopback"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/order"
)

// Started is what the order of an action is answered with.
type Started struct {
	Verdict jobs.Verdict `json:"verdict"`
	Job     JobState     `json:"job"`
}

// serveRun starts an action that somebody ordered by hand.
func (i *Inspector) serveRun(w http.ResponseWriter, r *http.Request) {
	var ordered order.Order
	if !loopback.Decode(w, r, &ordered) {
		return
	}
	job, err := ordered.Job(i.config.Extensions, time.Now())
	if err != nil {
		loopback.Refuse(w, http.StatusBadRequest, "invalid", err.Error())
		return
	}
	submitted, err := i.submitter().Submit(r.Context(), job)
	if err != nil {
		loopback.Refuse(w, http.StatusInternalServerError, "internal", err.Error())
		return
	}
	i.config.Log.Info("action ordered", "action", job.Action, "job", submitted.Job.ID, "verdict", string(submitted.Verdict))
	state, err := i.jobState(r.Context(), submitted.Job.AsOf(time.Now()))
	if err != nil {
		loopback.Refuse(w, http.StatusInternalServerError, "internal", err.Error())
		return
	}
	loopback.Respond(w, Started{submitted.Verdict, state})
}

func (i *Inspector) submitter() *jobs.Submitter {
	return jobs.NewSubmitter(jobs.SubmitConfig{Store: i.config.Cloud.Store, Queue: i.config.Cloud.Jobs, Now: time.Now})
}
