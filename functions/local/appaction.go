package local

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/signature"
)

// AppAction is an App Action as the page lists it.
type AppAction struct {
	Name     string `json:"name"`
	Category string `json:"category"`
	Action   string `json:"action"`
}

// appActions are those of extensions.yaml, by name.
func (s *System) appActions() []AppAction {
	all := []AppAction{}
	for _, name := range slices.Sorted(maps.Keys(s.config.Contentful.Actions)) {
		one := s.config.Contentful.Actions[name]
		all = append(all, AppAction{one.Name, one.Category, one.Action})
	}
	return all
}

// serveAppAction calls an App Action as Contentful does: new parameters of its category, really signed, through the real
// port.
func (s *System) serveAppAction(w http.ResponseWriter, r *http.Request) {
	action, known := s.config.Contentful.Actions[r.PathValue("action")]
	if !known {
		refuse(w, http.StatusNotFound, "not_found", "There is no such App Action.")
		return
	}
	status, answer, err := s.callAppAction(r.Context(), action)
	if err != nil {
		refuse(w, http.StatusBadGateway, "not_sent", err.Error())
		return
	}
	respond(w, map[string]any{"status": status, "answer": answer})
}

func (s *System) callAppAction(ctx context.Context, action config.ContentfulAction) (status int, answer string, err error) {
	signing, err := s.signing.Get(ctx)
	if err != nil {
		return 0, "", fmt.Errorf("get signing secrets: %w", err)
	}
	if len(signing.Contentful) == 0 {
		return 0, "", fmt.Errorf("the signing document has no secret of Contentful")
	}
	body, err := json.Marshal(parameters(action.Category))
	if err != nil {
		return 0, "", fmt.Errorf("make parameters: %w", err)
	}
	space, environment := "yadj1kx9rmg0", "master"
	if spaces := s.config.Contentful.Spaces; len(spaces) > 0 {
		space, environment, _ = strings.Cut(spaces[0], "/")
	}
	header := map[string]string{
		"content-type": "application/json", "x-contentful-timestamp": strconv.FormatInt(time.Now().UnixMilli(), 10),
		"x-contentful-space-id": space, "x-contentful-environment-id": environment, "x-contentful-user-id": users[0].UUID,
		"x-contentful-signed-headers": "",
	}
	header["x-contentful-signed-headers"] = strings.Join(slices.Sorted(maps.Keys(header)), ",")
	path := "/contentful/" + action.Name
	header["x-contentful-signature"] = signature.SignContentful(signing.Contentful[0], http.MethodPost, path, header, body)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL()+path, bytes.NewReader(body))
	if err != nil {
		return 0, "", fmt.Errorf("make request: %w", err)
	}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", fmt.Errorf("call the App Action: %w", err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	return response.StatusCode, string(text), err
}

// parameters are those that Contentful would send for a category.
func parameters(category string) map[string]any {
	switch {
	case strings.HasPrefix(category, "Notification"):
		return map[string]any{"message": "Hello from Contentful", "recipient": "editors"}
	case strings.HasPrefix(category, "Entries"):
		return map[string]any{"entryIds": Press{}.item(0)[:8] + "," + Press{}.item(0)[:8]}
	}
	return map[string]any{"environment": "staging", "force": true, "limit": 25}
}
