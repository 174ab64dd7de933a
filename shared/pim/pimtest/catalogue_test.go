package pimtest_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
)

// A catalogue may be pieced together from what the REST API answers, which says some things otherwise than a person would.
func TestReadACatalogue(t *testing.T) {
	c, err := pimtest.Read(strings.NewReader(`{
		"channels": [{"code": "web"}], "attributes": [{"code": "sku"}],
		"family_variants": [{"code": "by_color", "family": "bag"}],
		"product_models": [{"code": "a", "family_variant": "by_color"}, {"code": "b", "family": "shoe", "family_variant": "by_color"}, {"code": "c", "family_variant": "other"}],
		"media_files": {"1/a_front.png": "front.png", "2/b_back.png": {"code": "2/b_back.png", "original_filename": "back.png"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if want := (pimtest.MediaFiles{"1/a_front.png": "front.png", "2/b_back.png": "back.png"}); !maps.Equal(c.MediaFiles, want) {
		t.Errorf("media files %v", c.MediaFiles)
	}
	if a, b, other := c.ProductModels[0].Family, c.ProductModels[1].Family, c.ProductModels[2].Family; a == nil || *a != "bag" || *b != "shoe" || other != nil {
		t.Errorf("families of models %v, %v, %v", a, b, other)
	}
	for _, text := range []string{`{"media_files": {"a": 7}}`, `{"media_files": []}`} {
		if _, err := pimtest.Read(strings.NewReader(text)); err == nil || !strings.HasPrefix(err.Error(), "read catalogue: ") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
