package jobs

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Item types.
const (
	Product      = "product"       // ID is the productUuid, in lower case
	ProductModel = "product_model" // ID is the code
	Category     = "category"      // ID is the code
	Entry        = "entry"         // a Contentful entry
)

// MaxCode is the longest ID of an item in bytes; a longer one is no ID (Akeneo: codes have at most 255 characters).
const MaxCode = 255

// Item is one thing to work on.
type Item struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

// NewItem returns the item that a sender names, and whether it can be one: a product by a UUID of whatever version
// (RFC 9562), in lower case, so that one product is one item however it is written; a Contentful entry by its ID
// (Contentful: "Content Management API", "Common resource attributes"); a product model or category by a code of 1 to
// MaxCode bytes of UTF-8 without control characters.
func NewItem(kind, id string) (item Item, ok bool) {
	switch kind {
	case Product:
		return Item{kind, strings.ToLower(id)}, IsUUID(id)
	case Entry:
		return Item{kind, id}, id != "" && len(id) <= maxEntry && strings.Trim(id, entryLetters) == ""
	case ProductModel, Category:
		return Item{kind, id}, id != "" && len(id) <= MaxCode && utf8.ValidString(id) && !strings.ContainsFunc(id, unicode.IsControl)
	}
	return Item{}, false
}

const (
	maxEntry     = 64
	entryLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
)

// IsUUID says whether text has the form of a UUID (RFC 9562), of whatever version and in either case.
func IsUUID(text string) bool {
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

// Selection collects a job's items in their order, each once.
type Selection struct {
	Items []Item
	seen  map[Item]bool
}

// NewSelection returns a selection with room for n items; more may come.
func NewSelection(n int) *Selection {
	n = min(n, MaxItems)
	return &Selection{make([]Item, 0, n), make(map[Item]bool, n)}
}

// Add puts in the item that a sender names, if it is not there yet; false if it can be none.
func (s *Selection) Add(kind, id string) bool {
	item, ok := NewItem(kind, id)
	if !ok {
		return false
	}
	if !s.seen[item] {
		s.seen[item] = true
		s.Items = append(s.Items, item)
	}
	return true
}
