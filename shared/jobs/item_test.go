package jobs_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

func TestWhatCanBeAnItem(t *testing.T) {
	const uuid = "1fd20ad8-ef95-49d7-a581-fb9f8ac0c5ad"
	for _, row := range []struct {
		name, kind, id, want string // want "": none
	}{
		{"a UUID", jobs.Product, uuid, uuid},
		{"a UUID in upper case", jobs.Product, strings.ToUpper(uuid), uuid},
		{"a UUID of another version", jobs.Product, "ffffffff-ffff-ffff-ffff-ffffffffffff", "ffffffff-ffff-ffff-ffff-ffffffffffff"},
		{"no UUID", jobs.Product, "", ""},
		{"a UUID in braces", jobs.Product, "{" + uuid + "}", ""},
		{"a UUID with a foreign letter", jobs.Product, "g" + uuid[1:], ""},
		{"a UUID without hyphens", jobs.Product, strings.ReplaceAll(uuid, "-", "0"), ""},
		{"a UUID with a line end", jobs.Product, uuid + "\n", ""},
		{"a UUID whose letters are of another alphabet", jobs.Product, "\u0430" + uuid[2:], ""},
		{"a code", jobs.ProductModel, "Ärmel/blue 100 %", "Ärmel/blue 100 %"},
		{"a code of 255 bytes", jobs.Category, strings.Repeat("a", 255), strings.Repeat("a", 255)},
		{"a code of 256 bytes", jobs.Category, strings.Repeat("é", 128), ""},
		{"no code", jobs.ProductModel, "", ""},
		{"a code with a control character", jobs.ProductModel, "a\x00", ""},
		{"a code with a C1 control character", jobs.ProductModel, "a\u0085", ""},
		{"a code that is not UTF-8", jobs.ProductModel, "a\xff", ""},
		{"an entry", jobs.Entry, "A-b_c.9", "A-b_c.9"},
		{"an entry of 64 characters", jobs.Entry, strings.Repeat("a", 64), strings.Repeat("a", 64)},
		{"an entry of 65 characters", jobs.Entry, strings.Repeat("a", 65), ""},
		{"an entry with a slash", jobs.Entry, "a/b", ""},
		{"an entry with a line end", jobs.Entry, "a\n", ""},
		{"a kind that nobody knows", "asset", "a", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			item, ok := jobs.NewItem(row.kind, row.id)
			if ok != (row.want != "") || ok && item != (jobs.Item{Type: row.kind, ID: row.want}) {
				t.Errorf("got %+v, %t", item, ok)
			}
		})
	}
}

func TestASelectionHoldsEachItemOnceInItsOrder(t *testing.T) {
	selection := jobs.NewSelection(1)
	for _, id := range []string{"b", "a", "b"} {
		if !selection.Add(jobs.ProductModel, id) {
			t.Errorf("%q is refused", id)
		}
	}
	if !selection.Add(jobs.Category, "b") || selection.Add(jobs.Category, "") {
		t.Error("a category is another item, and an empty code none")
	}
	want := []jobs.Item{{Type: jobs.ProductModel, ID: "b"}, {Type: jobs.ProductModel, ID: "a"}, {Type: jobs.Category, ID: "b"}}
	if !slices.Equal(selection.Items, want) {
		t.Errorf("got %v", selection.Items)
	}
}
