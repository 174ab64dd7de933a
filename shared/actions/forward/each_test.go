package forward_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/actions/template"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

// shop is a destination that answers by path.
type shop struct {
	*httptest.Server
	answer func(w http.ResponseWriter, r *http.Request)
	calls  []string // method, path and body
	keys   []string
	header []http.Header
}

func newShop(t *testing.T) *shop {
	s := &shop{answer: func(http.ResponseWriter, *http.Request) {}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.calls = append(s.calls, strings.TrimSpace(r.Method+" "+r.URL.RequestURI()+" "+string(body)))
		s.keys = append(s.keys, r.Header.Get("Idempotency-Key"))
		s.header = append(s.header, r.Header)
		s.answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *shop) run(t *testing.T, ctx context.Context, yaml string, run engine.Run) (engine.Result, error) {
	t.Helper()
	return open(t, strings.ReplaceAll(yaml, "SHOP", s.URL), engine.Secrets{}).Run(ctx, run)
}

// products is a run over n products, the second half of a job's batch.
func products(n int) engine.Run {
	run := engine.Run{Key: "job-1/10-19", Job: "job-1", PIM: "main", First: 10, Deleted: make([]bool, n)}
	for i := range n {
		run.Items = append(run.Items, jobs.Item{Type: jobs.Product, ID: fmt.Sprint("p", i)})
		run.Index = append(run.Index, 10+i)
		run.Products = append(run.Products, pim.NewView(pim.Product{
			Type: pim.TypeProduct, ID: fmt.Sprint("p", i), Raw: fmt.Appendf(nil, `{"uuid":"p%d"}`, i),
			Values: pim.Values{"sku": {{Data: fmt.Appendf(nil, `"SKU %d"`, i)}}, "name": {{Data: fmt.Appendf(nil, `"Name \"%d\""`, i)}}},
		}, "sku", "en_US", "ecommerce"))
	}
	return run
}

const byItem = `
url: "SHOP/products/{{.Product.Identifier}}"
method: PUT
each: true
read: {attributes: [name]}
headers: {X-Item: "{{.Item.ID}}"}
json: {title: '{{.Product.Value "name"}}'}
`

func TestEachItemIsACallOfItsOwn(t *testing.T) {
	s := newShop(t)
	result, err := s.run(t, t.Context(), byItem, products(2))
	if err != nil || result.Done != 2 || len(result.Failures) != 0 {
		t.Fatalf("%+v, %v", result, err)
	}
	if want := []string{`PUT /products/SKU%200 {"title":"Name \"0\""}`, `PUT /products/SKU%201 {"title":"Name \"1\""}`}; !slices.Equal(s.calls, want) {
		t.Errorf("got  %q\nwant %q", s.calls, want)
	}
	if !strings.HasPrefix(s.keys[0], "job-1/10/") || !strings.HasPrefix(s.keys[1], "job-1/11/") || s.header[1].Get("X-Item") != "p1" {
		t.Errorf("keys %q", s.keys)
	}
}

// The key is of what is sent: it stays while that stays, and only then.
func TestTheKeyOfAnItem(t *testing.T) {
	s := newShop(t)
	do := func(yaml string, run engine.Run) string {
		t.Helper()
		if _, err := s.run(t, t.Context(), yaml, run); err != nil {
			t.Fatal(err)
		}
		return s.keys[len(s.keys)-1]
	}
	usual := do(byItem, products(1))
	other := products(1)
	other.Products[0] = products(2).Products[1]
	moved := products(1)
	moved.Products[0] = pim.NewView(pim.Product{Values: pim.Values{"sku": {{Data: []byte(`"NEW"`)}}, "name": products(1).Products[0].Product().Values["name"]}}, "sku", "", "")
	retried := products(2)
	retried.Index = []int{40, 10}
	if again := do(byItem, products(1)); again != usual {
		t.Errorf("the same call: %q and %q", usual, again)
	}
	for name, got := range map[string]string{"another value": do(byItem, other), "another address": do(byItem, moved), "another method": do(strings.Replace(byItem, "PUT", "POST", 1), products(1))} {
		if got == usual {
			t.Errorf("%s: the same key", name)
		}
	}
	do(byItem, retried)
	if first := s.keys[len(s.keys)-2]; !strings.HasPrefix(first, "job-1/40/") {
		t.Errorf("the key of item 40: %q", first)
	}
}

// What one item meets is its own affair, unless it would be every item's.
func TestWhatEachItemMeets(t *testing.T) {
	status := func(code int, body string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { w.WriteHeader(code); _, _ = io.WriteString(w, body) }
	}
	for _, c := range []struct {
		name   string
		second func(http.ResponseWriter) // what the second of four items gets
		done   int
		calls  int
		failed string // of the second item
		passes bool
	}{
		{"success", status(200, "{}"), 4, 4, "", false},
		{"a refusal", status(422, `{"message":"no price"}`), 4, 4, "no price", false},
		{"a conflict of its own", status(404, `{}`), 4, 4, "does not know this address", false},
		{"a success that says failure", status(200, `{"failures":[{"index":0,"reason":"out of stock"}]}`), 4, 4, "out of stock", false},
		{"the same, by id", status(200, `{"failures":[{"id":"p1","reason":"out of stock"}]}`), 4, 4, "out of stock", false},
		{"what success rules out", status(202, `{}`), 4, 4, "did not take it as it should", false},
		{"a key that says failure", status(200, `{"error":"locked"}`), 4, 4, "locked", false},
		{"a web page", status(200, `<html></html>`), 4, 4, "web page", false},
		{"a destination that is down", status(503, ``), 1, 2, "", true},
		{"one that is busy", status(429, ``), 1, 2, "", true},
		{"credentials that are not accepted", status(401, ``), 1, 2, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newShop(t)
			s.answer = func(w http.ResponseWriter, _ *http.Request) {
				if len(s.calls) == 2 {
					c.second(w)
				}
			}
			yaml := byItem
			if c.name == "what success rules out" {
				yaml += "success: {status: [200, 201]}\n"
			}
			if c.name == "a key that says failure" {
				s.answer = func(w http.ResponseWriter, _ *http.Request) {
					if len(s.calls) == 2 {
						c.second(w)
						return
					}
					_, _ = io.WriteString(w, `{"error":null}`)
				}
				yaml += "success: {not: error}\n"
			}
			result, err := s.run(t, t.Context(), yaml, products(4))
			if result.Done != c.done || len(s.calls) != c.calls || (err != nil) != c.passes {
				t.Errorf("done %d after %d calls, %v; want %d after %d", result.Done, len(s.calls), err, c.done, c.calls)
			}
			if _, permanent := engine.Refused(err); permanent {
				t.Errorf("permanent: %v", err)
			}
			switch {
			case c.failed == "" && len(result.Failures) > 0:
				t.Errorf("failures %v", result.Failures)
			case c.failed != "" && (len(result.Failures) != 1 || result.Failures[0].Index != 1 || !strings.Contains(result.Failures[0].Reason, c.failed)):
				t.Errorf("failures %v, want %q", result.Failures, c.failed)
			}
		})
	}
}

