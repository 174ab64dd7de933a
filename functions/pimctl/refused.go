package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pim-functions/pim-functions/functions/register"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/contentfulapi"
	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/platformapi"
)

// explained adds to an error what the sender says in its own words, and the lines of extensions.yaml that it is about.
func (c *planning) explained(err error) error {
	if err == nil {
		return nil
	}
	var lines []string
	if refused, ok := errors.AsType[*pim.Error](err); ok {
		lines = append(lines, refused.Reason())
		for _, one := range refused.Violations {
			lines = append(lines, c.place(err, register.Key(one.Property))+one.Property+": "+one.Message)
		}
	}
	if refused, ok := errors.AsType[*platformapi.Error](err); ok && len(refused.Messages) > 0 {
		lines = append(lines, c.place(err, "")+"the Event Platform says: "+strings.Join(refused.Messages, "; "))
	}
	if refused, ok := errors.AsType[*contentfulapi.Error](err); ok && c.place(err, "") != "" {
		lines = append(lines, c.place(err, "")+refused.Reason())
	}
	if len(lines) == 0 {
		return err
	}
	return fmt.Errorf("%w\n%s", err, strings.Join(lines, "\n"))
}

// place is the file and line of a key of what a failed change is about, as FILE:LINE: with a space; "" if there is none.
func (c *planning) place(err error, key string) string {
	failed, ok := errors.AsType[*register.ChangeError](err)
	if !ok {
		return ""
	}
	file, text, err := c.text()
	if err != nil {
		return ""
	}
	line := 0
	for _, path := range failed.Change.Paths() {
		line = max(line, config.Line(text, append(path, key)...))
	}
	if line == 0 {
		return ""
	}
	return fmt.Sprintf("%s:%d: ", file, line)
}
