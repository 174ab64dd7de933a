package main

import (
	"bytes"
	"os"

	"github.com/spf13/pflag"

	"github.com/pim-functions/pim-functions/shared/actions"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/env"
	"github.com/pim-functions/pim-functions/shared/schedule"
)

// configuration is the extensions.yaml that a command reads, and for which stage.
type configuration struct {
	file, stage string
	played      map[string]string // variables of the local system that runs here; nil: none was asked
	variables   *env.Variables
}

func (c *configuration) flags(flags *pflag.FlagSet, variables *env.Variables) {
	c.variables = variables
	flags.StringVar(&c.file, "config", variables.Optional("CONFIG_FILE", ""), "read `FILE` instead of the built-in extensions.yaml (CONFIG_FILE)")
	flags.StringVar(&c.stage, "stage", variables.Optional("STAGE", "production"), "read it for `STAGE` of its environments (STAGE)")
}

// text reads the file. Its name is that of the file that was really read: the built-in one has the project's only where
// both are equal.
func (c *configuration) text() (name string, text []byte, err error) {
	if c.file != "" {
		text, err = os.ReadFile(c.file)
		return c.file, text, err
	}
	const builtIn = "built-in extensions.yaml"
	there, err := os.ReadFile(config.File)
	switch {
	case err != nil:
		return builtIn, config.Embedded(), nil
	case !bytes.Equal(there, config.Embedded()):
		return builtIn + " (" + config.File + " is another: build this program again, or use --config)", config.Embedded(), nil
	}
	return config.File, there, nil
}

// load reads the configuration of the chosen stage, and checks it.
func (c *configuration) load() (*config.Config, error) {
	name, text, err := c.text()
	if err != nil {
		return nil, err
	}
	return c.loadStage(name, text, c.stage)
}

func (c *configuration) loadStage(name string, text []byte, stage string) (*config.Config, error) {
	lookup := c.variables.Lookup
	if stage == config.Local {
		lookup = c.local
	}
	return loadWith(name, text, stage, lookup)
}

func loadWith(name string, text []byte, stage string, lookup func(string) (string, bool)) (*config.Config, error) {
	return config.Load(config.Source{File: name, Text: text, Stage: stage, Lookup: lookup, Kinds: actions.Checks(), Cron: schedule.Check})
}

// local fills what the local system fills.
func (c *configuration) local(name string) (string, bool) {
	if value, ok := c.variables.Lookup(name); ok {
		return value, true
	}
	if value, ok := c.played[name]; ok {
		return value, true
	}
	value, ok := map[string]string{"PIM_URL": "https://pim.example.com", "ERP_URL": "http://127.0.0.1:8080/_local/destination"}[name]
	return value, ok
}
