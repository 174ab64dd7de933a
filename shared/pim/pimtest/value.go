package pimtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// values merges new entries into an entity's values, by attribute, locale and scope. What belongs to another level is
// dropped without a word, as the PIM does.
func (w *writing) values(data json.RawMessage) *refusal {
	if strings.TrimSpace(string(data)) == "[]" {
		return nil
	}
	var attributes map[string]json.RawMessage
	if json.Unmarshal(data, &attributes) != nil {
		return documented(`Property "values" expects an array with valid data.`)
	}
	owned := w.state.owned(w.before)
	for code, list := range attributes {
		attribute, known := w.state.attributes[code]
		if !known {
			return documented(fmt.Sprintf("The %s attribute does not exist in your PIM.", code))
		}
		var entries []map[string]json.RawMessage
		if json.Unmarshal(list, &entries) != nil {
			return documented(fmt.Sprintf("Property %q expects an array with valid data, one of the values is not an array.", code))
		}
		seen := map[string]bool{}
		for _, entry := range entries {
			value, refused := w.entry(attribute, entry)
			if refused != nil {
				return refused
			}
			place := text(value.Locale) + "/" + text(value.Scope)
			if seen[place] {
				return documented(fmt.Sprintf("You cannot update the same product value on the %q attribute twice, with the same scope and locale.", code))
			}
			seen[place] = true
			if owned != nil && !owned[code] {
				continue
			}
			if refused := w.set(attribute, value); refused != nil {
				return refused
			}
		}
	}
	return nil
}

// entry reads one entry and checks its locale and scope.
func (w *writing) entry(a Attribute, entry map[string]json.RawMessage) (Value, *refusal) {
	for _, key := range []string{"locale", "scope", "data"} {
		if _, there := entry[key]; !there {
			return Value{}, documented(fmt.Sprintf("Property %q expects an array with the key %q.", a.Code, key))
		}
	}
	value := Value{Data: entry["data"]}
	if json.Unmarshal(entry["locale"], &value.Locale) != nil || json.Unmarshal(entry["scope"], &value.Scope) != nil {
		return Value{}, documented(fmt.Sprintf("Property %q expects texts as locale and scope.", a.Code))
	}
	switch {
	case a.Localizable != (value.Locale != nil), a.Scopable != (value.Scope != nil):
		return Value{}, documented(fmt.Sprintf("The %s attribute requires a value per locale or channel as its settings say (%s, %s were detected).", a.Code, text(value.Locale), text(value.Scope)))
	case value.Locale != nil && !w.state.active(*value.Locale):
		return Value{}, documented(fmt.Sprintf("Attribute %q expects an existing and activated locale, %q given.", a.Code, *value.Locale))
	case value.Scope != nil && !slices.ContainsFunc(w.state.Channels, func(c Channel) bool { return c.Code == *value.Scope }):
		return Value{}, documented(fmt.Sprintf("The %s attribute requires a value per channel. The %s channel (scope) must exist in your PIM", a.Code, *value.Scope))
	case value.Locale != nil && w.pim.faults.viewLocales[*value.Locale]:
		return Value{}, &refusal{status: http.StatusForbidden, Message: fmt.Sprintf("You only have a view permission on the locale %q.", *value.Locale)}
	}
	return value, nil
}

// active says whether a channel uses a locale.
func (s *state) active(locale string) bool {
	return slices.ContainsFunc(s.Channels, func(c Channel) bool { return slices.Contains(c.Locales, locale) })
}

// set puts one entry into the entity's values; null and what is empty erases.
func (w *writing) set(a Attribute, value Value) *refusal {
	kept := slices.DeleteFunc(slices.Clone(w.after.Values[a.Code]), func(v Value) bool {
		return text(v.Locale) == text(value.Locale) && text(v.Scope) == text(value.Scope)
	})
	if !empty(value.Data) {
		data, problem, wrongType := w.state.normal(a, value.Data)
		if wrongType {
			return documented(problem)
		}
		if problem != "" {
			w.violations = append(w.violations, violation{Property: "values", Message: problem, Attribute: a.Code, Locale: value.Locale, Scope: value.Scope})
			return nil
		}
		value.Data = data
		kept = append(kept, value)
	}
	slices.SortFunc(kept, func(a, b Value) int {
		return strings.Compare(text(a.Locale)+"/"+text(a.Scope), text(b.Locale)+"/"+text(b.Scope))
	})
	if len(kept) == 0 {
		delete(w.after.Values, a.Code)
	} else {
		w.after.Values[a.Code] = kept
	}
	return nil
}

