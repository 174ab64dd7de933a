package expression_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/actions/expression"
	"github.com/pim-functions/pim-functions/shared/pim"
)

// shoe is a product with values of several types. size_chart, a table, and nothing else is long.
func shoe(t testing.TB) pim.View {
	t.Helper()
	product := pim.Product{Type: pim.TypeProduct, ID: "u-1", Family: "shoes", Parent: "runner", Enabled: true, Categories: []string{"summer", "sale"}}
	if err := json.Unmarshal([]byte(`{
		"sku": [{"data": "SHOE-1"}],
		"name": [{"locale": "en_US", "data": "Runner é"}, {"locale": "fr_FR", "data": "Coureur"}],
		"weight": [{"data": {"amount": "0.3500", "unit": "KILOGRAM"}}],
		"net_price": [{"data": [{"amount": "19.90", "currency": "EUR"}, {"amount": 25, "currency": "USD"}]}],
		"size": [{"data": "42.5000", "attribute_type": "pim_catalog_number"}],
		"color": [{"data": "red", "linked_data": {"labels": {"en_US": "Red"}}}],
		"materials": [{"data": ["wool", "nylon"]}],
		"new": [{"data": true}],
		"size_chart": [{"data": [{"size": "m", "chest": 102}, {"size": "l", "chest": 108, "fit": "loose"}]}]
	}`), &product.Values); err != nil {
		t.Fatal(err)
	}
	return pim.NewView(product, "sku", "en_US", "ecommerce")
}

func scope(t testing.TB) expression.Scope {
	return expression.Scope{
		Product: shoe(t), Now: time.Date(2026, 11, 25, 23, 0, 0, 0, time.UTC),
		Answer: map[string]any{"price": json.Number("12.50"), "choices": []any{map[string]any{"text": "a"}}},
	}
}

