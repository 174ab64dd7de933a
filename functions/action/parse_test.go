package action_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pim-functions/pim-functions/events"
	"github.com/pim-functions/pim-functions/functions/action"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/web"
)

// proven makes a Verified of any bytes.
func proven(t testing.TB, body []byte) signature.Verified {
	t.Helper()
	verified, err := signature.VerifyAction(signature.ActionProof{Unsigned: true}, nil, body)
	if err != nil {
		t.Fatal(err)
	}
	return verified
}

// samples are the bodies that the PIM sends, by name.
func samples(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := fs.Glob(events.FS, "action-*.json")
	if err != nil || len(paths) < 10 {
		t.Fatalf("%d samples, %v", len(paths), err)
	}
	bodies := map[string][]byte{}
	for _, path := range paths {
		body, err := events.FS.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		bodies[strings.TrimSuffix(path, ".json")] = body
	}
	return bodies
}

const (
	uuidA = "63139bf3-a7f7-4eaa-ba5e-6ffc8a2f14e9"
	uuidB = "6fa3bd36-6b5a-4e80-afcd-c224fdf6f3ea"
	uuidC = "78f38e4a-8d25-41e1-8e09-42a9c246689a"
	uuidD = "ecfddba2-59bf-4d35-bd07-8ceeefde51fd"
	julia = "e05cc457-b8ac-43b1-baa7-c4c112091ad8"
)

func items(t jobs.Item, more ...jobs.Item) []jobs.Item { return append([]jobs.Item{t}, more...) }
func product(id string) jobs.Item                      { return jobs.Item{Type: jobs.Product, ID: id} }
func model(code string) jobs.Item                      { return jobs.Item{Type: jobs.ProductModel, ID: code} }

