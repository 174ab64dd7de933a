package iframe

import (
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/pim-functions/pim-functions/shared/body"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

const (
	maxItems = 500 // what the PIM lets a user select in its grid; more are refused
	maxName  = 255 // bytes of a locale's or channel's code; a longer one is refused
)

// wish is what the page sends to start a job or to repeat what failed of one.
type wish struct {
	request  string // a UUID made per press, in lower case: sent again, it finds the same job
	action   string
	language string // of the user
	around   surroundings
	find     string      // the selection of extensions.yaml that the page offers, where nothing is selected; "": what is selected
	selected []jobs.Item // as they were sent
}

// surroundings are what the page knows of the PIM's.
type surroundings struct {
	Locale  string `json:"locale,omitempty"`
	Channel string `json:"channel,omitempty"`
}

// selections are the lists of a wish's data by the type of their items.
var selections = map[string]string{"productUuids": jobs.Product, "productModelCodes": jobs.ProductModel, "categoryCodes": jobs.Category}

// parse reads a wish strictly: what we do not know we would not do.
func parse(sent []byte) (w wish, err error) {
	err = body.Object(sent, func(r *body.Reader, name string) error {
		read := func(into *string) (err error) {
			*into, err = r.Text(name)
			return err
		}
		switch name {
		case "request":
			return read(&w.request)
		case "action":
			return read(&w.action)
		case "language":
			return read(&w.language)
		case "select":
			return read(&w.find)
		case "context":
			return r.Object(name, func(field string) (err error) {
				switch field {
				case "locale":
					w.around.Locale, err = r.Text("context.locale")
				case "channel":
					w.around.Channel, err = r.Text("context.channel")
				default:
					err = unknown()
				}
				return err
			})
		case "data":
			return r.Object(name, func(field string) error {
				kind, known := selections[field]
				if !known {
					return unknown()
				}
				return r.List("data."+field, func() error {
					id, err := r.Text("data." + field)
					w.selected = append(w.selected, jobs.Item{Type: kind, ID: id})
					return err
				})
			})
		}
		return unknown()
	})
	w.request = strings.ToLower(w.request)
	switch {
	case err != nil:
		return wish{}, err
	case !jobs.IsUUID(w.request):
		return wish{}, body.Malformed("request_invalid", "request must be a UUID.")
	}
	for _, code := range []string{w.around.Locale, w.around.Channel, w.language} {
		if len(code) > maxName || strings.ContainsFunc(code, unicode.IsControl) {
			return wish{}, body.Malformed("context_invalid", "context holds what is no code.")
		}
	}
	return w, nil
}

func unknown() error {
	return body.Malformed("body_shape", "The body holds a field that this address does not take.")
}

// items checks a selection and leaves out duplicates. Products come first, then models, then categories.
func (w wish) items() ([]jobs.Item, error) {
	order := []string{jobs.Product, jobs.ProductModel, jobs.Category}
	slices.SortStableFunc(w.selected, func(a, b jobs.Item) int { return slices.Index(order, a.Type) - slices.Index(order, b.Type) })
	selection := jobs.NewSelection(len(w.selected))
	for _, item := range w.selected {
		if !selection.Add(item.Type, item.ID) {
			return nil, body.Malformed("item_invalid", "The selection holds what is no "+strings.ReplaceAll(item.Type, "_", " ")+".")
		}
	}
	switch n := len(selection.Items); {
	case n == 0:
		return nil, body.Malformed("selection_empty", "Nothing is selected.")
	case n > maxItems:
		return nil, body.Malformed("too_many_items", "At most 500 items can be sent at once.")
	}
	return selection.Items, nil
}

// label is how users of a PIM know an action: by its button there, if it has one.
func (h *Handler) label(pim, action, locale string) string {
	if text := labels(h.config.Config, pim, action).In(locale); text != "" {
		return text
	}
	return action
}

// labels are an action's names by locale.
func labels(c *config.Config, pim, action string) config.Text {
	for _, name := range slices.Sorted(maps.Keys(c.Extensions)) {
		if e := c.Extensions[name]; e.Type == "action" && e.Action == action && e.PIM == pim {
			return e.Label
		}
	}
	return config.Text{"default": action}
}
