package validate_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/actions/validate"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/files"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim"
)

var began = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// reporter is a validate action that makes a report by these rules.
func reporter(t *testing.T, rules string) engine.Finisher {
	t.Helper()
	section, err := config.ParseSection("report: csv\nrules: [" + rules + "]")
	if err != nil {
		t.Fatal(err)
	}
	action, err := validate.Kind{}.Open(section, engine.Secrets{})
	if err != nil {
		t.Fatal(err)
	}
	return action.(engine.Finisher)
}

// named is a product with this identifier and name.
func named(t *testing.T, identifier, name string) pim.Product {
	t.Helper()
	text, err := json.Marshal(map[string][]map[string]string{"sku": {{"data": identifier}}, "name": {{"data": name}}})
	if err != nil {
		t.Fatal(err)
	}
	p := product(t, string(text))
	p.ID = "uuid of " + identifier
	return p
}

// report does a job's runs as the engine does.
func report(t *testing.T, action engine.Finisher, store files.Store, locale string, products []pim.Product) engine.Result {
	t.Helper()
	return repeat(t, action.Finish, batches(t, action, store, locale, products))
}

// batches does the runs over the products, and returns the one that finishes.
func batches(t *testing.T, action engine.Finisher, store files.Store, locale string, products []pim.Product) engine.Run {
	t.Helper()
	run := engine.Run{
		Action: "shop-ready", Job: "job", Total: len(products), Files: store, Began: began, Now: began, Context: json.RawMessage(`{"locale":"` + locale + `"}`),
	}
	for first := 0; first < len(products); first += action.Batch() {
		batch := run
		batch.First = first
		for _, p := range products[first:min(first+action.Batch(), len(products))] {
			batch.Items = append(batch.Items, jobs.Item{Type: p.Type, ID: p.ID})
			batch.Products = append(batch.Products, pim.NewView(p, "sku", "en_US", "ecommerce"))
		}
		batch.Deleted = make([]bool, len(batch.Items))
		run.Done += len(batch.Items) - len(repeat(t, action.Run, batch).Failures)
	}
	return run
}

// repeat does one run until it succeeds: after an error once more, from the state before.
func repeat(t *testing.T, do func(context.Context, engine.Run) (engine.Result, error), run engine.Run) engine.Result {
	t.Helper()
	for range 40 {
		result, err := do(t.Context(), run)
		if err == nil {
			return result
		}
		if _, later := errors.AsType[*engine.LaterError](err); later {
			run.State = result.State
		} else if !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
	}
	t.Fatal("the run has no end")
	return engine.Result{}
}

