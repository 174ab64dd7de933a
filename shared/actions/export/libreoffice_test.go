//go:build libreoffice

package export_test

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

// LibreOffice shows in a workbook what the CSV file of the same products holds: no cell runs, is rounded or loses its zeros.
func TestLibreOffice(t *testing.T) {
	odd := product(4, "", map[string]string{"sku": `"0012"`})
	for code, text := range map[string]string{
		"notes": " =1+1; \"two\"\nlines\tand 'more' ", "ratio": "123456789012345678.25", "color": "red",
	} {
		data, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		odd.Values[code] = product(4, "", map[string]string{code: string(data)}).Values[code]
	}
	var products = append(bags(), odd)
	for n, name := range []string{"=HYPERLINK(\"https://example.com\")", "+1", "-2+3", "@SUM(1)", "1e5", "2026-11-25", "TRUE", "0,50", "'quoted", "é 🧦 中文", "00", "12:30"} {
		text, err := json.Marshal(name)
		if err != nil {
			t.Fatal(err)
		}
		products = append(products, product(10+n, "", map[string]string{"sku": string(text), "notes": string(text)}))
	}
	ids := []int{1, 2, 3, 4}
	for n := range len(products) - 4 {
		ids = append(ids, 10+n)
	}
	made := func(format string) string {
		f := newFixture(t, small(t, products...), "format: "+format)
		job := f.work(f.start(items(ids...)...))
		if job.State != jobs.Succeeded {
			t.Fatalf("%s, %q", job.State, job.Message)
		}
		return f.content(job.Files[0])
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "book.xlsx"), []byte(made("xlsx")), 0o600); err != nil {
		t.Fatal(err)
	}
	// Semicolons, quotation marks, UTF-8, from the first line on; not quoted but where needed, cells as they are shown
	// (LibreOffice: "CSV filter parameters").
	convert := exec.Command("soffice", "-env:UserInstallation=file://"+folder+"/profile", "--headless", "--convert-to", "csv:Text - txt - csv (StarCalc):59,34,76,1,,0,false,true,false",
		"--outdir", folder, filepath.Join(folder, "book.xlsx"))
	if said, err := convert.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	converted, err := os.ReadFile(filepath.Join(folder, "book.csv"))
	if err != nil {
		t.Fatal(err)
	}
	want, got := cells(t, made("csv")), cells(t, string(converted))
	if len(got) != len(want) || len(want) != len(products)+1 {
		t.Fatalf("%d rows, want %d", len(got), len(want))
	}
	for r, row := range want {
		for c, cell := range row {
			if c >= len(got[r]) || got[r][c] != cell {
				t.Errorf("row %d, %s: %q, want %q", r, want[0][c], got[r], cell)
			}
		}
	}
}

// cells reads a CSV file with semicolons.
func cells(t *testing.T, text string) [][]string {
	t.Helper()
	reader := csv.NewReader(strings.NewReader(text))
	reader.Comma, reader.FieldsPerRecord = ';', -1
	rows, err := reader.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}
