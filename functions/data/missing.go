package data

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/credential"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

// Missing says which extensions refuse to look anything up, for what the lookup secret has of them. It names no value.
func Missing(c *config.Config, known secrets.Lookups) (problems []string) {
	for _, name := range slices.Sorted(maps.Keys(c.Extensions)) {
		lookup := c.Extensions[name].Lookup
		if lookup == nil || lookup.Auth == "" {
			continue
		}
		if raw := known.Auth[lookup.Auth]; len(raw) == 0 {
			problems = append(problems, fmt.Sprintf("extension %s looks nothing up: auth %q is not in the lookup secret", name, lookup.Auth))
		} else if _, err := credential.Parse(raw); err != nil {
			problems = append(problems, fmt.Sprintf("extension %s looks nothing up: auth %q in the lookup secret %s; %s", name, lookup.Auth, err.Error(), credential.Forms))
		}
	}
	return problems
}
