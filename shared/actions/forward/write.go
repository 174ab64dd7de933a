package forward

import (
	"errors"
	"slices"

	"github.com/pim-functions/pim-functions/shared/actions/outcome"
	"github.com/pim-functions/pim-functions/shared/actions/template"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
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
		return outcome.Updates(response.Body, run, result)
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
