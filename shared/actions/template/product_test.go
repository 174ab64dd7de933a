package template_test

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/actions/template"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

// values are a product's, one of each type that templates meet, and some that are odd.
const values = `{
	"sku": [{"locale":null,"scope":null,"data":"SHOE-1","attribute_type":"pim_catalog_identifier"}],
	"name": [{"locale":"en_US","scope":null,"data":"12\" \"boot\" {{.Label}}\n"},{"locale":"fr_FR","scope":null,"data":"Botte"}],
	"price": [{"locale":null,"scope":null,"data":[{"amount":"1.50","currency":"EUR"},{"amount":null,"currency":"USD"}]}],
	"weight": [{"locale":null,"scope":null,"data":{"amount":"7.2500","unit":"KILOGRAM"}}],
	"pockets": [{"locale":null,"scope":null,"data":0,"attribute_type":"pim_catalog_number"}],
	"rating": [{"locale":null,"scope":null,"data":"4.5000","attribute_type":"pim_catalog_number"}],
	"waterproof": [{"locale":null,"scope":null,"data":false}],
	"color": [{"locale":null,"scope":null,"data":"red","linked_data":{"labels":{"en_US":"Red","fr_FR":null}}}],
	"materials": [{"locale":null,"scope":null,"data":["wool","silk"],"linked_data":{"wool":{"labels":{"en_US":"Wool"}}}}],
	"release_date": [{"locale":null,"scope":"ecommerce","data":"2026-03-29T00:00:00+01:00","attribute_type":"pim_catalog_date"}],
	"size_chart": [{"locale":null,"scope":null,"data":[{"size_code":"m","chest_cm":"96"}]}],
	"designer": [{"locale":null,"scope":null,"data":"starck","attribute_type":"akeneo_reference_entity"}],
	"image": [{"locale":null,"scope":null,"data":"a/b/boot.jpg","attribute_type":"pim_catalog_image"}],
	"nothing": [{"locale":null,"scope":null,"data":null}]
}`

func view(t testing.TB) pim.View {
	t.Helper()
	p := pim.Product{Type: pim.TypeProduct, ID: "p1", Family: "shoes", Enabled: true, Categories: []string{"a", "b"}, Raw: json.RawMessage(`{"uuid":"p1"}`)}
	if err := json.Unmarshal([]byte(values), &p.Values); err != nil {
		t.Fatal(err)
	}
	return pim.NewView(p, "sku", "en_US", "ecommerce")
}

func oneProduct(t testing.TB) engine.Run {
	return engine.Run{
		Job: "job-1", Key: "job-1/0-0", Label: "Send", Began: time.Date(2026, 11, 25, 9, 0, 0, 0, time.FixedZone("", 3600)), User: jobs.User{Username: "julia"},
		Items: []jobs.Item{{Type: jobs.Product, ID: "p1"}}, Products: []pim.View{view(t)}, Deleted: []bool{false},
	}
}

var each = template.Scope{Each: true, Reads: &engine.Reads{Labels: true}}

