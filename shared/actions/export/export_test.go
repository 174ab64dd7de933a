package export_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/pim-functions/pim-functions/shared/actions/export"
	"github.com/pim-functions/pim-functions/shared/actions/export/table"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/files"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
)

// bags are products whose cells the test below spells out.
func bags() []*pimtest.Entity {
	one := product(1, "bag", map[string]string{
		"sku": `"Bag-10"`, "ratio": `"0.25"`, "price": `[{"amount":"17.5","currency":"EUR"},{"amount":"3.00","currency":"GBP"}]`,
		"width": `{"amount":"30.5000","unit":"CENTIMETER"}`, "ready": `false`, "released": `"2026-03-01T00:00:00+01:00"`, "color": `"red"`,
		"image": `"1/2/3/4/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_front_view.png"`, "notes": `"two\nlines; \"quoted\""`,
	})
	english, french, shop := "en_US", "fr_FR", "ecommerce"
	one.Values["name"] = []pimtest.Value{{Locale: &french, Data: json.RawMessage(`"Sac"`)}, {Locale: &english, Data: json.RawMessage(`"=Bag"`)}}
	one.Values["stock"] = []pimtest.Value{{Scope: &shop, Data: json.RawMessage(`12`)}}
	one.Categories = []string{"master"}
	two := product(2, "", map[string]string{"sku": `"bag-2"`, "color": `"blue"`})
	two.Associations = json.RawMessage(`{"PACK":{"products":["` + uuid(1) + `"],"product_models":[],"groups":[]}}`)
	return []*pimtest.Entity{one, two, product(3, "", nil)}
}

func TestAFileAsThePIMWritesIt(t *testing.T) {
	f := newFixture(t, small(t, bags()...), `decimal: ",", name: 'bags-{{.Now.Format "2006-01-02"}}.csv', keep: 7d`)
	job := f.work(f.start(items(3, 2, 1)...))
	if job.State != jobs.Succeeded || len(job.Files) != 1 {
		t.Fatalf("%s, %q, files %v", job.State, job.Message, job.Files)
	}
	want := "sku;categories;enabled;family;groups;color;image;name-en_US;name-fr_FR;notes;PACK-groups;PACK-products;PACK-product_models;" +
		"price-EUR;price-GBP;price-USD;ratio;ready;released;stock-ecommerce;width;width-unit;X_SELL-groups;X_SELL-products;X_SELL-product_models\n" +
		`Bag-10;master;1;bag;;red;"files/Bag-10/image/front view.png";=Bag;Sac;"two` + "\n" + `lines; ""quoted""";;;;17,50;3,00;;0,2500;0;2026-03-01;12;0,3050;METER;;;` + "\n" +
		"bag-2;;1;;;blue;;;;;;Bag-10;;;;;;;;;;;;;\n" +
		";;1;;;;;;;;;;;;;;;;;;;;;;\n"
	if got := f.content(job.Files[0]); got != want {
		t.Errorf("file\n%s\nwant\n%s", got, want)
	}
	file := job.Files[0]
	if file.Name != "bags-2026-11-23.csv" || file.Key != "export/7d/job/bags-2026-11-23.csv" || file.Until.Sub(began) < 7*24*time.Hour || job.Message != "3 rows" {
		t.Errorf("%+v, %q", file, job.Message)
	}
	if left := f.parts(job.ID); len(left) > 0 {
		t.Errorf("parts are left: %q", left)
	}
}

