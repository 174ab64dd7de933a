package worker

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/actions"
	"github.com/pim-functions/pim-functions/shared/config"
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
		own := engine.Secrets{Values: document.Values, Auth: document.Auth, Identities: map[string][]string{}, SFTP: document.SFTP, Contentful: document.Contentful}
		for pim, connection := range document.PIMs {
			own.Identities[pim] = []string{connection.ClientID, connection.Username}
		}
		return own, nil
	}
}

// Refresh lets the engine look for a newer connection secret: at most every ten seconds, as the cache keeps it.
func Refresh(connections *secrets.Cache[secrets.Connections]) func(context.Context, time.Time) (fresh, known bool, err error) {
	return func(ctx context.Context, since time.Time) (fresh, known bool, err error) {
		_, fresh, err = connections.Refresh(ctx)
		return fresh, connections.ReadSince(since), err
	}
}

// LogMissing logs what the configuration names and the connection secret lacks, or holds in another form: one error for
// each, with its name, file, line and remedy, and no value. Other actions run all the same. Call it at start: otherwise
// the first job of such an action is the first to tell.
func LogMissing(log *slog.Logger, configured *config.Config, own engine.Secrets) {
	err := actions.CheckSecrets(configured, own)
	if err == nil {
		return
	}
	for problem := range strings.SplitSeq(err.Error(), "\n") {
		log.Error("an action cannot run with the connection secret", "reason", "secret_incomplete", "error", problem)
	}
}
