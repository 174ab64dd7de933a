package export

import (
	"context"
	"errors"
	"slices"

	"github.com/pim-functions/pim-functions/shared/actions/export/table"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/pim"
)

// structure is the table's form and what holds for every batch of it.
func (a *action) structure(ctx context.Context, client *pim.Client, run engine.Run, kind string) (table.Form, table.Structure, error) {
	form, s := a.form(), table.Structure{}
	form.Models, form.Zone = kind == pim.TypeModel, run.Zone
	var err error
	if s.Main, err = mainIdentifier(ctx, client); err != nil {
		return form, s, err
	}
	if s.Channels, err = client.Channels(ctx); err != nil {
		return form, s, err
	}
	code := a.Channel
	if code == "" {
		code = run.Channel
	}
	at := slices.IndexFunc(s.Channels, func(c pim.Channel) bool { return c.Code == code || code == "" })
	if at < 0 {
		return form, s, engine.Permanent("the PIM has no channel "+code+", or hides it from its connection: set channel in the action", nil)
	}
	s.Channel = s.Channels[at]
	form.Locales = a.Locales
	if form.Locales == nil {
		form.Locales = s.Channel.Locales
	}
	for _, locale := range form.Locales {
		if !slices.Contains(s.Channel.Locales, locale) {
			return form, s, engine.Permanent("the channel "+s.Channel.Code+" has no locale "+locale+": change locales in the action", nil)
		}
	}
	return form, s, nil
}

// forBatch adds to the structure what the rows of one batch need, and reads the products that they name.
func (a *action) forBatch(ctx context.Context, client *pim.Client, form table.Form, s *table.Structure, products []pim.Product) (l table.Linked, err error) {
	codes := set{s.Main: true}
	families := set{}
	for _, p := range products {
		for code := range p.Values {
			codes[code] = true
		}
		families[p.Family] = true
	}
	if s.Attributes, err = client.Attributes(ctx, codes.list()...); err != nil {
		return l, err
	}
	if a.needsUnits(*s) {
		if s.Measurements, err = client.MeasurementFamilies(ctx); err != nil {
			return l, err
		}
	}
	if form.Labels.Values {
		if s.Families, err = client.Families(ctx, families.list()...); err != nil {
			return l, err
		}
		categories := set{}
		for _, p := range products {
			categories.add(p.Categories)
		}
		if s.Categories, err = client.CategoryLabels(ctx, categories.list()...); err != nil {
			return l, err
		}
	}
	if err := a.readLinked(ctx, client, form, s, products, &l); err != nil {
		return l, err
	}
	l.Files, err = mediaNames(ctx, client, form, *s, products)
	return l, err
}

// needsUnits says whether a measurement is converted, or its unit has a label.
func (a *action) needsUnits(s table.Structure) bool {
	for code, attribute := range s.Attributes {
		if attribute.Type == "pim_catalog_metric" && (a.Labels.Values || s.Channel.Units[code] != "") {
			return true
		}
	}
	return false
}

// readLinked reads the products and models that rows name, as far as the batch does not have them: by the PIM's REST API
// products name each other by UUIDs, in a file by identifiers or labels.
func (a *action) readLinked(ctx context.Context, client *pim.Client, form table.Form, s *table.Structure, products []pim.Product, l *table.Linked) error {
	uuids, models := set{}, set{}
	for _, p := range products {
		linked, above := form.LinkedProducts(p)
		uuids.add(linked)
		if form.Labels.Values {
			models.add(above)
		}
	}
	known := map[string]pim.Product{}
	for _, p := range products {
		if attributes := a.attributes; attributes == nil || !form.Labels.Values {
			known[p.ID] = p
		}
	}
	read := pim.Read{Attributes: []string{s.Main}}
	if form.Labels.Values || s.Main == identifierColumn {
		read.Attributes = nil
	}
	for kind, ids := range map[string]set{pim.TypeProduct: uuids, pim.TypeModel: models} {
		var missing []string
		for _, id := range ids.list() {
			if p, there := known[id]; !there || p.Type != kind {
				missing = append(missing, id)
			}
		}
		found, err := client.List(ctx, kind, missing, read)
		if err != nil {
			return err
		}
		for id, p := range found {
			known[id] = p
		}
	}
	if form.Labels.Values {
		families := set{}
		for _, p := range known {
			if _, there := s.Families[p.Family]; !there {
				families[p.Family] = true
			}
		}
		more, err := client.Families(ctx, families.list()...)
		if err != nil {
			return err
		}
		for code, family := range more {
			s.Families[code] = family
		}
	}
	l.Identifiers, l.Products, l.Models = map[string]string{}, map[string]string{}, map[string]string{}
	for id, p := range known {
		if p.Type == pim.TypeProduct {
			l.Identifiers[id] = pim.NewView(p, s.Main, "", "").Identifier()
		}
		if form.Labels.Values {
			if p.Type == pim.TypeProduct {
				l.Products[id] = form.LabelOf(*s, p)
			} else {
				l.Models[id] = form.LabelOf(*s, p)
			}
		}
	}
	return nil
}

// mediaNames are the names of the files in values. A name that the file's key does not tell for sure is asked for.
func mediaNames(ctx context.Context, client *pim.Client, form table.Form, s table.Structure, products []pim.Product) (map[string]string, error) {
	names := map[string]string{}
	for _, p := range products {
		for _, key := range form.MediaKeys(s, p) {
			if _, there := names[key]; there {
				continue
			}
			name, sure := table.NameInKey(key)
			if !sure {
				var err error
				name, err = client.MediaName(ctx, key)
				if failed, ok := errors.AsType[*pim.Error](err); ok && failed.NotFound() {
					continue // as in the PIM's own export, the cell holds the key
				}
				if err != nil {
					return nil, err
				}
			}
			names[key] = name
		}
	}
	return names, nil
}

// set is a set of codes; "" is in none.
type set map[string]bool

func (s set) add(codes []string) {
	for _, code := range codes {
		s[code] = true
	}
}

func (s set) list() []string {
	list := make([]string, 0, len(s))
	for code := range s {
		if code != "" {
			list = append(list, code)
		}
	}
	slices.Sort(list)
	return list
}
