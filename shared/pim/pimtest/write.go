package pimtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

const (
	collection = "application/vnd.akeneo.collection+json"
	maxLines   = 100
	maxLine    = 1_000_000 // characters of a line
	maxBody    = 256 << 20
)

// Right is what the connection's user may do with a product or model, or with a locale (Akeneo: "Permissions").
type Right int

const (
	Own  Right = iota // changes are made at once
	Edit              // changes become a draft that somebody has to approve
	View              // changes are refused
)

// Grant sets the connection's right on products and models.
func (p *PIM) Grant(right Right, ids ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range ids {
		p.faults.rights[id] = right
	}
}

// ViewLocale lets the connection see a locale and not change it.
func (p *PIM) ViewLocale(locale string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults.viewLocales[locale] = true
}

// workflow is what the connection's user may do with an entity, as metadata say.
func (p *PIM) workflow(e *Entity) string {
	switch {
	case p.faults.rights[e.id()] == View:
		return "read_only"
	case p.faults.drafts[e.id()]:
		return "draft_in_progress"
	}
	return "working_copy"
}

// Delete removes products and models, as a user does in between.
func (p *PIM) Delete(ids ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range ids {
		delete(p.catalogue.products, id)
		delete(p.catalogue.models, id)
		clear(p.catalogue.sorted)
	}
	gone := func(e *Entity) bool { return slices.Contains(ids, e.id()) }
	p.catalogue.Products = slices.DeleteFunc(slices.Clone(p.catalogue.Products), gone)
	p.catalogue.ProductModels = slices.DeleteFunc(slices.Clone(p.catalogue.ProductModels), gone)
}

// RemoveAttribute removes an attribute, and with it its values.
func (p *PIM) RemoveAttribute(code string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.catalogue.attributes, code)
	p.catalogue.Attributes = slices.DeleteFunc(slices.Clone(p.catalogue.Attributes), func(a Attribute) bool { return a.Code == code })
	for _, all := range []map[string]*Entity{p.catalogue.products, p.catalogue.models} {
		for _, e := range all {
			delete(e.Values, code)
		}
	}
}

// CutAnswers ends the answers to the next so many batches after so many bytes, although every line was carried out.
func (p *PIM) CutAnswers(batches, after int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults.cut, p.faults.cutAfter = batches, after
}

// patchEntities changes up to a hundred products or models, one a line.
func (p *PIM) patchEntities(k kind) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if refused := p.authorize(r); refused != nil {
			refused.write(w)
			return
		}
		if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != collection {
			(&refusal{status: http.StatusUnsupportedMediaType,
				Message: fmt.Sprintf(`%q in "Content-Type" header is not valid. Only %q is allowed.`, kind, collection)}).write(w)
			return
		}
		body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
		if err != nil {
			return // the sender is gone
		}
		lines := bytes.Split(body, []byte("\n"))
		if len(lines) > maxLines {
			(&refusal{status: http.StatusRequestEntityTooLarge, Message: "Too many resources to process, 100 is the maximum allowed."}).write(w)
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		var answer bytes.Buffer
		for i, line := range lines {
			if i > 0 {
				answer.WriteByte('\n')
			}
			text, err := json.Marshal(p.patchLine(k, i+1, line))
			if err != nil {
				panic(err) // cannot happen: texts and numbers
			}
			answer.Write(text)
		}
		w.Header().Set("Content-Type", collection)
		out := answer.Bytes()
		if p.faults.cut > 0 {
			p.faults.cut--
			out = out[:min(p.faults.cutAfter, len(out))]
		}
		_, _ = w.Write(out) // the caller is gone
	}
}