func TestWhatExpressionsGive(t *testing.T) {
	number := func(text string) any { return json.Number(text) }
	for text, want := range map[string]any{
		// what a product has
		`family`: "shoes", `identifier`: "SHOE-1", `id`: "u-1", `type`: "product", `parent`: "runner", `enabled`: true,
		`categories`: []any{"summer", "sale"}, `groups`: []any{}, `today`: "2026-11-25",
		`value("name")`: "Runner é", `value("name", "fr_FR")`: "Coureur", `value("size")`: number("42.5"), `value("new")`: true,
		`value("weight").amount`: number("0.35"), `value("weight").unit`: "KILOGRAM", `metric("weight")`: number("0.35"),
		`price("net_price", "EUR")`: number("19.9"), `value("net_price")[1].amount`: number("25"), `label("color")`: "Red",
		`value("size_chart")[0].chest`: number("102"),
		`answer.price * 2`:             number("25"), `answer.choices[0].text`: "a",

		// numbers are decimals
		`price("net_price", "EUR") * 1.2`: number("23.88"), `0.1 + 0.2`: number("0.3"), `0.3 - 0.1`: number("0.2"), `7 / 2`: number("3.5"),
		`7 % 4`: number("3"), `2 ** 10`: number("1024"), `-value("size")`: number("-42.5"), `1e3`: number("1000"),
		`round(23.885, 2)`: number("23.89"), `round(1.005, 2)`: number("1.01"), `round(2.5)`: number("3"), `ceil(1.1)`: number("2"),
		`floor(1.9)`: number("1"), `abs(-2)`: number("2"), `min(3, 1, 2)`: number("1"), `max([1, nil, 4])`: number("4"), `max(nil)`: nil,
		`sum([0.1, 0.2, nil])`: number("0.3"), `sum(value("net_price"), .amount)`: number("44.9"), `number(" 12.50 ")`: number("12.5"),
		`number("many")`: nil, `text(12.50)`: "12.5", `text(value("new"))`: "true",

		// texts and lists
		`"a" + "b"`: "ab", `upper(value("name"))`: "RUNNER É", `len(value("name"))`: number("8"), `len(categories)`: number("2"),
		`trim("  a ")`: "a", `lower("A")`: "a", `split("a,b", ",")`: []any{"a", "b"}, `join(value("materials"), " & ")`: "wool & nylon",
		`replace("a-b-c", "-", "")`: "abc", `value("materials") | join(", ") | upper()`: "WOOL, NYLON",
		`map(value("size_chart"), .size)`: []any{"m", "l"}, `filter(value("size_chart"), .chest > 105)[0].size`: "l",
		`find(value("size_chart"), .size == "l").fit`: "loose", `count(value("size_chart"), .fit == nil)`: number("1"),
		`any(categories, # == "sale")`: true, `all(value("size_chart"), .chest > 105)`: false, `none(groups, true)`: true, `one(categories, # == "sale")`: true,
		`[{amount: price("net_price", "EUR") * 1.2, currency: "EUR"}]`: []any{map[string]any{"amount": number("23.88"), "currency": "EUR"}},
		`let net = price("net_price", "EUR"); net > 10 ? net : 10`:     number("19.9"),
		`if enabled { "on" } else { "off" }`:                           "on",

		// conditions
		`family == "shoes" and enabled`: true, `not enabled`: false, `!(family in ["shirts"])`: true, `family not in ["shirts"]`: true,
		`"sale" in categories`: true, `"amount" in value("weight")`: true, `1 < 2 and 2 < 3`: true, `1 < value("size") < 50`: true,
		`value("name") matches "^Run"`: true, `value("name") contains "unn"`: true, `value("name") startsWith "x"`: false, `value("name") endsWith "é"`: true,
		`value("weight").amount == 0.350`: true, `value("size") == 42.5`: true, `value("materials") == ["wool", "nylon"]`: true,
		`value("weight") == {"amount": 0.35, "unit": "KILOGRAM"}`: true, `value("size") == "42.5"`: false, `"2026-12-01" > today`: true,

		// what does not exist
		`value("nothing")`: nil, `value("nothing").amount`: nil, `value("nothing")[0].a.b`: nil, `value("net_price")[7].amount`: nil,
		`price("net_price", "CHF") * 1.2`: nil, `1 + value("nothing")`: nil, `"a" + value("nothing")`: nil, `-value("nothing")`: nil,
		`value("nothing").amount > 0`: false, `0 < value("nothing").amount`: false, `"a" contains value("nothing")`: false, `1 * value("nothing")`: nil, `value("nothing").amount <= 0`: false, `value("nothing") == nil`: true, `value("nothing") != "a"`: true,
		`value("nothing") contains "a"`: false, `value("nothing") matches "."`: false, `upper(value("nothing"))`: nil, `len(value("nothing"))`: number("0"),
		`all(value("nothing"), # > 1)`: true, `any(value("nothing"), # > 1)`: false, `"a" in value("nothing")`: false, `not value("nothing")`: true,
		`value("nothing") and true`: false, `value("nothing") ? 1 : 2`: number("2"), `value("nothing") ?? "none"`: "none", `value("nothing")?.a`: nil,
		`sum(value("nothing"))`: number("0"), `join(value("nothing"), ",")`: nil, `round(value("nothing"), 2)`: nil, `answer.nothing.deep`: nil,
	} {
		t.Run(text, func(t *testing.T) {
			compiled, err := expression.Compile(text, expression.Form{Answer: true})
			if err != nil {
				t.Fatal(err)
			}
			got, err := compiled.Value(scope(t))
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%#v, %v, want %#v", got, err, want)
			}
		})
	}
}

