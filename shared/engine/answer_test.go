package engine_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
)

// What a kind that calls once per item learns of an error: whether to go on with the next item, and what the user reads.
func TestWhatIsRefused(t *testing.T) {
	one, other := &config.Problem{Message: "no key", Remedy: "add it"}, &config.Problem{Message: "no url"}
	for _, c := range []struct {
		name      string
		err       error
		reason    string
		permanent bool
	}{
		{"nothing", nil, "", false},
		{"a refusal", engine.Permanent("no price", nil), "no price", true},
		{"a refusal inside", fmt.Errorf("call: %w", engine.Permanent("no price", errors.New("422"))), "no price", true},
		{"a pause", &engine.ThrottledError{Until: time.Now(), Reason: "busy"}, "busy", false},
		{"a pause without a word", &engine.ThrottledError{}, "a passing problem", false},
		{"a mistake of the configuration", one, "the configuration has a mistake: no key; add it", true},
		{"one without a remedy", other, "the configuration has a mistake: no url", true},
		{"the first of several", config.Problems{other, one}, "the configuration has a mistake: no url", true},
		{"several that are none", config.Problems{}, "a passing problem", false},
		{"an action that is not deployed yet", engine.ErrUnknownAction, "this version does not know the action", false},
		{"no answer in time", fmt.Errorf("call: %w", context.DeadlineExceeded), "no answer in time", false},
		{"anything else", errors.New("internal text"), "a passing problem", false},
	} {
		if reason, permanent := engine.Refused(c.err); reason != c.reason || permanent != c.permanent {
			t.Errorf("%s: %q, %t; want %q, %t", c.name, reason, permanent, c.reason, c.permanent)
		}
	}
}

func TestARefusalInWords(t *testing.T) {
	for err, want := range map[error]string{
		engine.Permanent("no price", nil):               "no price",
		engine.Permanent("no price", errors.New("422")): "no price: 422",
	} {
		if err.Error() != want {
			t.Errorf("%q, want %q", err, want)
		}
	}
}
