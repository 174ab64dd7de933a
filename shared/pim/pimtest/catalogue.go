package pimtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

// Catalogue is all that a PIM holds, in the shapes of its REST API. A file for `pimctl dev --catalogue FILE` has the same
// shape.
type Catalogue struct {
	Channels            []Channel         `json:"channels"`
	Locales             []json.RawMessage `json:"locales"`
	Currencies          []json.RawMessage `json:"currencies"`
	Attributes          []Attribute       `json:"attributes"`
	AttributeOptions    []Option          `json:"attribute_options"`
	Families            []Family          `json:"families"`
	FamilyVariants      []FamilyVariant   `json:"family_variants"`
	AssociationTypes    []json.RawMessage `json:"association_types"`
	Categories          []Category        `json:"categories"`
	Groups              []json.RawMessage `json:"groups"`
	MeasurementFamilies []json.RawMessage `json:"measurement_families"`
	Products            []*Entity         `json:"products"`
	ProductModels       []*Entity         `json:"product_models"`
	MediaFiles          MediaFiles        `json:"media_files"`
	JobProfiles         []Profile         `json:"job_profiles"`
	Workflows           []Workflow        `json:"workflows"`
}

// MediaFiles are original file names by code.
type MediaFiles map[string]string

// UnmarshalJSON takes names, or what the REST API says of a media file: an object that holds the name.
func (m *MediaFiles) UnmarshalJSON(text []byte) error {
	var files map[string]json.RawMessage
	if err := json.Unmarshal(text, &files); err != nil {
		return err
	}
	*m = make(MediaFiles, len(files))
	for code, file := range files {
		said := struct {
			Name string `json:"original_filename"`
		}{}
		if json.Unmarshal(file, &said.Name) != nil {
			if err := json.Unmarshal(file, &said); err != nil {
				return err
			}
		}
		(*m)[code] = said.Name
	}
	return nil
}

// Channel is what the PIM publishes for.
type Channel struct {
	Code            string            `json:"code"`
	Labels          map[string]string `json:"labels"`
	Locales         []string          `json:"locales"`
	Currencies      []string          `json:"currencies"`
	CategoryTree    string            `json:"category_tree"`
	ConversionUnits json.RawMessage   `json:"conversion_units,omitempty"`
}

// Attribute of the catalogue. What else its JSON holds is kept.
type Attribute struct {
	Code        string `json:"code"`
	Type        string `json:"type"`
	Localizable bool   `json:"localizable"`
	Scopable    bool   `json:"scopable"`
	Main        bool   `json:"is_main_identifier"`

	raw json.RawMessage
}

// UnmarshalJSON keeps the whole text.
func (a *Attribute) UnmarshalJSON(text []byte) error {
	type plain Attribute
	if err := json.Unmarshal(text, (*plain)(a)); err != nil {
		return err
	}
	a.raw = bytes.Clone(text)
	return nil
}

// MarshalJSON writes the attribute as it was read.
func (a Attribute) MarshalJSON() ([]byte, error) {
	if a.raw != nil {
		return a.raw, nil
	}
	type plain Attribute
	return json.Marshal(plain(a))
}

// Option of a select.
type Option struct {
	Code      string             `json:"code"`
	Attribute string             `json:"attribute"`
	SortOrder int                `json:"sort_order"`
	Labels    map[string]*string `json:"labels"`
}

// Family says which attributes its products have.
type Family struct {
	Code         string              `json:"code"`
	Attributes   []string            `json:"attributes"`
	Label        string              `json:"attribute_as_label"`
	Image        *string             `json:"attribute_as_image"`
	Requirements map[string][]string `json:"attribute_requirements"` // by channel
	Labels       map[string]string   `json:"labels"`
}

// FamilyVariant says which level of a model owns an attribute.
type FamilyVariant struct {
	Code   string            `json:"code"`
	Family string            `json:"family"`
	Labels map[string]string `json:"labels"`
	Sets   []VariantSet      `json:"variant_attribute_sets"`
}

// VariantSet is a level below the root model.
type VariantSet struct {
	Level      int      `json:"level"`
	Axes       []string `json:"axes"`
	Attributes []string `json:"attributes"`
}

// Category of a tree; a root has no parent.
type Category struct {
	Code   string            `json:"code"`
	Parent *string           `json:"parent"`
	Labels map[string]string `json:"labels"`
}

// Entity is a product (by UUID) or a product model (by code). Its values are those of its own level.
type Entity struct {
	UUID          string             `json:"uuid,omitempty"`
	Code          string             `json:"code,omitempty"`
	Enabled       *bool              `json:"enabled,omitempty"`
	Family        *string            `json:"family"`
	FamilyVariant string             `json:"family_variant,omitempty"`
	Parent        *string            `json:"parent"`
	Categories    []string           `json:"categories"`
	Groups        []string           `json:"groups,omitempty"`
	Values        map[string][]Value `json:"values"`
	Associations  json.RawMessage    `json:"associations,omitempty"`
	Quantified    json.RawMessage    `json:"quantified_associations,omitempty"`
	Created       time.Time          `json:"created"`
	Updated       time.Time          `json:"updated"`
}

