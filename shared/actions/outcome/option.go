package outcome

import (
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

// Callback is the key callback of an action: what it sends carries an address, and its job waits for what comes there.
type Callback struct {
	Within time.Duration `yaml:"within"` // from the first try on
}

// Check reports a time that nobody can wait for. There is nothing to report of none.
func (c *Callback) Check(section config.Section) error {
	if c != nil && (c.Within < time.Second || c.Within > jobs.MaxWithin) {
		return section.Errorf("callback", "use callback: {within: 72h}, with 1s to 14d", "callback within %s", c.Within)
	}
	return nil
}

// Waits is how an action with this key waits, for a jobs.Wait…; nil without the key. A user may say that it is done where
// nothing of it comes into the PIM.
func (c *Callback) Waits(what string, writes *engine.Writes) *engine.Waits {
	if c == nil {
		return nil
	}
	return &engine.Waits{Within: c.Within, For: what, Callback: true, AsDone: writes == nil}
}
