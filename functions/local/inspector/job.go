package inspector

import (
	"errors"
	"net/http"
	"time"

	"github.com/pim-functions/pim-functions/functions/local/loopback"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

// serveCancel asks a job to stop: at once, or after the batch in work. 409 for one that has ended.
func (i *Inspector) serveCancel(w http.ResponseWriter, r *http.Request) {
	before, err := i.config.Cloud.Store.Get(r.Context(), r.PathValue("id"))
	if err == nil && before.AsOf(time.Now()).State.Ended() {
		loopback.Refuse(w, http.StatusConflict, "ended", "The job has ended.")
		return
	}
	var job jobs.Job
	if err == nil {
		job, err = jobs.Cancel(r.Context(), i.config.Cloud.Store, before.ID, time.Now)
	}
	switch {
	case errors.Is(err, jobs.ErrNotFound):
		loopback.Refuse(w, http.StatusNotFound, "not_found", "There is no such job.")
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
