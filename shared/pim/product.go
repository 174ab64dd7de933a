package pim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// Types of what a Product is, as the first wave's items name them.
const (
	TypeProduct = "product"
	TypeModel   = "product_model"
)

// Product is a product or a product model as the PIM's REST API shows it.
type Product struct {
	Type          string   // TypeProduct or TypeModel
	ID            string   // UUID, or the model's code
	Identifier    string   // top-level identifier of older PIMs; newer ones have it among the values
	Family        string   // "" if it has none
	FamilyVariant string   // of a model
	Parent        string   // code of its model; "" if it has none
	Enabled       bool     // a model is always enabled
	Categories    []string // inherited ones included
	Groups        []string
	Values        Values
	Complete      []Completeness // of a product, if asked for
	Workflows     []WorkflowRun  // if asked for
	Updated       time.Time
	Workflow      string          // what the connection's user may do with it, see Draft; "" from PIMs without permissions
	Raw           json.RawMessage // the PIM's own representation, without its links
}

// Completeness is the share, of the attributes that a product's family requires in a channel and locale, that have a value.
type Completeness struct {
	Channel string `json:"scope"`
	Locale  string `json:"locale"`
	Percent int    `json:"data"` // 0 to 100
}

// WorkflowRun is a workflow's execution on a product or model (Akeneo: "Get a product", with_workflow_execution_statuses).
type WorkflowRun struct {
	Status   string    `json:"status"` // in_progress or completed
	Started  time.Time `json:"started_at"`
	Workflow struct {
		UUID string `json:"uuid"`
	} `json:"workflow"`
}

// Draft says that the connection's user has changes of the product that somebody has yet to approve (Akeneo: "Drafts and
// proposals").
func (p Product) Draft() bool {
	return p.Workflow == "draft_in_progress" || p.Workflow == "proposal_waiting_for_approval"
}

// Values are a product's values by attribute code. A variant's include those that it inherits.
type Values map[string][]Value

// Value of an attribute. Locale and Scope are "" where it holds for all.
type Value struct {
	Locale        string          `json:"locale"`
	Scope         string          `json:"scope"`
	Data          json.RawMessage `json:"data"`
	AttributeType string          `json:"attribute_type"` // "" from older PIMs
	LinkedData    json.RawMessage `json:"linked_data"`    // labels of options, if asked for
}

// UnmarshalJSON accepts [] for no values, as PHP writes an empty map.
func (v *Values) UnmarshalJSON(text []byte) error {
	return decodeMap(text, (*map[string][]Value)(v))
}

// decodeProduct reads one product (kind TypeProduct) or model.
func decodeProduct(kind string, text json.RawMessage) (Product, error) {
	var wire struct {
		UUID          string          `json:"uuid"`
		Code          string          `json:"code"`
		Identifier    string          `json:"identifier"`
		Family        string          `json:"family"`
		FamilyVariant string          `json:"family_variant"`
		Parent        string          `json:"parent"`
		Enabled       *bool           `json:"enabled"`
		Categories    []string        `json:"categories"`
		Groups        []string        `json:"groups"`
		Values        Values          `json:"values"`
		Updated       time.Time       `json:"updated"`
		Metadata      json.RawMessage `json:"metadata"` // [] from some PIMs
		Complete      []Completeness  `json:"completenesses"`
		Workflows     []WorkflowRun   `json:"workflow_execution_statuses"`
	}
	if err := json.Unmarshal(text, &wire); err != nil {
		return Product{}, err
	}
	p := Product{
		Type: kind, ID: wire.UUID, Identifier: wire.Identifier, Family: wire.Family, FamilyVariant: wire.FamilyVariant, Parent: wire.Parent,
		Enabled: wire.Enabled == nil || *wire.Enabled, Categories: wire.Categories, Groups: wire.Groups, Values: wire.Values, Complete: wire.Complete, Workflows: wire.Workflows, Updated: wire.Updated,
	}
	var metadata struct {
		Workflow string `json:"workflow_status"`
	}
	if json.Unmarshal(wire.Metadata, &metadata) == nil {
		p.Workflow = metadata.Workflow
	}
	if kind == TypeModel {
		p.ID, p.Identifier = wire.Code, wire.Code
	}
	if p.ID == "" {
		return Product{}, fmt.Errorf("%s without a key", kind)
	}
	var err error
	p.Raw, err = withoutLinks(text)
	return p, err
}

// withoutLinks leaves out the PIM's links to itself: they name its host.
func withoutLinks(text json.RawMessage) (json.RawMessage, error) {
	if !bytes.Contains(text, []byte(`"_links"`)) {
		return text, nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, err
	}
	delete(fields, "_links")
	return json.Marshal(fields)
}

// decodeMap reads an object, or [] where PHP had nothing to write into one.
func decodeMap[V any](text []byte, into *map[string]V) error {
	if trimmed := bytes.TrimSpace(text); len(trimmed) >= 2 && trimmed[0] == '[' {
		var list []json.RawMessage
		if err := json.Unmarshal(trimmed, &list); err != nil || len(list) > 0 {
			return fmt.Errorf("a list where an object belongs")
		}
		*into = nil
		return nil
	}
	return json.Unmarshal(text, into)
}

// decode reads JSON.
func decode(text []byte, into any) error { return json.Unmarshal(text, into) }
