package register

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/contentfulapi"
	"github.com/pim-functions/pim-functions/shared/outbound"
	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/platformapi"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

// Senders are clients of all who are to know of this deployment.
type Senders struct {
	PIMs       map[string]Sender
	Contentful *contentfulapi.Client // nil: see Refused
	Refused    string                // why there is no client of Contentful
}

// Sender is a PIM and its Event Platform, by one connection.
type Sender struct {
	PIM      *pim.Client
	Platform *platformapi.Client
}

// Addresses say where the senders are, where it is not where their vendors say.
type Addresses struct {
	Outbound   *outbound.Client
	Platform   string // "": the vendor's
	Contentful string // "": the vendor's
}

// Connect makes the clients of those for whom something is declared. Its error names each PIM whose connection is not
// complete.
func Connect(c *config.Config, connections secrets.Connections, at Addresses) (Senders, error) {
	senders := Senders{PIMs: map[string]Sender{}}
	var wrong error
	for name, one := range c.PIMs {
		if !calls(c, name) {
			continue
		}
		own := connections.PIMs[name]
		credential := pim.Credential{ClientID: own.ClientID, ClientSecret: own.ClientSecret, Username: own.Username, Password: own.Password, Token: own.Token}
		if !credential.Complete() {
			wrong = errors.Join(wrong, fmt.Errorf(`pims.%s of the connection document is not complete: put {"client_id":"…","client_secret":"…","username":"…","password":"…"} there, from Connect > Connection settings in the PIM, or {"client_id":"…","token":"…"} of a custom app`, name))
			continue
		}
		tokens := pim.NewTokens(pim.TokensConfig{Outbound: at.Outbound, URL: one.URL, Credential: credential})
		platform, err := platformapi.New(platformapi.Config{Outbound: at.Outbound, Base: at.Platform, PIM: one.URL, ClientID: own.ClientID, Token: tokens.Token})
		if err != nil {
			wrong = errors.Join(wrong, fmt.Errorf("pim %q: %w", name, err))
			continue
		}
		senders.PIMs[name] = Sender{PIM: pim.New(pim.Config{Outbound: at.Outbound, URL: one.URL, Tokens: tokens}), Platform: platform}
	}
	credential, err := contentfulapi.ParseCredential(connections.Contentful)
	if err == nil {
		senders.Contentful, err = contentfulapi.New(contentfulapi.Config{Outbound: at.Outbound, Host: at.Contentful, Credential: credential, Tokens: contentfulapi.NewTokens()})
	}
	if err != nil {
		senders.Contentful, senders.Refused = nil, err.Error()
	}
	return senders, wrong
}

// calls says whether anything is declared for a PIM that has an API.
func calls(c *config.Config, pim string) bool {
	if len(declaredFor(c, pim, "event-platform")) > 0 {
		return true
	}
	for _, e := range c.Extensions {
		if e.PIM == pim {
			return true
		}
	}
	return false
}

// Read asks the senders what they know of what is declared. With all, it also asks those to whom nothing is declared, as
// what is to be deleted needs.
func (s Senders) Read(ctx context.Context, d Declared, all bool) (State, error) {
	state := State{PIMs: map[string]PIMState{}}
	for _, one := range d.PIMs {
		sender, known := s.PIMs[one.PIM.Name]
		if !known {
			continue
		}
		found, err := sender.read(ctx, one, all, d.Stage)
		if err != nil {
			return State{}, fmt.Errorf("pim %q: %w", one.PIM.Name, err)
		}
		state.PIMs[one.PIM.Name] = found
	}
	if len(d.Contentful.Actions) > 0 || all {
		var err error
		if state.Contentful, err = s.contentful(ctx, d); err != nil {
			return State{}, fmt.Errorf("contentful: %w", err)
		}
	} else {
		state.Contentful.Refused = "nothing is declared"
	}
	return state, nil
}

func (s Sender) read(ctx context.Context, d DeclaredPIM, all bool, stage string) (PIMState, error) {
	state := PIMState{Subscriptions: map[string][]platformapi.Subscription{}, Reasons: map[string]string{}}
	var err error
	state.Extensions, err = s.PIM.Extensions(ctx)
	if failed, ok := errors.AsType[*pim.Error](err); ok && failed.NotFound() {
		state.Refused, err = failed.Reason(), nil
	} else if ok && failed.Status == http.StatusForbidden && len(d.Extensions) == 0 {
		state.Refused, err = failed.Reason(), nil
	}
	if err != nil {
		return state, err
	}
	err = s.readPlatform(ctx, &state, stage)
	if failed, ok := errors.AsType[*platformapi.Error](err); ok && d.Listener == nil && (!all || failed.Status == http.StatusForbidden || failed.Status == http.StatusUnauthorized) {
		return state, nil // a PIM without the Event Platform, or that does not let us use it
	}
	return state, err
}

// readPlatform reads our subscribers, and why those of their subscriptions that are suspended or revoked are so.
func (s Sender) readPlatform(ctx context.Context, state *PIMState, stage string) error {
	var err error
	if state.Subscribers, err = s.Platform.ListSubscribers(ctx); err != nil {
		return err
	}
	for _, subscriber := range state.Subscribers {
		if subscriber.Status != platformapi.Active {
			continue
		}
		list, err := s.Platform.ListSubscriptions(ctx, subscriber.ID)
		if err != nil {
			return err
		}
		state.Subscriptions[subscriber.ID] = list
		for _, one := range list {
			if (one.Status == platformapi.Suspended || one.Status == platformapi.Revoked) && subscriber.Name == subscriberName(stage) {
				state.Reasons[one.ID] = s.reason(ctx, one.ID)
			}
		}
	}
	return nil
}

// reason is what the platform's logs say of a suspension. Logs that cannot be read are no obstacle.
func (s Sender) reason(ctx context.Context, subscription string) string {
	logs, err := s.Platform.Logs(ctx, subscription)
	if err != nil {
		return ""
	}
	at := slices.IndexFunc(logs, func(l platformapi.Log) bool {
		return l.ErrorReason != "" || l.ErrorMessage != "" || strings.Contains(l.Operation, "suspend")
	})
	if at < 0 {
		return ""
	}
	last := logs[at]
	text := cmp.Or(last.ErrorReason, last.Operation, last.ErrorType)
	if last.ErrorCode != 0 {
		text += fmt.Sprintf(" (%d)", last.ErrorCode)
	}
	if last.ErrorMessage != "" {
		text += ", " + outbound.Clean(last.ErrorMessage, 200)
	}
	if !last.At.IsZero() {
		text += ", " + last.At.UTC().Format("2006-01-02 15:04 MST")
	}
	return text
}

func (s Senders) contentful(ctx context.Context, d Declared) (ContentfulState, error) {
	if s.Contentful == nil {
		return ContentfulState{Refused: s.Refused}, nil
	}
	state := ContentfulState{Installed: map[string]bool{}}
	var err error
	if state.Actions, err = s.Contentful.Definitions(ctx); err == nil {
		state.Secret, err = s.Contentful.SigningSecret(ctx)
	}
	for _, space := range d.Contentful.Spaces {
		if environment, wrong := contentfulapi.ParseEnvironment(space); err == nil && wrong == nil && len(d.Contentful.Actions) > 0 {
			state.Installed[space], err = s.Contentful.Installed(ctx, environment)
		}
	}
	if failed, ok := errors.AsType[*contentfulapi.Error](err); ok && failed.Status == 0 && failed.Permanent() { // the credential lacks something
		return ContentfulState{Refused: failed.Reason()}, nil
	}
	return state, err
}
