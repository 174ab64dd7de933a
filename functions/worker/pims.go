package worker

import (
	"context"
	"fmt"
	"sync"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/outbound"
	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

// PIMs gives a client of each PIM of the configuration, with the connection that the connection secret has for it now.
// A client lives as long as its connection does not change, so that invocations share its token.
func PIMs(configured *config.Config, connections *secrets.Cache[secrets.Connections], client *outbound.Client) func(context.Context, string) (*pim.Client, error) {
	var mu sync.Mutex
	type known struct {
		credential pim.Credential
		client     *pim.Client
	}
	clients := map[string]known{}
	return func(ctx context.Context, name string) (*pim.Client, error) {
		at, there := configured.PIMs[name]
		if !there {
			return nil, &config.Problem{Message: fmt.Sprintf("no PIM is called %q", name), Remedy: "add it under pims"}
		}
		document, err := connections.Get(ctx)
		if err != nil {
			return nil, fmt.Errorf("connection secret: %w", err)
		}
		own := document.PIMs[name]
		credential := pim.Credential{ClientID: own.ClientID, ClientSecret: own.ClientSecret, Username: own.Username, Password: own.Password, Token: own.Token}
		if !credential.Complete() {
			return nil, &config.Problem{
				Message: fmt.Sprintf("the connection secret has no complete connection for the PIM %q", name),
				Remedy:  fmt.Sprintf("add client_id, client_secret, username and password under \"pims\", %q", name),
			}
		}
		mu.Lock()
		defer mu.Unlock()
		if found := clients[name]; found.credential == credential {
			return found.client, nil
		}
		made := pim.New(pim.Config{Outbound: client, URL: at.URL, Tokens: pim.NewTokens(pim.TokensConfig{Outbound: client, URL: at.URL, Credential: credential})})
		clients[name] = known{credential, made}
		return made, nil
	}
}
