package contentfultest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/shared/contentfulapi"
)

// builtIn are the categories whose parameters Contentful defines.
var builtIn = []contentfulapi.Category{
	{ID: "Entries.v1.0", Name: "Entries", Description: "An action that operates on a list of entry IDs", Parameters: []contentfulapi.Parameter{
		{ID: "entryIds", Name: "Entry IDs", Type: "Symbol", Required: true},
	}},
	{ID: "Notification.v1.0", Name: "Notification", Description: "An action that sends notifications to an external service", Parameters: []contentfulapi.Parameter{
		{ID: "message", Name: "Message", Type: "Symbol", Required: true},
		{ID: "recipient", Name: "Recipient", Type: "Symbol", Required: true},
	}},
}

func (a *API) categories(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.ours(w, r) {
		return
	}
	items := []any{}
	for _, category := range builtIn {
		items = append(items, map[string]any{
			"sys":  map[string]any{"id": category.ID, "type": "AppActionCategory", "version": "v1.0"},
			"name": category.Name, "description": category.Description, "parameters": category.Parameters,
		})
	}
	page(w, r, items)
}

// ours says whether a request is about the app and the organization of this API, and answers it if not.
func (a *API) ours(w http.ResponseWriter, r *http.Request) bool {
	if !a.proven(w, r, "") {
		return false
	}
	app := r.PathValue("app")
	if r.PathValue("organization") != a.Organization || (app != "" && app != a.App) {
		refuse(w, http.StatusNotFound, "NotFound", nil)
		return false
	}
	return true
}

func (a *API) listDefinitions(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.ours(w, r) {
		return
	}
	items := []any{}
	for _, action := range a.definitions {
		items = append(items, definition(action))
	}
	page(w, r, items)
}

func (a *API) createDefinition(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	action, ok := a.readDefinition(w, r)
	if !ok {
		return
	}
	answer(w, http.StatusCreated, definition(a.define(action)))
}

func (a *API) updateDefinition(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	action, ok := a.readDefinition(w, r)
	if !ok {
		return
	}
	for i := range a.definitions {
		if a.definitions[i].ID == r.PathValue("action") {
			action.ID = a.definitions[i].ID
			a.definitions[i] = action
			answer(w, http.StatusOK, definition(action))
			return
		}
	}
	refuse(w, http.StatusNotFound, "NotFound", nil)
}

func (a *API) deleteDefinition(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.ours(w, r) {
		return
	}
	before := len(a.definitions)
	a.definitions = slices.DeleteFunc(a.definitions, func(one contentfulapi.Action) bool { return one.ID == r.PathValue("action") })
	if len(a.definitions) == before {
		refuse(w, http.StatusNotFound, "NotFound", nil)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (a *API) installation(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case !a.proven(w, r, environmentOf(r)):
	case r.PathValue("app") != a.App || !a.apps[environmentOf(r)]:
		refuse(w, http.StatusNotFound, "NotFound", nil)
	default:
		answer(w, http.StatusOK, map[string]any{"sys": map[string]any{"type": "AppInstallation", "appDefinition": link("AppDefinition", a.App)}})
	}
}

func (a *API) readDefinition(w http.ResponseWriter, r *http.Request) (contentfulapi.Action, bool) {
	if !a.ours(w, r) {
		return contentfulapi.Action{}, false
	}
	var body struct {
		Name, Description, Category, Type, URL string
		Parameters                             []contentfulapi.Parameter
	}
	wrong := []any{}
	if json.NewDecoder(r.Body).Decode(&body) != nil || body.Name == "" {
		wrong = append(wrong, map[string]any{"name": "required", "path": []any{"name"}})
	}
	if body.Category == "Custom" && body.Parameters == nil {
		wrong = append(wrong, map[string]any{"name": "required", "path": []any{"parameters"}})
	}
	if !strings.HasPrefix(body.URL, "https://") && (body.Type == "" || body.Type == "endpoint") {
		wrong = append(wrong, map[string]any{"name": "regexp", "path": []any{"url"}})
	}
	if len(wrong) > 0 {
		refuse(w, http.StatusUnprocessableEntity, "ValidationFailed", map[string]any{"errors": wrong})
		return contentfulapi.Action{}, false
	}
	return contentfulapi.Action{
		App: a.App, Name: body.Name, Description: body.Description, Category: body.Category, Type: body.Type, URL: body.URL, Parameters: body.Parameters,
	}, true
}

// definition is an App Action on the wire.
func definition(action contentfulapi.Action) any {
	body := map[string]any{
		"sys":  map[string]any{"id": action.ID, "type": "AppAction", "appDefinition": link("AppDefinition", action.App)},
		"name": action.Name, "category": action.Category, "type": action.Type, "url": action.URL,
	}
	if action.Description != "" {
		body["description"] = action.Description
	}
	if action.Parameters != nil {
		body["parameters"] = action.Parameters
	}
	return body
}

func (a *API) readSecret(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case !a.ours(w, r):
	case a.secret == "":
		refuse(w, http.StatusNotFound, "NotFound", nil)
	default:
		answer(w, http.StatusOK, map[string]any{"redactedValue": a.secret[len(a.secret)-4:]})
	}
}

func (a *API) writeSecret(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.ours(w, r) {
		return
	}
	var body struct{ Value string }
	if json.NewDecoder(r.Body).Decode(&body) != nil || len(body.Value) != 64 {
		refuse(w, http.StatusUnprocessableEntity, "ValidationFailed", nil)
		return
	}
	a.secret = body.Value
	answer(w, http.StatusOK, map[string]any{"redactedValue": a.secret[len(a.secret)-4:]})
}
