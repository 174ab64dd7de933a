package action

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/pim-functions/pim-functions/shared/body"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/texts"
)

const (
	// MaxItems is how many items the PIM lets a user select for an action (Akeneo help, "Action extension"); a press of
	// more is refused.
	MaxItems = 500
	// maxName is the longest username or group name in bytes, which stand in the job's record; a longer one is refused.
	maxName = 255
)

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
	p := parser{}
	err := body.Object(proven.Body(), func(r *body.Reader, name string) (err error) {
		p.Reader = r
		switch name {
		case "data":
			return p.optional("data", p.dataField)
		case "context":
			return p.optional("context", p.contextField)
		case "user":
			return p.optional("user", p.userField)
		case "timestamp":
			p.press.Timestamp, err = p.seconds()
			p.timed = true
			return err
		}
		return p.keep(&p.params, name)
	})
	if err != nil {
		return Press{}, err
	}
	return p.finish()
}

// parser fills a Press while it reads.
type parser struct {
	*body.Reader
	press      Press
	timed      bool
	ids        [len(itemFields)][]string
	camel      [len(itemFields)]bool // the IDs stood under the camelCase name, which counts
	context    members
	categories []string
	params     members
	data       members
}

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

func (p *parser) dataField(name string) error {
	for i, field := range itemFields {
		if name != field.camel && name != field.snake {
			continue
		}
		if p.Null() {
			return nil
		}
		var ids []string
		add := func() error {
			id, err := p.Text("data." + name)
			ids = append(ids, id)
			return err
		}
		read := add
		if field.list {
			read = func() error { return p.List("data."+name, add) }
		}
		if err := read(); err != nil {
			return err
		}
		if !p.camel[i] {
			p.ids[i], p.camel[i] = ids, name == field.camel
		}
		return nil
	}
	return p.keep(&p.data, name)
}

func (p *parser) contextField(name string) (err error) {
	switch name {
	case "locale":
		p.press.Locale, err = p.Text("context.locale")
	case "channel":
		p.press.Channel, err = p.Text("context.channel")
	case "category", "categories":
		add := func() error {
			code, err := p.Text("context." + name)
			if code != "" && !slices.Contains(p.categories, code) {
				p.categories = append(p.categories, code)
			}
			return err
		}
		if p.Is('[') {
			return p.List("context."+name, add)
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
		if p.Null() {
			return nil
		}
		return p.List("user.groups", p.group)
	default:
		_, err = p.Raw()
	}
	return err
}

// group reads one group: its name, or since 2026 an object with its name.
func (p *parser) group() (err error) {
	var group string
	if p.Is('{') {
		err = p.Object("user.groups", func(name string) (err error) {
			if name == "name" {
				group, err = p.name("user.groups.name")
				return err
			}
			_, err = p.Raw()
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

// seconds reads whole seconds since 1970: no fraction, no exponent, nothing before.
func (p *parser) seconds() (int64, error) {
	written, err := p.Raw()
	if err != nil {
		return 0, err
	}
	seconds, err := strconv.ParseInt(string(written), 10, 64)
	if err != nil || written[0] == '-' {
		return 0, body.Malformed("timestamp_invalid", "timestamp must be whole seconds since 1970.")
	}
	return seconds, nil
}

// finish checks what only the whole body tells.
func (p *parser) finish() (Press, error) {
	if !p.timed {
		return Press{}, body.Malformed("timestamp_missing", "timestamp is missing.")
	}
	n := 0
	for _, ids := range p.ids {
		n += len(ids)
	}
	selected := jobs.NewSelection(n)
	for i, field := range itemFields {
		for _, id := range p.ids[i] {
			if !selected.Add(field.kind, id) {
				return Press{}, body.Malformed("item_invalid", "data."+field.camel+" holds what is no "+strings.ReplaceAll(field.kind, "_", " ")+".")
			}
		}
	}
	if n := len(selected.Items); n > MaxItems {
		return Press{}, body.Malformed("too_many_items", texts.Say("too_many", p.press.Locale, nil, texts.Values{Total: n}))
	}
	p.press.Items, p.press.Context = selected.Items, p.contextObject()
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
	case p.Null():
		return nil
	case p.Is('['):
		return p.List(where, func() error { return body.Malformed("body_shape", where+" must be an object.") })
	}
	return p.Object(where, field)
}

// name reads a string that a record and a log line hold.
func (p *parser) name(where string) (string, error) {
	text, err := p.Text(where)
	if err == nil && (len(text) > maxName || strings.ContainsFunc(text, unicode.IsControl)) {
		return "", body.Malformed("body_shape", where+" is too long or holds control characters.")
	}
	return text, err
}

// keep puts a value that we do not know with its like.
func (p *parser) keep(with *members, name string) error {
	value, err := p.Raw()
	if err == nil {
		with.add(name, value)
	}
	return err
}

// members is the inside of a JSON object that is being written.
type members []byte

func (m *members) add(name string, value []byte) {
	m.join(append(append(quote(name), ':'), value...))
}

func (m *members) join(more members) {
	if len(*m) > 0 {
		*m = append(*m, ',')
	}
	*m = append(*m, more...)
}

func (m members) object() json.RawMessage {
	return slices.Concat([]byte{'{'}, []byte(m), []byte{'}'})
}

// quote is the JSON of a string or of a list of strings.
func quote[T string | []string](value T) []byte {
	quoted, err := json.Marshal(value)
	if err != nil {
		panic(err) // cannot happen: every string has a JSON form
	}
	return quoted
}
