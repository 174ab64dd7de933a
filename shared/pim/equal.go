package pim

import (
	"bytes"
	"encoding/json"
	"math/big"
	"slices"
	"strings"
)

// Same says whether two data of an attribute's value are the same to the PIM, which writes them in its own way: 7.25 as
// "7.2500", prices and the codes of a multi-select in any order, a date with a time. What is empty is absent. A kind of ""
// or one that is not known compares as JSON, numbers by their amount.
func Same(kind string, a, b json.RawMessage) bool {
	return bytes.Equal(canonical(kind, a), canonical(kind, b))
}

// Kept says whether data that the PIM shows is what was written, which it may have trimmed.
func Kept(kind string, written, shown json.RawMessage) bool {
	return Same(kind, trimmed(written), trimmed(shown))
}

func trimmed(data json.RawMessage) json.RawMessage {
	var text string
	if len(data) == 0 || json.Unmarshal(data, &text) != nil {
		return data
	}
	short, err := json.Marshal(strings.TrimSpace(text))
	if err != nil {
		return data
	}
	return short
}

// canonical is data in the one way of writing that it is compared in; nil for what is absent.
func canonical(kind string, data json.RawMessage) []byte {
	value, err := decodeData(data)
	if len(data) == 0 || err != nil {
		return data
	}
	switch kind {
	case "pim_catalog_number":
		value = number(value)
	case "pim_catalog_metric":
		metric, ok := value.(map[string]any)
		if !ok {
			break
		}
		if value = nil; number(metric["amount"]) != nil {
			value = map[string]any{"amount": number(metric["amount"]), "unit": metric["unit"]}
		}
	case "pim_catalog_price_collection":
		value = prices(value)
	case "pim_catalog_multiselect", "pim_reference_data_multiselect", "akeneo_reference_entity_collection":
		value = set(value)
	case "pim_catalog_date":
		if text, ok := value.(string); ok {
			if day, clock, _ := strings.Cut(text, "T"); clock == "" || strings.HasPrefix(clock, "00:00:00") {
				value = day // the offset is the PIM server's: its date is the one that a user entered
			}
		}
	case "pim_catalog_identifier", "pim_catalog_text", "pim_catalog_textarea", "pim_catalog_simpleselect", "pim_catalog_boolean":
	default:
		value = amounts(value)
	}
	if nothing(value) {
		return nil
	}
	text, err := json.Marshal(value)
	if err != nil {
		return data
	}
	return text
}

func nothing(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case string:
		return value == ""
	case []any:
		return len(value) == 0
	case map[string]any:
		return len(value) == 0
	}
	return false
}

// number is an amount without what its way of writing adds: 7.25 of "7.2500" and of 725e-2. What is no number stays.
func number(value any) any {
	var text string
	switch value := value.(type) {
	case json.Number:
		text = value.String()
	case string:
		text = value
	default:
		return value
	}
	if len(text) > maxDigits || !json.Valid([]byte(text)) || strings.ContainsAny(text, "{[\"tfn") {
		return value
	}
	if _, exponent, found := strings.Cut(strings.ToLower(text), "e"); found && len(strings.TrimLeft(exponent, "+-0")) > 2 {
		return value // 1e999999999 would be written out
	}
	amount, ok := new(big.Rat).SetString(text)
	if !ok {
		return value
	}
	return map[string]any{"number": amount.RatString()}
}

const maxDigits = 100 // of a number that is compared as one

// amounts makes comparable the numbers within a value of a type that is not known. A text stays a text.
func amounts(value any) any {
	switch value := value.(type) {
	case json.Number:
		return number(value)
	case []any:
		for i := range value {
			value[i] = amounts(value[i])
		}
	case map[string]any:
		for key := range value {
			value[key] = amounts(value[key])
		}
	}
	return value
}

// prices are a price collection by currency; a price without an amount is none.
func prices(value any) any {
	list, ok := value.([]any)
	if !ok {
		return value
	}
	found := map[string]any{}
	for _, each := range list {
		price, ok := each.(map[string]any)
		currency, isText := price["currency"].(string)
		if !ok || !isText {
			return value
		}
		if amount := price["amount"]; !nothing(amount) {
			found[currency] = number(amount)
		}
	}
	return found
}

// set is a list of codes in order, each once.
func set(value any) any {
	list, ok := value.([]any)
	if !ok {
		return value
	}
	codes := make([]string, 0, len(list))
	for _, each := range list {
		code, ok := each.(string)
		if !ok {
			return value
		}
		codes = append(codes, code)
	}
	slices.Sort(codes)
	codes = slices.Compact(codes)
	found := make([]any, len(codes))
	for i, code := range codes {
		found[i] = code
	}
	return found
}
