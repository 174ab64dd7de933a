package pimtest

import (
	"encoding/json"
	"maps"
)

// What happens in a PIM without a call of ours.

// Set gives a product or model a value of an attribute that is neither localizable nor scopable, as a user does who edits it.
func (p *PIM) Set(id, attribute, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, all := range []map[string]*Entity{p.catalogue.products, p.catalogue.models} {
		if e := all[id]; e != nil {
			data, _ := json.Marshal(text)
			e.Values = maps.Clone(e.Values)
			if e.Values == nil {
				e.Values = map[string][]Value{}
			}
			e.Values[attribute], e.Updated = []Value{{Data: data}}, p.now()
		}
	}
}

// Add adds a product, or a model, that was not there.
func (p *PIM) Add(e *Entity) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e.Created, e.Updated = p.now(), p.now()
	if e.UUID != "" {
		p.catalogue.products[e.UUID] = e
	} else {
		p.catalogue.models[e.Code] = e
	}
}

// stale is an entity as it was, for lists that do not know better yet.
type stale struct {
	was   Entity
	lists int
}

// Stale lets the next so many lists show a product or model as it is now, whatever changes.
func (p *PIM) Stale(id string, lists int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, all := range []map[string]*Entity{p.catalogue.products, p.catalogue.models} {
		if e := all[id]; e != nil {
			p.faults.stale[id] = &stale{*e, lists}
		}
	}
}

// listed is an entity as a list shows it.
func (p *PIM) listed(e *Entity) *Entity {
	if s := p.faults.stale[e.id()]; s != nil && s.lists > 0 {
		s.lists--
		return &s.was
	}
	return e
}

// Text is the value of an attribute as text; "" where there is none, or no such product or model.
func (p *PIM) Text(id, attribute string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, all := range []map[string]*Entity{p.catalogue.products, p.catalogue.models} {
		if e := all[id]; e != nil && len(e.Values[attribute]) > 0 {
			var text string
			_ = json.Unmarshal(e.Values[attribute][0].Data, &text) // another than a text is none
			return text
		}
	}
	return ""
}
