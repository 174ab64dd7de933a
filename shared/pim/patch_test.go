package pim_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
)

// named is a change of a product's name.
func named(id, name string) pim.Change {
	text, err := json.Marshal([]map[string]any{{"locale": "en_US", "scope": nil, "data": name}})
	if err != nil {
		panic(err)
	}
	return pim.Change{ID: id, Body: map[string]json.RawMessage{"values": json.RawMessage(`{"name":` + string(text) + `}`)}}
}

// name is a product's name as the PIM has it now.
func (f *fixture) name(t *testing.T, id string) any {
	t.Helper()
	product, err := f.Get(t.Context(), pim.TypeProduct, id, pim.Read{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := pim.NewView(product, "sku", "en_US", "ecommerce").Value("name")
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// simples are products that have no model.
func simples(n int) []string { return uuids(n + 18)[18:] }

func TestAHundredChangesAreOneCall(t *testing.T) {
	f := newFixture(t)
	ids := simples(150)
	changes := make([]pim.Change, len(ids))
	for i, id := range ids {
		changes[i] = named(id, fmt.Sprintf("Name %d", i))
	}
	answers, err := f.Patch(t.Context(), pim.TypeProduct, changes)
	if err != nil {
		t.Fatal(err)
	}
	for i, answer := range answers {
		if answer == nil || !answer.Taken || answer.Created {
			t.Fatalf("%d: %+v", i, answer)
		}
	}
	calls := f.pim.Calls("/api/rest/v1/products-uuid")
	if len(calls) != 2 || calls[0].Method != http.MethodPatch {
		t.Errorf("%d calls", len(calls))
	}
	if got := f.name(t, ids[149]); got != "Name 149" {
		t.Errorf("name %q", got)
	}
}

func TestEachLineHasItsAnswer(t *testing.T) {
	f := newFixture(t)
	ids := simples(8)
	f.pim.Hide(true, ids[1])
	body := func(text string) map[string]json.RawMessage {
		var b map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &b); err != nil {
			t.Fatal(err)
		}
		return b
	}
	changes := []pim.Change{
		named(ids[0], "good"),
		named(ids[1], "hidden"),
		{ID: ids[2], Body: body(`{"values":{"nobody":[{"locale":null,"scope":null,"data":"x"}]}}`)},
		{ID: ids[3], Body: body(`{"values":{"pockets":[{"locale":null,"scope":null,"data":"many"}],"color":[{"locale":null,"scope":null,"data":"plaid"}]}}`)},
		{ID: ids[4], Body: body(`{"categories":["nobody"]}`)},
		{ID: "no-uuid", Body: body(`{"enabled":true}`)},
		{ID: ids[5], Body: body(`{"values":{"name":[{"locale":"en_US","data":"x"}]}}`)},
		{ID: ids[6], Body: body(`{"enabled":null}`)},
		{ID: ids[7], Body: map[string]json.RawMessage{"note": json.RawMessage(`"` + strings.Repeat("x", 1_000_000) + `"`)}},
		{ID: "99999999-9999-4999-8999-999999999999", Body: body(`{"enabled":true}`)},
	}
	answers, err := f.Patch(t.Context(), pim.TypeProduct, changes)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"", "does not exist or you do not have permission", "attribute does not exist", "and 1 more", "valid category code", "not a valid UUID", "the key \"scope\"", "expects a boolean", "too large for the PIM", ""} {
		if answer := answers[i]; answer == nil || answer.Taken != (want == "") || !strings.Contains(answer.Message, want) {
			t.Errorf("line %d: %+v, want %q", i+1, answer, want)
		}
	}
	if !answers[9].Created || answers[0].Created {
		t.Errorf("created: %+v, %+v", answers[9], answers[0])
	}
	if violations := answers[3].Violations; len(violations) != 2 || violations[0].Attribute == "" {
		t.Errorf("violations %+v", violations)
	}
}

func TestModelsAreKeyedByCode(t *testing.T) {
	f := newFixture(t)
	change := named("model-shirt", "A shirt")
	answers, err := f.Patch(t.Context(), pim.TypeModel, []pim.Change{change, {ID: "nobody", Body: change.Body}})
	if err != nil || !answers[0].Taken || answers[1].Taken || answers[1].Message == "" {
		t.Errorf("%+v, %+v, %v", answers[0], answers[1], err)
	}
}

func TestAnAnswerThatEndsEarlyLeavesTheRestToBeSentAgain(t *testing.T) {
	for _, after := range []int{0, 10, 100, 150, 1000} {
		f := newFixture(t)
		f.pim.CutAnswers(1, after)
		ids := simples(20)
		changes := make([]pim.Change, len(ids))
		for i, id := range ids {
			changes[i] = named(id, "new")
		}
		answers, err := f.Patch(t.Context(), pim.TypeProduct, changes)
		if err != nil {
			t.Fatalf("cut after %d: %v", after, err)
		}
		for i, answer := range answers {
			if answer == nil || !answer.Taken {
				t.Errorf("cut after %d, line %d: %+v", after, i+1, answer)
			}
		}
	}
}

func TestAPIMThatNeverAnswersALineIsAnError(t *testing.T) {
	f := newFixture(t)
	f.pim.CutAnswers(9, 0)
	answers, err := f.Patch(t.Context(), pim.TypeProduct, []pim.Change{named(simples(1)[0], "new")})
	if failed, ok := errors.AsType[*pim.Error](err); !ok || failed.Permanent() || answers[0] != nil {
		t.Errorf("%+v, %v, want unknown and an error that may pass", answers[0], err)
	}
}

func TestABatchThatIsTooLargeIsWrittenInHalves(t *testing.T) {
	for _, status := range []int{http.StatusRequestEntityTooLarge, http.StatusForbidden} {
		f := newFixture(t)
		f.connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPatch && r.ContentLength > 300<<10 {
				w.WriteHeader(status)
				return
			}
			f.pim.ServeHTTP(w, r)
		}))
		ids := simples(8)
		changes := make([]pim.Change, len(ids))
		for i, id := range ids {
			changes[i] = named(id, "new")
			changes[i].Body["values"] = json.RawMessage(`{"description":[{"locale":"en_US","scope":"print","data":"` + strings.Repeat("x", 60_000) + `"}]}`)
		}
		answers, err := f.Patch(t.Context(), pim.TypeProduct, changes)
		if err != nil {
			t.Fatal(err)
		}
		for i, answer := range answers {
			if answer == nil || !answer.Taken {
				t.Errorf("%d, line %d: %+v", status, i+1, answer)
			}
		}
	}
}

