package table

import (
	"math/big"
	"strings"
)

// maxDigits bounds the amounts that are computed with. Longer ones stay as they are.
const maxDigits = 200

// number is a value of a number attribute: with decimals at least four, without none.
func (f Form) number(text string, decimals bool) string {
	amount, ok := rational(text)
	if !ok {
		return text
	}
	if !decimals {
		return truncated(amount)
	}
	whole, fraction, _ := strings.Cut(text, ".")
	if strings.ContainsAny(text, "eE") {
		whole, fraction, _ = strings.Cut(amount.FloatString(maxDigits), ".")
	}
	fraction = strings.TrimRight(fraction, "0")
	if missing := 4 - len(fraction); missing > 0 {
		fraction += strings.Repeat("0", missing)
	}
	return whole + f.decimal() + fraction
}

// fixed is an amount with so many decimals, rounded, or none.
func (f Form) fixed(amount *big.Rat, places int, decimals bool) string {
	if !decimals {
		return truncated(amount)
	}
	return strings.Replace(amount.FloatString(places), ".", f.decimal(), 1)
}

func (f Form) decimal() string {
	if f.Decimal == "" {
		return "."
	}
	return f.Decimal
}

// rational reads a decimal number.
func rational(text string) (*big.Rat, bool) {
	_, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	if len(text) > maxDigits || len(strings.TrimLeft(exponent, "+-")) > 2 || strings.ContainsAny(text, "/_xXpPoObB") {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

// truncated leaves the decimals out.
func truncated(amount *big.Rat) string {
	return new(big.Int).Quo(amount.Num(), amount.Denom()).String()
}
