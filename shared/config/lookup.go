package config

import (
	"errors"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/pim-functions/pim-functions/shared/urlwriter"
)

// Placeholder is what the PIM fills in for the address of a data component: %uuid%, %code% or %sku%.
func (e Extension) Placeholder() string {
	if e.Attribute != "" {
		return "%" + e.Attribute + "%"
	}
	return "%" + e.ID + "%"
}

// Lookup asks a destination for what a data component shows, while the user waits.
type Lookup struct {
	URL   string        // {{.ID}} in it is what the PIM put into our address
	Auth  string        // a name in the lookup secret; "": none is needed
	Cache time.Duration // how long an answer is kept; 0: not at all
}

// ErrLookupID is an id that makes another address than the one that is meant: it is empty, . or ..
var ErrLookupID = errors.New("the id names nothing")

var errLookupTemplate = errors.New("a template other than {{.ID}}")

// Address is where to ask about an id, which is escaped by its place. Its error is ErrLookupID, for a Lookup of Load's.
func (l Lookup) Address(id string) (string, error) {
	if id == "" {
		return "", ErrLookupID
	}
	var w urlwriter.Writer
	for rest := l.URL; ; {
		before, after, more := strings.Cut(rest, "{{")
		if _, _ = w.Write([]byte(before)); strings.Contains(before, "}}") {
			return "", errLookupTemplate
		}
		if !more {
			break
		}
		inside, after, closed := strings.Cut(after, "}}")
		if !closed || strings.TrimSpace(inside) != ".ID" {
			return "", errLookupTemplate
		}
		escaped, err := w.Escape(id)
		if err != nil {
			return "", err
		}
		_, _ = w.Write([]byte(escaped))
		rest = after
	}
	if !w.Whole() {
		return "", ErrLookupID
	}
	return w.String(), nil
}

const maxCache = time.Hour

var lookupKeys = []key{
	{name: "url", need: `add url: "https://erp.example.com/stock/{{.ID}}"`, doc: "Where to ask; {{.ID}} is what the PIM put into our address."},
	{name: "auth", doc: "Credentials, by their name in the lookup secret."},
	{name: "cache", form: formDuration, doc: "How long an answer is kept, up to 1h. Default: not at all."},
}

// identifier reads id: a word, or {attribute: CODE}.
func (t table) identifier() (id, attribute string) {
	e, ok := t.find("id")
	if !ok || e.value.Kind != yaml.MappingNode {
		return t.oneOf("id", identifiers...), ""
	}
	sub := t.sub("id")
	sub.only("attribute")
	sub.need("attribute", "add attribute: sku")
	code := sub.scalar("attribute")
	if code.text != "" && !isCode(code.text) {
		t.errorf(code.at, "use letters, digits and _", "attribute of %s: %q is not the code of an attribute", sub.what, code.text)
	}
	if _, ok := t.find("lookup"); !ok {
		t.errorf(e.key, "add lookup, or use id: uuid or code", "%s shows what we did, which is known by uuid and code alone", t.what)
	}
	return "attribute", code.text
}

// isCode says whether a text can be the code of an attribute, and stand between percent signs (Akeneo API, "Attributes").
func isCode(text string) bool {
	return text != "" && len(text) <= 255 && !slices.ContainsFunc([]byte(text), func(c byte) bool {
		return !letter(c) && (c < '0' || c > '9') && c != '_'
	})
}

// lookup reads where a data component asks; nil: it shows what we did.
func (t table) lookup() *Lookup {
	if _, ok := t.find("lookup"); !ok {
		return nil
	}
	sub := t.sub("lookup")
	sub.takes(lookupKeys)
	sub.destinationURL("url", "use a public address")
	at, auth := sub.scalar("url"), sub.scalar("auth")
	if auth.text != "" && !isName(auth.text) {
		t.errorf(auth.at, "use 1 to 40 letters, digits, - and _", "auth of %s: %q is not a name", sub.what, auth.text)
	}
	l := &Lookup{URL: at.text, Auth: auth.text, Cache: sub.duration("cache", "use up to 1h", time.Second, maxCache)}
	if _, err := l.Address("x"); at.text != "" && err != nil {
		t.errorf(at.at, "write {{.ID}} alone, in the path or in the query", "url of %s has another template, or one in another place", sub.what)
	}
	return l
}
