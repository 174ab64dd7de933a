package worker

import (
	"context"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

// Secrets gives the engine what kinds of action may need of the connection secret, as it is now.
func Secrets(connections *secrets.Cache[secrets.Connections]) func(context.Context) (engine.Secrets, error) {
	return func(ctx context.Context) (engine.Secrets, error) {
		document, err := connections.Get(ctx)
		if err != nil {
			return engine.Secrets{}, err
		}
		own := engine.Secrets{Values: document.Values, Auth: document.Auth, Identities: map[string][]string{}, Contentful: document.Contentful}
		for pim, connection := range document.PIMs {
			own.Identities[pim] = []string{connection.ClientID, connection.Username}
		}
		return own, nil
	}
}

// Refresh lets the engine look for a newer connection secret: at most every ten seconds, as the cache keeps it.
func Refresh(connections *secrets.Cache[secrets.Connections]) func(context.Context) (fresh bool, err error) {
	return func(ctx context.Context) (bool, error) {
		_, fresh, err := connections.Refresh(ctx)
		return fresh, err
	}
}