func folder(t *testing.T) files.Store {
	t.Helper()
	store, err := files.NewFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func content(t *testing.T, store files.Store, result engine.Result) string {
	t.Helper()
	if len(result.Files) != 1 {
		t.Fatalf("files %+v", result.Files)
	}
	file, err := store.Open(t.Context(), result.Files[0].Key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(file)
	if err := errors.Join(err, file.Close()); err != nil || int64(len(text)) != result.Files[0].Bytes {
		t.Fatalf("%d bytes, %d in the record, %v", len(text), result.Files[0].Bytes, err)
	}
	return string(text)
}

func TestReport(t *testing.T) {
	action, store := reporter(t, `{attribute: name, required: true, max_length: 9}, {attribute: ean, required: true, message: {default: "=no EAN", fr_FR: "=sans EAN"}}`), folder(t)
	model := named(t, "=model(1)", "Shoes")
	model.Type = pim.TypeModel
	result := report(t, action, store, "fr_FR", []pim.Product{named(t, "SHOE-1", ""), model})
	want := "type;identifier;id;ready;problems\n" +
		"product;SHOE-1;\"uuid of SHOE-1\";no;\"name manque; =sans EAN\"\n" +
		"product_model;'=model(1);\"uuid of =model(1)\";no;\"'=sans EAN\"\n"
	if got := content(t, store, result); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	file := result.Files[0]
	if file.Name != "shop-ready_2026-11-25_12-00-00.csv" || file.Key != "export/30d/job/"+file.Name || !file.Until.Equal(began.Add(30*24*time.Hour)) {
		t.Errorf("%+v", file)
	}
	if result.Message != "0 sur 2 sont prêts ; le rapport les liste tous." {
		t.Error(result.Message)
	}
}

// A product that is alone is answered in a sentence, as without a report.
func TestReportOfOne(t *testing.T) {
	action := reporter(t, `{attribute: name, required: true}`)
	for name, want := range map[string]string{"": "Not ready: name is missing", "Runner": "All rules hold."} {
		store := folder(t)
		result := report(t, action, store, "en_US", []pim.Product{named(t, "SHOE-1", name)})
		if rows := strings.Count(content(t, store, result), "\n"); result.Message != want || rows != 2 {
			t.Errorf("%q: %q, %d rows", name, result.Message, rows)
		}
	}
}

func TestReportOfNothing(t *testing.T) {
	store := folder(t)
	result := report(t, reporter(t, `{attribute: name, required: true}`), store, "en_US", nil)
	if got := content(t, store, result); got != "type;identifier;id;ready;problems\n" || result.Message != "Nothing was found: the report has no rows." {
		t.Errorf("%q, %s", got, result.Message)
	}
}

// What the PIM does not have any more fails before the action runs, and is no row.
func TestReportOfWhatIsGone(t *testing.T) {
	store, action := folder(t), reporter(t, `{attribute: name, required: true}`)
	for total, want := range map[int]string{3: "0 of 3 are ready; the report lists the 0 that could be read.", 1: ""} {
		run := engine.Run{Action: "shop-ready", Job: "job", Total: total, Files: store, Began: began, Now: began}
		if result, err := action.Run(t.Context(), run); err != nil || len(result.Failures) > 0 {
			t.Errorf("%+v, %v", result, err)
		}
		result, err := action.Finish(t.Context(), run)
		if err != nil || result.Message != want || len(result.Files) != 1 {
			t.Errorf("%+v, %v", result, err)
		}
	}
}

func TestReportWithoutFiles(t *testing.T) {
	action := reporter(t, `{attribute: name, required: true}`)
	for _, do := range []func(context.Context, engine.Run) (engine.Result, error){action.Run, action.Finish} {
		_, err := do(t.Context(), engine.Run{})
		if failed, ok := errors.AsType[*engine.PermanentError](err); !ok || failed.Reason != "this deployment keeps no files, so that it cannot make a report" {
			t.Error(err)
		}
	}
}

// A report of several batches and pieces is the same wherever a call of the store fails, before or after it is carried out.
func TestReportIsTheSameWhereverItIsKilled(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 14_000)
	action := reporter(t, `{attribute: name, required: true, message: {default: "1`+long+`"}}, {attribute: name, required: true, message: {default: "2`+long+`"}}`)
	var products []pim.Product
	for n := range 350 {
		name := ""
		if n%50 == 0 {
			name = "Runner"
		}
		products = append(products, named(t, fmt.Sprintf("SHOE-%d", n), name))
	}
	store := &killed{Store: folder(t), at: 2, after: true} // a batch's part is stored, and the answer lost
	run := batches(t, action, store, "en_US", products)
	if store.calls != 5 {
		t.Fatalf("%d calls for four batches", store.calls)
	}
	run.Files = &killed{Store: store.Store}
	want := content(t, store, repeat(t, action.Finish, run))
	rows, err := csv.NewReader(strings.NewReader(strings.ReplaceAll(want, ";", ","))).ReadAll()
	if err != nil || len(rows) != 351 || rows[350][2] != "uuid of SHOE-349" || len(want) < files.PieceSize {
		t.Fatalf("%d rows, %d bytes, %v", len(rows), len(want), err)
	}
	calls := run.Files.(*killed).calls
	for at := 1; at <= calls; at++ {
		for _, after := range []bool{false, true} {
			run.Files = &killed{Store: store.Store, at: at, after: after}
			result := repeat(t, action.Finish, run)
			if got := content(t, store, result); got != want || result.Message != "7 of 350 are ready; the report lists each." {
				t.Fatalf("killed at call %d of %d (after: %t): %d bytes, want %d, %q", at, calls, after, len(got), len(want), result.Message)
			}
		}
	}
}

var errKilled = errors.New("killed")

// killed is a store of which one writing call fails.
type killed struct {
	files.Store
	at, calls int
	after     bool // it is carried out
}

func (k *killed) call(do func() error) error {
	k.calls++
	if k.calls != k.at {
		return do()
	}
	if k.after {
		_ = do()
	}
	return errKilled
}

func (k *killed) Put(ctx context.Context, key string, content []byte, kind string) error {
	return k.call(func() error { return k.Store.Put(ctx, key, content, kind) })
}

func (k *killed) Open(ctx context.Context, key string) (file io.ReadCloser, err error) {
	err = k.call(func() error { file, err = k.Store.Open(ctx, key); return err })
	return file, err
}

func (k *killed) Begin(ctx context.Context, key, kind string) (upload files.Upload, err error) {
	err = k.call(func() error { upload, err = k.Store.Begin(ctx, key, kind); return err })
	return upload, err
}

func (k *killed) Append(ctx context.Context, upload files.Upload, piece []byte) (next files.Upload, err error) {
	err = k.call(func() error { next, err = k.Store.Append(ctx, upload, piece); return err })
	return next, err
}

func (k *killed) Complete(ctx context.Context, upload files.Upload) error {
	return k.call(func() error { return k.Store.Complete(ctx, upload) })
}
