package contentfultest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/pim-functions/pim-functions/shared/contentfulapi"
)

func (a *API) available(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.proven(w, r, environmentOf(r)) {
		return
	}
	items := []any{}
	for _, one := range a.actions {
		if one.environment == environmentOf(r) {
			items = append(items, definition(one.action))
		}
	}
	page(w, r, items)
}

func (a *API) call(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.proven(w, r, environmentOf(r)) {
		return
	}
	one, there := a.find(environmentOf(r), r.PathValue("app"), r.PathValue("action"))
	if !there {
		refuse(w, http.StatusNotFound, "NotFound", nil)
		return
	}
	var body struct {
		Parameters map[string]any `json:"parameters"`
	}
	if json.NewDecoder(r.Body).Decode(&body) != nil || body.Parameters == nil {
		refuse(w, http.StatusBadRequest, "BadRequest", nil)
		return
	}
	switch wrong := mismatch(one.action, body.Parameters); {
	case one.script.Forbidden:
		refuse(w, http.StatusForbidden, "AccessDenied", nil)
	case one.script.NoSecret:
		refuse(w, http.StatusConflict, "Conflict", nil)
	case len(wrong) > 0:
		refuse(w, http.StatusUnprocessableEntity, "ValidationFailed", map[string]any{"errors": wrong})
	default:
		made := Call{
			ID: fmt.Sprintf("call%d", len(a.calls)+1), Environment: one.environment, App: one.action.App, Action: one.action.ID,
			Parameters: body.Parameters, script: one.script,
		}
		a.calls = append(a.calls, made)
		answer(w, http.StatusCreated, a.body(made, contentfulapi.Processing))
	}
}

func (a *API) look(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.proven(w, r, environmentOf(r)) {
		return
	}
	for i := range a.calls {
		call := &a.calls[i]
		if call.ID != r.PathValue("call") || call.Action != r.PathValue("action") || call.App != r.PathValue("app") ||
			call.Environment != environmentOf(r) || call.script.WithoutID {
			continue
		}
		call.Looks++
		switch script := call.script; {
		case call.Looks <= script.Missing:
			refuse(w, http.StatusNotFound, "NotFound", nil)
		case script.Takes < 0 || call.Looks <= script.Missing+script.Takes:
			answer(w, http.StatusOK, a.body(*call, contentfulapi.Processing))
		case script.Fails:
			answer(w, http.StatusOK, a.body(*call, contentfulapi.Failed))
		default:
			answer(w, http.StatusOK, a.body(*call, contentfulapi.Succeeded))
		}
		return
	}
	refuse(w, http.StatusNotFound, "NotFound", nil)
}

func (a *API) find(environment, app, action string) (installed, bool) {
	for _, one := range a.actions {
		if one.environment == environment && one.action.App == app && one.action.ID == action {
			return one, true
		}
	}
	return installed{}, false
}

// body is a call as the version of the API that its script plays writes it.
func (a *API) body(call Call, status contentfulapi.Status) any {
	sys := map[string]any{
		"type": "AppActionCall", "appDefinition": link("AppDefinition", call.App), "action": link("AppAction", call.Action),
		"createdAt": a.Now().UTC().Format(time.RFC3339Nano),
	}
	body := map[string]any{"sys": sys}
	if call.script.WithoutID {
		return body
	}
	sys["id"] = call.ID
	if call.script.Silent {
		return body
	}
	outcome := body
	if call.script.InSys {
		outcome = sys
	}
	outcome["status"] = status
	switch status {
	case contentfulapi.Succeeded:
		outcome["result"] = call.script.Result
		outcome["appActionCallResponse"] = link("AppActionCallResponse", call.ID)
	case contentfulapi.Failed:
		outcome["error"] = map[string]any{
			"sys": map[string]any{"type": "Error", "id": "AppActionCallFailed"}, "message": "The endpoint answered with an error", "statusCode": 500,
		}
	}
	return body
}

// mismatch lists what Contentful complains of in parameters: absent ones, and those of another type.
func mismatch(action contentfulapi.Action, parameters map[string]any) []any {
	wrong := []any{}
	for _, expected := range parametersOf(action) {
		value, there := parameters[expected.ID]
		name := ""
		switch {
		case !there && expected.Required:
			name = "required"
		case there && !fits(value, expected.Type):
			name = "type"
		}
		if name != "" {
			wrong = append(wrong, map[string]any{"name": name, "path": []any{"parameters", expected.ID}, "details": "in words for developers"})
		}
	}
	return wrong
}

func fits(value any, kind string) bool {
	switch value.(type) {
	case string:
		return kind == "Symbol" || kind == "Enum"
	case float64:
		return kind == "Number"
	case bool:
		return kind == "Boolean"
	}
	return false
}

// parametersOf are an action's own, or its category's.
func parametersOf(action contentfulapi.Action) []contentfulapi.Parameter {
	for _, category := range builtIn {
		if contentfulapi.SameCategory(category.ID, action.Category) {
			return category.Parameters
		}
	}
	return action.Parameters
}
