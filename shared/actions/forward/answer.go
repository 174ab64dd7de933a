package forward

import (
	"github.com/pim-functions/pim-functions/shared/actions/outcome"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/outbound"
)

// maxAnswer is the most bytes of an answer that are read: a reason for each item of the largest batch, several times.
const maxAnswer = 2 << 20

// read turns a success into a result.
func read(response *outbound.Response, items []jobs.Item) (engine.Result, error) {
	return outcome.Read(response.Body, response.Truncated, items)
}
