package main

import (
	"github.com/spf13/pflag"

	"github.com/pim-functions/pim-functions/functions/register"
)

// address is where a deployment is: the first word, or --url.
type address struct{ url string }

func (a *address) flags(flags *pflag.FlagSet) {
	flags.StringVar(&a.url, "url", "", "deployment at `URL` (output ApiUrl), instead of the first word")
}

// origin is take for commands that may call this machine too.
func (a *address) origin(words []string) (rest []string, err error) {
	if a.url == "" && len(words) > 0 {
		a.url, words = words[0], words[1:]
	}
	if a.url == "" {
		return nil, usagef("missing URL: pass the deployment's output ApiUrl, https://…")
	}
	if _, err := register.Origin(a.url); err != nil {
		return nil, usageError{err.Error()}
	}
	return words, nil
}

// take takes the URL off the words, unless --url has it, and checks it.
func (a *address) take(words []string) (rest []string, err error) {
	if a.url == "" && len(words) > 0 {
		a.url, words = words[0], words[1:]
	}
	if a.url == "" {
		return nil, usagef("missing URL: pass the deployment's output ApiUrl, https://…")
	}
	if a.url, err = register.Base(a.url); err != nil {
		return nil, usageError{err.Error()}
	}
	return words, nil
}
