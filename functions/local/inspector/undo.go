package inspector

import (
	"errors"
	"net/http"
	"time"

	"github.com/pim-functions/pim-functions/functions/local/loopback"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

// serveUndo takes back what a job has changed in the PIM: it answers with the job that does so.
func (i *Inspector) serveUndo(w http.ResponseWriter, r *http.Request) {
	cloud := i.config.Cloud
	id := r.PathValue("id")
	job, err := cloud.Store.Get(r.Context(), id)
	if err == nil {
		job, err = i.submitter().Undo(r.Context(), id, job.User)
	}
	switch {
	case errors.Is(err, jobs.ErrNotFound):
		loopback.Refuse(w, http.StatusNotFound, "not_found", "There is no such job.")
	case errors.Is(err, jobs.ErrNotEnded), errors.Is(err, jobs.ErrNothingToUndo), errors.Is(err, jobs.ErrUndoing):
		loopback.Refuse(w, http.StatusConflict, "conflict", err.Error())
	case err != nil:
		loopback.Refuse(w, http.StatusInternalServerError, "internal", err.Error())
	default:
		i.config.Log.Info("undo started", "job", id, "by", job.ID)
		state, err := i.jobState(r.Context(), job.AsOf(time.Now()))
		if err != nil {
			loopback.Refuse(w, http.StatusInternalServerError, "internal", err.Error())
			return
		}
		loopback.Respond(w, state)
	}
}
