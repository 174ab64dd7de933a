package engine

import (
	"encoding/json"

	"github.com/pim-functions/pim-functions/shared/config"
)

// Nature is how events run an action, as far as it can be told without the connection secret.
type Nature struct {
	Job      bool // a job does it, which the event starts
	Writes   bool // it, or one that may follow it, changes the PIM: our own changes do not start it
	Products bool // products come with it: with deliver: latest, those of several events together
}

// NatureOf is the nature of an action of the configuration. Of one that cannot be opened without the secret nothing is told.
func NatureOf(c *config.Config, kinds map[string]Kind, name string) Nature {
	var nature Nature
	seen := map[string]bool{}
	for open := []string{name}; len(open) > 0; open = open[1:] {
		if seen[open[0]] {
			continue
		}
		seen[open[0]] = true
		configured := c.Actions[open[0]]
		for _, next := range configured.Then {
			open = append(open, next)
		}
		action := openBlank(kinds[configured.Kind], configured.Section)
		if action == nil {
			continue
		}
		nature.Writes = nature.Writes || writesPIM(action)
		if open[0] == name {
			nature.Job, nature.Products = mannerOf(action) == asJob, readsOf(action) != nil
		}
	}
	return nature
}

// openBlank opens an action with made-up secrets; nil: that cannot be done.
func openBlank(kind Kind, section config.Section) Action {
	if kind == nil {
		return nil
	}
	values := map[string]string{}
	for _, name := range section.Secrets() {
		values[name] = "https://blank.example.com"
	}
	resolved, err := section.Resolve(values)
	if err != nil {
		return nil
	}
	action, err := kind.Open(resolved, Secrets{Values: values, Auth: map[string]json.RawMessage{section.Text("auth"): json.RawMessage(`{"bearer":"blank"}`)}})
	if err != nil {
		return nil
	}
	return action
}
