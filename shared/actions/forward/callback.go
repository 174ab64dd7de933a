package forward

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/pim-functions/pim-functions/shared/actions/template"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
)

// parseCallback checks that an address can be sent, that it is, and that it is one for the whole job.
func (p *plan) parseCallback(section config.Section) error {
	if p.Callback == nil {
		return nil
	}
	problems := []error{p.Callback.Check(section)}
	report := func(key, remedy, format string, args ...any) {
		problems = append(problems, section.Errorf(key, remedy, format, args...))
	}
	if p.Each {
		report("each", "remove it, or callback", "of each and callback an action has one at most: the job waits for one answer")
	}
	if section.Has("batch") {
		report("batch", "remove it: the items of the job are sent together", "of batch and callback an action has one at most: the job waits for one answer")
	}
	if p.Raw {
		report("raw", "remove it, or callback", "of raw and callback an action has one at most: the event's own bytes hold no address")
	}
	if own := fmt.Sprint(p.URL, p.Headers, p.Body, p.JSON, p.Form); (p.usual.body != nil) && !strings.Contains(own, ".Callback.URL") {
		report("callback", `name it where the destination finds it: json: {answer_to: "{{.Callback.URL}}"}`, "nothing that is sent holds the address of the callback")
	}
	return errors.Join(problems...)
}

// kept is the body and its key. What carries the address of a callback is the same at every try.
func (a *action) kept(ctx context.Context, run engine.Run, r request) (body []byte, key string, err error) {
	if a.Callback == nil {
		return a.content(run, r)
	}
	body, err = run.Keep(ctx, func() ([]byte, error) {
		made, _, err := a.content(run, r)
		return made, err
	})
	return body, template.Key(run.Key, body), err
}