func TestCredentialsThatAreNotAcceptedEndTheRunBeforeItsFirstItem(t *testing.T) {
	s := newShop(t)
	s.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }
	result, err := s.run(t, t.Context(), byItem, products(4))
	if result.Done != 0 || len(s.calls) != 1 || err == nil {
		t.Errorf("done %d after %d calls, %v", result.Done, len(s.calls), err)
	}
}

// A template that fails over one product, or makes a header that cannot be sent, fails that item alone.
func TestATemplateFailsItsItemAlone(t *testing.T) {
	for name, c := range map[string]struct{ yaml, data string }{
		"a line break in a header":    {`headers: {X-Name: '{{.Product.Value "name"}}'}`, `"a\nX-Admin: true"`},
		"a number that is none":       {`json: {n: {number: '{{.Product.Value "name"}}'}}`, `"many"`},
		"a value of another type":     {`json: {n: '{{.Product.Price "name" "EUR"}}'}`, `"text"`},
		"a part that is not there":    {`json: {n: '{{index (.Product.Value "name") 7}}'}`, `["a"]`},
		"an address that is nowhere":  {`url: 'SHOP/x/{{.Product.Value "name"}}'`, `".."`},
		"an address with a part less": {`url: 'SHOP/x/{{.Product.Value "name"}}/y'`, `""`},
	} {
		t.Run(name, func(t *testing.T) {
			s, run := newShop(t), products(3)
			for i, data := range []string{`"1"`, c.data, `"2"`} {
				run.Products[i] = pim.NewView(pim.Product{Values: pim.Values{"name": {{Data: []byte(data)}}}}, "", "", "")
			}
			if strings.Contains(c.yaml, "Price") {
				run.Products[0] = pim.NewView(pim.Product{}, "", "", "")
				run.Products[2] = run.Products[0]
			}
			if strings.Contains(c.yaml, "index") {
				run.Products[0] = pim.NewView(pim.Product{Values: pim.Values{"name": {{Data: []byte(`[1,2,3,4,5,6,7,8]`)}}}}, "", "", "")
				run.Products[2] = run.Products[0]
			}
			yaml := "each: true\nread: {}\n" + c.yaml
			if !strings.Contains(yaml, "url:") {
				yaml += "\nurl: SHOP/x"
			}
			result, err := s.run(t, t.Context(), yaml, run)
			if err != nil || result.Done != 3 || len(s.calls) != 2 || len(result.Failures) != 1 || result.Failures[0].Index != 1 {
				t.Errorf("%+v, %v after %d calls", result, err, len(s.calls))
			}
			for _, header := range s.header {
				if header.Get("X-Admin") != "" {
					t.Error("a value made a header of its own")
				}
			}
		})
	}
}

