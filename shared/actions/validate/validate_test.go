package validate_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/actions/validate"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim"
)

func open(t testing.TB, rules string) engine.Action {
	t.Helper()
	section, err := config.ParseSection("rules:\n  - " + strings.ReplaceAll(strings.TrimSpace(rules), "\n", "\n  - "))
	if err != nil {
		t.Fatal(err)
	}
	if err := (validate.Kind{}).Check(section); err != nil {
		t.Fatal(err)
	}
	action, err := validate.Kind{}.Open(section, engine.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	return action
}

const values = `{
	"sku": [{"data": "SHOE-1"}],
	"name": [{"locale": "en_US", "data": "Runner"}, {"locale": "de_DE", "data": "Läufer"}],
	"blank": [{"data": "  "}],
	"empty": [{"data": []}],
	"description": [{"locale": "en_US", "scope": "ecommerce", "data": "Light."}, {"locale": "en_US", "scope": "print", "data": "A very light shoe."}],
	"ean": [{"data": "4006381333931"}],
	"size": [{"data": "42.5000", "attribute_type": "pim_catalog_number"}],
	"pockets": [{"data": 4, "attribute_type": "pim_catalog_number"}],
	"weight": [{"data": {"amount": "640.0000", "unit": "GRAM"}}],
	"price": [{"data": [{"amount": "19.90", "currency": "EUR"}, {"amount": null, "currency": "GBP"}, {"amount": 0.5, "currency": "USD"}]}],
	"color": [{"data": "red"}],
	"materials": [{"data": ["wool", "nylon"]}],
	"new": [{"data": true}],
	"released": [{"data": "2026-11-25T00:00:00+00:00", "attribute_type": "pim_catalog_date"}],
	"sheet": [{"data": "1/2/sheet.pdf"}],
	"image": [{"data": "1/2/Front.JPG"}],
	"sizes": [{"data": [{"size": "m", "chest": 102}]}],
	"link": [{"data": {"type": "product", "id": "x"}}]
}`

func product(t testing.TB, values string) pim.Product {
	t.Helper()
	p := pim.Product{Type: pim.TypeProduct, ID: "u-1", Family: "shoes", Enabled: true, Categories: []string{"summer", "sale"}, Complete: []pim.Completeness{
		{Channel: "ecommerce", Locale: "en_US", Percent: 100}, {Channel: "ecommerce", Locale: "fr_FR", Percent: 57}, {Channel: "print", Locale: "en_US", Percent: 100},
	}}
	if err := json.Unmarshal([]byte(values), &p.Values); err != nil {
		t.Fatal(err)
	}
	return p
}

// check runs a press of products and returns its result.
func check(t testing.TB, action engine.Action, locale string, products ...pim.Product) engine.Result {
	t.Helper()
	run := engine.Run{Total: len(products), Context: json.RawMessage(`{"locale":"` + locale + `"}`), Now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC), Deleted: make([]bool, len(products))}
	for _, p := range products {
		run.Items = append(run.Items, jobs.Item{Type: p.Type, ID: p.ID})
		run.Products = append(run.Products, pim.NewView(p, "sku", "en_US", "ecommerce"))
	}
	result, err := action.Run(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestRules(t *testing.T) {
	for rule, want := range map[string]string{ // "": the product keeps the rule
		`{attribute: name, required: true}`:                                                               "",
		`{attribute: name, required: true, locales: [en_US, fr_FR, es_ES]}`:                               "name is missing (fr_FR, es_ES)",
		`{attribute: nothing, required: true}`:                                                            "nothing is missing",
		`{attribute: nothing, required: true, locales: [en_US]}`:                                          "nothing is missing (en_US)",
		`{attribute: blank, required: true}`:                                                              "blank is missing",
		`{attribute: empty, required: true}`:                                                              "empty is missing",
		`{attribute: new, required: true}`:                                                                "",
		`{attribute: nothing, max_length: 1, pattern: x, min: 9, one_of: [a], after: today, image: true}`: "",

		`{attribute: name, max_length: 6, locales: [en_US, de_DE]}`:                                       "",
		`{attribute: name, max_length: 5, locales: [en_US, de_DE]}`:                                       "name is longer than 5 characters (en_US, de_DE)",
		`{attribute: name, min_length: 7, required: true}`:                                                "name is shorter than 7 characters (en_US)",
		`{attribute: description, max_length: 6, locales: [en_US], channels: [ecommerce, print]}`:         "description is longer than 6 characters (print, en_US)",
		`{attribute: description, required: true, locales: [en_US, fr_FR], channels: [ecommerce, print]}`: "description is missing (ecommerce, fr_FR, print, fr_FR)",
		`{attribute: ean, max_length: 3, locales: [en_US, fr_FR]}`:                                        "ean is longer than 3 characters",
		`{attribute: ean, pattern: '^\d{13}$'}`:                                                           "",
		`{attribute: ean, pattern: '^\d{8}$'}`:                                                            `ean does not match ^\d{8}$`,
		`{attribute: materials, pattern: '^w'}`:                                                           "materials does not match ^w",
		`{attribute: size, pattern: '^42\.5$'}`:                                                           "",

		`{attribute: size, min: 42.5, max: 42.5}`:                   "",
		`{attribute: size, min: 43}`:                                "size is below 43",
		`{attribute: pockets, max: 3}`:                              "pockets is above 3",
		`{attribute: weight, min: 600, max: 700}`:                   "",
		`{attribute: weight, max: 639.5}`:                           "weight is above 639.5",
		`{attribute: price, min: 1, currency: EUR}`:                 "",
		`{attribute: price, min: 20, currency: EUR}`:                "price is below 20 EUR",
		`{attribute: price, min: 1}`:                                "price is below 1",
		`{attribute: price, min: 1, currency: GBP}`:                 "",
		`{attribute: price, required: true, currency: GBP}`:         "price has no price in GBP",
		`{attribute: price, required: true, min: 1, currency: CHF}`: "price has no price in CHF",
		`{attribute: price, required: true, currency: EUR}`:         "",

		`{attribute: color, one_of: [red, blue]}`:             "",
		`{attribute: color, one_of: [a, b, c, d, e, f]}`:      "color is not one of a, b, c, d, e, …",
		`{attribute: materials, one_of: [wool, nylon, silk]}`: "",
		`{attribute: materials, one_of: [wool]}`:              "materials is not one of wool",
		`{attribute: pockets, one_of: [2, 4]}`:                "",
		`{attribute: new, one_of: [true]}`:                    "",

		`{attribute: released, after: 2026-11-24, before: 2026-11-26}`: "",
		`{attribute: released, after: 2026-11-25}`:                     "released is not after 2026-11-25",
		`{attribute: released, before: today}`:                         "released is not before 2026-11-25",
		`{attribute: released, after: today-1d, before: today+1d}`:     "",
		`{attribute: released, after: today+30d}`:                      "released is not after 2026-12-25",
		`{attribute: image, image: true}`:                              "",
		`{attribute: sheet, image: true}`:                              "sheet is no image",
		`{attribute: materials, image: true}`:                          "materials is no image",

		`{categories: {min: 1, max: 2}}`:                                                    "",
		`{categories: {min: 3}}`:                                                            "fewer than 3 categories",
		`{categories: {max: 1}}`:                                                            "more than 1 categories",
		`{complete: {channel: ecommerce, locale: en_US}}`:                                   "",
		`{complete: {channel: print}}`:                                                      "",
		`{complete: {}}`:                                                                    "not complete for ecommerce, fr_FR: 57%",
		`{complete: {channel: ecommerce, locale: de_DE}}`:                                   "the PIM does not say how complete it is for ecommerce, de_DE",
		`{that: 'value("weight").amount > 0'}`:                                              "",
		`{that: 'value("weight").amount > 700'}`:                                            `not so: value("weight").amount > 700`,
		`{that: 'value("nothing").amount > 0'}`:                                             `not so: value("nothing").amount > 0`,
		`{that: 'value("name") > 3'}`:                                                       `value("name") > 3 cannot be checked: > takes two numbers or two texts, and gets a text and a number`,
		`{when: 'family == "hats"', that: 'false'}`:                                         "",
		`{when: 'family == "shoes"', that: 'false'}`:                                        "not so: false",
		`{when: 'family == "hats"', attribute: nothing, required: true}`:                    "",
		`{when: 'value("name") > 3', attribute: name, required: true}`:                      "when 1 cannot be checked: > takes two numbers or two texts, and gets a text and a number",
		`{that: 'false', message: {default: Shoes need a weight, fr_FR: Il faut un poids}}`: "Shoes need a weight",
		`{attribute: name, required: true, max_length: 1, locales: [en_US, fr_FR], message: {default: Mend it}}`: "Mend it (en_US, fr_FR)",

		// A check that does not fit never passes unseen.
		`{attribute: sizes, max_length: 80}`:                 "sizes holds values that length cannot check",
		`{attribute: sizes, pattern: x}`:                     "sizes holds values that pattern cannot check",
		`{attribute: sizes, min: 1}`:                         "sizes holds values that min, max, currency cannot check",
		`{attribute: sizes, one_of: [m]}`:                    "sizes holds values that one_of cannot check",
		`{attribute: sizes, after: today}`:                   "sizes holds values that after, before cannot check",
		`{attribute: sizes, required: true}`:                 "",
		`{attribute: link, min: 1}`:                          "link holds values that min, max, currency cannot check",
		`{attribute: name, min: 1}`:                          "name holds values that min, max, currency cannot check (en_US)",
		`{attribute: name, after: today}`:                    "name holds values that after, before cannot check (en_US)",
		`{attribute: weight, required: true, currency: EUR}`: "weight holds values that min, max, currency cannot check",
		`{attribute: pockets, min_length: 1}`:                "pockets holds values that length cannot check",
	} {
		t.Run(rule, func(t *testing.T) {
			result := check(t, open(t, rule), "en_US", product(t, values))
			got := ""
			if len(result.Failures) > 0 {
				got = result.Failures[0].Reason
			}
			if got != want || (want == "") != (result.Message == "All rules hold.") {
				t.Errorf("%q, message %q, want %q", got, result.Message, want)
			}
		})
	}
}

func TestAModelHasNoCompleteness(t *testing.T) {
	model := pim.Product{Type: pim.TypeModel, ID: "runner", Family: "shoes"}
	result := check(t, open(t, `{complete: {channel: ecommerce}}
{when: 'type == "product"', attribute: sku, required: true}
{attribute: ean, pattern: x}`), "en_US", model)
	if len(result.Failures) != 1 || result.Failures[0].Reason != "product models have no completeness" {
		t.Errorf("%+v", result)
	}
}

const several = `{attribute: nothing, required: true}
{attribute: other, required: true}
{categories: {min: 3}}
{attribute: color, one_of: [blue]}`

func TestOneProductIsToldInTheUsersLanguage(t *testing.T) {
	for locale, want := range map[string]string{
		"en_GB": "Not ready: nothing is missing; other is missing; fewer than 3 categories; color is not one of blue",
		"fr_CA": "Pas prêt : nothing manque; other manque; moins de 3 catégories; color ne fait pas partie de blue",
		"de_DE": "Nicht bereit: nothing fehlt; other fehlt; weniger als 3 Kategorien; color ist keines von blue",
		"":      "Not ready: nothing is missing; other is missing; fewer than 3 categories; color is not one of blue",
	} {
		if result := check(t, open(t, several), locale, product(t, values)); result.Message != want {
			t.Errorf("%s: %q, want %q", locale, result.Message, want)
		}
	}
	if result := check(t, open(t, `{that: 'true'}`), "fr_FR", product(t, values)); result.Message != "Toutes les règles sont respectées." {
		t.Errorf("%q", result.Message)
	}
	if result := check(t, open(t, `{that: 'false', message: {default: Shoes need a weight, fr_FR: Il faut un poids}}`), "fr_FR", product(t, values)); result.Message != "Pas prêt : Il faut un poids" {
		t.Errorf("%q", result.Message)
	}
}

func TestASelectionIsToldByItem(t *testing.T) {
	bad := product(t, `{"sku": [{"data": "SHOE-2"}]}`)
	unnamed := product(t, `{}`)
	result := check(t, open(t, `{attribute: name, required: true}`), "en_US", product(t, values), bad, unnamed)
	want := []engine.Failure{{Index: 1, Reason: "SHOE-2: name is missing"}, {Index: 2, Reason: "name is missing"}}
	if !slices.Equal(result.Failures, want) || result.Message != "" {
		t.Errorf("%+v", result)
	}
}

// Many problems are the first of them and a count: within what a record keeps of a reason.
func TestManyProblems(t *testing.T) {
	var rules []string
	for n := range 60 {
		rules = append(rules, fmt.Sprintf(`{attribute: attribute_%d, required: true}`, n))
	}
	rules = append(rules, `{that: 'false', message: {default: "`+strings.Repeat("é", 400)+`"}}`)
	action := open(t, strings.Join(rules, "\n"))
	for _, products := range [][]pim.Product{{product(t, values)}, {product(t, values), product(t, values)}} {
		reason := check(t, action, "en_US", products...).Failures[0].Reason
		if len(reason) > jobs.MaxReason || len(reason) < 200 || !strings.Contains(reason, "attribute_0 is missing; attribute_1 is missing") || !strings.HasSuffix(reason, " more") {
			t.Errorf("%d bytes: %s", len(reason), reason)
		}
		named := strings.Count(reason, " is missing")
		if !strings.HasSuffix(reason, fmt.Sprintf("; and %d more", 61-named)) {
			t.Errorf("%d are named in %s", named, reason)
		}
	}
	slices.Reverse(rules)
	if reason := check(t, open(t, strings.Join(rules, "\n")), "en_US", product(t, values)).Failures[0].Reason; len(reason) > jobs.MaxReason || !strings.HasPrefix(reason, "éé") || !strings.Contains(reason, "é…; ") {
		t.Errorf("%d bytes: %s", len(reason), reason)
	}
}

func TestWhatIsDeletedBreaksNoRule(t *testing.T) {
	run := engine.Run{Total: 1, Items: []jobs.Item{{Type: jobs.Product, ID: "u-1"}}, Products: make([]pim.View, 1), Deleted: []bool{true}}
	if result, err := open(t, `{attribute: name, required: true}`).Run(t.Context(), run); err != nil || len(result.Failures) > 0 {
		t.Errorf("%+v, %v", result, err)
	}
}

func TestAJobOfNothingFails(t *testing.T) {
	_, err := open(t, `{attribute: name, required: true}`).Run(t.Context(), engine.Run{})
	if failed, ok := errors.AsType[*engine.PermanentError](err); !ok || failed.Reason != "there is no product to check" {
		t.Error(err)
	}
}

// What is read is what the rules look at.
func TestReads(t *testing.T) {
	for rules, want := range map[string]string{
		`{attribute: name, required: true}`: "name labels=false complete=false",
		`{complete: {}}`:                    " labels=false complete=true",
		`{when: 'label("color") == "Red"', that: 'price("price", "EUR") > 0'}`:         "color price labels=true complete=false",
		"{attribute: a, required: true}\n{when: 'value(\"b\")', attribute: a, min: 1}": "a b labels=false complete=false",
		`{that: 'enabled'}`: " labels=false complete=false",
	} {
		reads := open(t, rules).(engine.Reader).Reads()
		if got := fmt.Sprintf("%s labels=%t complete=%t", strings.Join(reads.Attributes, " "), reads.Labels, reads.Complete); got != want || reads.Attributes == nil {
			t.Errorf("%s: %s (nil: %t), want %s", rules, got, reads.Attributes == nil, want)
		}
	}
}

func TestMistakes(t *testing.T) {
	for text, want := range map[string]string{
		``:              "section:1: a validate action needs rules",
		`rules: []`:     "section:1: a validate action needs rules",
		`rules: name`:   "rules is not a list",
		`rules: [name]`: "a value in rules is not a mapping",
		`rules: [{}]`:   "section:1: the rule is about nothing; add attribute",
		"rules:\n- {categories: {min: 1}}\n- {required: true}":                      "section:3: the rule is about nothing",
		`rules: [{attribute: name}]`:                                                `the rule about "name" checks nothing`,
		`rules: [{attribute: name, currency: EUR}]`:                                 "currency alone checks nothing",
		`rules: [{attribute: "", required: true}]`:                                  "attribute is empty",
		`rules: [{attribute: name, categories: {min: 1}, required: true}]`:          "the rule has attribute and categories; make two rules",
		`rules: [{attribute: name, required: true, that: "true"}]`:                  "the rule has attribute and that",
		`rules: [{that: "true", required: true}]`:                                   "required is for a rule about an attribute",
		`rules: [{complete: {}, locales: [en_US]}]`:                                 "locales is for a rule about an attribute",
		`rules: [{attribute: name, pattern: "(?=a)"}]`:                              "pattern: invalid or unsupported Perl syntax: `(?=`; use the syntax of RE2",
		`rules: [{attribute: name, pattern: "(a"}]`:                                 "pattern: missing closing )",
		`rules: [{attribute: name, pattern: '/^\d+$/i'}]`:                           "pattern has the delimiters of PHP",
		`rules: [{attribute: name, min_length: 5, max_length: 4}]`:                  "min_length: the least is more than the most",
		`rules: [{attribute: name, max_length: -1}]`:                                "max_length is below zero",
		`rules: [{attribute: name, min: 2, max: 1}]`:                                "min: the least is more than the most",
		`rules: [{attribute: name, min: many}]`:                                     "is not a number",
		`rules: [{attribute: name, max_length: 1.5}]`:                               "is not a whole number",
		`rules: [{categories: {}}]`:                                                 "categories has neither min nor max",
		`rules: [{categories: {min: 2, max: 1}}]`:                                   "categories: the least is more than the most",
		`rules: [{attribute: a, one_of: []}]`:                                       "one_of names none",
		`rules: [{attribute: a, required: true, locales: []}]`:                      "locales names none",
		`rules: [{attribute: a, required: true, locales: [en-US]}]`:                 `"en-US" is not a locale; write it as the PIM does: en_US`,
		`rules: [{complete: {locale: en}}]`:                                         `locale of complete: "en" is not a locale`,
		`rules: [{attribute: a, after: tomorrow}]`:                                  `after is "tomorrow"; write 2026-12-31, today`,
		`rules: [{attribute: a, before: 2026-02-30}]`:                               `before is "2026-02-30"`,
		`rules: [{attribute: a, before: todayd}]`:                                   `before is "todayd"`,
		`rules: [{attribute: a, before: today5d}]`:                                  `before is "today5d"`,
		`rules: [{attribute: a, before: "today+d"}]`:                                `before is "today+d"`,
		`rules: [{attribute: a, required: true, message: {fr_FR: x}}]`:              "message has no default",
		`rules: [{attribute: a, required: true, message: {default: x, fr: y}}]`:     `"fr" in message is not a locale`,
		`rules: [{attribute: a, required: true, message: {default: "{{.Label}}"}}]`: "message takes no template",
		`rules: [{that: ""}]`:                                                       "that is empty",
		`rules: [{when: "", attribute: a, required: true}]`:                         "when is empty",
		"rules:\n- categories: {min: 1}\n- when: enabled\n  that: 'valu(\"a\")'":    "section:4: that: unknown name valu, at character 1; correct the expression",
		`rules: [{when: 'family', that: 'enabled'}]`:                                "when: expected bool, but got string",
		`rules: [{attribute: a, requird: true}]`:                                    `unknown key "requird" in a value in rules; did you mean "required"?`,
		`rules: [{attribute: a, required: true}]` + "\nreport: xlsx":                `report "xlsx"; use report: csv`,
	} {
		t.Run(text, func(t *testing.T) {
			section, err := config.ParseSection(text)
			if err != nil {
				t.Fatal(err)
			}
			if err := (validate.Kind{}).Check(section); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %q", err, want)
			}
		})
	}
}
