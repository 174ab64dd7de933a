package export_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
)

// TestProductsAreReadAHundredAtATime: the search's page is all that is asked for its products. A page that is full ends with the
// address of another, the PIM's last one too, which is empty then.
func TestProductsAreReadAHundredAtATime(t *testing.T) {
	for products, lists := range map[int]int{0: 1, 1: 1, 100: 2, 101: 2, 350: 4} {
		f := newFixture(t, wide(products, 3), `format: csv`)
		job := f.work(f.startAll())
		if job.State != jobs.Succeeded || job.Done != products {
			t.Errorf("%d products: %s, %d done, %q", products, job.State, job.Done, job.Message)
		}
		if got, most := listCalls(f.pim), f.pim.MostAtOnce(); got != lists || most != 1 {
			t.Errorf("%d products: %d lists, want %d; at most %d calls at once", products, got, lists, most)
		}
	}
}

// listCalls are the lists of products that a PIM was asked for.
func listCalls(p *pimtest.PIM) (calls int) {
	for _, call := range p.Calls("/api/rest/v1/products-uuid") {
		if call.Method == http.MethodGet {
			calls++
		}
	}
	return calls
}

// wide is a catalogue of products with so many attributes.
func wide(products, attributes int) *pimtest.Catalogue {
	c := &pimtest.Catalogue{Channels: []pimtest.Channel{{Code: "ecommerce", Locales: []string{"en_US"}, Currencies: []string{"EUR"}}}}
	c.Attributes = append(c.Attributes, pimtest.Attribute{Code: "sku", Type: "pim_catalog_identifier", Main: true})
	values := make([][][]pimtest.Value, attributes)
	for a := 1; a < attributes; a++ {
		c.Attributes = append(c.Attributes, pimtest.Attribute{Code: fmt.Sprintf("attribute_%02d", a), Type: "pim_catalog_text"})
		values[a] = make([][]pimtest.Value, min(products, 1000)) // shared by the products, which makes a large catalogue quickly
		for n := range values[a] {
			values[a][n] = []pimtest.Value{{Data: json.RawMessage(fmt.Sprintf(`"value %d of product %d"`, a, n))}}
		}
	}
	for n := range products {
		e := &pimtest.Entity{UUID: uuid(n), Values: make(map[string][]pimtest.Value, attributes)}
		e.Values["sku"] = []pimtest.Value{{Data: json.RawMessage(fmt.Sprintf(`"sku-%06d"`, n))}}
		for a := 1; a < attributes; a++ {
			e.Values[c.Attributes[a].Code] = values[a][n%len(values[a])]
		}
		c.Products = append(c.Products, e)
	}
	return c
}

// BenchmarkExport exports so many products of 60 attributes, from the first page of the search to the finished file, and says how
// much heap that takes at most (MB-heap), what the PIM was asked for (lists), and how many calls it had at once:
//
//	go test ./shared/actions/export -run '^$' -bench Export -benchtime 1x -timeout 60m
//
// The PIM is another process, so that its catalogue does not count.
func BenchmarkExport(b *testing.B) {
	for _, format := range []string{"csv", "ndjson", "xlsx"} {
		for _, products := range []int{10_000, 100_000} {
			b.Run(fmt.Sprintf("%s/%d", format, products), func(b *testing.B) {
				for range b.N {
					f := &fixture{TB: b}
					address := playPIM(b, products)
					keys := `format: ` + format
					if format == "xlsx" {
						keys += `, lines_per_file: 100000` // one file
					}
					f.open(address, time.Now, keys)
					id := f.startAll()
					stop := watchHeap()
					job := f.work(id)
					peak := stop()
					if job.State != jobs.Succeeded || job.Done != products {
						b.Fatalf("%s, %d done: %q", job.State, job.Done, job.Message)
					}
					var asked struct{ Lists, AtOnce int }
					answer, err := http.Get(address + "/asked")
					if err != nil {
						b.Fatal(err)
					}
					if err := json.NewDecoder(answer.Body).Decode(&asked); err != nil {
						b.Fatal(err)
					}
					answer.Body.Close()
					if want := products/100 + 1; asked.Lists != want || asked.AtOnce != 1 { // the last one is empty
						b.Errorf("%d lists, want %d; %d calls at once", asked.Lists, want, asked.AtOnce)
					}
					b.ReportMetric(float64(peak)/(1<<20), "MB-heap")
					b.ReportMetric(float64(asked.Lists), "lists")
					b.ReportMetric(float64(asked.AtOnce), "calls-at-once")
				}
			})
		}
	}
}

// watchHeap looks at the heap until it is stopped, and says what it was at most: live objects and what is not collected yet.
func watchHeap() (stop func() uint64) {
	runtime.GC()
	var most atomic.Uint64
	done := make(chan struct{})
	go func() {
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		for {
			select {
			case <-done:
				return
			case <-time.After(2 * time.Millisecond):
				metrics.Read(sample)
				most.Store(max(most.Load(), sample[0].Value.Uint64()))
			}
		}
	}()
	return func() uint64 { close(done); return most.Load() }
}

// playVariable makes the test's own program a PIM of so many products.
const playVariable = "PLAY_A_PIM_OF"

// playPIM starts another process that plays a PIM, and returns its address.
func playPIM(b *testing.B, products int) string {
	b.Helper()
	command := exec.CommandContext(b.Context(), os.Args[0], "-test.run=^TestPlayAPIM$")
	command.Env = append(os.Environ(), fmt.Sprintf("%s=%d", playVariable, products))
	command.Stderr = os.Stderr
	if _, err := command.StdinPipe(); err != nil {
		b.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// TestPlayAPIM is the process that playPIM starts; without its variable it does nothing.
func TestPlayAPIM(t *testing.T) {
	var products int
	if _, err := fmt.Sscan(os.Getenv(playVariable), &products); err != nil {
		return
	}
	played := pimtest.New(pimtest.Config{Catalogue: wide(products, 60), Now: time.Now, Limits: pimtest.Limits{PerSecond: 1 << 30}})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/asked" {
			_ = json.NewEncoder(w).Encode(map[string]int{"Lists": listCalls(played), "AtOnce": played.MostAtOnce()})
			return
		}
		played.ServeHTTP(w, r)
	}))
	defer server.Close()
	fmt.Println(server.URL)
	_, _ = io.Copy(io.Discard, os.Stdin) // until whoever started it has ended
}
