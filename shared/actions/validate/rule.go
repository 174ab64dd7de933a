package validate

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pim-functions/pim-functions/shared/actions/expression"
	"github.com/pim-functions/pim-functions/shared/pim"
)

// problems is what a product has against a rule: a sentence each, with the places where it is so.
func (r *rule) problems(scope expression.Scope, says speaker) []string {
	var f findings
	switch {
	case r.Categories != nil:
		r.countCategories(scope.Product, says, &f)
	case r.Complete != nil:
		r.complete(scope.Product, says, &f)
	case r.that != nil:
		if holds, err := r.that.Holds(scope); err != nil {
			f.add(says.say("uncomputable", r.That, err.Error()), "")
		} else if !holds {
			f.add(says.say("broken", r.That), "")
		}
	default:
		r.values(scope, says, &f)
	}
	return f.sentences(r.message.In(says.locale))
}

// findings are sentences in their order, each once, with the places that it is about.
type findings struct {
	found  []string
	places map[string][]string
}

func (f *findings) add(sentence, place string) {
	if f.places == nil {
		f.places = map[string][]string{}
	}
	if !slices.Contains(f.found, sentence) {
		f.found = append(f.found, sentence)
	}
	if place != "" && !slices.Contains(f.places[sentence], place) {
		f.places[sentence] = append(f.places[sentence], place)
	}
}

// sentences names the places behind each sentence. A rule's own message takes the place of all.
func (f *findings) sentences(own string) []string {
	if own != "" && len(f.found) > 0 {
		all := findings{}
		for _, sentence := range f.found {
			all.add(own, "")
			for _, place := range f.places[sentence] {
				all.add(own, place)
			}
		}
		return all.sentences("")
	}
	for i, sentence := range f.found {
		if places := f.places[sentence]; len(places) > 0 {
			f.found[i] = sentence + " (" + strings.Join(places, ", ") + ")"
		}
	}
	return f.found
}

func (r *rule) countCategories(product pim.View, says speaker, f *findings) {
	n := len(product.Categories())
	if least := r.Categories.Min; least != nil && n < *least {
		f.add(says.say("few_categories", *least), "")
	}
	if most := r.Categories.Max; most != nil && n > *most {
		f.add(says.say("many_categories", *most), "")
	}
}

// complete looks at what the PIM has computed: for one locale of a channel, or for all.
func (r *rule) complete(product pim.View, says speaker, f *findings) {
	if product.Type() == pim.TypeModel {
		f.add(says.say("model_complete"), "")
		return
	}
	channel := r.Complete.Channel
	if channel == "" {
		channel = product.Channel()
	}
	known := false
	for _, share := range product.Product().Complete {
		if share.Channel != channel || r.Complete.Locale != "" && share.Locale != r.Complete.Locale {
			continue
		}
		known = true
		if share.Percent < 100 {
			f.add(says.say("incomplete", join(channel, share.Locale), share.Percent), "")
		}
	}
	if !known {
		f.add(says.say("complete_unknown", join(channel, r.Complete.Locale)), "")
	}
}

// join is what of a channel and a locale is known.
func join(channel, locale string) string {
	return strings.Join(slices.DeleteFunc([]string{channel, locale}, func(part string) bool { return part == "" }), ", ")
}

// values checks an attribute in each place that the rule names, else where whoever asked looks.
func (r *rule) values(scope expression.Scope, says speaker, f *findings) {
	for _, channel := range orElse(r.Channels, scope.Product.Channel()) {
		for _, locale := range orElse(r.Locales, scope.Product.Locale()) {
			entry, err := scope.Product.Entry(r.Attribute, locale, channel)
			data, broken := scope.Product.Value(r.Attribute, locale, channel)
			if err := cmp.Or(err, broken); err != nil {
				f.add(says.say("uncomputable", r.Attribute, err.Error()), "")
				continue
			}
			if entry == nil || nothing(data) {
				if r.Required {
					f.add(says.say("missing", r.Attribute), r.named(channel, locale))
				}
				continue
			}
			for _, sentence := range r.value(data, scope, says) {
				f.add(sentence, join(entry.Scope, entry.Locale))
			}
		}
	}
}

// named is the place of a missing value, as far as the rule names places.
func (r *rule) named(channel, locale string) string {
	if len(r.Channels) == 0 {
		channel = ""
	}
	if len(r.Locales) == 0 {
		locale = ""
	}
	return join(channel, locale)
}