func TestParseSamples(t *testing.T) {
	header := `{"locale":"en_US","channel":"ecommerce"}`
	want := map[string]struct {
		items   []jobs.Item
		context string
		noUUID  bool
	}{
		"action-product-grid":                        {items(product(uuidA), product(uuidB), product(uuidC), model("armor"), model("apollon")), `{"locale":"en_US","channel":"ecommerce","categories":["master_men_blazers_deals","master_men_blazers"]}`, false},
		"action-product-grid-legacy-category":        {items(product(uuidA), product(uuidB), model("armor"), model("apollon")), `{"locale":"en_US","channel":"ecommerce","categories":["master_men_blazers"]}`, false},
		"action-product-header":                      {items(product(uuidD)), header, false},
		"action-product-header-legacy-groups":        {items(product(uuidD)), header, false},
		"action-product-header-legacy-snake-case":    {items(product(uuidD)), header, true},
		"action-product-header-with-categories":      {items(product(uuidD)), `{"locale":"en_US","channel":"ecommerce","categories":["master_men_blazers_deals"]}`, false},
		"action-product-index":                       {nil, header, false},
		"action-product-index-empty-array-tolerance": {nil, header, false},
		"action-product-model-header":                {items(model("apollon")), header, false},
		"action-sub-product-model-header":            {items(model("apollon_blue")), header, false},
	}
	for name, body := range samples(t) {
		t.Run(name, func(t *testing.T) {
			want, known := want[name]
			if !known {
				t.Fatal("a sample that nobody tests")
			}
			got, err := action.Parse(proven(t, body))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got.Items, want.items) {
				t.Errorf("items %v, want %v", got.Items, want.items)
			}
			if string(got.Context) != want.context || got.Locale != "en_US" || got.Channel != "ecommerce" {
				t.Errorf("context %s, want %s", got.Context, want.context)
			}
			user := jobs.User{UUID: julia, Username: "julia", Groups: []string{"Manager", "All"}}
			if want.noUUID {
				user.UUID = ""
			}
			if fmt.Sprint(got.User) != fmt.Sprint(user) || got.Timestamp != 1739948408 || got.Params != nil {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestParseShapes(t *testing.T) {
	id := strings.ToUpper(uuidA)
	for _, row := range []struct{ name, body, want string }{
		{"nothing but a timestamp", `{"timestamp":1}`, `[] {} null {} 1`},
		{"white space around everything", " {\r\n\t\"timestamp\" : 1 } \n", `[] {} null {} 1`},
		{"nulls", `{"data":null,"context":null,"user":null,"timestamp":1}`, `[] {} null {} 1`},
		{"nulls inside", `{"data":{"productUuid":null,"productUuids":null},"context":{"locale":null,"categories":null,"category":null},"user":{"uuid":null,"username":null,"groups":null},"timestamp":1}`, `[] {} null {} 1`},
		{"[] for every object", `{"data":[],"context":[],"user":[],"timestamp":1}`, `[] {} null {} 1`},
		{"upper-case UUID", `{"data":{"productUuid":"` + id + `"},"timestamp":1}`, `[product/` + uuidA + `] {} null {} 1`},
		{"one product in two spellings is one", `{"data":{"productUuids":["` + id + `","` + uuidA + `"]},"timestamp":1}`, `[product/` + uuidA + `] {} null {} 1`},
		{"duplicates", `{"data":{"productModelCode":"b","productModelCodes":["a","b","a"]},"timestamp":1}`, `[product_model/b product_model/a] {} null {} 1`},
		{"a code that looks like a UUID is no product", `{"data":{"productModelCodes":["` + uuidA + `"]},"timestamp":1}`, `[product_model/` + uuidA + `] {} null {} 1`},
		{"codes of any characters", `{"data":{"productModelCodes":["armor\/blue","\u00c9t\u00e9 \ud83d\ude00","a b"]},"timestamp":1}`, `[product_model/armor/blue product_model/Été 😀 product_model/a b] {} null {} 1`},
		{"snake-case lists", `{"data":{"product_uuids":["` + uuidA + `"],"product_model_codes":["a"]},"timestamp":1}`, `[product/` + uuidA + ` product_model/a] {} null {} 1`},
		{"snake-case model", `{"data":{"product_model_code":"a"},"timestamp":1}`, `[product_model/a] {} null {} 1`},
		{"camelCase counts before snake_case", `{"data":{"product_model_codes":["old"],"productModelCodes":["new"]},"timestamp":1}`, `[product_model/new] {} null {} 1`},
		{"an empty camelCase list too", `{"data":{"product_model_codes":["old"],"productModelCodes":[]},"timestamp":1}`, `[] {} null {} 1`},
		{"category and categories are one list", `{"context":{"category":"a","categories":["b","a"]},"timestamp":1}`, `[] {"categories":["a","b"]} null {} 1`},
		{"category as a list, categories as a string", `{"context":{"category":["a"],"categories":"b"},"timestamp":1}`, `[] {"categories":["a","b"]} null {} 1`},
		{"groups of both kinds", `{"user":{"groups":["a",{"id":7,"name":"b"},{"id":8},null]},"timestamp":1}`, `[] {} null {"groups":["a","b"]} 1`},
		{"unknown fields of context stay", `{"context":{"tenant":"x","locale":"fr_FR","deep":{"a":[1]}},"timestamp":1}`, `[] {"locale":"fr_FR","tenant":"x","deep":{"a":[1]}} null {} 1`},
		{"unknown fields beside it become params", `{"new":{"a":[1,2]},"timestamp":1,"other":null}`, `[] {} {"new":{"a":[1,2]},"other":null} {} 1`},
		{"unknown fields of data too", `{"data":{"productIdentifier":"x","n":1.50},"timestamp":1}`, `[] {} {"data":{"productIdentifier":"x","n":1.50}} {} 1`},
		{"unknown fields of user are dropped", `{"user":{"email":"julia@example.com","uuid":"u"},"timestamp":1}`, `[] {} null {"uuid":"u"} 1`},
		{"names in another case are unknown", `{"DATA":{"productUuid":7},"timestamp":1}`, `[] {} {"DATA":{"productUuid":7}} {} 1`},
		{"names written with escapes", `{"\u0064ata":{"productModel\u0043ode":"a"},"timestamp":1}`, `[product_model/a] {} null {} 1`},
		{"the same name in two objects", `{"a":{"x":1},"b":{"x":1},"timestamp":1}`, `[] {} {"a":{"x":1},"b":{"x":1}} {} 1`},
		{"as deep as allowed", `{"a":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `,"timestamp":1}`, `[] {} {"a":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `} {} 1`},
		{"milliseconds are left to the window", `{"timestamp":1739948408000}`, `[] {} null {} 1739948408000`},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := action.Parse(proven(t, []byte(row.body)))
			if err != nil {
				t.Fatal(err)
			}
			ids := []string{}
			for _, item := range got.Items {
				ids = append(ids, item.Type+"/"+item.ID)
			}
			params, _ := json.Marshal(got.Params)
			user, _ := json.Marshal(got.User)
			if text := fmt.Sprint(ids, " ", string(got.Context), " ", string(params), " ", string(user), " ", got.Timestamp); text != row.want {
				t.Errorf("got  %s\nwant %s", text, row.want)
			}
		})
	}
}

func TestParseRefusals(t *testing.T) {
	data := func(inside string) string { return `{"data":{` + inside + `},"timestamp":1}` }
	list := func(n int) string {
		ids := make([]string, n)
		for i := range ids {
			ids[i] = fmt.Sprintf("%q", fmt.Sprint("code", i))
		}
		return strings.Join(ids, ",")
	}
	for _, row := range []struct{ name, body, reason string }{
		{"not JSON", `hello`, "body_not_json"},
		{"an array", `[]`, "body_not_object"},
		{"duplicate key in data", data(`"productUuid":null,"productUuid":null`), "duplicate_key"},
		{"duplicate key where we do not look", `{"user":{"x":{"b":1,"b":1}},"timestamp":1}`, "duplicate_key"},
		{"no timestamp", `{"data":{}}`, "timestamp_missing"},
		{"timestamp null", `{"timestamp":null}`, "timestamp_invalid"},
		{"timestamp a string", `{"timestamp":"1739948408"}`, "timestamp_invalid"},
		{"timestamp a float", `{"timestamp":1739948408.5}`, "timestamp_invalid"},
		{"timestamp a whole float", `{"timestamp":1739948408.0}`, "timestamp_invalid"},
		{"timestamp with an exponent", `{"timestamp":1e9}`, "timestamp_invalid"},
		{"timestamp negative", `{"timestamp":-1739948408}`, "timestamp_invalid"},
		{"timestamp minus zero", `{"timestamp":-0}`, "timestamp_invalid"},
		{"timestamp beyond 64 bits", `{"timestamp":99999999999999999999}`, "timestamp_invalid"},
		{"timestamp an object", `{"timestamp":{}}`, "timestamp_invalid"},
		{"data a string", `{"data":"x","timestamp":1}`, "body_shape"},
		{"data a list of something", `{"data":["x"],"timestamp":1}`, "body_shape"},
		{"context a number", `{"context":1,"timestamp":1}`, "body_shape"},
		{"locale a number", `{"context":{"locale":1},"timestamp":1}`, "body_shape"},
		{"categories an object", `{"context":{"categories":{}},"timestamp":1}`, "body_shape"},
		{"groups a string", `{"user":{"groups":"All"},"timestamp":1}`, "body_shape"},
		{"a group a number", `{"user":{"groups":[7]},"timestamp":1}`, "body_shape"},
		{"a username of 256 bytes", `{"user":{"username":"` + strings.Repeat("a", 256) + `"},"timestamp":1}`, "body_shape"},
		{"a username with a line break", `{"user":{"username":"a\nb"},"timestamp":1}`, "body_shape"},
		{"productUuid a list", data(`"productUuid":["` + uuidA + `"]`), "body_shape"},
		{"productUuids a string", data(`"productUuids":"` + uuidA + `"`), "body_shape"},
		{"a UUID that is none", data(`"productUuid":"a"`), "item_invalid"},
		{"a UUID in braces", data(`"productUuid":"{` + uuidA + `}"`), "item_invalid"},
		{"a UUID with a foreign letter", data(`"productUuid":"g` + uuidA[1:] + `"`), "item_invalid"},
		{"a UUID that is a path", data(`"productUuid":"../../../../../../../../../../../etc"`), "item_invalid"},
		{"an empty UUID", data(`"productUuid":""`), "item_invalid"},
		{"null among UUIDs", data(`"productUuids":[null]`), "item_invalid"},
		{"a number among UUIDs", data(`"productUuids":[7]`), "body_shape"},
		{"an empty code", data(`"productModelCodes":[""]`), "item_invalid"},
		{"a code with a control character", data(`"productModelCode":"a\u0000b"`), "item_invalid"},
		{"a code with a C1 control character", data(`"productModelCode":"a\u0085b"`), "item_invalid"},
		{"a code of 256 bytes", data(`"productModelCode":"` + strings.Repeat("é", 128) + `"`), "item_invalid"},
		{"501 items", data(`"productModelCodes":[` + list(501) + `]`), "too_many_items"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := action.Parse(proven(t, []byte(row.body)))
			refused, ok := errors.AsType[*web.Error](err)
			if !ok || refused.Code != web.Invalid || refused.Reason != row.reason || refused.Message == "" {
				t.Fatalf("got %+v, %v, want %s", got, err, row.reason)
			}
		})
	}

	if got, err := action.Parse(proven(t, []byte(data(`"productModelCodes":[`+list(500)+`,"code0"]`)))); err != nil || len(got.Items) != 500 {
		t.Errorf("500 items and a duplicate: %d, %v", len(got.Items), err)
	}
	if _, err := action.Parse(proven(t, []byte(data(`"productModelCode":"`+strings.Repeat("a", 255)+`"`)))); err != nil {
		t.Errorf("a code of 255 bytes: %v", err)
	}
}

// FuzzParse compares with encoding/json, which reads more than we do: what we read, it reads alike; what it reads
// and we refuse has one of the faults that we refuse by name.
func FuzzParse(f *testing.F) {
	bodies := samples(f)
	for _, body := range bodies {
		f.Add(body)
		f.Add(bytes.ToUpper(body))
	}
	for _, body := range []string{`{"timestamp":1}`, `{"a":{"b":[1,-2.5e+3,true,false,null,"\u00e9\ud83d\ude00\/"]},"timestamp":1}`, `{"timestamp":1,"timestamp":2}`, `{"a":"\ud800","timestamp":1}`, `[]`, `{`, "\xff"} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		press, err := action.Parse(proven(t, body))
		var theirs map[string]json.RawMessage
		theirErr := json.Unmarshal(body, &theirs)
		if err != nil {
			refused, ok := errors.AsType[*web.Error](err)
			if !ok {
				t.Fatalf("untyped error %v", err)
			}
			if refused.Reason == "body_not_json" && theirErr == nil && !strings.Contains(strings.ToLower(string(body)), `\ud`) {
				t.Fatalf("refused %q: %v", body, refused.Message)
			}
			if !utf8.ValidString(refused.Message) {
				t.Fatalf("message %q", refused.Message)
			}
			return
		}
		if theirErr != nil || !utf8.Valid(body) {
			t.Fatalf("read %q, encoding/json: %v", body, theirErr)
		}
		if fmt.Sprint(press.Timestamp) != string(theirs["timestamp"]) {
			t.Fatalf("timestamp %d of %q", press.Timestamp, body)
		}
		var kept, params map[string]json.RawMessage
		if err := json.Unmarshal(press.Context, &kept); err != nil {
			t.Fatalf("context %q: %v", press.Context, err)
		}
		if press.Params != nil {
			if err := json.Unmarshal(press.Params, &params); err != nil {
				t.Fatalf("params %q: %v", press.Params, err)
			}
		}
		for name := range theirs {
			known := slices.Contains([]string{"data", "context", "user", "timestamp"}, name)
			if _, there := params[name]; !there && !known {
				t.Fatalf("%q of %q is lost", name, body)
			}
		}
		if len(press.Items) > action.MaxItems {
			t.Fatalf("%d items", len(press.Items))
		}
		for _, item := range press.Items {
			if item.ID == "" || len(item.ID) > jobs.MaxCode || !utf8.ValidString(item.ID) {
				t.Fatalf("item %q", item)
			}
		}
	})
}
