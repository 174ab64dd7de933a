package inspector

import (
	"errors"
	"net/http"
	"time"

	"github.com/pim-functions/pim-functions/functions/local/loopback"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

// JobWait is what a job waits for that others tell it, and until when.
type JobWait struct {
	For    string    `json:"for"` // callback, pim_job, workflow, execution
	Until  time.Time `json:"until"`
	AsDone bool      `json:"asDone"` // a user may say that it is done
}

// waitsFor is nil for a job that waits for nobody's word.
func waitsFor(job jobs.Job) *JobWait {
	if !job.AtRest() {
		return nil
	}
	return &JobWait{For: job.Awaits.For, Until: job.Awaits.Until, AsDone: job.Awaits.AsDone}
}

// endWait ends the wait of a job by hand, by a kind of signal: it answers with the job as it was, which goes on at once.
func (i *Inspector) endWait(kind string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		submitter := jobs.NewSubmitter(jobs.SubmitConfig{Store: i.config.Cloud.Store, Queue: i.config.Cloud.Jobs, Now: time.Now})
		job, err := submitter.EndWait(r.Context(), r.PathValue("id"), kind, jobs.User{Username: "inspector"})
		switch {
		case errors.Is(err, jobs.ErrNotFound):
			loopback.Refuse(w, http.StatusNotFound, "not_found", "There is no such job.")
			return
		case errors.Is(err, jobs.ErrNotWaiting), errors.Is(err, jobs.ErrNotAsDone):
			loopback.Refuse(w, http.StatusConflict, "conflict", err.Error())
			return
		case err != nil:
			loopback.Refuse(w, http.StatusInternalServerError, "internal", err.Error())
			return
		}
		state, err := i.jobState(r.Context(), job.AsOf(time.Now()))
		if err != nil {
			loopback.Refuse(w, http.StatusInternalServerError, "internal", err.Error())
			return
		}
		loopback.Respond(w, state)
	}
}
