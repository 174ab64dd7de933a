package config

import (
	"fmt"
	"unicode/utf8"
)

const maxLabel = 30 // characters, of each label (Akeneo help, "Manage extensions through the API")

// Text is a text by locale, with the key "default" for every other.
type Text map[string]string

// In returns the text for a locale as the PIM writes it (fr_FR): the locale's own, else the same language's, else
// the default.
func (t Text) In(locale string) string {
	if s, ok := t[locale]; ok {
		return s
	}
	if len(locale) >= 2 {
		best := ""
		for key := range t {
			if len(key) > 2 && key[:2] == locale[:2] && key[2] == '_' && (best == "" || key < best) {
				best = key
			}
		}
		if best != "" {
			return t[best]
		}
	}
	return t["default"]
}

// localized reads a text by locale.
func (t table) localized(key string) (Text, table) {
	texts, sub := Text{}, t.sub(key)
	for _, e := range sub.entries {
		if e.key.Value != "default" && !IsLocale(e.key.Value) {
			t.errorf(e.key, localeRemedy, "%q in %s is not a locale", e.key.Value, sub.what)
		}
		if text := sub.text(e.key.Value); text != "" {
			texts[e.key.Value] = text
		}
	}
	return texts, sub
}

func (t table) label() Text {
	label, sub := t.localized("label")
	if !sub.isMapping() {
		return label // reported by need or by the shape
	}
	sub.need("default", "add default: for every other locale")
	for _, e := range sub.entries {
		if n := utf8.RuneCountInString(label[e.key.Value]); n > maxLabel {
			t.warnf(e.value, fmt.Sprintf("the PIM takes %d: shorten it", maxLabel), "%s of %s has %d characters", e.key.Value, sub.what, n)
		}
	}
	return label
}

func (t table) messages() map[string]Text {
	sub := t.sub("messages")
	sub.only(messageNames...)
	messages := map[string]Text{}
	for _, name := range messageNames {
		if text, _ := sub.localized(name); len(text) > 0 {
			messages[name] = text
		}
	}
	return messages
}
