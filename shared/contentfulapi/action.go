package contentfulapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

const pageSize = 100

// Action is an App Action: its definition, as an app's owner writes it.
type Action struct {
	ID          string      // given by Contentful
	App         string      // ID of the definition of the app that provides it
	Name        string      // for people
	Description string      // may be empty
	Category    string      // Entries.v1.0, Notification.v1.0, Custom
	Type        string      // "": endpoint; function-invocation
	URL         string      // of an endpoint: public, HTTPS
	Parameters  []Parameter // of category Custom
}

// Parameter of an App Action.
type Parameter struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Type        string          `json:"type"` // Symbol, Number, Boolean, Enum
	Required    bool            `json:"required,omitempty"`
	Default     json.RawMessage `json:"default,omitempty"`
	Options     json.RawMessage `json:"options,omitempty"`
}

// actionBody is an Action on the wire.
type actionBody struct {
	Sys         *actionSys  `json:"sys,omitempty"` // in answers
	Name        string      `json:"name"`
	Description string      `json:"description,omitempty"`
	Category    string      `json:"category"`
	Type        string      `json:"type,omitempty"`
	URL         string      `json:"url,omitempty"`
	Parameters  []Parameter `json:"parameters,omitzero"`
}

type actionSys struct {
	ID            string `json:"id"`
	AppDefinition link   `json:"appDefinition"`
}

func (b actionBody) action() Action {
	a := Action{Name: b.Name, Description: b.Description, Category: b.Category, Type: b.Type, URL: b.URL, Parameters: b.Parameters}
	if b.Sys != nil {
		a.ID, a.App = b.Sys.ID, b.Sys.AppDefinition.Sys.ID
	}
	return a
}

func (a Action) body() actionBody {
	kind := a.Type
	if kind == "" {
		kind = "endpoint"
	}
	switch {
	case a.Category != "Custom":
		a.Parameters = nil // Contentful has those of the category
	case a.Parameters == nil:
		a.Parameters = []Parameter{} // it wants to be told that there are none
	}
	return actionBody{Name: a.Name, Description: a.Description, Category: a.Category, Type: kind, URL: a.URL, Parameters: a.Parameters}
}

// Available lists the App Actions of all apps that are installed in an environment.
func (c *Client) Available(ctx context.Context, environment Environment) ([]Action, error) {
	return c.actions(ctx, request{step: "list App Actions", path: append(environment.path(), "actions"), environment: &environment})
}

// Definitions lists the App Actions of our own app.
func (c *Client) Definitions(ctx context.Context) ([]Action, error) {
	path, err := c.definition("list App Action definitions", "actions")
	if err != nil {
		return nil, err
	}
	return c.actions(ctx, request{step: "list App Action definitions", path: path})
}

// CreateDefinition adds an App Action to our own app, and returns it with its ID.
func (c *Client) CreateDefinition(ctx context.Context, action Action) (Action, error) {
	return c.write(ctx, "create App Action", http.MethodPost, action, "actions")
}

// UpdateDefinition replaces the App Action of the same ID. There is no version to compare: the last writer wins.
func (c *Client) UpdateDefinition(ctx context.Context, action Action) (Action, error) {
	return c.write(ctx, "update App Action", http.MethodPut, action, "actions", action.ID)
}

// DeleteDefinition takes an App Action of our own app away. One that is gone already is no error.
func (c *Client) DeleteDefinition(ctx context.Context, id string) error {
	const step = "delete App Action"
	path, err := c.definition(step, "actions", id)
	if err != nil {
		return err
	}
	if err := c.do(ctx, request{step: step, method: http.MethodDelete, path: path}, nil); !NotFound(err) {
		return err
	}
	return nil
}

// Installed says whether our own app is installed in an environment: without that its App Actions cannot be called there.
func (c *Client) Installed(ctx context.Context, environment Environment) (bool, error) {
	const step = "look for the app's installation"
	if c.Credential.App == "" {
		return false, incomplete(step, "app")
	}
	err := c.do(ctx, request{step: step, method: http.MethodGet, path: environment.installation(c.Credential.App), environment: &environment}, nil)
	if NotFound(err) {
		return false, nil
	}
	return err == nil, err
}

