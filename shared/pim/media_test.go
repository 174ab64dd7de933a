package pim_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/pim-functions/pim-functions/shared/pim"
)

func TestAnImageIsReadByItsCode(t *testing.T) {
	f := newFixture(t)
	product, err := f.Get(t.Context(), pim.TypeProduct, simples(1)[0], pim.Read{})
	if err != nil {
		t.Fatal(err)
	}
	view := pim.NewView(product, "sku", "en_US", "ecommerce")
	code, err := view.MediaCode("image")
	if err != nil || code == "" {
		t.Fatalf("%q, %v", code, err)
	}
	media, err := f.Media(t.Context(), code, 1<<20)
	if err != nil || media.Type != "image/png" || media.Name != "shirt_blue_front.png" || !bytes.HasPrefix(media.Content, []byte("\x89PNG")) {
		t.Errorf("%q, %q, %d bytes, %v", media.Name, media.Type, len(media.Content), err)
	}
	for name, limit := range map[string]int64{"exactly": int64(len(media.Content)), "one byte less": int64(len(media.Content)) - 1} {
		_, err := f.Media(t.Context(), code, limit)
		if failed, ok := errors.AsType[*pim.Error](err); (name == "exactly") != (err == nil) || ok && !failed.TooLarge() {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.Media(t.Context(), "9/9/nobody.png", 1<<20); err == nil {
		t.Error("a file that is gone was read")
	}
	if code, err := view.MediaCode("manual"); code != "" || err != nil {
		t.Errorf("no file: %q, %v", code, err)
	}
	if _, err := view.MediaCode("price"); err == nil {
		t.Error("a price holds no file")
	}
}