func TestWhatATemplateSeesOfAProduct(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"the item", "{{.Item.Type}} {{.Item.ID}} {{.Item.Identifier}} {{.Item.Deleted}}", "product p1 SHOE-1 false"},
		{"what it is", `{{.Product.Type}} {{.Product.ID}} {{.Product.Identifier}} {{.Product.Family}} {{.Product.Enabled}} {{join "," .Product.Categories}}`, "product p1 SHOE-1 shoes true a,b"},
		{"a text of the run's locale", `{{.Product.Value "name"}}`, "12\" \"boot\" {{.Label}}\n"},
		{"of another locale", `{{.Product.Value "name" "fr_FR"}}`, "Botte"},
		{"of a locale that it lacks", `[{{.Product.Value "name" "de_DE"}}]`, "[]"},
		{"of another channel", `[{{.Product.Value "release_date" "" "print"}}]`, "[]"},
		{"null", `[{{.Product.Value "nothing"}}]`, "[]"},
		{"an attribute that does not exist", `[{{.Product.Value "nobody"}}]`, "[]"},
		{"piped", `[{{"name" | .Product.Value | upper}}]`, "[12\" \"BOOT\" {{.LABEL}}\n]"},
		{"a price", `{{.Product.Price "price" "EUR"}}`, "1.50"},
		{"a price without amount", `[{{.Product.Price "price" "USD"}}]`, "[]"},
		{"in a currency that it lacks", `[{{.Product.Price "price" "CHF"}}]`, "[]"},
		{"a measurement", `{{.Product.Metric "weight"}} {{.Product.Metric "weight" "KILOGRAM"}}`, "7.25 7.25"},
		{"zero is false, as a number is", `{{.Product.Value "pockets"}}{{if .Product.Value "pockets"}} pockets{{end}}`, "0"},
		{"numbers compare", `{{.Product.Value "rating"}}{{if gt (.Product.Value "rating") 4}} good{{end}}`, "4.5 good"},
		{"a boolean", `{{.Product.Value "waterproof"}}`, "false"},
		{"an option's label", `{{.Product.Label "color"}} {{.Product.Label "color" "fr_FR"}}`, "Red [red]"},
		{"labels", `{{join ", " (.Product.Label "materials")}}`, "Wool, [silk]"},
		{"a date", `{{.Product.Value "release_date"}}`, "2026-03-29"},
		{"a table", `{{range .Product.Value "size_chart"}}{{.size_code}}={{.chest_cm}}{{end}}`, "m=96"},
		{"a reference entity", `{{.Product.Value "designer"}}`, "starck"},
		{"with", `{{with .Product}}{{.Value "rating"}}{{end}}`, "4.5"},
		{"from the list of items", `{{range .Items}}{{.Product.Value "rating"}}{{end}}`, "4.5"},
		{"the job's beginning", `{{.Now}} {{.Now.Format "2006-01-02"}} {{.User.Username}} {{.Label}}`, "2026-11-25T08:00:00Z 2026-11-25 julia Send"},
	} {
		t.Run(c.name, func(t *testing.T) {
			parsed, err := each.Parse(c.text)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := parsed.Execute(oneProduct(t), nil); err != nil || got != c.want {
				t.Errorf("%q, %v; want %q", got, err, c.want)
			}
		})
	}
}

