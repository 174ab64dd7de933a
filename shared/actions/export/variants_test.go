package export_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/actions/export"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/files"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
)

// firsts are the first cells of a CSV file's rows.
func firsts(text string) (cells []string) {
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n")[1:] {
		cell, _, _ := strings.Cut(line, ";")
		cells = append(cells, cell)
	}
	return cells
}

func TestVariantsComeWithTheirModels(t *testing.T) {
	blue, red, flat := []string{"blue-001", "blue-003"}, []string{"red-000", "red-002"}, []string{"flat-004"}
	for _, c := range []struct {
		name             string
		items            []jobs.Item
		products, models []string
		message          string
	}{
		{"a root", models("root"), slices.Concat(blue, red), []string{"root"}, "5 rows in 2 files"},
		{"a sub-model", models("red"), red, []string{"red"}, "3 rows in 2 files"},
		{"a model without levels", models("flat"), flat, []string{"flat"}, "2 rows in 2 files"},
		{"a root, a sub-model and a variant of both", append(items(0), models("red", "root")...), slices.Concat(blue, red), []string{"red", "root"}, "6 rows in 2 files"},
		{"products alone", items(1, 0), []string{"blue-001", "red-000"}, nil, "2 rows"},
	} {
		for _, format := range []string{"csv", "ndjson"} {
			f := newFixture(t, shirts(t, 2), `attributes: [color], expand: true, name: all, format: `+format)
			job := f.work(f.start(c.items...))
			if job.State != jobs.Succeeded || job.Message != c.message || job.Done != len(c.items) {
				t.Fatalf("%s: %s, %q, %d done", c.name, job.State, job.Message, job.Done)
			}
			var products, kept []string
			for _, file := range job.Files {
				text := f.content(file)
				if format == "ndjson" {
					if strings.Count(text, "\n") != len(c.products) && strings.Count(text, "\n") != len(c.models) {
						t.Errorf("%s: %s is %s", c.name, file.Name, text)
					}
					continue
				}
				if file.Name == "all_models" {
					kept = firsts(text)
				} else {
					products = firsts(text)
				}
			}
			if format == "csv" && (!slices.Equal(products, c.products) || !slices.Equal(kept, c.models)) {
				t.Errorf("%s: products %q and models %q, want %q and %q", c.name, products, kept, c.products, c.models)
			}
		}
	}
}

// The second batch has variants of the first, and a search for more is not made again.
func TestAVariantIsInTheFileOnce(t *testing.T) {
	catalogue := shirts(t, 60)
	var all []int
	for n := range len(catalogue.Products) {
		all = append(all, n)
	}
	for _, lines := range []string{"", ", lines_per_file: 50"} {
		f := newFixture(t, catalogue, `attributes: [color], expand: true, name: all.csv`+lines)
		job := f.work(f.start(append(models("root", "flat", "red"), items(all...)...)...))
		if job.State != jobs.Succeeded {
			t.Fatalf("%s, %q", job.State, job.Message)
		}
		seen := map[string]bool{}
		for _, file := range job.Files {
			for _, sku := range firsts(f.content(file)) {
				if seen[sku] {
					t.Errorf("%s is in the file twice", sku)
				}
				seen[sku] = true
			}
		}
		if len(seen) != len(all)+3 {
			t.Errorf("%d rows", len(seen))
		}
	}
}

// A selection of models has pages of its own; a batch whose variants take several runs keeps its place in it.
func TestASelectionOfModels(t *testing.T) {
	catalogue := shirts(t, 60)
	family := "bag"
	for n := range 120 {
		code := fmt.Sprintf("single-%03d", n)
		catalogue.ProductModels = append(catalogue.ProductModels, &pimtest.Entity{Code: code, Family: &family, FamilyVariant: "one"})
		variant := product(1000+n, "bag", map[string]string{"sku": fmt.Sprintf(`"of-%s"`, code)})
		variant.Parent = &code
		catalogue.Products = append(catalogue.Products, variant)
	}
	f := newFixture(t, catalogue, `attributes: [color], expand: true, name: all.csv`)
	f.config.Kinds = map[string]engine.Kind{"export": export.Kind{}.WithPages(1)}
	job := f.work(f.create(jobs.Job{Select: &jobs.Select{Name: "models"}}))
	if job.State != jobs.Succeeded || job.Done != 124 || job.Message != "365 rows in 2 files" {
		t.Fatalf("%s, %q, %d done", job.State, job.Message, job.Done)
	}
	rows := firsts(f.content(job.Files[0]))
	if sorted := slices.Sorted(slices.Values(rows)); len(slices.Compact(sorted)) != 241 || !slices.Equal(rows, slices.Sorted(slices.Values(rows))) {
		t.Errorf("%d rows: %q", len(rows), rows)
	}
}

// vanishing is a store whose process dies once, after it has kept the third page of variants; a variant is gone then.
type vanishing struct {
	files.Store
	die func() bool
}

func (v *vanishing) Put(ctx context.Context, key string, content []byte, kind string) error {
	if strings.Contains(key, "-variants-000002-") && v.die() {
		_ = v.Store.Put(ctx, key, content, kind)
		return errDead
	}
	return v.Store.Put(ctx, key, content, kind)
}

func TestVariantsThatVanishWhileTheyAreRead(t *testing.T) {
	catalogue := shirts(t, 125)
	f := newFixture(t, catalogue, `attributes: [color], expand: true, name: all.csv`)
	died := false
	f.config.Files = &vanishing{f.files, func() bool {
		if died {
			return false
		}
		died = true
		for n := range 60 {
			f.pim.Delete(uuid(190 + n))
		}
		return true
	}}
	job := f.work(f.start(models("root")...))
	if job.State != jobs.Succeeded || len(job.Files) != 2 {
		t.Fatalf("%s, %q", job.State, job.Message)
	}
	if rows := firsts(f.content(job.Files[0])); len(rows) != 190 {
		t.Errorf("%d rows", len(rows))
	}
}

// Killed at each call of the file store, the files are the same, whatever the pages.
func TestKilledAnywhereVariantsAreTheSame(t *testing.T) {
	catalogue := shirts(t, 52)
	run := func(t *testing.T, at int, after bool) (string, int) {
		f := newFixture(t, catalogue, `attributes: [color], expand: true, name: all.csv`)
		f.config.Kinds = map[string]engine.Kind{"export": export.Kind{}.WithPages(1)}
		f.files.at, f.files.after = at, after
		job := f.work(f.start(models("root", "flat")...))
		if job.State != jobs.Succeeded || len(job.Files) != 2 || job.Message != "107 rows in 2 files" {
			t.Fatalf("killed at call %d: %s, %q", at, job.State, job.Message)
		}
		return f.content(job.Files[0]) + f.content(job.Files[1]), f.files.calls
	}
	want, calls := run(t, 0, false)
	if calls < 15 {
		t.Fatalf("%d calls", calls)
	}
	for at := 1; at <= calls; at++ {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			t.Parallel()
			if got, _ := run(t, at, at%2 == 0); got != want {
				t.Errorf("%d bytes, want %d", len(got), len(want))
			}
		})
	}
}
