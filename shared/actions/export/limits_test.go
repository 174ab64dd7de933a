package export_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/pim-functions/pim-functions/shared/files"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
)

// read are the rows of a CSV file, as a spreadsheet reads them.
func read(t *testing.T, text string) [][]string {
	t.Helper()
	reader := csv.NewReader(strings.NewReader(text))
	reader.Comma = ';'
	rows, err := reader.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// What a text may hold comes back from the file; what Unicode or XML does not know is one character that says so.
func TestOddTexts(t *testing.T) {
	for name, c := range map[string]struct{ raw, csv, xlsx string }{
		"delimiters":         {`"a;b,c|d"`, "a;b,c|d", "a;b,c|d"},
		"quotation marks":    {`"say \"x\" \\ y"`, `say "x" \ y`, `say "x" \ y`},
		"line breaks":        {`"one\ntwo\tthree"`, "one\ntwo\tthree", "one\ntwo\tthree"},
		"white space around": {`" a "`, " a ", " a "},
		"NUL":                {`"a\u0000b"`, "a\x00b", "a\ufffdb"},
		"a lone surrogate":   {`"a\ud800b"`, "a\ufffdb", "a\ufffdb"},
		"beyond the plane":   {`"\ud83d\udc5f"`, "👟", "👟"},
		"an escape of XLSX":  {`"_x0041_"`, "_x0041_", "_x0041_"},
		"markup":             {`"<b>&amp;</b>"`, "<b>&amp;</b>", "<b>&amp;</b>"},
		"a formula":          {`"=1+1"`, "=1+1", "=1+1"},
	} {
		odd := product(1, "", map[string]string{"sku": `"odd"`, "notes": c.raw})
		f := newFixture(t, small(t, odd), `attributes: [notes], formulas: as_is`)
		if rows := read(t, f.content(f.work(f.start(items(1)...)).Files[0])); rows[1][5] != c.csv {
			t.Errorf("%s: CSV has %q, want %q", name, rows[1][5], c.csv)
		}
		f = newFixture(t, small(t, odd), `attributes: [notes], format: xlsx`)
		book, err := excelize.OpenReader(strings.NewReader(f.content(f.work(f.start(items(1)...)).Files[0])))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := book.GetCellValue("Sheet1", "F2"); err != nil || got != c.xlsx {
			t.Errorf("%s: XLSX has %q, want %q (%v)", name, got, c.xlsx, err)
		}
	}
}

func TestAMegabyteOfText(t *testing.T) {
	text := strings.Repeat("é;\"\n", 200_000)
	raw, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	long := product(1, "", map[string]string{"sku": `"long"`, "notes": string(raw)})
	f := newFixture(t, small(t, long), `attributes: [notes], formulas: text`)
	if rows := read(t, f.content(f.work(f.start(items(1)...)).Files[0])); rows[1][5] != text {
		t.Errorf("%d bytes, want %d", len(rows[1][5]), len(text))
	}
	f = newFixture(t, small(t, long), `attributes: [notes], format: xlsx`)
	if job := f.work(f.start(items(1)...)); job.State != jobs.Failed || !strings.Contains(job.Message, "use format csv") || len(job.Files) > 0 {
		t.Errorf("%s, %q", job.State, job.Message)
	}
}

// broad is a catalogue of a family that has one attribute, with a column for each locale and currency.
func broad(t *testing.T, locales, currencies int) *pimtest.Catalogue {
	t.Helper()
	var channel pimtest.Channel
	channel.Code = "ecommerce"
	for n := range locales {
		channel.Locales = append(channel.Locales, fmt.Sprintf("%c%c_AA", 'a'+n/26, 'a'+n%26))
	}
	for n := range currencies {
		channel.Currencies = append(channel.Currencies, fmt.Sprintf("A%c%c", 'A'+n/26, 'A'+n%26))
	}
	c := small(t, product(1, "broad", map[string]string{"sku": `"broad"`}))
	c.Channels = []pimtest.Channel{channel}
	more, err := pimtest.Read(strings.NewReader(`{"channels": [{"code": "ecommerce", "labels": {}, "locales": ["en_US"], "currencies": []}],
		"attributes": [{"code": "cost", "type": "pim_catalog_price_collection", "localizable": true, "decimals_allowed": true, "labels": {}}],
		"families": [{"code": "broad", "labels": {}, "attribute_as_label": "sku", "attributes": ["sku", "cost"]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	c.Attributes, c.Families = append(c.Attributes, more.Attributes...), append(c.Families, more.Families...)
	return c
}

func TestTwoThousandColumns(t *testing.T) {
	f := newFixture(t, broad(t, 40, 50), `formulas: as_is`)
	rows := read(t, f.content(f.work(f.start(items(1)...)).Files[0]))
	if len(rows) != 2 || len(rows[0]) != 2005 || rows[0][2004] != "cost-bn_AA-ABX" {
		t.Fatalf("%d rows, %d columns", len(rows), len(rows[0]))
	}
	f = newFixture(t, broad(t, 40, 50), `format: xlsx`)
	book, err := excelize.OpenReader(strings.NewReader(f.content(f.work(f.start(items(1)...)).Files[0])))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := book.GetRows("Sheet1"); err != nil || len(got) != 2 || !slices.Equal(got[0], rows[0]) {
		t.Errorf("%d rows, %v", len(got), err)
	}
}

// A sheet has 16,384 columns (Microsoft: "Excel specifications and limits"). Another try would not help.
func TestMoreColumnsThanASheetHas(t *testing.T) {
	f := newFixture(t, broad(t, 100, 165), `format: xlsx`)
	job := f.work(f.start(items(1)...))
	if job.State != jobs.Failed || job.Reason != jobs.ReasonPermanent || job.Message != "there would be 16505 columns, and a spreadsheet has 16384 at most: use format csv, or name attributes" {
		t.Errorf("%s, %s, %q", job.State, job.Reason, job.Message)
	}
}

// away is a store that fails for some time: S3 is away, or the disk is full.
type away struct {
	files.Store
	until time.Time
	now   *time.Time
	full  error
	fails int
}

// full is an error of a store that cannot store.
func full(t *testing.T) error {
	t.Helper()
	folder, err := files.NewFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := folder.Put(t.Context(), "x", nil, ""); err != nil {
		t.Fatal(err)
	}
	return folder.Put(t.Context(), "x/y", nil, "") // where a folder should be is a file
}

func (a *away) err() error {
	if a.now.Before(a.until) {
		a.fails++
		return a.full
	}
	return nil
}

func (a *away) Put(ctx context.Context, key string, content []byte, kind string) error {
	if err := a.err(); err != nil {
		return err
	}
	return a.Store.Put(ctx, key, content, kind)
}

func (a *away) Append(ctx context.Context, upload files.Upload, piece []byte) (files.Upload, error) {
	if err := a.err(); err != nil {
		return upload, err
	}
	return a.Store.Append(ctx, upload, piece)
}

func (a *away) Complete(ctx context.Context, upload files.Upload) error {
	if err := a.err(); err != nil {
		return err
	}
	return a.Store.Complete(ctx, upload)
}

func TestTheStoreIsAwayForAMinute(t *testing.T) {
	want := ""
	for _, minutes := range []int{0, 1, 20} { // the clock moves five minutes with each invocation
		f := newFixture(t, small(t, bags()...), `formulas: as_is, name: bags.csv`)
		store := &away{Store: f.files, until: began.Add(time.Duration(minutes) * time.Minute), now: &f.now, full: full(t)}
		f.config.Files = store
		job := f.work(f.start(items(1, 2, 3)...))
		if job.State != jobs.Succeeded || len(job.Files) != 1 || (store.fails > 0) != (minutes > 0) {
			t.Fatalf("%d minutes: %s, %q, %d calls failed", minutes, job.State, job.Message, store.fails)
		}
		got := f.content(job.Files[0])
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("%d minutes: another file", minutes)
		}
	}
	f := newFixture(t, small(t, bags()...), `formulas: as_is`)
	f.config.Files = &away{Store: f.files, until: began.Add(24 * time.Hour), now: &f.now, full: full(t)}
	if job := f.work(f.start(items(1)...)); job.State != jobs.Failed || job.Reason != jobs.ReasonGaveUp || job.Message != "files cannot be stored or read at the moment, and the time for trying again is over" {
		t.Errorf("a disk that stays full: %s, %s, %q", job.State, job.Reason, job.Message)
	}
}

// deleting is a store that does something once, when the first part is kept.
type deleting struct {
	files.Store
	do func()
}

func (d *deleting) Put(ctx context.Context, key string, content []byte, kind string) error {
	err := d.Store.Put(ctx, key, content, kind)
	if d.do != nil {
		d.do()
		d.do = nil
	}
	return err
}

// An attribute that is deleted between two batches keeps its column, with the values that were read.
func TestAnAttributeIsDeletedInTheMiddle(t *testing.T) {
	var many []*pimtest.Entity
	var all []int
	for n := range 102 {
		many = append(many, product(n, "", map[string]string{"sku": fmt.Sprintf(`"s-%03d"`, n), "ratio": `"0.5"`, "ready": `true`}))
		all = append(all, n)
	}
	f := newFixture(t, small(t, many...), `formulas: as_is`)
	f.config.Files = &deleting{f.files, func() { f.pim.RemoveAttribute("ratio") }}
	job := f.work(f.start(items(all...)...))
	if job.State != jobs.Succeeded || job.Done != 102 {
		t.Fatalf("%s, %q", job.State, job.Message)
	}
	rows := read(t, f.content(job.Files[0]))
	if !slices.Equal(rows[0], []string{"sku", "categories", "enabled", "family", "groups", "ratio", "ready"}) || len(rows) != 103 {
		t.Fatalf("%q, %d rows", rows[0], len(rows))
	}
	if rows[1][5] != "0.5000" || rows[102][5] != "" || rows[102][6] != "1" {
		t.Errorf("%q, %q", rows[1], rows[102])
	}
}
