package pim

import "encoding/json"

// DecodeProduct is decodeProduct, for its fuzz test.
var DecodeProduct = decodeProduct

// ReadLines is readLines, for its fuzz test.
var ReadLines = readLines

// Convert converts by the first of some measurement families, for its test.
func Convert(families []byte, amount, from, to string) (json.Number, error) {
	known, err := decodeMeasurements(families)
	if err != nil {
		return "", err
	}
	return known[0].convert("temperature", amount, from, to)
}
