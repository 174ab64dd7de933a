package register

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/credential"
)

// secretLength is what Contentful demands exactly, and what every other sender takes.
const secretLength = 64

// Filled is what Fill has done, for a person to act on.
type Filled struct {
	Document []byte   // the whole document, what was there included
	Made     []string // places that got a new secret
	Paste    []string // what to paste where now
	Missing  []string // what only a person can give
}

// FillSigning adds to a signing document what extensions.yaml needs and the document lacks. What is there stays as
// it is, to the byte. An error names the place, never a value.
func FillSigning(document []byte, c *config.Config) (Filled, error) {
	d, err := parse(document)
	if err != nil {
		return Filled{}, err
	}
	for _, name := range slices.Sorted(maps.Keys(c.Extensions)) {
		extension := c.Extensions[name]
		switch extension.Type {
		case "action", "iframe":
			if extension.Unsigned || d.has("extensions", name, "credential") && !d.has("extensions", name, "secrets") {
				continue
			}
			d.secret(fmt.Sprintf("the PIM %s, extension %q: field Secret", extension.PIM, name), "extensions", name, "secrets")
		case "data_component":
			if !d.has("extensions", name, "credential") {
				token := random()
				d.set(map[string]string{"type": "bearer", "token": token}, "extensions", name, "credential")
				d.made(fmt.Sprintf("the PIM %s, extension %q: Credentials, Bearer Token", extension.PIM, name), "extensions", name, "credential")
			}
		}
	}
	for _, pim := range slices.Sorted(maps.Keys(c.PIMs)) {
		if len(declaredFor(c, pim, "event-platform")) > 0 {
			d.secret(fmt.Sprintf("the subscription at the Event Platform: config.secret.primary (PIM %q)", pim), "event-platform", pim)
		}
		if len(declaredFor(c, pim, "events-api")) > 0 && !d.has("events-api", pim) {
			d.filled.Missing = append(d.filled.Missing, fmt.Sprintf(`events-api.%s: the list ["…"] with the secret that the PIM shows under Connect > Connection settings > Event subscription`, pim))
		}
	}
	for _, pim := range slices.Sorted(maps.Keys(c.Notifications)) {
		d.secret(fmt.Sprintf("the subscriber at the Event Platform: notification_webhook_secret (PIM %q)", pim), "event-platform", pim+"/notifications")
	}
	if len(c.Contentful.Actions) > 0 {
		d.secret("Contentful: the app's signing secret (exactly these 64 characters)", "contentful")
	}
	if len(d.filled.Made) > 0 {
		d.set(slices.Concat(unsent(document), d.filled.Made), unsentKey)
	}
	return d.done()
}