func (c *Client) write(ctx context.Context, step, method string, action Action, more ...string) (Action, error) {
	path, err := c.definition(step, more...)
	if err != nil {
		return Action{}, err
	}
	var body actionBody
	err = c.do(ctx, request{step: step, method: method, path: path, body: action.body()}, &body)
	return body.action(), err
}

// Category is a kind of App Action whose parameters Contentful defines.
type Category struct {
	ID          string // Notification.v1.0
	Name        string
	Description string
	Parameters  []Parameter
}

// UnmarshalJSON implements json.Unmarshaler. What describes a category stands at the top in one version of the API
// and inside of sys in another.
func (c *Category) UnmarshalJSON(text []byte) error {
	type described struct {
		Name        string      `json:"name"`
		Description string      `json:"description"`
		Parameters  []Parameter `json:"parameters"`
	}
	var body struct {
		Sys struct {
			ID string `json:"id"`
			described
		} `json:"sys"`
		described
	}
	if err := json.Unmarshal(text, &body); err != nil {
		return err
	}
	found := body.described
	if found.Name == "" && found.Parameters == nil {
		found = body.Sys.described
	}
	*c = Category{ID: body.Sys.ID, Name: found.Name, Description: found.Description, Parameters: found.Parameters}
	return nil
}

// Categories lists the categories that the organization's App Actions can have.
func (c *Client) Categories(ctx context.Context) ([]Category, error) {
	const step = "list categories"
	if c.Credential.Organization == "" {
		return nil, incomplete(step, "organization")
	}
	return list[Category](ctx, c, request{step: step, path: []string{"organizations", c.Credential.Organization, "app_actions_categories"}})
}

// SameCategory says whether two names mean the same category: versions are semantic, so that v1.0 and v1.2 are
// alike. Contentful's toolkit writes Notifications where its API writes Notification.
func SameCategory(a, b string) bool { return categoryOf(a) == categoryOf(b) }

func categoryOf(name string) string {
	kind, version, versioned := strings.Cut(name, ".")
	if kind == "Notifications" {
		kind = "Notification"
	}
	if !versioned {
		return kind
	}
	major, _, _ := strings.Cut(version, ".")
	return kind + "." + major
}

// definition is the path of our own app's definition.
func (c *Client) definition(step string, more ...string) ([]string, error) {
	switch {
	case c.Credential.Organization == "":
		return nil, incomplete(step, "organization")
	case c.Credential.App == "":
		return nil, incomplete(step, "app")
	}
	return append([]string{"organizations", c.Credential.Organization, "app_definitions", c.Credential.App}, more...), nil
}

func incomplete(step, key string) error {
	return &Error{Step: step, unmade: true, permanent: true, reason: fmt.Sprintf("%q is missing under \"contentful\" in the connection secret", key)}
}

func (c *Client) actions(ctx context.Context, r request) ([]Action, error) {
	bodies, err := list[actionBody](ctx, c, r)
	actions := make([]Action, len(bodies))
	for i, body := range bodies {
		actions[i] = body.action()
	}
	return actions, err
}

// maxPages bounds a list that never ends.
const maxPages = 50

// list reads a collection, page by page.
func list[T any](ctx context.Context, c *Client, r request) ([]T, error) {
	var all []T
	r.method = http.MethodGet
	for range maxPages {
		var page struct {
			Total int `json:"total"`
			Items []T `json:"items"`
		}
		r.query = fmt.Sprintf("?skip=%d&limit=%d", len(all), pageSize)
		if err := c.do(ctx, r, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if len(page.Items) == 0 || len(all) >= page.Total {
			return all, nil
		}
	}
	return nil, &Error{Step: r.step, permanent: true, reason: "Contentful's list does not end"}
}