func TestMistakesAreFoundWithoutAProduct(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{"", "empty"},
		{" \n", "empty"},
		{"1 +", "unexpected token"},
		{`valu("name")`, "unknown name valu, at character 1"},
		{`family > 3`, "mismatched types string and int"},
		{`"a" * 2`, "mismatched types"},
		{`value(3)`, "cannot use int"},
		{`price("net_price")`, "not enough arguments"},
		{`value(family)`, "must be the code of an attribute"},
		{`value("")`, "must be the code of an attribute"},
		{`map(categories, value(#))`, "must be the code of an attribute"},
		{`let v = value; v("name")`, "only the functions of this language can be called"},
		{`value("name").Format("x")`, "only the functions of this language can be called"},
		{`$env`, "$env is no name"},
		{`$env["value"]`, "$env is no name"},
		{`answer.a`, "unknown name answer"},
		{`1..1000000000`, "operator .. is not part of this language"},
		{`value("name")[1:3]`, "slices are not part"},
		{`reduce(categories, #acc + #, "")`, "reduce is no function of this language"},
		{`sortBy(categories, #)`, "sortBy is no function of this language"},
		{`groupBy(categories, #)`, "groupBy is no function of this language"},
		{`count(categories)`, "len counts all"},
		{`repeat("a", 3)`, "unknown name repeat"},
		{`now()`, "unknown name now"},
		{`toJSON(categories)`, "unknown name toJSON"},
		{`value("name") matches "("`, "missing closing )"},
		{"family ==\n  nothing", "at line 2, character 3"},
		{strings.Repeat("(", 5000), "longer than 4096 bytes"},
		{strings.Repeat("(", 4000), "unexpected token"},
		{strings.Repeat("1+", 600) + "1", "exceeds maximum allowed nodes"},
		{strings.Repeat("-", 3000) + "1", "exceeds maximum allowed nodes"},
	} {
		t.Run(row.text[:min(len(row.text), 40)], func(t *testing.T) {
			_, err := expression.Compile(row.text, expression.Form{})
			if err == nil || !strings.Contains(err.Error(), row.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v, want %q", err, row.want)
			}
		})
	}
	if _, err := expression.Compile(`family`, expression.Form{Condition: true}); err == nil {
		t.Error("a text is no condition")
	}
}

// What depends on the product is an error of that product, in words for users.
func TestWhatCannotBeComputed(t *testing.T) {
	for text, want := range map[string]string{
		`value("name") * 2`:                         "* takes numbers, and gets a text and a number",
		`value("name") > 2`:                         "> takes two numbers or two texts",
		`value("name") + 2`:                         "+ takes two numbers or two texts",
		`value("size") / 0`:                         "divides by zero",
		`10 ** 400`:                                 "leaves the numbers",
		`value("name").amount`:                      `a text has no part "amount"`,
		`value("name") ? 1 : 2`:                     "neither true nor false",
		`all(value("name"), true)`:                  "a list is wanted, and there is a text",
		`upper(value("size"))`:                      "upper takes a text",
		`join(value("size_chart"), ",")`:            "join takes a list of texts",
		`sum(categories)`:                           "sum takes numbers",
		`metric("weight", "GRAM")`:                  "is kept in KILOGRAM, not in GRAM",
		`price("name", "EUR")`:                      "holds values of another type",
		`value("name") matches value("name") + "("`: "matches takes a pattern",
		`lower`:                        "the result is no value",
		`value("name", "a", "b", "c")`: "a locale and a channel at the most",
		`{(value("size")): 1}`:         "cannot be computed from these values",
	} {
		t.Run(text, func(t *testing.T) {
			compiled, err := expression.Compile(text, expression.Form{})
			if err != nil {
				t.Fatal(err)
			}
			value, err := compiled.Value(scope(t))
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v, %v, want %q", value, err, want)
			}
		})
	}
}

