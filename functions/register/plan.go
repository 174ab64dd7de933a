package register

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/shared/contentfulapi"
	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/platformapi"
)

// What a Change does, and to what.
const (
	Create = "create"
	Update = "update"
	Delete = "delete"

	AnExtension    = "extension"
	ASubscriber    = "subscriber"
	ASubscription  = "subscription"
	AnAppAction    = "app-action"
	ASigningSecret = "secret"
)

// Plan is what makes the senders agree with extensions.yaml. It holds the secrets that it sends, and shows none.
type Plan struct {
	Changes []Change `json:"changes"` // in the order in which they are made
	ByHand  []ByHand `json:"by_hand"` // what only a person can do
	Notes   []string `json:"notes"`   // what a person may wonder about
}

// Change is one call that changes something.
type Change struct {
	Op     string  `json:"op"`     // create, update, delete
	What   string  `json:"what"`   // extension, subscriber, subscription, app-action, secret
	Name   string  `json:"name"`   // at the sender; of a subscription in extensions.yaml, of a secret its place
	PIM    string  `json:"pim"`    // its name in extensions.yaml; "" for Contentful
	Fields []Field `json:"fields"` // what differs; of a creation all

	declared string // name in extensions.yaml; "": none
	id       string // at the sender, of what is there
	owner    string // ID of a subscription's subscriber; "": the one that this plan makes
	place    string // in the signing document, of the secret that this sends; "": none

	extension   pim.Extension
	was         pim.Extension // what is there, of an update
	subscriber  platformapi.SubscriberRequest
	request     platformapi.SubscriptionRequest
	change      platformapi.SubscriptionChange
	resume      bool
	action      contentfulapi.Action
	signingText string // Contentful's new signing secret
}

// Field is one difference. Of a secret only that it changes is known here.
type Field struct {
	Name   string `json:"field"`
	From   any    `json:"from,omitempty"`
	To     any    `json:"to,omitempty"`
	Secret bool   `json:"secret,omitempty"`
}

// ByHand is something that no API offers, or that needs a decision.
type ByHand struct {
	What   string   `json:"what"` // as of a Change, or events-api, connection, app
	Name   string   `json:"name"`
	PIM    string   `json:"pim"`
	Why    string   `json:"why"`
	URL    string   `json:"url,omitempty"` // where to click
	Steps  []string `json:"steps"`
	Blocks bool     `json:"blocks"` // without it what is declared is not reached
}

// Done says whether everything that can be known agrees.
func (p Plan) Done() bool {
	return len(p.Changes) == 0 && !slices.ContainsFunc(p.ByHand, func(one ByHand) bool { return one.Blocks })
}

// Same says whether two plans make the same changes.
func (p Plan) Same(other Plan) bool {
	a, err := json.Marshal(p.Changes)
	b, err2 := json.Marshal(other.Changes)
	return err == nil && err2 == nil && bytes.Equal(a, b)
}

// Since says how a plan differs from the one that was shown before: lines that begin with + or -.
func (p Plan) Since(before Plan) []string {
	var lines []string
	differ := func(sign string, these, those []Change) {
		for _, one := range these {
			if text := one.String(); !slices.ContainsFunc(those, func(other Change) bool { return other.String() == text }) {
				lines = append(lines, sign+" "+text)
			}
		}
	}
	differ("-", before.Changes, p.Changes)
	differ("+", p.Changes, before.Changes)
	return lines
}

// String is the change on a few lines, for people.
func (c Change) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s", c.Op, c.What, c.Name)
	if c.PIM != "" {
		fmt.Fprintf(&b, " (%s)", c.PIM)
	}
	if c.Op == Delete {
		return b.String()
	}
	for _, field := range c.Fields {
		b.WriteString("\n    " + field.text(c.Op))
	}
	return b.String()
}

// text is a difference for people.
func (f Field) text(op string) string {
	from, wasList := f.From.([]string)
	to, isList := f.To.([]string)
	switch {
	case f.Secret && f.To != nil:
		return fmt.Sprintf("%s: %v", f.Name, f.To)
	case f.Secret && op == Create:
		return f.Name + ": set (never shown)"
	case f.Secret:
		return f.Name + ": changed (never shown)"
	case op == Create:
		return fmt.Sprintf("%s: %s", f.Name, shown(f.To))
	case wasList && isList:
		var words []string
		for _, one := range without(to, from) {
			words = append(words, "+"+one)
		}
		for _, one := range without(from, to) {
			words = append(words, "-"+one)
		}
		return f.Name + ": " + strings.Join(words, ", ")
	}
	return fmt.Sprintf("%s: %s → %s", f.Name, shown(f.From), shown(f.To))
}

// shown is a value for people: JSON, which has an end.
func shown(value any) string {
	if value == nil {
		return "–"
	}
	text, err := encode(value)
	if err != nil {
		return "?"
	}
	return strings.Join(strings.Fields(string(text)), " ")
}

// fields collects what differs.
type fields []Field

func (f *fields) differ(name string, from, to any) {
	a, _ := json.Marshal(from)
	b, _ := json.Marshal(to)
	if !bytes.Equal(a, b) {
		*f = append(*f, Field{Name: name, From: from, To: to})
	}
}

// set is what a creation sets: empty values are left out.
func (f *fields) set(name string, to any) {
	if text, _ := json.Marshal(to); !slices.Contains([]string{`""`, "null", "[]", "{}", "false"}, string(text)) {
		*f = append(*f, Field{Name: name, To: to})
	}
}

func (f *fields) secret(name string) { *f = append(*f, Field{Name: name, Secret: true}) }