// FillConnections says what a connection document lacks. It makes up nothing: these are other systems' own.
func FillConnections(document []byte, c *config.Config) (Filled, error) {
	d, err := parse(document)
	if err != nil {
		return Filled{}, err
	}
	needed := map[string]string{}
	need := func(what string, path ...string) {
		if !d.has(path...) {
			needed[strings.Join(path, ".")] = what
		}
	}
	for _, action := range c.Actions {
		for _, value := range action.Section.Secrets() {
			need("a text, such as a webhook's address", "values", value)
		}
		if auth := action.Section.Text("auth"); auth != "" {
			need(`{"bearer":"…"}, {"basic":{"username":"…","password":"…"}} or {"header":{"name":"…","value":"…"}}`, "auth", auth)
		}
	}
	for _, action := range c.Actions {
		if name := action.Section.Sub("to").Text("sftp"); name != "" && action.Kind == "export" {
			need(`{"host":"…","port":22,"username":"…","password":"…" or "private_key":"…","host_key":"ssh-ed25519 AAAA…","folder":"…"} of the SFTP server; its owner says which host_key is its own (ssh-keyscan HOST shows what it has)`, "sftp", name)
		}
		if action.Kind == "contentful" {
			need(`{"token":"…"} of Contentful (CMA token), or {"private_key":"…","app":"…"} of our own app there: for actions of the kind contentful`, "contentful")
		}
	}
	for _, s := range c.Subscriptions {
		for _, text := range s.Headers {
			if value := config.Secret(text); value != "" {
				need("a text, for a header of a subscription", "values", value)
			}
		}
	}
	for pim := range c.PIMs {
		if calls(c, pim) {
			need(`{"client_id":"…","client_secret":"…","username":"…","password":"…"} of the connection, which the PIM shows under Connect > Connection settings: for apply, and to know our own changes`, "pims", pim)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(needed)) {
		d.filled.Missing = append(d.filled.Missing, path+": "+needed[path])
	}
	return d.done()
}

// FillLookups says what a lookup document lacks. It makes up nothing: these are other systems' own.
func FillLookups(document []byte, c *config.Config) (Filled, error) {
	d, err := parse(document)
	if err != nil {
		return Filled{}, err
	}
	for _, name := range slices.Sorted(maps.Keys(c.Extensions)) {
		if lookup := c.Extensions[name].Lookup; lookup != nil && lookup.Auth != "" && !d.has("auth", lookup.Auth) {
			d.filled.Missing = append(d.filled.Missing, fmt.Sprintf("auth.%s: %s, for the lookup of extension %q", lookup.Auth, credential.Forms, name))
		}
	}
	slices.Sort(d.filled.Missing)
	return d.done()
}

// document is a JSON object whose members keep their bytes.
type document struct {
	root   map[string]json.RawMessage
	filled Filled
	err    error
}

func parse(text []byte) (*document, error) {
	d := &document{root: map[string]json.RawMessage{}}
	if len(bytes.TrimSpace(text)) == 0 {
		return d, nil
	}
	if err := json.Unmarshal(text, &d.root); err != nil || d.root == nil {
		return nil, errors.New("the document is not a JSON object: correct it by hand; nothing was written")
	}
	return d, nil
}

// has says whether something other than an empty value stands at a path.
func (d *document) has(path ...string) bool {
	fields, last := d.root, len(path)-1
	for i, name := range path {
		value := fields[name]
		if i == last {
			text := strings.Join(strings.Fields(string(value)), "")
			return text != "" && text != "null" && text != "[]" && text != "{}" && text != `""` && text != `[""]`
		}
		fields = nil
		if json.Unmarshal(value, &fields) != nil {
			return false
		}
	}
	return false
}

// secret makes a list of one random secret where there is none.
func (d *document) secret(where string, path ...string) {
	if d.has(path...) {
		return
	}
	d.set([]string{random()}, path...)
	d.made(where, path...)
}

// unsentKey holds in the signing document the places whose secrets were made here and that apply has given to no sender yet.
const unsentKey = "unsent"

// unsent reads that list.
func unsent(document []byte) []string {
	var root struct {
		Unsent []string `json:"unsent"`
	}
	_ = json.Unmarshal(document, &root) // another form is nothing that we wrote
	return root.Unsent
}

// Sent takes places off the list of those that no sender has. nil: the document stays as it is.
func Sent(document []byte, places []string) ([]byte, error) {
	d, err := parse(document)
	before := unsent(document)
	left := without(before, places)
	if err != nil || len(left) == len(before) {
		return nil, err
	}
	if d.set(left, unsentKey); len(left) == 0 {
		delete(d.root, unsentKey)
	}
	filled, err := d.done()
	return filled.Document, err
}

func (d *document) made(where string, path ...string) {
	place := strings.Join(path, ".")
	d.filled.Made = append(d.filled.Made, place)
	d.filled.Paste = append(d.filled.Paste, place+" → "+where)
}

// set puts a value at a path. An object on the way that is none is an error.
func (d *document) set(value any, path ...string) {
	root, err := put(d.root, value, path)
	if err != nil {
		d.err = errors.Join(d.err, fmt.Errorf("%s: %w: correct it by hand; nothing was written", strings.Join(path, "."), err))
		return
	}
	d.root = root
}

func put(fields map[string]json.RawMessage, value any, path []string) (map[string]json.RawMessage, error) {
	fields = maps.Clone(fields)
	if fields == nil {
		fields = map[string]json.RawMessage{}
	}
	if len(path) > 1 {
		var inner map[string]json.RawMessage
		if text := fields[path[0]]; len(text) > 0 && json.Unmarshal(text, &inner) != nil {
			return nil, fmt.Errorf("%q is not an object", path[0])
		}
		filled, err := put(inner, value, path[1:])
		if err != nil {
			return nil, err
		}
		value = filled
	}
	text, err := json.Marshal(value)
	fields[path[0]] = text
	return fields, err
}

func (d *document) done() (Filled, error) {
	if d.err != nil {
		return Filled{}, d.err
	}
	text, err := encode(d.root)
	d.filled.Document = text
	return d.filled, err
}

// random is a secret of 64 letters and digits: 381 bits.
func random() string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	var b strings.Builder
	for range secretLength {
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
		if err != nil { // crypto/rand does not fail (Go 1.24)
			panic(err)
		}
		b.WriteByte(alphabet[n.Int64()])
	}
	return b.String()
}