// patchLine is the answer to one line of a batch. Products name a refusal's number code, models status_code: both are in
// use.
func (p *PIM) patchLine(k kind, number int, line []byte) map[string]any {
	answer := map[string]any{"line": number}
	key, name := "uuid", "Uuid"
	if k.path == models.path {
		key, name = "code", "Code"
	}
	refuse := func(refused *refusal, early bool) map[string]any {
		body := refused.body()
		delete(body, "code")
		maps.Copy(answer, body)
		if early || k.path == models.path {
			answer["status_code"] = refused.status
		} else {
			answer["code"] = refused.status
		}
		return answer
	}
	if len(line) > maxLine {
		return refuse(&refusal{status: http.StatusRequestEntityTooLarge, Message: "Line is too long."}, true)
	}
	var change map[string]json.RawMessage
	if json.Unmarshal(line, &change) != nil {
		return refuse(&refusal{status: http.StatusBadRequest, Message: "Invalid json message received"}, true)
	}
	var id string
	if json.Unmarshal(change[key], &id) != nil || strings.TrimSpace(id) == "" {
		return refuse(&refusal{status: http.StatusUnprocessableEntity, Message: name + " is missing."}, true)
	}
	answer[key] = id
	if key == "uuid" && !uuidForm.MatchString(id) {
		return refuse(&refusal{status: http.StatusUnprocessableEntity, Message: "This is not a valid UUID."}, false)
	}
	delete(change, key)
	status, refused := p.change(k, id, change, true)
	if refused != nil {
		return refuse(refused, false)
	}
	answer["status_code"] = status
	return answer
}

var uuidForm = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// patchEntity changes one product or model.
func (p *PIM) patchEntity(k kind) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if refused := p.authorize(r); refused != nil {
			refused.write(w)
			return
		}
		if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
			(&refusal{status: http.StatusUnsupportedMediaType, Message: "The content type is not supported."}).write(w)
			return
		}
		var change map[string]json.RawMessage
		if json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&change) != nil {
			(&refusal{status: http.StatusBadRequest, Message: "Invalid json message received"}).write(w)
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		id := r.PathValue("id")
		delete(change, "uuid")
		delete(change, "code")
		status, refused := p.change(k, id, change, false)
		if refused != nil {
			refused.write(w)
			return
		}
		location := p.link(r.URL.EscapedPath())
		if p.faults.rights[id] == Edit {
			location += "/draft"
		}
		w.Header().Set("Location", location)
		w.WriteHeader(status)
	}
}

// change applies a change to an entity, or to none of it: 204, or 201 for one that was not there.
func (p *PIM) change(k kind, id string, change map[string]json.RawMessage, batch bool) (int, *refusal) {
	s := p.catalogue
	e := k.all(s)[id]
	status := http.StatusNoContent
	switch {
	case p.faults.hidden[id]:
		return 0, &refusal{status: http.StatusNotFound, Message: fmt.Sprintf("Product %q does not exist or you do not have permission to access it.", id)}
	case e == nil && k.path == models.path:
		return 0, &refusal{status: http.StatusUnprocessableEntity, Message: "Validation failed.",
			Errors: []violation{{Property: "family_variant", Message: "This value should not be blank."}}}
	case e == nil:
		enabled := true
		e, status = &Entity{UUID: id, Enabled: &enabled, Values: map[string][]Value{}, Created: p.now().UTC()}, http.StatusCreated
	case p.faults.rights[id] == View:
		return 0, &refusal{status: http.StatusForbidden, Message: fmt.Sprintf("Product %q cannot be updated. You only have a view right on this product.", id)}
	}
	w := writing{pim: p, state: s, batch: batch, before: e, after: e.clone()}
	for _, field := range slices.Sorted(maps.Keys(change)) {
		if refused := w.field(k, field, change[field]); refused != nil {
			return 0, refused
		}
	}
	if len(w.violations) > 0 {
		return 0, &refusal{status: http.StatusUnprocessableEntity, Message: "Validation failed.", Errors: w.violations}
	}
	switch {
	case p.faults.rights[id] == Edit && status == http.StatusNoContent:
		if w.fields {
			return 0, &refusal{status: http.StatusForbidden, Message: `You cannot update the following fields "categories". You should at least own this product to do it.`}
		}
		if !e.equal(w.after) {
			p.faults.drafts[id] = true
		}
		return status, nil // the product stays as it is
	case status == http.StatusCreated || !e.equal(w.after):
		w.after.Updated = p.now().UTC()
	}
	k.all(s)[id] = w.after
	if status == http.StatusCreated {
		clear(s.sorted)
	}
	return status, nil
}