// UnmarshalJSON accepts [] for no values, as PHP writes an empty map.
func (e *Entity) UnmarshalJSON(text []byte) error {
	type plain Entity
	wire := struct {
		*plain
		Values json.RawMessage `json:"values"`
	}{plain: (*plain)(e)}
	if err := json.Unmarshal(text, &wire); err != nil {
		return err
	}
	e.Values = map[string][]Value{}
	if values := bytes.TrimSpace(wire.Values); len(values) == 0 || string(values) == "[]" {
		return nil
	}
	return json.Unmarshal(wire.Values, &e.Values)
}

// Value of an attribute; a nil locale or scope holds for all.
type Value struct {
	Locale *string         `json:"locale"`
	Scope  *string         `json:"scope"`
	Data   json.RawMessage `json:"data"`
}

// id is the key of an entity.
func (e *Entity) id() string {
	if e.UUID != "" {
		return e.UUID
	}
	return e.Code
}

// Read reads a catalogue from a file's text. Keys that it does not know are left out.
func Read(file io.Reader) (*Catalogue, error) {
	var c Catalogue
	if err := json.NewDecoder(file).Decode(&c); err != nil {
		return nil, fmt.Errorf("read catalogue: %w", err)
	}
	if len(c.Channels) == 0 || len(c.Attributes) == 0 {
		return nil, errors.New("read catalogue: it needs channels and attributes")
	}
	for i, e := range c.Products {
		if e == nil || e.UUID == "" {
			return nil, fmt.Errorf("read catalogue: product %d has no uuid", i+1)
		}
	}
	for i, e := range c.ProductModels {
		if e == nil || e.Code == "" {
			return nil, fmt.Errorf("read catalogue: product model %d has no code", i+1)
		}
		if variant := slices.IndexFunc(c.FamilyVariants, func(v FamilyVariant) bool { return v.Code == e.FamilyVariant }); e.Family == nil && variant >= 0 {
			e.Family = &c.FamilyVariants[variant].Family // the REST API says it of each model
		}
	}
	return &c, nil
}

// state is a catalogue, indexed. The PIM's lock guards it.
type state struct {
	*Catalogue
	products, models map[string]*Entity
	attributes       map[string]Attribute
	options          map[string]map[string]Option // by attribute and code
	families         map[string]Family
	variants         map[string]FamilyVariant // by code
	categories       map[string]Category
	main             string              // code of the main identifier's attribute
	sorted           map[string][]string // keys of the entities, by kind; Delete forgets them
}

func newState(c *Catalogue) *state {
	s := &state{
		Catalogue: c, products: map[string]*Entity{}, models: map[string]*Entity{}, attributes: map[string]Attribute{}, options: map[string]map[string]Option{},
		families: map[string]Family{}, variants: map[string]FamilyVariant{}, categories: map[string]Category{}, sorted: map[string][]string{},
	}
	for _, a := range c.Attributes {
		s.attributes[a.Code] = a
		if a.Main {
			s.main = a.Code
		}
	}
	for _, o := range c.AttributeOptions {
		if s.options[o.Attribute] == nil {
			s.options[o.Attribute] = map[string]Option{}
		}
		s.options[o.Attribute][o.Code] = o
	}
	for _, f := range c.Families {
		s.families[f.Code] = f
	}
	for _, v := range c.FamilyVariants {
		s.variants[v.Code] = v
	}
	for _, category := range c.Categories {
		s.categories[category.Code] = category
	}
	for _, m := range c.ProductModels {
		s.models[m.Code] = m
	}
	for _, p := range c.Products {
		s.products[p.UUID] = p
	}
	for _, e := range slices.Concat(c.Products, c.ProductModels) {
		if owned := s.owned(e); owned != nil { // a file may hold merged values
			maps.DeleteFunc(e.Values, func(code string, _ []Value) bool { return !owned[code] })
		}
	}
	return s
}

// ancestors are the models above an entity, the nearest first.
func (s *state) ancestors(e *Entity) (found []*Entity) {
	for e.Parent != nil && s.models[*e.Parent] != nil && len(found) < 3 {
		e = s.models[*e.Parent]
		found = append(found, e)
	}
	return found
}

// owned are the attributes that an entity's level owns; nil: all (a simple product).
func (s *state) owned(e *Entity) map[string]bool {
	models := s.ancestors(e)
	variant := e.FamilyVariant
	if len(models) > 0 {
		variant = models[len(models)-1].FamilyVariant
	}
	v, known := s.variants[variant]
	if !known {
		return nil
	}
	owned := map[string]bool{}
	level := len(models) // 0: the root model
	if level > 0 {
		if level > len(v.Sets) {
			return nil
		}
		for _, code := range slices.Concat(v.Sets[level-1].Axes, v.Sets[level-1].Attributes) {
			owned[code] = true
		}
		if level == len(v.Sets) {
			owned[s.main] = true
		}
		return owned
	}
	for _, code := range s.families[v.Family].Attributes {
		owned[code] = true
	}
	for _, set := range v.Sets {
		for _, code := range slices.Concat(set.Axes, set.Attributes) {
			delete(owned, code)
		}
	}
	delete(owned, s.main)
	return owned
}
