package forward

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/pim-functions/pim-functions/shared/actions/template"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/outbound"
	"github.com/pim-functions/pim-functions/shared/pim"
)

// write is what an answer may change in the PIM, and how it says so: by its own updates, or by set, which makes values of
// any answer about one item.
type write struct {
	Attributes []string       `yaml:"attributes"` // codes
	Locales    []string       `yaml:"locales"`    // none: all
	Categories bool           `yaml:"categories"`
	Groups     bool           `yaml:"groups"`
	Enabled    bool           `yaml:"enabled"`
	Models     string         `yaml:"models"` // refuse (default) or write: what belongs to a product's model
	Set        map[string]any `yaml:"set"`    // by attribute, over .Answer; updates are then ignored
}

// parseWrite checks what an answer may change.
func (p *plan) parseWrite(section config.Section) error {
	w := p.Write
	if w == nil {
		return nil
	}
	sub := section.Sub("write")
	var problems []error
	report := func(key, remedy, format string, args ...any) {
		problems = append(problems, sub.Errorf(key, remedy, format, args...))
	}
	if len(w.Attributes) == 0 && !w.Categories && !w.Groups && !w.Enabled {
		report("", "name attributes, or categories, groups or enabled: true", "write allows nothing")
	}
	for _, locale := range w.Locales {
		if !config.IsLocale(locale) {
			report("locales", "write it as the PIM does: en_US", "%q is not a locale", locale)
		}
	}
	if !slices.Contains([]string{"", engine.ModelsRefuse, engine.ModelsWrite}, w.Models) {
		report("models", "use refuse or write", "models %q", w.Models)
	}
	p.writes = &engine.Writes{Attributes: w.Attributes, Locales: w.Locales, Categories: w.Categories, Groups: w.Groups, Enabled: w.Enabled, Models: w.Models}
	if w.Set == nil {
		return errors.Join(problems...)
	}
	if !p.Each && p.options.Batch != 1 {
		report("set", "add each: true", "set makes values of an answer about one item")
	}
	set, err := template.Scope{Each: true, Reads: p.Read, Answer: true}.ParseSet(w.Set)
	if err != nil {
		problems = append(problems, template.Problems(sub, "set", err))
		return errors.Join(problems...)
	}
	for _, code := range set.Attributes() {
		if !slices.Contains(w.Attributes, code) {
			report("set", "add it to attributes", "set changes %q, which attributes does not name", code)
		}
	}
	p.set = set
	return errors.Join(problems...)
}

// Writes implements engine.Writer.
func (a *action) Writes() *engine.Writes { return a.writes }

// updated adds what an answer changes in the PIM to its result.
func (a *action) updated(run engine.Run, response *outbound.Response, result engine.Result) (engine.Result, error) {
	switch {
	case a.writes == nil:
		return result, nil
	case a.set == nil:
		return updates(response.Body, run, result)
	case len(run.Items) != 1 || run.Gone(0) || len(result.Failures) > 0:
		return result, nil
	}
	run.Answer = response.Body
	values, err := a.set.Execute(run)
	if err != nil {
		return engine.Result{}, err
	}
	result.Updates = []engine.Update{{Update: pim.Update{Values: values}}}
	return result, nil
}

// updates reads the updates of an answer. One that is wrong fails its item, and one that is of no item of the request is
// left out. Updates that are no list, or one that names nothing, say nothing that can be relied on: the batch fails.
func updates(body []byte, run engine.Run, result engine.Result) (engine.Result, error) {
	if body = bytes.TrimSpace(body); len(body) == 0 || body[0] != '{' {
		return result, nil
	}
	var answer struct {
		Updates json.RawMessage `json:"updates"`
	}
	if json.Unmarshal(body, &answer) != nil || isNull(answer.Updates) {
		return result, nil // what is no JSON was refused before
	}
	var listed []json.RawMessage
	if json.Unmarshal(answer.Updates, &listed) != nil {
		return engine.Result{}, unusable("updates that are no list")
	}
	others := 0
	for _, text := range listed {
		kind, id, update, err := pim.ParseUpdate(text)
		if id == "" {
			return engine.Result{}, unusable("an update that cannot be used: " + err.Error())
		}
		index := slices.Index(run.Items, jobs.Item{Type: kind, ID: id})
		switch {
		case index < 0:
			others++
		case err != nil:
			result.Failures = append(result.Failures, engine.Failure{Index: index, Reason: "the destination's update cannot be used: " + err.Error()})
		case !run.Gone(index):
			result.Updates = append(result.Updates, engine.Update{Index: index, Update: update})
		}
	}
	if others > 0 {
		note := fmt.Sprintf("%d updates were of no item that was sent: they were left out", others)
		if result.Message != "" {
			note = result.Message + "; " + note
		}
		result.Message = outbound.Clean(note, jobs.MaxReason)
	}
	return result, nil
}

func isNull(text json.RawMessage) bool { return len(text) == 0 || string(text) == "null" }

func unusable(what string) error {
	return &refusal{"the destination's answer has " + what + ": nothing was changed in the PIM"}
}
