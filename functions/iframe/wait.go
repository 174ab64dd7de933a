package iframe

import (
	"context"
	"errors"

	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/web"
)

// endWait ends the wait of a job by hand: a user gives up, or says that it is done. The job goes on in a moment.
func (h *Handler) endWait(kind string) serve {
	return func(ctx context.Context, c call) (web.Response, error) {
		job, err := h.mine(ctx, c)
		if err != nil {
			return web.Response{}, err
		}
		ended, err := h.config.Jobs.EndWait(ctx, job.ID, kind, jobs.User{UUID: c.user.UserUUID})
		switch {
		case errors.Is(err, jobs.ErrNotWaiting):
			return web.Response{}, &web.Error{Code: web.Conflict, Reason: "not_waiting", Message: "This job waits for nothing that can be ended."}
		case errors.Is(err, jobs.ErrNotAsDone):
			return web.Response{}, &web.Error{Code: web.Conflict, Reason: "not_as_done", Message: "Only who was asked can say that this is done. You can stop waiting."}
		case err != nil:
			return web.Response{}, &web.Error{Code: web.Unavailable, Reason: "wait_not_ended", Err: err}
		}
		c.req.Log.Outcome = "wait_ended"
		return respond(struct {
			Job listed `json:"job"`
		}{h.newListed(c, ended)})
	}
}
