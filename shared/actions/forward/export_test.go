package forward

import (
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/outbound"
)

// Read is read, for its fuzz test.
func Read(body []byte, items []jobs.Item) (engine.Result, error) {
	return read(&outbound.Response{Status: 200, Body: body}, items)
}
