package pimtest

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pim-functions/pim-functions/shared/pim"
)

// Extensions says how this PIM's API for UI extensions behaves in what the vendor's pages leave open or forbid.
type Extensions struct {
	Off       bool // the feature is off: all routes are answered 404
	Forbidden bool // the connection's user has no right to manage them
	Short     bool // a creation is answered with the UUID alone, an update with nothing
	Replace   bool // an update replaces configuration as a whole; else it merges its members
}

// extensionsState is what people and connections have registered.
type extensionsState struct {
	Extensions
	list []*extension
	made int
}

// extension is a UI extension as it was sent, and the user whose it is.
type extension struct {
	uuid, owner string
	fields      map[string]any
}

// SetExtensions sets how the API for UI extensions behaves from now on.
func (p *PIM) SetExtensions(settings Extensions) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.extensions.Extensions = settings
}

// AddExtension registers a UI extension as a user of the PIM has done before; "" is the first connection's user. It
// returns its UUID.
func (p *PIM) AddExtension(owner string, e pim.Extension) string {
	text, err := json.Marshal(e)
	if err != nil {
		panic(err) // cannot happen: an extension is plain values
	}
	var fields map[string]any
	_ = json.Unmarshal(text, &fields)
	p.mu.Lock()
	defer p.mu.Unlock()
	if owner == "" {
		owner = p.connections[0].Username
	}
	return p.addExtension(owner, fields).uuid
}

func (p *PIM) addExtension(owner string, fields map[string]any) *extension {
	p.extensions.made++
	made := &extension{uuid: fmt.Sprintf("e1e1e1e1-0000-4000-8000-%012d", p.extensions.made), owner: owner, fields: fields}
	for name, value := range map[string]any{"version": nil, "description": nil, "status": "active"} {
		if _, given := fields[name]; !given {
			fields[name] = value
		}
	}
	delete(fields, "uuid")
	p.extensions.list = append(p.extensions.list, made)
	return made
}

// UIExtensions are all UI extensions of all users, secrets included, in the order of their making.
func (p *PIM) UIExtensions() []pim.Extension {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := []pim.Extension{}
	for _, one := range p.extensions.list {
		text, err := json.Marshal(one.fields)
		if err != nil {
			panic(err) // cannot happen: the fields came from JSON
		}
		var whole pim.Extension
		_ = json.Unmarshal(text, &whole)
		whole.UUID = one.uuid
		whole.Configuration.Secret, _ = member(one.fields, "configuration")["secret"].(string)
		credentials, _ := one.fields["credentials"].([]any)
		for i := range whole.Credentials {
			sent, _ := credentials[i].(map[string]any)
			whole.Credentials[i].Value = sent["value"]
		}
		all = append(all, whole)
	}
	return all
}

// DeleteExtension removes a UI extension, as a person does in the PIM's pages.
func (p *PIM) DeleteExtension(uuid string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.extensions.list = slices.DeleteFunc(p.extensions.list, func(e *extension) bool { return e.uuid == uuid })
}

// ChangeExtension changes the fields of a UI extension, as a person does in the PIM's pages.
func (p *PIM) ChangeExtension(uuid string, change func(fields map[string]any)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.extensions.list {
		if one.uuid == uuid {
			change(one.fields)
		}
	}
}

// extensionRoutes are the calls about UI extensions (Akeneo: "UI extensions", "API").
func (p *PIM) extensionRoutes(mux *http.ServeMux) {
	const all, one = "/api/rest/v1/ui-extensions", "/api/rest/v1/ui-extensions/{uuid}"
	for pattern, work := range map[string]func(http.ResponseWriter, *http.Request, string) *refusal{
		"GET " + all: p.listExtensions, "POST " + all: p.createExtension,
		"PATCH " + one: p.updateExtension, "POST " + one: p.updateExtension, "DELETE " + one: p.deleteExtension,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			refused := p.authorize(r)
			if refused == nil {
				p.mu.Lock()
				defer p.mu.Unlock()
				switch {
				case p.extensions.Off:
					refused = &refusal{status: http.StatusNotFound, Message: "Not found."}
				case p.extensions.Forbidden:
					refused = &refusal{status: http.StatusForbidden, Message: "Access forbidden. You are not allowed to manage extensions."}
				default:
					refused = work(w, r, p.access.users[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")])
				}
			}
			if refused != nil {
				refused.write(w)
			}
		})
	}
}

func (p *PIM) listExtensions(w http.ResponseWriter, _ *http.Request, user string) *refusal {
	list := []any{}
	for _, one := range p.extensions.list {
		if one.owner == user {
			list = append(list, one.shown())
		}
	}
	writeJSON(w, http.StatusOK, list)
	return nil
}

func (p *PIM) createExtension(w http.ResponseWriter, r *http.Request, user string) *refusal {
	fields, refused := fieldsOf(r)
	if refused == nil {
		refused = checkExtension(fields)
	}
	if refused != nil {
		return refused
	}
	made := p.addExtension(user, fields)
	w.Header().Set("Location", "http://"+r.Host+r.URL.Path+"/"+made.uuid)
	if p.extensions.Short {
		writeJSON(w, http.StatusCreated, map[string]any{"uuid": made.uuid})
	} else {
		writeJSON(w, http.StatusCreated, made.shown())
	}
	return nil
}