func TestOptions(t *testing.T) {
	for _, c := range []struct{ name, keys, want string }{
		{"selected, no media, no header", `attributes: [ready, image, name], media: none, header: false`, "Bag-10;master;1;bag;;;;;;;;0;Sac;=Bag\nbag-2;;1;;;;Bag-10;;;;;;;\n;;1;;;;;;;;;;;\n"},
		{"formulas as text, locale", `attributes: [name], locales: [en_US], formulas: text, delimiter: "|"`,
			"sku|categories|enabled|family|groups|PACK-groups|PACK-products|PACK-product_models|X_SELL-groups|X_SELL-products|X_SELL-product_models|name-en_US\n" +
				"Bag-10|master|1|bag||||||||'=Bag\nbag-2||1||||Bag-10|||||\n||1|||||||||\n"},
		{"another channel", `attributes: [price, stock, width], channel: print, date_format: dd.MM.yyyy`,
			"sku;categories;enabled;family;groups;PACK-groups;PACK-products;PACK-product_models;X_SELL-groups;X_SELL-products;X_SELL-product_models;price-EUR;price-GBP;price-CHF;stock-print;width;width-unit\n" +
				"Bag-10;master;1;bag;;;;;;;;17.50;3.00;;;30.5000;CENTIMETER\nbag-2;;1;;;;Bag-10;;;;;;;;;;\n;;1;;;;;;;;;;;;;;\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, small(t, bags()...), c.keys)
			job := f.work(f.start(items(1, 2, 3)...))
			if job.State != jobs.Succeeded || len(job.Files) != 1 {
				t.Fatalf("%s, %q", job.State, job.Message)
			}
			got := f.content(job.Files[0])
			if got != c.want {
				t.Errorf("file\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestLabels(t *testing.T) {
	f := newFixture(t, small(t, bags()...), `attributes: [name, color, price, width, ready], labels: {values: true, header: true, locale: en_US}`)
	job := f.work(f.start(items(1, 2, 3)...))
	if job.State != jobs.Succeeded {
		t.Fatalf("%s, %q", job.State, job.Message)
	}
	want := "SKU;Categories;Enabled;Family;Groups;\"Pack Groups\";\"Pack Products\";\"Pack Product models\";\"[X_SELL] Groups\";\"[X_SELL] Products\";\"[X_SELL] Product models\";" +
		"\"Name (French France)\";\"Name (English United States)\";Color;\"Price (Euro)\";[price-GBP];\"Price (US Dollar)\";Width;\"Width (Unit)\";Ready\n" +
		"Bag-10;Master;Yes;Bag;;;;;;;;Sac;=Bag;Red;17.50;3.00;;0.3050;Meter;No\n" +
		"bag-2;;Yes;[];;;=Bag;;;;;;;[blue];;;;;;\n" +
		";;Yes;[];;;;;;;;;;;;;;;;\n"
	if got := f.content(job.Files[0]); got != want {
		t.Errorf("file\n%s\nwant\n%s", got, want)
	}
}

// A PIM's interface may have words of its own.
func TestWordsOfOnesOwn(t *testing.T) {
	f := newFixture(t, small(t, bags()...), `attributes: [ready], uuid: true, labels: {values: true, header: true, locale: fr_FR, words: {uuid: Identifiant unique, product_uuids: Produits, no: Faux}}`)
	text := f.content(f.work(f.start(items(1)...)).Files[0])
	want := "\"Identifiant unique\";[sku];Catégories;Activé;Famille;Groupes;[ready]\n" + uuid(1) + ";Bag-10;[master];Oui;[bag];;Faux\n"
	if text != want {
		t.Errorf("file\n%s\nwant\n%s", text, want)
	}
}

func TestCompletenessIsTheLastColumns(t *testing.T) {
	english := "en_US"
	half := product(4, "bag", map[string]string{"sku": `"half"`})
	half.Values["name"] = []pimtest.Value{{Locale: &english, Data: json.RawMessage(`"Bag"`)}}
	for keys, want := range map[string]string{
		`attributes: [name], completeness: true, locales: [fr_FR, en_US]`: "sku;categories;enabled;family;groups;name-en_US;name-fr_FR;completeness-fr_FR-ecommerce;completeness-en_US-ecommerce\nhalf;;1;bag;;Bag;;50;100\nnone;;1;;;;;;\n",
		`completeness: true, locales: [en_US], labels: {header: true, locale: en_US}, channel: print`: "SKU;Categories;Enabled;Family;Groups;Color;\"Name (English United States)\";\"Price (Swiss Franc)\";Width;\"Width (Unit)\";\"Completeness (English United States, [print])\"\n" +
			"half;;1;bag;;;Bag;;;;100\nnone;;1;;;;;;;;\n",
	} {
		f := newFixture(t, small(t, half, product(5, "", map[string]string{"sku": `"none"`})), keys)
		job := f.work(f.start(items(5, 4)...))
		if job.State != jobs.Succeeded {
			t.Fatalf("%s, %q", job.State, job.Message)
		}
		if got := f.content(job.Files[0]); got != want {
			t.Errorf("%s: file\n%s\nwant\n%s", keys, got, want)
		}
	}
	f := newFixture(t, small(t, half), `format: ndjson, completeness: true`)
	job := f.work(f.start(items(4)...))
	if got := f.content(job.Files[0]); !strings.Contains(got, `"completenesses":[{`) {
		t.Errorf("line %s", got)
	}
}

func TestAProductALine(t *testing.T) {
	f := newFixture(t, small(t, bags()...), `format: ndjson, name: all.ndjson`)
	job := f.work(f.start(items(2, 1)...))
	lines := strings.Split(f.content(job.Files[0]), "\n")
	var first, second struct {
		UUID   string                     `json:"uuid"`
		Values map[string]json.RawMessage `json:"values"`
	}
	if len(lines) != 3 || json.Unmarshal([]byte(lines[0]), &first) != nil || json.Unmarshal([]byte(lines[1]), &second) != nil {
		t.Fatalf("%q", lines)
	}
	if first.UUID != uuid(1) || second.UUID != uuid(2) || first.Values["price"] == nil {
		t.Errorf("%q", lines)
	}
}

func TestAWorkbookHasTheCellsOfTheCSV(t *testing.T) {
	made := func(keys string) (jobs.Job, string) {
		f := newFixture(t, small(t, bags()...), keys)
		job := f.work(f.start(items(1, 2, 3)...))
		if job.State != jobs.Succeeded {
			t.Fatalf("%s, %q", job.State, job.Message)
		}
		return job, f.content(job.Files[0])
	}
	job, text := made(`format: xlsx`)
	_, again := made(`format: xlsx`)
	if text != again {
		t.Error("the same rows make another workbook")
	}
	_, plain := made(`format: csv`)
	reader := csv.NewReader(strings.NewReader(plain))
	reader.Comma = ';'
	want, err := reader.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	book, err := excelize.OpenReader(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for r, row := range want {
		for c, cell := range row {
			at, _ := excelize.CoordinatesToCellName(c+1, r+1)
			got, err := book.GetCellValue("Sheet1", at)
			formula, _ := book.GetCellFormula("Sheet1", at)
			if err != nil || got != cell || formula != "" {
				t.Errorf("%s: %q (formula %q), want %q", at, got, formula, cell)
			}
		}
	}
	if !strings.HasSuffix(job.Files[0].Name, ".xlsx") {
		t.Errorf("name %q", job.Files[0].Name)
	}
}

func TestACellThatASpreadsheetCannotHold(t *testing.T) {
	for characters, want := range map[int]jobs.State{table.MaxSheetCell: jobs.Succeeded, table.MaxSheetCell + 1: jobs.Failed} {
		long := product(1, "", map[string]string{"sku": `"long"`, "notes": `"` + strings.Repeat("é", characters) + `"`})
		f := newFixture(t, small(t, long), `format: xlsx`)
		if job := f.work(f.start(items(1)...)); job.State != want || (want == jobs.Failed) != strings.Contains(job.Message, "spreadsheet") {
			t.Errorf("%d characters: %s, %q", characters, job.State, job.Message)
		}
	}
}

func TestNothingToExportIsAFileWithAHeader(t *testing.T) {
	f := newFixture(t, small(t), `attributes: [name], locales: [fr_FR]`)
	job := f.work(f.start())
	if job.State != jobs.Succeeded || f.content(job.Files[0]) != "sku;categories;enabled;family;groups;name-fr_FR\n" || !strings.Contains(job.Message, "nothing was found") {
		t.Errorf("%s, %q, files %v", job.State, job.Message, job.Files)
	}
}

func TestWhatIsGoneFailsAndTheFileHoldsTheOthers(t *testing.T) {
	f := newFixture(t, small(t, bags()...), `attributes: [ready], header: false`)
	job := f.work(f.start(items(1, 99)...))
	if job.State != jobs.Partial || job.Done != 1 || job.Failed != 1 || f.content(job.Files[0]) != "Bag-10;master;1;bag;;0\n" {
		t.Errorf("%s, %d and %d, %q", job.State, job.Done, job.Failed, job.Message)
	}
	f = newFixture(t, small(t, bags()...), ``+`attributes: [ready]`)
	if job := f.work(f.start(items(98, 99)...)); job.State != jobs.Failed || len(job.Files) > 0 {
		t.Errorf("all are gone: %s, files %v", job.State, job.Files)
	}
}

func TestModelsHaveAFileOfTheirOwn(t *testing.T) {
	f := newFixture(t, pimtest.Goods(began), `attributes: [name], name: goods.csv, locales: [en_US]`)
	models := []jobs.Item{}
	for _, model := range pimtest.Goods(began).ProductModels[:3] {
		models = append(models, jobs.Item{Type: jobs.ProductModel, ID: model.Code})
	}
	products := pimtest.Goods(began).Products[:1]
	job := f.work(f.start(append(models, jobs.Item{Type: jobs.Product, ID: products[0].UUID})...))
	if job.State != jobs.Succeeded || len(job.Files) != 2 || job.Files[0].Name != "goods.csv" || job.Files[1].Name != "goods_models.csv" {
		t.Fatalf("%s, %q, files %v", job.State, job.Message, job.Files)
	}
	text := f.content(job.Files[1])
	if !strings.HasPrefix(text, "code;family_variant;parent;categories;") || strings.Count(text, "\n") != 4 {
		t.Errorf("models:\n%s", text)
	}
}

func TestLinesPerFile(t *testing.T) {
	var many []*pimtest.Entity
	for n := range 250 {
		many = append(many, product(n, "", map[string]string{"sku": fmt.Sprintf(`"s-%03d"`, n)}))
	}
	f := newFixture(t, small(t, many...), `lines_per_file: 120, name: all.csv`)
	var all []int
	for n := range 250 {
		all = append(all, 249-n)
	}
	job := f.work(f.start(items(all...)...))
	if job.State != jobs.Succeeded || len(job.Files) != 3 || job.Message != "250 rows in 3 files" {
		t.Fatalf("%s, %q, files %v", job.State, job.Message, job.Files)
	}
	next := 0
	for number, file := range job.Files {
		lines := strings.Split(strings.TrimSuffix(f.content(file), "\n"), "\n")
		if file.Name != fmt.Sprintf("all_%d.csv", number+1) || !strings.HasPrefix(lines[0], "sku;") {
			t.Errorf("%s begins with %q", file.Name, lines[0])
		}
		for _, line := range lines[1:] {
			if want := fmt.Sprintf("s-%03d;", next); !strings.HasPrefix(line, want) {
				t.Errorf("line %q, want %s", line, want)
			}
			next++
		}
	}
	if next != 250 {
		t.Errorf("%d rows", next)
	}
	if calls := len(f.pim.Calls("/api/rest/v1/products-uuid")); calls != 3 {
		t.Errorf("%d list calls for 250 products, want 3", calls)
	}
}

// TestKilledAnywhereTheFileIsTheSame kills the process at each call of the PIM, the records and the files, before and after it is
// carried out. The PIM is asked again for no more than the page that was at hand and the one behind it.
func TestKilledAnywhereTheFileIsTheSame(t *testing.T) {
	t.Parallel()
	var many []*pimtest.Entity
	for n := range 103 {
		many = append(many, product(n, "", map[string]string{"sku": fmt.Sprintf(`"s-%03d"`, n)}))
	}
	run := func(t *testing.T, at int, after bool) (text string, calls, lists int) {
		f := newFixture(t, small(t, many...), `lines_per_file: 60`)
		f.files.at, f.files.after = at, after
		job := f.work(f.startAll())
		if job.State != jobs.Succeeded || len(job.Files) != 2 || job.Done != 103 {
			t.Fatalf("%s, %q, %d done", job.State, job.Message, job.Done)
		}
		return f.content(job.Files[0]) + f.content(job.Files[1]), f.files.calls, listCalls(f.pim)
	}
	want, calls, lists := run(t, 0, false)
	if calls < 25 || lists != 2 {
		t.Fatalf("%d calls, %d lists", calls, lists)
	}
	for at := 1; at <= calls; at++ {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("call %d, carried out: %v", at, after), func(t *testing.T) {
				t.Parallel()
				got, _, again := run(t, at, after)
				if got != want {
					t.Errorf("%d bytes, want %d", len(got), len(want))
				}
				if again > lists+2 {
					t.Errorf("%d lists, %d without a crash", again, lists)
				}
			})
		}
	}
}

// TestPieces makes a file of several pieces of parts that are there, and kills the process at each call.
func TestPieces(t *testing.T) {
	t.Parallel()
	section, err := config.ParseSection(`{format: ndjson, name: all.ndjson}`)
	if err != nil {
		t.Fatal(err)
	}
	for _, rows := range []int{3, 10_050} { // sorted, and in the order of the parts
		folder := keptRows(t, rows)
		run := func(at int, after bool) (text string, calls int) {
			store := &faulty{Store: folder, at: at, after: after}
			action, err := export.Kind{}.Open(section, engine.Secrets{})
			if err != nil {
				t.Fatal(err)
			}
			r := engine.Run{Job: "job", Total: rows, Done: rows, Files: store, Began: began, Now: began, Client: func(context.Context) (*pim.Client, error) { return nil, nil }}
			for range 20 {
				result, err := action.(engine.Finisher).Finish(t.Context(), r)
				if _, later := errors.AsType[*engine.LaterError](err); err != nil && !later {
					store.restart()
					continue
				}
				if r.State = result.State; err == nil {
					f := &fixture{TB: t, files: store}
					return f.content(result.Files[0]), store.calls
				}
			}
			t.Fatal("the file is never whole")
			return "", 0
		}
		want, calls := run(0, false)
		if strings.Count(want, "\n") != rows || len(want) < size {
			t.Fatalf("%d bytes, %d lines", len(want), strings.Count(want, "\n"))
		}
		if rows < 10 {
			for at := 1; at <= calls; at++ {
				if got, _ := run(at, at%2 == 0); got != want {
					t.Errorf("killed at call %d: %d bytes, want %d", at, len(got), len(want))
				}
			}
		}
	}
}

const size = 9_000_000 // of a file of two pieces

// keptRows are rows of a file of two pieces, as runs have kept them.
func keptRows(t *testing.T, rows int) files.Store {
	folder, err := files.NewFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for first := 0; first < rows; first += 1000 {
		var part bytes.Buffer
		var products []pim.Product
		for n := first; n < min(rows, first+1000); n++ {
			raw := fmt.Sprintf(`{"uuid":%q,"text":%q}`, uuid(n), strings.Repeat("x", size/rows))
			products = append(products, pim.Product{Type: pim.TypeProduct, ID: uuid(n), Identifier: fmt.Sprint((n * 7919) % rows), Raw: json.RawMessage(raw)})
		}
		if err := table.WriteProducts(&part, "sku", false, products); err != nil {
			t.Fatal(err)
		}
		if err := folder.Put(t.Context(), files.PartKey("job", fmt.Sprintf("%09d-product.ndjson", first)), part.Bytes(), ""); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}