func orElse(list []string, single string) []string {
	if len(list) > 0 {
		return list
	}
	return []string{single}
}

// nothing says whether a value holds nothing: empty texts and lists, and texts of blanks.
func nothing(data any) bool {
	switch data := data.(type) {
	case nil:
		return true
	case string:
		return strings.TrimSpace(data) == ""
	case []any:
		return len(data) == 0
	}
	return false
}

// value is what a value has against the rule. A check that does not fit the value's type says so: it never passes unseen.
func (r *rule) value(data any, scope expression.Scope, says speaker) (found []string) {
	say := func(name string, args ...any) {
		found = append(found, says.say(name, append([]any{r.Attribute}, args...)...))
	}
	misfit := func(key string) { say("misfit", key) }
	if r.MinLength != nil || r.MaxLength != nil {
		if text, ok := data.(string); !ok {
			misfit("length")
		} else {
			n := utf8.RuneCountInString(text)
			if r.MinLength != nil && n < *r.MinLength {
				say("too_short", *r.MinLength)
			}
			if r.MaxLength != nil && n > *r.MaxLength {
				say("too_long", *r.MaxLength)
			}
		}
	}
	if r.pattern != nil {
		if texts, ok := texts(data); !ok {
			misfit("pattern")
		} else if slices.ContainsFunc(texts, func(text string) bool { return !r.pattern.MatchString(text) }) {
			say("pattern", r.Pattern)
		}
	}
	if len(r.OneOf) > 0 {
		if texts, ok := texts(data); !ok {
			misfit("one_of")
		} else if slices.ContainsFunc(texts, func(text string) bool { return !slices.Contains(r.OneOf, text) }) {
			say("one_of", some(r.OneOf))
		}
	}
	if r.Min != nil || r.Max != nil || r.Currency != "" {
		r.amounts(data, say, misfit)
	}
	if r.After != "" || r.Before != "" {
		r.dates(data, scope, say, misfit)
	}
	if r.Image {
		if text, ok := data.(string); !ok || !slices.Contains(images, strings.ToLower(path.Ext(text))) {
			say("no_image")
		}
	}
	return found
}

// images are the endings of files that image attributes take (Akeneo help, "Attribute types").
var images = []string{".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".svg", ".avif"}

// some is the beginning of a list.
func some(list []string) string {
	if len(list) > 5 {
		list = append(slices.Clone(list[:5]), "…")
	}
	return strings.Join(list, ", ")
}

func (r *rule) amounts(data any, say func(string, ...any), misfit func(string)) {
	list, ok := amounts(data, r.Currency)
	if !ok {
		misfit("min, max, currency")
		return
	}
	if len(list) == 0 {
		if r.Required {
			say("no_price", r.Currency)
		}
		return
	}
	bound := func(limit float64) string {
		return strings.TrimSpace(strconv.FormatFloat(limit, 'f', -1, 64) + " " + r.Currency)
	}
	if r.Min != nil && slices.ContainsFunc(list, func(n float64) bool { return n < *r.Min }) {
		say("below", bound(*r.Min))
	}
	if r.Max != nil && slices.ContainsFunc(list, func(n float64) bool { return n > *r.Max }) {
		say("above", bound(*r.Max))
	}
}

func (r *rule) dates(data any, scope expression.Scope, say func(string, ...any), misfit func(string)) {
	text, _ := data.(string)
	if len(text) < len("2006-01-02") {
		misfit("after, before")
		return
	}
	date := text[:len("2006-01-02")]
	if _, err := parseDay(date); err != nil {
		misfit("after, before")
		return
	}
	if limit := r.after.on(scope.Now); r.After != "" && date <= limit {
		say("not_after", limit)
	}
	if limit := r.before.on(scope.Now); r.Before != "" && date >= limit {
		say("not_before", limit)
	}
}

// texts are the text, number, truth value or codes of a value.
func texts(data any) ([]string, bool) {
	switch data := data.(type) {
	case []any:
		var all []string
		for _, element := range data {
			text, ok := element.(string)
			if !ok {
				return nil, false
			}
			all = append(all, text)
		}
		return all, true
	case map[string]any:
		return nil, false
	}
	return []string{fmt.Sprint(data)}, true
}
