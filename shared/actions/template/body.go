package template

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"mime"
	"net/url"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/engine"
)

// Body is a template for the body of a request of one media type. In JSON a value inside quotes is a part of that text,
// and a value outside of quotes is a JSON value of its own: a text gets its quotes, what is not there is null. In XML and
// in forms values are escaped as those want it. In any other type they stand as they are.
type Body struct {
	template *Template
	media    media
}

type media int

const (
	other media = iota
	jsonText
	jsonLines // one JSON value after another
	xmlText
	formText
)

// mediaOf finds the syntax of a content type (RFC 6839: +json, +xml).
func mediaOf(contentType string) media {
	name, _, err := mime.ParseMediaType(contentType)
	switch {
	case err != nil:
		return other
	case name == "application/json", strings.HasSuffix(name, "+json"):
		return jsonText
	case strings.HasSuffix(name, "ndjson"), strings.HasSuffix(name, "jsonl"):
		return jsonLines
	case name == "application/xml", name == "text/xml", strings.HasSuffix(name, "+xml"):
		return xmlText
	case name == "application/x-www-form-urlencoded":
		return formText
	}
	return other
}

// ParseBody reads a template for a body of a content type. Its error is a Mistakes. A body sent as JSON is tried: one
// that depends on nothing that only a request brings must be valid for the made-up run.
func (s Scope) ParseBody(text, contentType string) (*Body, error) {
	parsed, mistakes := s.parse(text)
	if len(mistakes) > 0 {
		return nil, mistakes
	}
	b := &Body{parsed, mediaOf(contentType)}
	if parsed.open {
		return b, nil
	}
	if _, err := b.make(s.madeUp()); err != nil {
		reason, _ := engine.Refused(err)
		return nil, Mistakes{reason}
	}
	return b, nil
}

// Execute makes the body of a run. What is to be JSON and is not fails the batch.
func (b *Body) Execute(run engine.Run) ([]byte, error) {
	data, _, err := b.template.scope.data(run)
	if err != nil {
		return nil, err
	}
	return b.make(data)
}

func (b *Body) make(data any) ([]byte, error) {
	switch b.media {
	case jsonText, jsonLines:
		var w jsonWriter
		if err := b.template.write(&w, data, w.value); err != nil {
			return nil, err
		}
		if !w.valid(b.media == jsonLines) {
			return nil, engine.Permanent("the body that the template makes is not valid JSON: nothing was sent", nil)
		}
		return w.text.Bytes(), nil
	case xmlText:
		return b.escaped(data, func(v any) (string, error) {
			if done, ok := v.(markup); ok {
				return string(done), nil
			}
			var text strings.Builder
			err := xml.EscapeText(&text, []byte(plain(v)))
			return text.String(), err
		})
	case formText:
		return b.escaped(data, func(v any) (string, error) { return url.QueryEscape(plain(v)), nil })
	}
	return b.escaped(data, func(v any) (string, error) { return plain(v), nil })
}

func (b *Body) escaped(data any, escape func(any) (string, error)) ([]byte, error) {
	var text bytes.Buffer
	err := b.template.write(&text, data, escape)
	return text.Bytes(), err
}

// jsonWriter takes a template's text and knows whether the next byte stands inside quotes.
type jsonWriter struct {
	text     bytes.Buffer
	inString bool
	escape   bool // after a backslash inside quotes
}

func (w *jsonWriter) Write(p []byte) (int, error) {
	for _, b := range p {
		switch {
		case w.escape:
			w.escape = false
		case w.inString && b == '\\':
			w.escape = true
		case b == '"':
			w.inString = !w.inString
		}
	}
	return w.text.Write(p)
}

// value is a value in the form that its place wants.
func (w *jsonWriter) value(v any) (string, error) {
	if w.escape {
		return "", engine.Permanent("a value stands behind a backslash in the body's template: nothing was sent", nil)
	}
	if w.inString {
		text, err := toJSON(plain(v))
		if err != nil {
			return "", err
		}
		return string(text[1 : len(text)-1]), nil
	}
	if at, ok := v.(time.Time); ok {
		v = plain(at)
	}
	if word, ok := v.(markup); ok {
		v = string(word)
	}
	text, err := toJSON(v)
	return string(text), err
}

func (w *jsonWriter) valid(lines bool) bool {
	if !lines {
		return json.Valid(w.text.Bytes())
	}
	decoder := json.NewDecoder(bytes.NewReader(w.text.Bytes()))
	for {
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}