type passing struct{}

func (passing) Error() string   { return "down" }
func (passing) Permanent() bool { return false }

// A link that cannot be made for a while fails nobody: the run goes on with that item later.
func TestALinkThatCannotBeMadeForAWhileFailsNobody(t *testing.T) {
	s, run := newShop(t), products(3)
	for i := range run.Products {
		run.Products[i] = pim.NewView(pim.Product{Values: pim.Values{"image": {{Data: fmt.Appendf(nil, `"%d.jpg"`, i)}}}}, "", "", "").WithLinks(func(code string) (string, error) {
			if code == "1.jpg" {
				return "", passing{}
			}
			return "https://files.example/" + code, nil
		})
	}
	result, err := s.run(t, t.Context(), "url: SHOP/x\neach: true\nread: {attributes: [image]}\njson: {image: '{{.Product.Link \"image\"}}'}", run)
	if !errors.Is(err, passing{}) || result.Done != 1 || len(result.Failures) > 0 {
		t.Errorf("%+v, %v", result, err)
	}
	if want := []string{`POST /x {"image":"https://files.example/0.jpg"}`}; !slices.Equal(s.calls, want) {
		t.Errorf("%q", s.calls)
	}
}

// A run ends in time, with what it has.
func TestEachEndsInTime(t *testing.T) {
	for name, c := range map[string]struct {
		left time.Duration
		done int
	}{"time for all": {time.Minute, 3}, "time for one alone": {5 * time.Second, 1}} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), c.left)
			defer cancel()
			s := newShop(t)
			result, err := s.run(t, ctx, byItem, products(3))
			if err != nil || result.Done != c.done || len(s.calls) != c.done {
				t.Errorf("%+v, %v after %d calls", result, err, len(s.calls))
			}
		})
	}
	t.Run("a process that stops", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := newShop(t)
		s.answer = func(http.ResponseWriter, *http.Request) { cancel() }
		result, _ := s.run(t, ctx, byItem, products(3))
		if result.Done > 1 || len(s.calls) != 1 {
			t.Errorf("%+v after %d calls", result, len(s.calls))
		}
	})
}

