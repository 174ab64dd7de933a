package template

import (
	"errors"

	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/urlwriter"
)

// URL is a template for an address. Values may stand in path and query, where they are escaped as one segment of the
// path or one part of the query; scheme and host come from the configuration alone. A segment that a value leaves empty,
// or makes . or .. of, fails the batch: such an address is another resource.
type URL struct{ template *Template }

// ParseURL reads a URL. Its error is a Mistakes.
func (s Scope) ParseURL(text string) (*URL, error) {
	parsed, mistakes := s.parse(text)
	if len(mistakes) > 0 {
		return nil, mistakes
	}
	var w addressWriter
	if err := parsed.write(&w, s.madeUp(), w.value); errors.Is(err, urlwriter.ErrHost) {
		return nil, Mistakes{urlwriter.ErrHost.Error()}
	}
	return &URL{parsed}, nil
}

// Execute makes the address of a run.
func (u *URL) Execute(run engine.Run) (string, error) {
	data, _, err := u.template.scope.data(run)
	if err != nil {
		return "", err
	}
	var w addressWriter
	if err := u.template.write(&w, data, w.value); err != nil {
		return "", err
	}
	if of, ok := data.(ItemData); ok && of.Product.asked != nil && *of.Product.asked {
		return "", engine.Permanent("the product is deleted, and its address needs what only the PIM knew: nothing was sent; an address can name .Item.ID, and .Event.Identifier where the subscription asks for identifiers", nil)
	}
	if !w.Whole() {
		return "", engine.Permanent("a value leaves a part of the address empty, or would change where it leads: nothing was sent", nil)
	}
	return w.String(), nil
}

// addressWriter writes a template's values by their place.
type addressWriter struct{ urlwriter.Writer }

func (w *addressWriter) value(v any) (string, error) { return w.Escape(plain(v)) }
