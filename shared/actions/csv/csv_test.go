package csv_test

import (
	"bytes"
	"testing"

	"github.com/pim-functions/pim-functions/shared/actions/csv"
)

func TestRow(t *testing.T) {
	plain, text := csv.Format{Delimiter: ';'}, csv.Format{Delimiter: ';', Text: true}
	for _, c := range []struct {
		format csv.Format
		cells  []string
		want   string
	}{
		{plain, []string{"plain", "a b", "a,b", "a;b", `say "x"`, "two\nlines", "a\tb", "", `back\slash`, "é"}, `plain;"a b";a,b;"a;b";"say ""x""";"two` + "\nlines\";\"a\tb\";;back\\slash;é\n"},
		{csv.Format{Delimiter: ','}, []string{"a,b", "a;b"}, "\"a,b\",a;b\n"},
		{plain, []string{"=1+1", "@x", "+1", "-1"}, "=1+1;@x;+1;-1\n"},
		{text, []string{"=1+1", "@x", "+1", "-1", "-1,50", "-1٫5", "-2+3", "-x", "\tx", "1=1"}, "'=1+1;'@x;'+1;-1;-1,50;-1٫5;'-2+3;'-x;\"'\tx\";1=1\n"},
		{plain, []string{"nul\x00", "\xff"}, "nul\x00;\xff\n"},
	} {
		var got bytes.Buffer
		c.format.Row(&got, c.cells...)
		if got.String() != c.want {
			t.Errorf("%q: %q, want %q", c.cells, got.String(), c.want)
		}
	}
}