// clone is a copy that can be changed.
func (e *Entity) clone() *Entity {
	c := *e
	c.Values = maps.Clone(e.Values)
	if c.Values == nil {
		c.Values = map[string][]Value{}
	}
	c.Categories, c.Groups = slices.Clone(e.Categories), slices.Clone(e.Groups)
	return &c
}

func (e *Entity) equal(other *Entity) bool {
	a, errA := json.Marshal(e)
	b, errB := json.Marshal(other)
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

// writing is one change under way.
type writing struct {
	pim           *PIM
	state         *state
	batch         bool
	before, after *Entity
	fields        bool // something else than values changes
	violations    []violation
}

// field applies one top-level key.
func (w *writing) field(k kind, name string, data json.RawMessage) *refusal {
	product := k.path == products.path
	switch {
	case name == "values":
		return w.values(data)
	case name == "enabled" && product:
		var enabled *bool
		if json.Unmarshal(data, &enabled) != nil || enabled == nil {
			return documented(`Property "enabled" expects a boolean as data, "NULL" given.`)
		}
		w.fields = w.fields || w.after.Enabled == nil || *w.after.Enabled != *enabled
		w.after.Enabled = enabled
	case name == "family" && product:
		var family *string
		if json.Unmarshal(data, &family) != nil {
			return documented(`Property "family" expects a string as data.`)
		}
		if family != nil {
			if _, known := w.state.families[*family]; !known {
				return documented(fmt.Sprintf(`Property "family" expects a valid family code. The family does not exist, %q given.`, *family))
			}
		}
		w.after.Family, w.fields = family, true
	case name == "categories" || (w.batch && (name == "add_categories" || name == "remove_categories")):
		return w.categories(name, data)
	case name == "groups" && product:
		var groups []string
		if json.Unmarshal(data, &groups) != nil {
			return documented(`Property "groups" expects an array as data.`)
		}
		w.fields = w.fields || !slices.Equal(w.after.Groups, groups)
		w.after.Groups = groups
	case name == "associations":
		w.after.Associations = data
	case name == "quantified_associations":
		w.after.Quantified = data
	case slices.Contains([]string{"created", "updated", "metadata", "quality_scores", "completenesses", "root_parent", "parent", "family_variant"}, name):
	default:
		return documented(fmt.Sprintf("Property %q does not exist.", name))
	}
	return nil
}

func documented(message string) *refusal {
	return &refusal{status: http.StatusUnprocessableEntity, Message: message, documented: true}
}

// categories replaces, adds or removes categories of the entity's own level.
func (w *writing) categories(name string, data json.RawMessage) *refusal {
	var codes []string
	if json.Unmarshal(data, &codes) != nil {
		return documented(`Property "categories" expects an array as data.`)
	}
	for _, code := range codes {
		if _, known := w.state.categories[code]; !known {
			return documented(fmt.Sprintf(`Property "categories" expects a valid category code. The category does not exist, %q given.`, code))
		}
	}
	before := slices.Clone(w.after.Categories)
	switch name {
	case "categories":
		w.after.Categories = codes
	case "add_categories":
		w.after.Categories = append(w.after.Categories, codes...)
	case "remove_categories":
		w.after.Categories = slices.DeleteFunc(w.after.Categories, func(code string) bool { return slices.Contains(codes, code) })
	}
	slices.Sort(w.after.Categories)
	w.after.Categories = slices.Compact(w.after.Categories)
	slices.Sort(before)
	w.fields = w.fields || !slices.Equal(before, w.after.Categories)
	return nil
}