func TestARightThatIsMissingIsNoReasonToSplit(t *testing.T) {
	f := newFixture(t)
	calls := 0
	f.connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch {
			calls++
			w.WriteHeader(http.StatusForbidden)
			return
		}
		f.pim.ServeHTTP(w, r)
	}))
	if _, err := f.Patch(t.Context(), pim.TypeProduct, []pim.Change{named(simples(1)[0], "a"), named(simples(2)[1], "b")}); err == nil || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
}

// What the PIM takes and does not do: callers find it by reading back.
func TestWhatThePIMTakesAndDoesNotDo(t *testing.T) {
	f := newFixture(t)
	variant, simple := uuids(1)[0], simples(1)[0]
	f.pim.Grant(pimtest.Edit, simple)
	before := f.name(t, variant)
	answers, err := f.Patch(t.Context(), pim.TypeProduct, []pim.Change{named(variant, "of another level"), named(simple, "a draft")})
	if err != nil || !answers[0].Taken || !answers[1].Taken {
		t.Fatalf("%+v, %+v, %v", answers[0], answers[1], err)
	}
	if got := f.name(t, variant); got != before {
		t.Errorf("the model's value changed: %q", got)
	}
	if got := f.name(t, simple); got == "a draft" {
		t.Error("the draft is the product")
	}
}

func FuzzPatchAnswer(f *testing.F) {
	f.Add([]byte("{\"line\":1,\"uuid\":\"a\",\"status_code\":204}\n{\"line\":2,\"status_code\":422,\"message\":\"no\"}"))
	f.Add([]byte(`{"line":1,"code":"a-code","status_code":204}`))
	f.Add([]byte(`{"line":1,"uuid":"a","code":422,"errors":[{"property":"values","message":"no"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		answers := make([]*pim.Written, 3)
		pim.ReadLines(body, []int{0, 1, 2}, answers)
		for _, answer := range answers {
			if answer != nil && (answer.Taken == (answer.Message != "") || len(answer.Message) > 310) {
				t.Errorf("%+v", answer)
			}
		}
	})
}
