package local

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/shared/actions"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/pimevent"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

// problems are what keeps a part of extensions.yaml from working although the file is right: its warnings, and what it
// needs of the secrets and does not find there. The system starts all the same: the other parts work. No problem holds a
// secret.
func problems(c *config.Config, signing secrets.Signing, connections engine.Secrets) []string {
	found := []string{}
	for _, warning := range c.Warnings {
		found = append(found, warning.Error())
	}
	for _, name := range slices.Sorted(maps.Keys(c.Extensions)) {
		extension := c.Extensions[name]
		if !slices.Contains([]string{"action", "iframe", "data_component"}, extension.Type) {
			continue // nobody calls for it
		}
		if weakness := signing.Weakness(name, extension.Unsigned, true); weakness != "" {
			found = append(found, fmt.Sprintf("extension %s refuses every call, for what the signing document has of it: %s", name, weakness))
		}
	}
	for _, sender := range unproven(c, signing) {
		found = append(found, fmt.Sprintf("%s is refused: the signing document has no secret of it", sender))
	}
	if err := actions.CheckSecrets(c, connections); err != nil {
		found = append(found, strings.Split(err.Error(), "\n")...)
	}
	return found
}

// unproven are the senders besides extensions that extensions.yaml listens to, and whose secrets are missing.
func unproven(c *config.Config, signing secrets.Signing) (senders []string) {
	for _, name := range slices.Sorted(maps.Keys(c.Subscriptions)) {
		subscription := c.Subscriptions[name]
		list, sender := signing.EventPlatform[subscription.PIM], "event-platform of pim "+subscription.PIM
		if subscription.API == pimevent.EventsAPI {
			list, sender = signing.EventsAPI[subscription.PIM], "events-api of pim "+subscription.PIM
		}
		if len(list) == 0 && !slices.Contains(senders, sender) {
			senders = append(senders, sender)
		}
	}
	if len(c.Contentful.Actions) > 0 && len(signing.Contentful) == 0 {
		senders = append(senders, "contentful")
	}
	return senders
}
