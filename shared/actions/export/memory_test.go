package export_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/actions/export"
	"github.com/pim-functions/pim-functions/shared/actions/export/table"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/files"
	"github.com/pim-functions/pim-functions/shared/pim"
)

// BenchmarkFile makes the file of so many products of 60 attributes, and says how much heap it has at most:
//
//	go test ./shared/actions/export -run '^$' -bench File -benchtime 1x
func BenchmarkFile(b *testing.B) {
	for _, format := range []string{"csv", "ndjson", "xlsx"} {
		for _, rows := range []int{10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/%d", format, rows), func(b *testing.B) {
				for range b.N {
					b.ReportMetric(float64(peak(b, format, rows))/(1<<20), "MB-heap")
				}
			})
		}
	}
}

// peak keeps the rows as batches do, and measures while the file is made of them.
func peak(b *testing.B, format string, rows int) uint64 {
	f := newFixture(b, small(b), `format: `+format)
	section, err := config.ParseSection(`{format: ` + format + `}`)
	if err != nil {
		b.Fatal(err)
	}
	action, err := export.Kind{}.Open(section, engine.Secrets{})
	if err != nil {
		b.Fatal(err)
	}
	form, structure := table.Form{Date: "2006-01-02"}, table.Structure{Main: "sku"}
	for first := 0; first < rows; first += 100 {
		var part bytes.Buffer
		products := make([]pim.Product, 100)
		for n := range products {
			p := pim.Product{Type: pim.TypeProduct, ID: uuid(first + n), Identifier: fmt.Sprintf("sku-%06d", first+n), Values: pim.Values{}}
			for a := range 60 {
				p.Values[fmt.Sprintf("a_%02d", a)] = []pim.Value{{Data: json.RawMessage(fmt.Sprintf(`"value %d of %d"`, a, first+n)), AttributeType: "pim_catalog_text"}}
			}
			p.Raw, _ = json.Marshal(map[string]any{"uuid": p.ID, "values": p.Values})
			products[n] = p
		}
		if format == "ndjson" {
			err = table.WriteProducts(&part, "sku", false, products)
		} else {
			err = table.WritePart(&part, form, structure, table.Linked{}, products)
		}
		if err == nil {
			err = f.files.Put(b.Context(), files.PartKey("job", fmt.Sprintf("%09d-product.ndjson", first)), part.Bytes(), "")
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	runtime.GC()
	var most atomic.Uint64
	stop := make(chan struct{})
	go func() {
		var now runtime.MemStats
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				runtime.ReadMemStats(&now)
				most.Store(max(most.Load(), now.HeapAlloc))
			}
		}
	}()
	defer close(stop)
	b.ResetTimer()
	run := engine.Run{Job: "job", PIM: "main", Total: rows, Done: rows, Files: f.files.Store, Began: began, Now: began, Channel: "ecommerce", Client: func(ctx context.Context) (*pim.Client, error) { return f.config.PIM(ctx, "main") }}
	for {
		result, err := action.(engine.Finisher).Finish(b.Context(), run)
		if _, later := errors.AsType[*engine.LaterError](err); err != nil && !later {
			b.Fatal(err)
		}
		if run.State = result.State; err == nil {
			return most.Load()
		}
	}
}
