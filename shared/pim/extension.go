package pim

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/pim-functions/pim-functions/shared/outbound"
)

// Limits of a UI extension (Akeneo: "UI extensions", "API").
const (
	MinExtensionSecret = 32 // characters
	MaxExtensionLabel  = 30 // characters

	extensionsPath = "/api/rest/v1/ui-extensions"
	redacted       = "REDACTED" // stands in what the PIM shows in a secret's place
)

// Extension is a UI extension at one position (Akeneo: "UI extensions", "API"). The PIM shows a connection only those
// that a connection of the same user has made; what a person makes in the PIM's pages is not among them.
type Extension struct {
	UUID          string                 `json:"uuid,omitempty"` // given by the PIM
	Name          string                 `json:"name"`           // letters, digits, - and _
	Version       string                 `json:"version,omitempty"`
	Description   string                 `json:"description,omitempty"`
	Type          string                 `json:"type"`
	Position      string                 `json:"position"`
	Status        string                 `json:"status,omitempty"` // active, inactive; "": the PIM does not say, or decides
	Configuration ExtensionConfiguration `json:"configuration"`
	Credentials   []ExtensionCredential  `json:"credentials,omitempty"`
}

// ExtensionConfiguration is what an Extension shows and calls.
type ExtensionConfiguration struct {
	URL          string            `json:"url"`
	DefaultLabel string            `json:"default_label"`    // of at most 30 characters
	Labels       map[string]string `json:"labels,omitempty"` // by locale, of at most 30 characters
	Secret       string            `json:"secret,omitempty"` // of at least 32 characters; never comes back
	UserEmails   []string          `json:"userEmails,omitempty"`
}

// ExtensionCredential is a header that the PIM adds to its calls. Its value is a text for a Bearer Token, else an object;
// it never comes back.
type ExtensionCredential struct {
	Type  string `json:"type"`
	Value any    `json:"value"`
}

// UnmarshalJSON leaves out what the PIM redacts, so that nobody writes it back.
func (e *Extension) UnmarshalJSON(text []byte) error {
	type plain Extension // without this method
	var shown struct {
		plain
		Configuration struct {
			URL          string          `json:"url"`
			DefaultLabel string          `json:"default_label"`
			Labels       json.RawMessage `json:"labels"`
			UserEmails   []string        `json:"userEmails"`
		} `json:"configuration"`
		Credentials []struct {
			Type string `json:"type"`
		} `json:"credentials"`
	}
	if err := json.Unmarshal(text, &shown); err != nil {
		return err
	}
	*e = Extension(shown.plain)
	from := shown.Configuration
	e.Configuration = ExtensionConfiguration{URL: from.URL, DefaultLabel: from.DefaultLabel, UserEmails: from.UserEmails}
	if len(from.Labels) > 0 {
		if err := decodeMap(from.Labels, &e.Configuration.Labels); err != nil {
			return err
		}
	}
	e.Credentials = nil
	for _, one := range shown.Credentials {
		e.Credentials = append(e.Credentials, ExtensionCredential{Type: one.Type})
	}
	return nil
}

// Extensions lists the UI extensions that the connection may see.
func (c *Client) Extensions(ctx context.Context) ([]Extension, error) {
	var list extensionList
	if err := c.getJSON(ctx, request{path: extensionsPath}, &list); err != nil {
		return nil, err
	}
	return list, nil
}

// extensionList is a plain list, or one in the wrapping of the PIM's other lists.
type extensionList []Extension

func (l *extensionList) UnmarshalJSON(text []byte) error {
	if strings.HasPrefix(strings.TrimSpace(string(text)), "[") {
		return json.Unmarshal(text, (*[]Extension)(l))
	}
	var page struct {
		Embedded struct {
			Items []Extension `json:"items"`
		} `json:"_embedded"`
	}
	err := json.Unmarshal(text, &page)
	*l = page.Embedded.Items
	return err
}

// CreateExtension makes a UI extension and returns its UUID; "" if the PIM did not say it. Nothing stops the PIM from
// making a second one of the same name, so that a call whose answer did not come is not repeated: list what is there
// first.
func (c *Client) CreateExtension(ctx context.Context, e Extension) (uuid string, err error) {
	if err := e.check(http.MethodPost, extensionsPath); err != nil {
		return "", err
	}
	e.UUID = ""
	answer, err := c.writeExtension(ctx, http.MethodPost, extensionsPath, e)
	if err != nil {
		return "", err
	}
	var made struct {
		UUID string `json:"uuid"`
	}
	if json.Unmarshal(answer.Body, &made) == nil && made.UUID != "" {
		return made.UUID, nil
	}
	if location := answer.Header.Get("Location"); location != "" {
		return path.Base(location), nil
	}
	return "", nil
}