// What loops or allocates ends in bounded time with an error.
func TestBounds(t *testing.T) {
	doubled := func(first, form string, times int) string {
		var text strings.Builder
		text.WriteString("let a00 = " + first + "; ")
		for i := range times {
			text.WriteString(strings.NewReplacer("NEW", letter(i+1), "OLD", letter(i)).Replace("let NEW = " + form + "; "))
		}
		return text.String() + letter(times)
	}
	all := `[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]`
	for name, row := range map[string]struct{ text, want string }{
		"loops in loops":         {`let l = ` + all + `; all(l, all(l, all(l, all(l, all(l, true)))))`, "too many steps"},
		"lists of lists":         {`let l = ` + all + `; map(l, map(l, map(l, map(l, 1))))`, "more than it may hold"},
		"a text that doubles":    {doubled(`"abcdefgh"`, "OLD + OLD", 60), "a text that is too long"},
		"replacing":              {doubled(`"aaaaaaaa"`, `replace(OLD, "a", "aaaaaaaaaaaaaaaa")`, 20), "a text that is too long"},
		"a list that doubles":    {doubled(`[1, 1]`, "[OLD, OLD]", 60), "nested too deep"},
		"… less deep":            {doubled(`[1, 1]`, "[OLD, OLD]", 30), "too many steps"},
		"compared with itself":   {doubled(`[1, 1]`, "[OLD, OLD]", 60) + ` == a60`, "too many steps"},
		"a pattern that is long": {`"a" matches "` + strings.Repeat("a", 300) + `"`, "at most 256 characters"},
	} {
		t.Run(name, func(t *testing.T) {
			compiled, err := expression.Compile(row.text, expression.Form{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err = compiled.Value(scope(t)); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("%v, want %q", err, row.want)
			}
		})
	}
}

func letter(i int) string { return "a" + string(rune('0'+i/10)) + string(rune('0'+i%10)) }

func TestAnExpressionSaysWhatItReads(t *testing.T) {
	compiled, err := expression.Compile(`value("weight").amount > 0 and any(value("sizes"), .x == metric("weight")) or label("color") == price("p", "EUR")`, expression.Form{Condition: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(compiled.Attributes(), " "); got != "weight sizes color p" || !compiled.Labels() {
		t.Errorf("attributes = %q, labels %t", got, compiled.Labels())
	}
}

func TestConditions(t *testing.T) {
	for text, want := range map[string]bool{`family == "shoes"`: true, `value("nothing")`: false, `value("new")`: true, `value("weight").amount > 1`: false} {
		compiled, err := expression.Compile(text, expression.Form{Condition: true})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := compiled.Holds(scope(t)); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	compiled, err := expression.Compile(`value("name")`, expression.Form{Condition: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := compiled.Holds(scope(t)); err == nil {
		t.Error("a text is neither true nor false")
	}
}

// Whatever the text, it ends, within its bounds, without a panic, in JSON.
func FuzzExpressions(f *testing.F) {
	for _, seed := range []string{
		`value("weight").amount > 0`, `[{amount: price("net_price", "EUR") * 1.2, currency: "EUR"}]`, `all(map(categories, [#, #]), # == [[1]])`,
		`let a = "x"; let b = a + a; b | upper() | split("X")`, `value("name") matches "(a+)+$"`, `find(value("size_chart"), .fit?.a == nil) ?? {"a": -1}`,
		`sum(filter(value("size_chart"), .chest > 1), .chest ** 20) / 0`, `if not (1 in [1, "a"]) {nil} else {round(1.5, 20)}`, `$env`, `b"x"`, `1..2`, `#`,
		`count(categories, none(groups, #index))`, `a?.b.c()`, `{"x": lower}["x"]("A")`, `1 < 2 < value("size") != "x" not in [nil]`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, form := range []expression.Form{{Answer: true}, {Condition: true}} {
			compiled, err := expression.Compile(text, form)
			if err != nil {
				if strings.Contains(err.Error(), "\n | ") {
					t.Errorf("the error has lines of its own: %v", err)
				}
				continue
			}
			value, err := compiled.Value(scope(t))
			if err != nil {
				continue
			}
			if _, err := json.Marshal(value); err != nil {
				t.Errorf("no JSON: %v", err)
			}
		}
	})
}
