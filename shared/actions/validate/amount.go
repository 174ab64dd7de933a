package validate

import (
	"encoding/json"
	"math"
	"strconv"
)

// amounts are the numbers of a value: a number, a measurement's amount in the unit it is kept in, or the prices, of one
// currency or of all. false: it holds no numbers, or is no price where a currency is named.
func amounts(data any, currency string) ([]float64, bool) {
	switch data := data.(type) {
	case json.Number, string:
		number, ok := quantity(data)
		return []float64{number}, ok && currency == ""
	case map[string]any:
		number, ok := quantity(data["amount"])
		return []float64{number}, ok && currency == ""
	case []any:
		list := []float64{}
		for _, element := range data {
			price, _ := element.(map[string]any)
			in, ok := price["currency"].(string)
			if !ok {
				return nil, false
			}
			if price["amount"] == nil || currency != "" && in != currency {
				continue
			}
			number, ok := quantity(price["amount"])
			if !ok {
				return nil, false
			}
			list = append(list, number)
		}
		return list, true
	}
	return nil, false
}

// quantity is a number, which the PIM writes as a text where decimals are allowed.
func quantity(data any) (float64, bool) {
	var text string
	switch data := data.(type) {
	case json.Number:
		text = data.String()
	case string:
		text = data
	}
	number, err := strconv.ParseFloat(text, 64)
	return number, err == nil && !math.IsInf(number, 0) && !math.IsNaN(number)
}