// normal is data as the PIM stores and shows it, or what is wrong with it. wrongType: the request itself is refused.
func (s *state) normal(a Attribute, data json.RawMessage) (out json.RawMessage, problem string, wrongType bool) {
	var options struct {
		Max      int  `json:"max_characters"`
		Decimals bool `json:"decimals_allowed"`
	}
	_ = json.Unmarshal(a.raw, &options) // what an attribute lacks limits nothing
	aText := func() (string, bool) {
		var text string
		err := json.Unmarshal(data, &text)
		return text, err == nil
	}
	expects := func(what string) (json.RawMessage, string, bool) {
		return nil, fmt.Sprintf("Property %q expects %s as data.", a.Code, what), true
	}
	switch a.Type {
	case "pim_catalog_identifier", "pim_catalog_text", "pim_catalog_textarea":
		text, ok := aText()
		most := 255
		if a.Type == "pim_catalog_textarea" {
			most = 65_535
		}
		if options.Max > 0 {
			most = options.Max
		}
		switch {
		case !ok:
			return expects("a string")
		case utf8.RuneCountInString(text) > most:
			return nil, fmt.Sprintf("The %s attribute must not contain more than %d characters. The submitted value is too long.", a.Code, most), false
		}
	case "pim_catalog_number":
		number, ok := plain(data)
		switch {
		case !ok:
			return nil, fmt.Sprintf("The %s attribute requires a number, and the submitted %s value is not.", a.Code, data), false
		case !options.Decimals && strings.ContainsAny(number, ".eE"):
			return nil, fmt.Sprintf("The %s attribute requires a non-decimal value, and %s is not a valid value.", a.Code, number), false
		case options.Decimals:
			return quoted(number, 4), "", false
		}
		return json.RawMessage(number), "", false
	case "pim_catalog_boolean":
		var b bool
		if json.Unmarshal(data, &b) != nil {
			return expects("a boolean")
		}
	case "pim_catalog_date":
		text, ok := aText()
		if !ok {
			return expects("a string")
		}
		if day, err := time.Parse(time.DateOnly, text); err == nil {
			return json.RawMessage(strconv.Quote(stamp(day))), "", false
		}
		if at, err := time.Parse(time.RFC3339, text); err == nil {
			return json.RawMessage(strconv.Quote(stamp(at))), "", false
		}
		return expects(`a string with the format "yyyy-mm-dd"`)
	case "pim_catalog_metric":
		var metric struct {
			Amount json.RawMessage `json:"amount"`
			Unit   string          `json:"unit"`
		}
		if json.Unmarshal(data, &metric) != nil || metric.Unit == "" {
			return expects("an array with amount and unit")
		}
		number, ok := plain(metric.Amount)
		if !ok {
			return nil, fmt.Sprintf("The %s attribute requires a number, and the submitted %s value is not.", a.Code, metric.Amount), false
		}
		amount := json.RawMessage(number)
		if options.Decimals {
			amount = quoted(number, 4)
		}
		return object(map[string]any{"amount": amount, "unit": metric.Unit, "symbol": strings.ToLower(metric.Unit[:1])}), "", false
	case "pim_catalog_price_collection":
		return s.prices(a, data)
	case "pim_catalog_simpleselect":
		code, ok := aText()
		if !ok {
			return expects("a string")
		}
		if _, known := s.options[a.Code][code]; !known {
			return nil, fmt.Sprintf("The %s value is not in the %s attribute option list.", code, a.Code), false
		}
	case "pim_catalog_multiselect":
		var codes []string
		if json.Unmarshal(data, &codes) != nil {
			return expects("an array")
		}
		for _, code := range codes {
			if _, known := s.options[a.Code][code]; !known {
				return nil, fmt.Sprintf("The %s value is not in the %s attribute option list.", code, a.Code), false
			}
		}
		slices.Sort(codes)
		return object(slices.Compact(codes)), "", false
	}
	return object(data), "", false
}

// prices are a price collection with two decimals; a null amount removes its currency.
func (s *state) prices(a Attribute, data json.RawMessage) (json.RawMessage, string, bool) {
	var list []struct {
		Amount   json.RawMessage `json:"amount"`
		Currency string          `json:"currency"`
	}
	if json.Unmarshal(data, &list) != nil {
		return nil, fmt.Sprintf("Property %q expects an array of prices as data.", a.Code), true
	}
	kept := []map[string]any{}
	for _, price := range list {
		if !slices.ContainsFunc(s.Channels, func(c Channel) bool { return slices.Contains(c.Currencies, price.Currency) }) {
			return nil, fmt.Sprintf("The currency %q has to be activated.", price.Currency), false
		}
		if empty(price.Amount) {
			continue
		}
		number, ok := plain(price.Amount)
		if !ok {
			return nil, fmt.Sprintf("The %s attribute requires a number, and the submitted %s value is not.", a.Code, price.Amount), false
		}
		kept = append(kept, map[string]any{"amount": quoted(number, 2), "currency": price.Currency})
	}
	return object(kept), "", false
}

// plain is a number as text, written as a number or as a text.
func plain(data json.RawMessage) (string, bool) {
	text := strings.Trim(string(data), `"`)
	_, err := strconv.ParseFloat(text, 64)
	return text, err == nil && json.Valid([]byte(text))
}

// quoted is a number with so many decimals, as the PIM writes it.
func quoted(number string, decimals int) json.RawMessage {
	n, err := strconv.ParseFloat(number, 64)
	if err != nil {
		panic(err) // cannot happen: plain has parsed it
	}
	return json.RawMessage(`"` + strconv.FormatFloat(n, 'f', decimals, 64) + `"`)
}

func object(v any) json.RawMessage {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // cannot happen: it came from JSON
	}
	return text
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