func TestWhatADeletionSends(t *testing.T) {
	deletion := engine.Run{
		Key: "event-platform/main/e1/gone", Subscription: "gone", PIM: "main", Items: []jobs.Item{{Type: jobs.Product, ID: "p1"}},
		Event: &pimevent.Event{API: pimevent.EventPlatform, ID: "e1", Type: "com.akeneo.pim.v1.product.deleted", Kind: "product", EntityID: "p1", Identifier: "SKU 1", Raw: []byte(`{"id":"e1"}`)},
	}
	for _, c := range []struct{ name, yaml, want string }{
		{"DELETE to the same address, without a body", `{url: "SHOP/products/{{.Item.ID}}", each: true, json: {a: 1}}`, "DELETE /products/p1"},
		{"by the identifier that the event tells", `{url: "SHOP/products/{{.Product.Identifier}}", each: true, read: {}, json: {a: '{{.Product.Value "a"}}'}}`, "DELETE /products/SKU%201"},
		{"another method: what the action sends without json", `{url: "SHOP/products/{{.Item.ID}}", each: true, json: {a: 1}, deleted: {method: POST}}`, `POST /products/p1 {"version":1,"action":"","subscription":"gone","pim":"main","event":{"id":"e1"}}`},
		{"the same with read", `{url: "SHOP/products/{{.Item.ID}}", each: true, read: {}, deleted: {method: POST}}`, `POST /products/p1 {"version":1,"action":"","subscription":"gone","pim":"main","event":{"id":"e1"},"items":[{"type":"product","id":"p1","deleted":true}]}`},
		{"a body of its own, to an address of its own", `{url: "SHOP/products/{{.Item.ID}}", each: true, deleted: {method: patch, url: "SHOP/off/{{.Event.Identifier}}", json: {active: false, gone: {boolean: "{{.Item.Deleted}}"}}}}`, `PATCH /off/SKU%201 {"active":false,"gone":true}`},
		{"in a batch it is said", `{url: "SHOP/products", read: {attributes: [name]}}`, `POST /products {"version":1,"action":"","subscription":"gone","pim":"main","event":{"id":"e1"},"items":[{"type":"product","id":"p1","deleted":true}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, run := newShop(t), deletion
			if strings.Contains(c.yaml, "read") { // as the engine brings it
				run.Products, run.Deleted = make([]pim.View, 1), []bool{true}
			}
			result, err := s.run(t, t.Context(), c.yaml, run)
			if err != nil || len(result.Failures) > 0 || !slices.Equal(s.calls, []string{c.want}) {
				t.Fatalf("%+v, %v\ngot  %q\nwant %q", result, err, s.calls, c.want)
			}
			if !strings.HasPrefix(s.keys[0], run.Key+"/") || strings.HasPrefix(c.want, "DELETE") && s.header[0].Get("Content-Type") != "" {
				t.Errorf("key %q, %v", s.keys[0], s.header[0])
			}
		})
	}
}

func TestTheDefaultBodyHasTheProducts(t *testing.T) {
	s := newShop(t)
	if _, err := s.run(t, t.Context(), "url: SHOP/x\nread: {attributes: [name]}", products(2)); err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(s.calls[0], "{")
	var sent struct{ Items []map[string]json.RawMessage }
	if err := json.Unmarshal([]byte("{"+body), &sent); err != nil || len(sent.Items) != 2 || string(sent.Items[1]["product"]) != `{"uuid":"p1"}` || sent.Items[1]["deleted"] != nil {
		t.Errorf("%s, %v", body, err)
	}
	if s.keys[0] != template.Key("job-1/10-19", []byte("{"+body)) {
		t.Errorf("key %q", s.keys[0])
	}
	event := products(1)
	event.Job, event.Key, event.Index = "", "event-platform/main/e1/s", nil
	event.Event = &pimevent.Event{Type: "com.akeneo.pim.v1.product.updated", EntityID: "p0", Raw: []byte(`{"id": 1}`)}
	if _, err := s.run(t, t.Context(), "url: SHOP/x\nread: {attributes: [name]}", event); err != nil {
		t.Fatal(err)
	}
	if want := `POST /x {"version":1,"action":"","subscription":"","pim":"main","event":{"id": 1},"items":[{"type":"product","id":"p0","product":{"uuid":"p0"}}]}`; s.calls[1] != want {
		t.Errorf("got  %s\nwant %s", s.calls[1], want)
	}
}

func TestEachNeedsAnItem(t *testing.T) {
	s := newShop(t)
	_, err := s.run(t, t.Context(), "url: SHOP/x\neach: true", engine.Run{Key: "k", Event: &pimevent.Event{Raw: []byte("{}")}})
	if reason, permanent := engine.Refused(err); !permanent || !strings.Contains(reason, "there is none") || len(s.calls) > 0 {
		t.Errorf("%v", err)
	}
}

func TestMistakesOfEach(t *testing.T) {
	for name, c := range map[string]struct{ yaml, want string }{
		"deleted without each":      {"url: https://a.example/x\ndeleted: {method: DELETE}", "deleted without each"},
		"a method that is none":     {"url: https://a.example/x\neach: true\ndeleted: {method: REMOVE}", `deleted with method "REMOVE"`},
		"a template in deleted":     {"url: https://a.example/x\neach: true\ndeleted: {url: 'https://a.example/{{.Nope}}'}", `there is no "Nope"`},
		"a product without read":    {"url: 'https://a.example/{{.Product.Identifier}}'\neach: true", "section:1: url: there is no product: add read"},
		"an attribute not read":     {"url: https://a.example/x\neach: true\nread: {attributes: [name]}\njson: {a: '{{.Product.Value \"nam\"}}'}", `section:4: json: a: the attribute "nam" is not read`},
		"a batch that is too large": {"url: https://a.example/x\nread: {}\nbatch: 500", "batch 500 with read"},
		"raw, one by one":           {"url: https://a.example/x\neach: true\nraw: true", "of each and raw"},
		"items, one by one":         {"url: https://a.example/x\neach: true\njson: {a: {items: '{{.Item.ID}}'}}", "items stands"},
		"an unknown key of read":    {"url: https://a.example/x\nread: {attribute: [name]}", `unknown key "attribute"`},
	} {
		t.Run(name, func(t *testing.T) {
			section, err := config.ParseSection(c.yaml)
			if err != nil {
				t.Fatal(err)
			}
			if err := kind().Check(section); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}
