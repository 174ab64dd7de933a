package action

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/web"
)

// maxName is the longest username or group name in bytes: they stand in the job's record.
const maxName = 255

// Press is what the PIM says when a user presses an action's button.
type Press struct {
	Items     []jobs.Item     // without duplicates; none from pim.product.index
	Locale    string          // as the PIM writes it: fr_FR; may be ""
	Channel   string          // may be ""
	Context   json.RawMessage // object: locale, channel, categories, and what else the PIM says
	Params    json.RawMessage // object: fields that we do not know, those of data under "data"; nil if there are none
	User      jobs.User
	Timestamp int64 // Unix seconds, not yet checked against the clock
}

// Parse reads a proven body, in every shape that the PIM has sent since 2025 (Akeneo help, "Action extension" and
// its changes): snake_case and camelCase names, of which camelCase counts if both are there; groups as strings and
// as objects; category and categories; [] for an empty object, as PHP writes it. It is strict about the rest. Its
// error is a *web.Error that says what is wrong.
func Parse(proven signature.Verified) (Press, error) {
	p := parser{reader: reader{data: proven.Body()}}
	if err := p.document(p.top); err != nil {
		return Press{}, err
	}
	return p.finish()
}

// parser fills a Press while it reads.
type parser struct {
	reader
	press      Press
	timed      bool
	found      found
	context    members
	categories []string
	params     members
	data       members
}

func (p *parser) top(name string) error {
	switch name {
	case "data":
		return p.optional("data", p.dataField)
	case "context":
		return p.optional("context", p.contextField)
	case "user":
		return p.optional("user", p.userField)
	case "timestamp":
		return p.timestamp()
	}
	return p.keep(&p.params, name)
}

func (p *parser) dataField(name string) error {
	ids, list := p.found.at(name)
	if ids == nil {
		return p.keep(&p.data, name)
	}
	if p.null() {
		return nil
	}
	add := func() error {
		id, err := p.string("data." + name)
		*ids = append(*ids, id)
		return err
	}
	if !list {
		return add()
	}
	*ids = []string{} // an empty list is there all the same
	return p.list("data."+name, add)
}

func (p *parser) contextField(name string) (err error) {
	switch name {
	case "locale":
		p.press.Locale, err = p.string("context.locale")
	case "channel":
		p.press.Channel, err = p.string("context.channel")
	case "category", "categories":
		add := func() error {
			code, err := p.string("context." + name)
			if code != "" && !slices.Contains(p.categories, code) {
				p.categories = append(p.categories, code)
			}
			return err
		}
		if p.peek() == '[' {
			return p.list("context."+name, add)
		}
		return add()
	default:
		return p.keep(&p.context, name)
	}
	return err
}

// userField drops what it does not know: it may be an e-mail address.
func (p *parser) userField(name string) (err error) {
	user := &p.press.User
	switch name {
	case "uuid":
		user.UUID, err = p.name("user.uuid")
	case "username":
		user.Username, err = p.name("user.username")
	case "groups":
		if p.null() {
			return nil
		}
		return p.list("user.groups", p.group)
	default:
		_, err = p.skip()
	}
	return err
}

// group reads one group: its name, or since 2026 an object with its name.
func (p *parser) group() (err error) {
	var group string
	if p.peek() == '{' {
		err = p.object(func(name string) (err error) {
			if name == "name" {
				group, err = p.name("user.groups.name")
				return err
			}
			_, err = p.skip()
			return err
		})
	} else {
		group, err = p.name("user.groups")
	}
	if group != "" {
		p.press.User.Groups = append(p.press.User.Groups, group)
	}
	return err
}

func (p *parser) timestamp() error {
	if c := p.peek(); c != '-' && (c < '0' || c > '9') {
		return malformed("timestamp_invalid", "timestamp must be whole seconds since 1970.")
	}
	written, err := p.number()
	if err != nil {
		return err
	}
	seconds, err := strconv.ParseInt(written, 10, 64)
	if err != nil || written[0] == '-' { // a fraction, an exponent, too large, or before 1970
		return malformed("timestamp_invalid", "timestamp must be whole seconds since 1970.")
	}
	p.press.Timestamp, p.timed = seconds, true
	return nil
}

// finish checks what only the whole body tells.
func (p *parser) finish() (Press, error) {
	if !p.timed {
		return Press{}, malformed("timestamp_missing", "timestamp is missing.")
	}
	items, err := p.found.items()
	if err != nil {
		return Press{}, err
	}
	if n := len(items); n > MaxItems {
		return Press{}, &web.Error{Code: web.Invalid, Reason: "too_many_items", Message: say("too_many", p.press.Locale, nil, values{total: n})}
	}
	p.press.Items, p.press.Context = items, p.contextObject()
	if len(p.data) > 0 {
		p.params.add("data", p.data.object())
	}
	if len(p.params) > 0 {
		p.press.Params = p.params.object()
	}
	return p.press, nil
}

// contextObject is the context as jobs keep it: the names of today, whatever was sent.
func (p *parser) contextObject() json.RawMessage {
	var context members
	if p.press.Locale != "" {
		context.add("locale", quote(p.press.Locale))
	}
	if p.press.Channel != "" {
		context.add("channel", quote(p.press.Channel))
	}
	if len(p.categories) > 0 {
		context.add("categories", quote(p.categories))
	}
	if len(p.context) > 0 {
		context.join(p.context)
	}
	return context.object()
}

// optional reads an object that may be missing: null, or the [] that PHP writes for an empty one.
func (p *parser) optional(where string, field func(name string) error) error {
	switch {
	case p.peek() == '{':
		return p.object(field)
	case p.peek() == '[':
		return p.array(func() error { return shape(where, "an object") })
	case p.null():
		return nil
	}
	return shape(where, "an object")
}

func (p *parser) list(where string, element func() error) error {
	if p.peek() != '[' {
		return shape(where, "a list")
	}
	return p.array(element)
}

// string reads a string, or null as "".
func (p *parser) string(where string) (string, error) {
	if p.null() {
		return "", nil
	}
	if p.peek() != '"' {
		return "", shape(where, "a string")
	}
	return p.text()
}

// name reads a string that a record and a log line hold.
func (p *parser) name(where string) (string, error) {
	text, err := p.string(where)
	if err == nil && (len(text) > maxName || strings.ContainsFunc(text, unicode.IsControl)) {
		return "", malformed("body_shape", where+" is too long or holds control characters.")
	}
	return text, err
}

// keep puts a value that we do not know with its like.
func (p *parser) keep(with *members, name string) error {
	value, err := p.skip()
	if err == nil {
		with.add(name, value)
	}
	return err
}

func shape(where, what string) error {
	return malformed("body_shape", where+" must be "+what+".")
}

func malformed(reason, message string) error {
	return &web.Error{Code: web.Invalid, Reason: reason, Message: message}
}
