package platformapi_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/platformapi"
)

func TestWildcardsBecomeFullTypes(t *testing.T) {
	const product = "com.akeneo.pim.v1.product."
	for _, c := range []struct {
		name     string
		patterns string
		want     string // without prefix
		empty    string
	}{
		{"a full type", product + "deleted", "product.deleted", ""},
		{"a type that the list does not have", product + "became-ready", "product.became-ready", ""},
		{"twice", product + "deleted " + product + "deleted", "product.deleted", ""},
		{"an end", product + "updated*", "product.updated product.updated.delta", ""},
		{"a middle", "com.akeneo.pim.v1.*.deleted", "app.deleted asset.deleted attribute-group.deleted attribute-option.deleted attribute.deleted category.deleted connection.deleted family.deleted product-model.deleted product.deleted reference-entity-record.deleted", ""},
		{"and what it covers", product + "updated.delta *.delta", "product-model.updated.delta product.updated.delta", ""},
		{"nothing", "com.akeneo.pim.v2.*", "", "com.akeneo.pim.v2.*"},
		{"not a class of characters", product + "[du]* " + product + "d?leted*", "", product + "[du]* " + product + "d?leted*"},
	} {
		t.Run(c.name, func(t *testing.T) {
			types, empty := platformapi.Expand(strings.Fields(c.patterns))
			var got []string
			for _, name := range types {
				got = append(got, strings.TrimPrefix(name, "com.akeneo.pim.v1."))
			}
			if strings.Join(got, " ") != c.want || strings.Join(empty, " ") != c.empty {
				t.Errorf("%q, nothing for %q", got, empty)
			}
		})
	}
}

func TestAllIsTheVendorsList(t *testing.T) {
	types, _ := platformapi.Expand([]string{"*"})
	if len(types) != 37 || !slices.Equal(types, platformapi.Types()) {
		t.Errorf("%d types", len(types))
	}
}
