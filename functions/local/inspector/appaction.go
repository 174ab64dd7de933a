package inspector

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/functions/local/loopback"
	"github.com/pim-functions/pim-functions/functions/local/pim"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/senders"
)

// AppAction is an App Action as the page lists it.
type AppAction struct {
	Name     string `json:"name"`
	Category string `json:"category"`
	Action   string `json:"action"`
}

// appActions are those of extensions.yaml, by name.
func (i *Inspector) appActions() []AppAction {
	all := []AppAction{}
	for _, name := range slices.Sorted(maps.Keys(i.config.Extensions.Contentful.Actions)) {
		one := i.config.Extensions.Contentful.Actions[name]
		all = append(all, AppAction{one.Name, one.Category, one.Action})
	}
	return all
}

// serveAppAction calls an App Action over HTTP as Contentful does, with new parameters of its category.
func (i *Inspector) serveAppAction(w http.ResponseWriter, r *http.Request) {
	action, known := i.config.Extensions.Contentful.Actions[r.PathValue("action")]
	if !known {
		loopback.Refuse(w, http.StatusNotFound, "not_found", "There is no such App Action.")
		return
	}
	status, answer, err := i.callAppAction(r, action)
	if err != nil {
		loopback.Refuse(w, http.StatusBadGateway, "not_sent", err.Error())
		return
	}
	loopback.Respond(w, map[string]any{"status": status, "answer": answer})
}

func (i *Inspector) callAppAction(r *http.Request, action config.ContentfulAction) (status int, answer string, err error) {
	signing, err := i.config.Signing.Get(r.Context())
	if err != nil {
		return 0, "", fmt.Errorf("get signing secrets: %w", err)
	}
	sender, err := i.contentful(action, signing)
	if err != nil {
		return 0, "", err
	}
	request, err := sender.Request(parameters(action.Category)).HTTP(r.Context(), i.config.Functions)
	if err != nil {
		return 0, "", fmt.Errorf("make the call: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", fmt.Errorf("call the App Action: %w", err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	return response.StatusCode, string(text), err
}

// maxAnswer is how much of an answer is shown, in bytes; the rest is left out.
const maxAnswer = 1 << 20

// contentful is the sender: the first of the spaces that extensions.yaml names, or a made-up one.
func (i *Inspector) contentful(action config.ContentfulAction, signing secrets.Signing) (senders.Contentful, error) {
	if len(signing.Contentful) == 0 {
		return senders.Contentful{}, fmt.Errorf("the signing document has no secret of Contentful")
	}
	space, environment := "yadj1kx9rmg0", "master"
	if spaces := i.config.Extensions.Contentful.Spaces; len(spaces) > 0 {
		space, environment, _ = strings.Cut(spaces[0], "/")
	}
	return senders.Contentful{
		Action: action.Name, Secret: signing.Contentful[0], Space: space, Environment: environment, User: pim.Users[0].UUID, At: time.Now(),
	}, nil
}

// parameters are those that Contentful would send for a category.
func parameters(category string) []byte {
	switch {
	case strings.HasPrefix(category, "Notification"):
		return []byte(`{"message": "Hello from Contentful", "recipient": "editors"}`)
	case strings.HasPrefix(category, "Entries"):
		return fmt.Appendf(nil, `{"entryIds": "%s,%s"}`, senders.NewUUID()[:8], senders.NewUUID()[:8])
	}
	return []byte(`{"environment": "staging", "force": true, "limit": 25}`)
}
