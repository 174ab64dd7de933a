package engine_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
)

// wide is a catalogue of so many products with sixty attributes each.
func wide(n int) *pimtest.Catalogue {
	catalogue := large(n, 0)
	for _, product := range catalogue.Products {
		for a := range 60 {
			product.Values[fmt.Sprintf("attribute_%d", a)] = []pimtest.Value{{Data: fmt.Appendf(nil, `"%s of %s"`, strings.Repeat("text ", 10), product.UUID)}}
		}
	}
	return catalogue
}

// spent is what a job over n products of sixty attributes took.
type spent struct {
	heap  uint64  // bytes in use at a call to the destination, at the most, above what there was before
	calls float64 // to the PIM, its lists of products alone
	bytes float64 // of the PIM's answers
}

func sendWide(tb testing.TB, n int) (s spent) {
	w := newFixture(tb, memory, fault{})
	played := w.playPIM(wide(n))
	heap := func() uint64 {
		runtime.GC()
		var now runtime.MemStats
		runtime.ReadMemStats(&now)
		return now.HeapAlloc
	}
	before := heap()
	w.destination.answer = func(string, int) (int, string) {
		if now := heap(); now > before {
			s.heap = max(s.heap, now-before)
		}
		return 200, "{}"
	}
	submitted, err := w.submitter.Submit(tb.Context(), jobs.Job{
		ID: jobs.ID("button", fmt.Append(nil, n)), Action: "wide", Trigger: jobs.TriggerAction, Extension: "button", PIM: "main", Items: products(0, n),
		Context: json.RawMessage(`{}`), Params: json.RawMessage(`{}`),
	})
	if err != nil {
		tb.Fatal(err)
	}
	w.drain()
	if job := w.job(submitted.Job.ID); job.Done != n {
		tb.Fatalf("%s, done %d: %s", job.State, job.Done, job.Message)
	}
	client, err := w.engine.PIM(tb.Context(), "main")
	if err != nil {
		tb.Fatal(err)
	}
	s.calls = float64(len(played.Calls("/api/rest/v1/products-uuid")))
	s.bytes = float64(client.Stats().Bytes)
	return s
}

// A job takes the memory of a batch, however many products it has.
func TestAJobTakesTheMemoryOfABatch(t *testing.T) {
	for tries := 1; ; tries++ { // a goroutine of the HTTP server may hold its last page while the heap is read
		few, many := sendWide(t, 100), sendWide(t, 1000)
		ratio := float64(many.heap) / float64(few.heap)
		if ratio <= 1.5 {
			return
		}
		if tries == 3 {
			t.Fatalf("1,000 products take %d KB, 100 take %d KB: %.2f times", many.heap>>10, few.heap>>10, ratio)
		}
	}
}

// What a job of 1,000 products of sixty attributes takes, beside the floor of one call to the PIM for a hundred products, and
// its memory beside that of a job of 100.
func BenchmarkProducts(b *testing.B) {
	for b.Loop() {
		few, many := sendWide(b, 100), sendWide(b, 1000)
		b.ReportMetric(float64(many.heap)/float64(few.heap), "heap/heap-of-100")
		b.ReportMetric(float64(many.heap>>10), "KB")
		b.ReportMetric(many.calls, "calls")
		b.ReportMetric(10, "calls-floor")
		b.ReportMetric(many.bytes/1000, "bytes/item")
	}
}