func (p *PIM) updateExtension(w http.ResponseWriter, r *http.Request, user string) *refusal {
	one, refused := p.extension(r, user)
	if refused != nil {
		return refused
	}
	sent, refused := fieldsOf(r)
	if refused != nil {
		return refused
	}
	changed := maps.Clone(one.fields)
	for name, value := range sent {
		if name == "configuration" && !p.extensions.Replace {
			merged := maps.Clone(member(one.fields, name))
			maps.Copy(merged, member(sent, name))
			value = merged
		}
		changed[name] = value
	}
	delete(changed, "uuid")
	if refused := checkExtension(changed); refused != nil {
		return refused
	}
	one.fields = changed
	if p.extensions.Short {
		w.WriteHeader(http.StatusNoContent)
	} else {
		writeJSON(w, http.StatusOK, one.shown())
	}
	return nil
}

func (p *PIM) deleteExtension(w http.ResponseWriter, r *http.Request, user string) *refusal {
	one, refused := p.extension(r, user)
	if refused != nil {
		return refused
	}
	p.extensions.list = slices.DeleteFunc(p.extensions.list, func(e *extension) bool { return e == one })
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// extension finds a user's own.
func (p *PIM) extension(r *http.Request, user string) (*extension, *refusal) {
	for _, one := range p.extensions.list {
		if one.uuid == r.PathValue("uuid") && one.owner == user {
			return one, nil
		}
	}
	return nil, &refusal{status: http.StatusNotFound, Message: fmt.Sprintf("Extension %q does not exist.", r.PathValue("uuid"))}
}

func fieldsOf(r *http.Request) (map[string]any, *refusal) {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return nil, &refusal{status: http.StatusUnsupportedMediaType, Message: "The content type is not supported."}
	}
	text, err := io.ReadAll(io.LimitReader(r.Body, maxLine))
	var fields map[string]any
	if err != nil || json.Unmarshal(text, &fields) != nil || fields == nil {
		return nil, &refusal{status: http.StatusBadRequest, Message: "Invalid json message received"}
	}
	return fields, nil
}

var extensionName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)

// checkExtension refuses what the API's pages exclude, all of it at once, and a redacted secret that comes back.
func checkExtension(fields map[string]any) *refusal {
	var errors []violation
	wrong := func(property, message string) {
		errors = append(errors, violation{Property: property, Message: message})
	}
	text := func(of map[string]any, name string) string { found, _ := of[name].(string); return found }
	if !extensionName.MatchString(text(fields, "name")) {
		wrong("name", "This value is not valid.")
	}
	for _, name := range []string{"type", "position"} {
		if text(fields, name) == "" {
			wrong(name, "This value should not be blank.")
		}
	}
	if status := fields["status"]; status != nil && status != "active" && status != "inactive" {
		wrong("status", "The value you selected is not a valid choice.")
	}
	configuration := member(fields, "configuration")
	labels := map[string]any{"configuration.default_label": configuration["default_label"]}
	for locale, label := range member(configuration, "labels") {
		labels["configuration.labels."+locale] = label
	}
	for _, property := range slices.Sorted(maps.Keys(labels)) {
		label, _ := labels[property].(string)
		switch {
		case label == "":
			wrong(property, "This value should not be blank.")
		case utf8.RuneCountInString(label) > pim.MaxExtensionLabel:
			wrong(property, "This value is too long. It should have 30 characters or less.")
		}
	}
	if url := text(configuration, "url"); text(fields, "type") != "sdk_script" && !strings.HasPrefix(url, "https://") && !strings.HasPrefix(url, "http://localhost:") {
		wrong("configuration.url", "This value is not a valid URL.")
	}
	if secret, sent := configuration["secret"].(string); sent && (utf8.RuneCountInString(secret) < pim.MinExtensionSecret || strings.Contains(secret, redactedMark)) {
		wrong("configuration.secret", "This value is too short. It should have 32 characters or more.")
	}
	credentials, _ := fields["credentials"].([]any)
	for _, one := range credentials {
		credential, _ := one.(map[string]any)
		if text(credential, "type") == "" || credential["value"] == nil || credential["value"] == redactedMark {
			wrong("credentials", "This value is not valid.")
		}
	}
	if len(errors) == 0 {
		return nil
	}
	return &refusal{status: http.StatusUnprocessableEntity, Message: "Validation failed.", Errors: errors}
}

const redactedMark = "***REDACTED***"

// shown is the extension without its secrets.
func (e *extension) shown() map[string]any {
	shown := maps.Clone(e.fields)
	shown["uuid"] = e.uuid
	configuration := maps.Clone(member(e.fields, "configuration"))
	if configuration["secret"] != nil {
		configuration["secret"] = redactedMark
	}
	shown["configuration"] = configuration
	if sent, ok := e.fields["credentials"].([]any); ok {
		credentials := []any{}
		for _, one := range sent {
			credential, _ := one.(map[string]any)
			credential = maps.Clone(credential)
			credential["value"] = redactedMark
			credentials = append(credentials, credential)
		}
		shown["credentials"] = credentials
	}
	return shown
}

// member is a member that is an object; an empty one of anything else.
func member(of map[string]any, name string) map[string]any {
	if found, ok := of[name].(map[string]any); ok {
		return found
	}
	return map[string]any{}
}