// UpdateExtension replaces a UI extension by its UUID. It sends the extension whole, its secret and credentials too: whether
// the PIM merges what stands inside of configuration is not documented. What has no secret here keeps the one that it has.
// was is what the PIM shows now: a field that is empty is sent only where it was not, to clear it.
func (c *Client) UpdateExtension(ctx context.Context, uuid string, e, was Extension) error {
	target := extensionsPath + "/" + escape(uuid)
	if err := e.check(http.MethodPatch, target); err != nil {
		return err
	}
	configuration := map[string]any{"url": e.Configuration.URL, "default_label": e.Configuration.DefaultLabel}
	body := map[string]any{"name": e.Name, "type": e.Type, "position": e.Position, "configuration": configuration}
	set := func(in map[string]any, name string, value any, empty, wasEmpty bool) {
		if !empty || !wasEmpty {
			in[name] = value
		}
	}
	set(body, "version", e.Version, e.Version == "", was.Version == "")
	set(body, "description", e.Description, e.Description == "", was.Description == "")
	set(body, "status", e.Status, e.Status == "", true)
	set(body, "credentials", e.Credentials, e.Credentials == nil, true)
	set(configuration, "secret", e.Configuration.Secret, e.Configuration.Secret == "", true)
	labels, emails := maps.Clone(e.Configuration.Labels), e.Configuration.UserEmails
	if labels == nil {
		labels = map[string]string{}
	}
	set(configuration, "labels", labels, len(labels) == 0, len(was.Configuration.Labels) == 0)
	set(configuration, "userEmails", append([]string{}, emails...), len(emails) == 0, len(was.Configuration.UserEmails) == 0)
	_, err := c.writeExtension(ctx, http.MethodPatch, target, body)
	return err
}

// DeleteExtension deletes a UI extension. One that is gone already is no error.
func (c *Client) DeleteExtension(ctx context.Context, uuid string) error {
	_, err := c.do(ctx, request{method: http.MethodDelete, path: extensionsPath + "/" + escape(uuid)})
	if gone(err) {
		return nil
	}
	return err
}

func (c *Client) writeExtension(ctx context.Context, method, target string, body any) (*outbound.Response, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	return c.do(ctx, request{
		method: method, path: target, body: text, header: http.Header{"Content-Type": {"application/json"}}, once: method == http.MethodPost,
	})
}

// check refuses what the PIM would refuse, and a secret that the PIM has redacted, before it is sent.
func (e Extension) check(method, target string) error {
	var violations []Violation
	refuse := func(property, message string) {
		violations = append(violations, Violation{Property: property, Message: message})
	}
	if secret := e.Configuration.Secret; strings.Contains(secret, redacted) {
		refuse("configuration.secret", "The PIM has redacted this secret.")
	} else if secret != "" && utf8.RuneCountInString(secret) < MinExtensionSecret {
		refuse("configuration.secret", "This value is too short. It should have 32 characters or more.")
	}
	for _, credential := range e.Credentials {
		if text, ok := credential.Value.(string); credential.Value == nil || ok && strings.Contains(text, redacted) {
			refuse("credentials", "The PIM has redacted this credential.")
		}
	}
	if len(violations) == 0 {
		return nil
	}
	return &Error{Method: method, Path: target, Status: http.StatusUnprocessableEntity, Message: violations[0].Message, Violations: violations}
}

// extensionReason says in words for a user what it means that the PIM refuses a call about UI extensions, and what to do;
// "" where nothing but the PIM's own words are known.
func extensionReason(status int, target string) string {
	switch {
	case !strings.HasPrefix(target, extensionsPath):
		return ""
	case status == http.StatusForbidden:
		return `the connection may not manage UI extensions: give its user a role with "Extensions > Manage your extensions using the API", or a custom app the scope manage_extensions`
	case status == http.StatusNotFound && target == extensionsPath:
		return "the PIM has no API for UI extensions, or it is switched off there: ask Akeneo to switch it on, or register them by hand (pimctl print)"
	case status == http.StatusNotFound:
		return "the extension is not in the PIM, or belongs to another user"
	}
	return ""
}
