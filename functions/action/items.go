package action

import (
	"strings"
	"unicode"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

// MaxItems is how many items the PIM lets a user select for an action (Akeneo help, "Action extension").
const MaxItems = 500

// itemFields are the fields of data that hold items, in the order in which these become the job's.
var itemFields = [...]struct {
	camel, snake string
	list         bool
	kind         string
}{
	{"productUuid", "product_uuid", false, jobs.Product},
	{"productUuids", "product_uuids", true, jobs.Product},
	{"productModelCode", "product_model_code", false, jobs.ProductModel},
	{"productModelCodes", "product_model_codes", true, jobs.ProductModel},
}

// found are the IDs of each of itemFields, by the spelling of its name.
type found [len(itemFields)]struct{ camel, snake []string }

// at returns where the IDs of a field of data go, nil if it holds none.
func (f *found) at(name string) (ids *[]string, list bool) {
	for i, field := range itemFields {
		switch name {
		case field.camel:
			return &f[i].camel, field.list
		case field.snake:
			return &f[i].snake, field.list
		}
	}
	return nil, false
}

// items checks what was found and leaves out duplicates.
func (f *found) items() ([]jobs.Item, error) {
	n := 0
	for _, field := range f {
		n += max(len(field.camel), len(field.snake))
	}
	n = min(n, MaxItems+1)
	items, seen := make([]jobs.Item, 0, n), make(map[jobs.Item]bool, n)
	for i, field := range itemFields {
		ids := f[i].camel
		if ids == nil {
			ids = f[i].snake
		}
		for _, id := range ids {
			item, ok := newItem(field.kind, id)
			if !ok {
				return nil, malformed("item_invalid", "data."+field.camel+" holds what is no "+strings.ReplaceAll(field.kind, "_", " ")+".")
			}
			if !seen[item] {
				seen[item] = true
				items = append(items, item)
			}
		}
	}
	return items, nil
}

// newItem checks an ID. UUIDs become lower case, so that one product is one item however it is written.
func newItem(kind, id string) (jobs.Item, bool) {
	if kind == jobs.Product {
		return jobs.Item{Type: kind, ID: strings.ToLower(id)}, isUUID(id)
	}
	return jobs.Item{Type: kind, ID: id}, id != "" && len(id) <= jobs.MaxCode && !strings.ContainsFunc(id, unicode.IsControl)
}

// isUUID says whether text has the form of a UUID (RFC 9562), of whatever version.
func isUUID(text string) bool {
	if len(text) != 36 {
		return false
	}
	for i := range len(text) {
		c := text[i]
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
				return false
			}
		}
	}
	return true
}
