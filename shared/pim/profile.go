package pim

import (
	"context"
	"net/http"
	"strconv"
)

// Directions of a job profile.
const (
	Export = "export"
	Import = "import"
)

// Launch starts a run of a job profile (direction Export or Import) with the options that the profile has in the PIM, and
// returns the execution's id as text (Akeneo: "Launch an export job", "Launch an import job"). The id is a number, or from
// some PIMs a UUID, which the events of that execution do not name; "" if the answer names none.
//
// The call is not repeated unless the PIM has certainly not begun: whether it may have, Unmade tells of the error.
func (c *Client) Launch(ctx context.Context, direction, code string) (execution string, err error) {
	answer, err := c.do(ctx, request{method: http.MethodPost, path: "/api/rest/v1/jobs/" + direction + "/" + escape(code), once: true, limit: maxLaunch})
	if err != nil {
		return "", err
	}
	var launched struct {
		Job   any `json:"job_execution_id"`
		Other any `json:"execution_id"`
	}
	if decode(answer.Body, &launched) != nil {
		return "", nil // it has begun, whatever the answer says
	}
	if id := executionID(launched.Job); id != "" {
		return id, nil
	}
	return executionID(launched.Other), nil
}

// maxLaunch is how many bytes of an answer are read that names one execution.
const maxLaunch = 64 << 10

// maxExecutionID is how long the id of an execution may be, in bytes; a UUID has 36.
const maxExecutionID = 64

// executionID is an id as text; "" for what is none.
func executionID(id any) string {
	switch id := id.(type) {
	case string:
		if len(id) <= maxExecutionID {
			return id
		}
	case float64:
		if id > 0 && id == float64(int64(id)) && id < 1<<53 {
			return strconv.FormatInt(int64(id), 10)
		}
	}
	return ""
}

// Numeric says whether the id of an execution is one that events name: a number.
func Numeric(execution string) bool {
	_, err := strconv.ParseUint(execution, 10, 64)
	return err == nil
}

// ExecutionPage is the address of an execution's page in the PIM; "" where its id is none that the page knows.
func (c *Client) ExecutionPage(execution string) string {
	if !Numeric(execution) {
		return ""
	}
	return c.config.URL + "/#/job/show/" + execution
}
