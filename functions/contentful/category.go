package contentful

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/pim-functions/pim-functions/shared/body"
)

// category is what kind of parameters an App Action takes. Versions are semantic: a later v1.n may add parameters, and
// what is read here stays; v2 may mean something else.
type category struct {
	name  string // Notification, Entries, Custom
	major string // of the version; "" without one
}

// categories are those that Parse reads (Contentful: "App Actions").
var (
	notification = category{"Notification", "1"}
	entries      = category{"Entries", "1"}
	custom       = category{name: "Custom"}
)

var versioned = regexp.MustCompile(`^([A-Za-z]+)\.v([0-9]+)(?:\.[0-9]+)*$`)

// parseCategory reads Notification.v1.0, and Notifications.v1.0 as Contentful's toolkit spells it.
func parseCategory(text string) category {
	parsed := category{name: text}
	if match := versioned.FindStringSubmatch(text); match != nil {
		parsed = category{match[1], match[2]}
	}
	if parsed.name == "Notifications" {
		parsed.name = notification.name
	}
	return parsed
}

// match checks that a request which names its category (they usually do not) means the one that is declared.
func match(declared string, named string) error {
	if parseCategory(named) == parseCategory(declared) {
		return nil
	}
	return body.Malformed("category_mismatch", fmt.Sprintf("This is an action of category %s, not %s.", declared, quote(named)))
}

// quote makes a text of the sender's fit for a message.
func quote(text string) string {
	const most = 60
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return fmt.Sprintf("%q", text)
}
