package template

import (
	"errors"
	"strings"

	"github.com/pim-functions/pim-functions/shared/config"
)

// Mistakes are all that is wrong with what a user wrote: one sentence each.
type Mistakes []string

func (m Mistakes) Error() string { return strings.Join(m, "; ") }

// Problems places each mistake at a key of an action's section. nil: there is none.
func Problems(section config.Section, key string, err error) error {
	mistakes, ok := errors.AsType[Mistakes](err)
	switch {
	case err == nil:
		return nil
	case !ok:
		mistakes = Mistakes{err.Error()}
	}
	problems := make([]error, len(mistakes))
	for i, mistake := range mistakes {
		problems[i] = section.Errorf(key, "correct the template", "%s: %s", key, mistake)
	}
	return errors.Join(problems...)
}

// Misplaced reports the keys whose text is a template, though none is evaluated there.
func Misplaced(section config.Section, keys ...string) error {
	var problems []error
	for _, key := range keys {
		if strings.Contains(section.Text(key), "{{") {
			problems = append(problems, section.Errorf(key, "write the value itself", "%s takes no template", key))
		}
	}
	return errors.Join(problems...)
}