func TestMarkersOverAProduct(t *testing.T) {
	run := oneProduct(t)
	for _, c := range []struct{ name, text, want string }{
		{"a price", `{"number":"{{.Product.Price \"price\" \"EUR\"}}"}`, `1.50`},
		{"a price that it lacks", `{"number":"{{.Product.Price \"price\" \"CHF\"}}"}`, `null`},
		{"a boolean", `{"boolean":"{{.Product.Value \"waterproof\"}}"}`, `false`},
		{"a boolean that it lacks", `{"boolean":"{{.Product.Value \"nobody\"}}"}`, `null`},
		{"a table", `{"json":"{{json (.Product.Value \"size_chart\")}}"}`, `[{"chest_cm":"96","size_code":"m"}]`},
		{"what it lacks", `{"json":"{{json (.Product.Value \"nobody\")}}"}`, `null`},
		{"a text", `"{{.Product.Value \"name\"}}"`, `"12\" \"boot\" {{.Label}}\n"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var value any
			if err := json.Unmarshal([]byte(c.text), &value); err != nil {
				t.Fatal(err)
			}
			parsed, err := each.ParseJSON(value)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := parsed.Execute(run); err != nil || string(got) != c.want {
				t.Errorf("%s, %v; want %s", got, err, c.want)
			}
		})
	}
	t.Run("by item, without each", func(t *testing.T) {
		parsed, err := template.Scope{Reads: &engine.Reads{}}.ParseJSON(map[string]any{"products": map[string]any{"items": map[string]any{"id": "{{.Item.ID}}", "rating": map[string]any{"number": `{{.Product.Value "rating"}}`}}}})
		if err != nil {
			t.Fatal(err)
		}
		two := oneProduct(t)
		two.Items, two.Products = append(two.Items, jobs.Item{Type: jobs.ProductModel, ID: "m"}), append(two.Products, pim.View{})
		if got, err := parsed.Execute(two); err != nil || string(got) != `{"products":[{"id":"p1","rating":4.5},{"id":"m","rating":null}]}` {
			t.Errorf("%s, %v", got, err)
		}
	})
}

// Whatever JSON a product holds comes out of a json marker as the same value, and of a text as the same text.
func TestEveryValueOfAProductComesOutAsItWentIn(t *testing.T) {
	parsed, err := each.ParseJSON(map[string]any{"value": map[string]any{"json": `{{json (.Product.Value "v")}}`}, "text": `{{.Product.Value "s"}}`, "in": []any{`a {{.Product.Value "s"}} b`}})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(12, 26))
	for range 10_000 {
		value := randomValue(r, 0)
		text, _ := randomValue(rand.New(rand.NewPCG(r.Uint64(), 1)), 9).(string)
		encoded, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		quoted, _ := json.Marshal(text)
		run := oneProduct(t)
		run.Products[0] = pim.NewView(pim.Product{Values: pim.Values{"v": {{Data: encoded}}, "s": {{Data: quoted}}}}, "", "", "")
		got, err := parsed.Execute(run)
		if err != nil {
			t.Fatalf("%s: %v", encoded, err)
		}
		if want := map[string]any{"value": value, "text": text, "in": []any{"a " + text + " b"}}; !reflect.DeepEqual(decoded(t, got), want) {
			t.Fatalf("%s, %s\nmade %s", encoded, quoted, got)
		}
	}
}

// What check says of products, by the file alone.
func TestMistakesAboutProducts(t *testing.T) {
	names := &engine.Reads{Attributes: []string{"name", "price"}}
	for _, c := range []struct {
		name string
		in   template.Scope
		text string
		want string // "": none
	}{
		{"no read", template.Scope{Each: true}, `{{.Product.Identifier}}`, "add read"},
		{"no read, of an item of the list", template.Scope{}, `{{range .Items}}{{.Product.Identifier}}{{end}}`, "add read"},
		{"no read, for a batch", template.Scope{}, `{{.Product.Identifier}}`, "add read"},
		{"a batch has several", template.Scope{Reads: names}, `{{.Product.Identifier}}`, "add each: true"},
		{"an attribute that is read", template.Scope{Each: true, Reads: names}, `{{.Product.Value "name"}}`, ""},
		{"one that is not", template.Scope{Each: true, Reads: names}, `{{.Product.Value "nam"}}`, `the attribute "nam" is not read`},
		{"a price", template.Scope{Each: true, Reads: names}, `{{.Product.Price "prise" "EUR"}}`, `the attribute "prise" is not read`},
		{"inside with", template.Scope{Each: true, Reads: names}, `{{with .Product}}{{.Value "nam"}}{{end}}`, `the attribute "nam" is not read`},
		{"by a variable", template.Scope{Each: true, Reads: names}, `{{$p := .Product}}{{$p.Metric "weight"}}`, `the attribute "weight" is not read`},
		{"in parentheses", template.Scope{Each: true, Reads: names}, `{{(.Item.Product).Link "image"}}`, `the attribute "image" is not read`},
		{"piped", template.Scope{Each: true, Reads: names}, `{{"nam" | .Product.Value}}`, `the attribute "nam" is not read`},
		{"in an argument", template.Scope{Each: true, Reads: names}, `{{json (.Product.Value "nam")}}`, `the attribute "nam" is not read`},
		{"by item", template.Scope{Reads: names}, `{{range .Items}}{{.Product.Value "nam"}}{{end}}`, `the attribute "nam" is not read`},
		{"one that only a request tells", template.Scope{Each: true, Reads: names}, `{{.Product.Value .Params.code}}`, ""},
		{"all are read", template.Scope{Each: true, Reads: &engine.Reads{}}, `{{.Product.Value "nam"}}`, ""},
		{"labels that are not read", template.Scope{Each: true, Reads: names}, `{{.Product.Label "name"}}`, "add labels: true"},
		{"no such method", template.Scope{Each: true, Reads: names}, `{{.Product.Sku}}`, `there is no "Sku"`},
		{"too few arguments", template.Scope{Each: true, Reads: names}, `{{.Product.Price "price"}}`, "Price has 1 arguments"},
		{"no item for a batch", template.Scope{}, `{{.Item.ID}}`, `there is no "Item"`},
		{"a loop without end", template.Scope{}, `{{range 9999999999}}{{end}}`, "repeats more than"},
		{"a loop in a loop", template.Scope{}, `{{range 100000}}{{range 100000}}{{end}}{{end}}`, "repeats more than"},
		{"a template that doubles", template.Scope{}, `{{define "a"}}{{template "b"}}{{template "b"}}{{end}}{{define "b"}}{{range 1000000}}{{end}}{{end}}{{template "a"}}`, "repeats more than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := c.in.Parse(c.text)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// A loop over a number that a request brings ends too.
func TestALoopThatARequestAsksForEnds(t *testing.T) {
	parsed, err := template.Parse(`{{range .Params.n}}{{end}}`)
	if err != nil {
		t.Fatal(err)
	}
	_, err = parsed.Execute(engine.Run{Params: json.RawMessage(`{"n":9999999999}`)}, nil)
	if permanent, ok := errors.AsType[*engine.PermanentError](err); !ok || !strings.Contains(permanent.Reason, "repeats") {
		t.Errorf("%v", err)
	}
}

// down is a PIM that does not answer for a moment.
type down struct{}

func (down) Error() string   { return "down" }
func (down) Permanent() bool { return false }

// What goes wrong while a template asks for something means what its cause means.
func TestWhatATemplateAsksForMayPass(t *testing.T) {
	for _, c := range []struct {
		name, text string
		link       error
		permanent  bool
		want       string
	}{
		{"a link, while the PIM is down", `{{.Product.Link "image"}}`, down{}, false, ""},
		{"a link, while our own store is away", `{{.Product.Link "image"}}`, errors.New("store is away"), false, ""},
		{"in a branch", `{{with .Product}}{{if true}}{{.Link "image" | upper}}{{end}}{{end}}`, down{}, false, ""},
		{"an image that is gone", `{{.Product.Link "image"}}`, engine.Permanent("the PIM no longer has the image", nil), true, "no longer has the image"},
		{"a link to what is no file", `{{.Product.Link "size_chart"}}`, down{}, true, `"size_chart" holds no file`},
		{"units, while the PIM is down", `{{.Product.Metric "weight" "GRAM"}}`, down{}, false, ""},
		{"units, while the process stops", `{{.Product.Metric "weight" "GRAM"}}`, context.Canceled, false, ""},
		{"a price that is none", `{{.Product.Price "weight" "EUR"}}`, nil, true, "of another type"},
		{"a measurement in another unit", `{{.Product.Metric "weight" "GRAM"}}`, nil, true, "kept in KILOGRAM"},
		{"a label of what has no options", `{{.Product.Label "size_chart"}}`, nil, true, "no options"},
	} {
		t.Run(c.name, func(t *testing.T) {
			run := oneProduct(t)
			run.Products[0] = run.Products[0].WithLinks(func(string) (string, error) { return "https://here.example/x", c.link })
			if c.link != nil {
				run.Products[0] = run.Products[0].WithUnits(func(_, _, _, _ string) (json.Number, error) { return "", c.link })
			}
			text, err := each.Parse(c.text)
			if err != nil {
				t.Fatal(err)
			}
			structure, err := each.ParseJSON(map[string]any{"a": []any{c.text}})
			if err != nil {
				t.Fatal(err)
			}
			body, err := each.ParseBody(`{"a":"`+strings.ReplaceAll(c.text, `"`, "`")+`"}`, "application/json")
			if err != nil {
				t.Fatal(err)
			}
			_, first := text.Execute(run, nil)
			_, second := structure.Execute(run)
			_, third := body.Execute(run)
			for _, err := range []error{first, second, third} {
				reason, permanent := engine.Refused(err)
				if err == nil || permanent != c.permanent || !strings.Contains(reason, c.want) {
					t.Errorf("%v: %q, permanent %v; want %q, %v", err, reason, permanent, c.want, c.permanent)
				}
			}
		})
	}
}

func TestAnAddressOfADeletedProduct(t *testing.T) {
	for _, c := range []struct{ name, text, identifier, want string }{
		{"by the item's id", "https://shop.example/products/{{.Item.ID}}", "", "https://shop.example/products/p1"},
		{"by the product's id", "https://shop.example/products/{{.Product.ID}}", "", "https://shop.example/products/p1"},
		{"by the identifier that the event tells", "https://shop.example/products/{{.Event.Identifier}}", "SHOE-1", "https://shop.example/products/SHOE-1"},
		{"by the product's, which is the same", "https://shop.example/products/{{.Product.Identifier}}", "SHOE-1", "https://shop.example/products/SHOE-1"},
		{"by the item's, which is the same", "https://shop.example/products/{{.Item.Identifier}}", "SHOE-1", "https://shop.example/products/SHOE-1"},
		{"by an identifier that nobody knows", "https://shop.example/products/{{.Product.Identifier}}", "", ""},
		{"the same, as a part of a segment", "https://shop.example/products/sku-{{.Product.Identifier}}", "", ""},
		{"the item's, as a part of a segment", "https://shop.example/products/sku-{{.Item.Identifier}}", "", ""},
		{"by a value", `https://shop.example/products/sku-{{.Product.Value "sku"}}`, "SHOE-1", ""},
		{"in the query", `https://shop.example/products?family={{.Product.Family}}`, "SHOE-1", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			parsed, err := each.ParseURL(c.text)
			if err != nil {
				t.Fatal(err)
			}
			got, err := parsed.Execute(engine.Run{
				Items: []jobs.Item{{Type: jobs.Product, ID: "p1"}}, Products: make([]pim.View, 1), Deleted: []bool{true},
				Event: &pimevent.Event{Type: "com.akeneo.pim.v1.product.deleted", EntityID: "p1", Identifier: c.identifier},
			})
			reason, permanent := engine.Refused(err)
			if got != c.want || (c.want == "") != permanent || permanent && !strings.Contains(reason, "the product is deleted") {
				t.Errorf("%q, %q, %v; want %q", got, reason, err, c.want)
			}
		})
	}
}
