package template

import (
	"context"
	"errors"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim"
)

// Product is what a template sees of a product, or of a product model: a pim.View whose numbers count and compare. Of a
// deleted one only what its item and its event tell is there.
type Product struct {
	view       pim.View
	kind, id   string // of the item
	identifier string // as an event tells it
	asked      *bool  // of a deleted one: something was asked for that nobody knows any more; else nil
}

// known is the product for something that only the PIM tells.
func (p Product) known() pim.View {
	if p.asked != nil {
		*p.asked = true
	}
	return p.view
}

func (p Product) Type() string         { return p.kind }
func (p Product) ID() string           { return p.id }
func (p Product) Family() string       { return p.known().Family() }
func (p Product) Parent() string       { return p.known().Parent() }
func (p Product) Enabled() bool        { return p.known().Enabled() }
func (p Product) Categories() []string { return p.known().Categories() }
func (p Product) Groups() []string     { return p.known().Groups() }

// Identifier is the product's main identifier, or the model's code; "" if it has none, and of a deleted one unless the
// event tells it.
func (p Product) Identifier() string {
	switch {
	case p.view.Identifier() != "":
		return p.view.Identifier()
	case p.kind == jobs.ProductModel:
		return p.id
	case p.identifier == "":
		p.known()
	}
	return p.identifier
}

// Value is an attribute's value, of a locale and a channel where place names them.
func (p Product) Value(attribute string, place ...string) (any, error) {
	return usable(p.known().Value(attribute, place...))
}

// Price is an amount of a price collection, as the PIM writes it.
func (p Product) Price(attribute, currency string, place ...string) (any, error) {
	return usable(p.known().Price(attribute, currency, place...))
}

// Metric is the amount of a measurement, in the unit that it is kept in or in the one that is named.
func (p Product) Metric(attribute string, unit ...string) (any, error) {
	return usable(p.known().Metric(attribute, unit...))
}

// Label is the label of a select's option.
func (p Product) Label(attribute string, place ...string) (any, error) {
	return usable(p.known().Label(attribute, place...))
}

// Link is an address of ours for an image or a file; "" if the product has none.
func (p Product) Link(attribute string, place ...string) (string, error) {
	if _, err := p.known().MediaCode(attribute, place...); err != nil {
		_, err = usable(nil, err)
		return "", err
	}
	address, err := p.view.Link(attribute, place...)
	if err != nil {
		return "", &unavailable{err}
	}
	return address, nil
}

// usable is a value with the language's own numbers. An error of a call that the value takes, such as one for the PIM's units,
// means what it means; any other says that the template does not fit the attribute.
func usable(value any, err error) (any, error) {
	var call interface{ Permanent() bool }
	if errors.As(err, &call) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil, &unavailable{err}
	}
	if err != nil {
		return nil, engine.Permanent("the template does not fit the product: "+err.Error(), nil)
	}
	return native(value), nil
}

// unavailable is an error of what a template asked for: it means what its cause means, which may pass.
type unavailable struct{ err error }

func (u *unavailable) Error() string { return u.err.Error() }
func (u *unavailable) Unwrap() error { return u.err }

// attributeMethods are the methods of Product whose first argument is an attribute's code.
var attributeMethods = []string{"Value", "Price", "Metric", "Label", "Link"}
