package local

import (
	"context"
	"fmt"
	"time"

	"github.com/pim-functions/pim-functions/functions/local/cloud"
	"github.com/pim-functions/pim-functions/functions/register"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
	"github.com/pim-functions/pim-functions/shared/platformapi"
	"github.com/pim-functions/pim-functions/shared/platformapi/platformtest"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

// register tells the played PIM and its Event Platform what extensions.yaml declares, as pimctl apply has done with a real one
// before its users press anything. It calls nobody.
func (s *System) register(ctx context.Context, rest *pimtest.PIM, signing secrets.Signing, connections *secrets.Cache[secrets.Connections]) (*platformtest.API, error) {
	known, err := connections.Get(ctx)
	if err != nil {
		return nil, fmt.Errorf("read secrets: %w", err)
	}
	entries, err := register.Entries(s.config, s.BrowserURL(), &signing)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		rest.AddExtension(known.PIMs[entry.PIM.Name].Username, entry.Extension)
	}
	platform := platformtest.New(platformtest.Config{Client: rest.Client, Now: time.Now})
	platform.At(s.pimURL())
	listeners, err := register.Listeners(s.config, s.BrowserURL(), &signing)
	if err != nil { // a secret or an e-mail address is missing: pimctl plan says what would be sent
		s.log.Warn("configuration", "problem", err.Error())
	}
	for _, l := range listeners {
		var wanted []platformapi.SubscriptionRequest
		for _, one := range l.Subscriptions {
			wanted = append(wanted, one.Request(l.PIM.URL, l.Destination))
		}
		platform.Hold(known.PIMs[l.PIM.Name].ClientID, l.Subscriber, wanted...)
	}
	return platform, nil
}

// Samples are the secret documents that a System has where it is given none, by the IDs of a secrets file.
func Samples() secrets.Source { return cloud.Secrets{} }
