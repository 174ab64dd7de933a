package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// busy is a system that answers its n-th request as told; the last answer is for all that follow.
func busy(t *testing.T, answers ...int) (base string, bodies func() []string) {
	t.Helper()
	var mu sync.Mutex
	var seen []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		seen = append(seen, string(body))
		status := answers[min(len(seen), len(answers))-1]
		mu.Unlock()
		if status == 0 {
			panic(http.ErrAbortHandler) // no answer
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	return server.URL, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(seen)
	}
}

func TestALoadIsCounted(t *testing.T) {
	for _, row := range []struct {
		name    string
		args    string
		answers []int
		code    int
		sent    int // requests
		want    []string
	}{
		{"all taken", "event-platform-product-updated-delta --rate 500 --for 20ms", []int{200}, done, 10, []string{"events sent    10 ", "answered 2xx   10\n", "lost           0\n", "p99 "}},
		{"some refused", "event-platform-product-updated-delta --rate 500 --for 20ms", []int{429, 429, 503, 200}, refused, 10, []string{"answered 2xx   7\n", "answered 429   2\n", "answered 503   1\n", "lost           3\n"}},
		{"a redirect is no success", "event-platform-product-updated-delta --rate 100 --for 20ms", []int{301, 200}, refused, 2, []string{"answered 301   1\n", "lost           1\n"}},
		{"no answer", "event-platform-product-updated-delta --rate 100 --for 10ms", []int{0}, refused, 1, []string{"not answered   1\n", "lost           1\n"}},
		{"each twice", "event-platform-product-updated-delta --rate 500 --for 20ms --duplicate", []int{200}, done, 20, []string{"events sent    20 "}},
		{"ten of the Events API in a request", "events-api-ten --rate 1000 --for 30ms", []int{200}, done, 3, []string{"events sent    30 ", "answered 2xx   30\n"}},
		{"presses", "action-product-grid --rate 100 --for 20ms", []int{200}, done, 2, []string{"events sent    2 "}},
	} {
		t.Run(row.name, func(t *testing.T) {
			base, bodies := busy(t, row.answers...)
			code, out, errs := command(t.Context(), append(strings.Fields(row.args), base)...)
			if code != row.code {
				t.Errorf("ends with %d: %s", code, errs)
			}
			if got := len(bodies()); got != row.sent {
				t.Errorf("%d requests, want %d", got, row.sent)
			}
			for _, want := range row.want {
				if !strings.Contains(out, want) {
					t.Errorf("prints no %q:\n%s", want, out)
				}
			}
		})
	}
}

func TestALoadIsOfNewEventsInOrderUnlessShuffled(t *testing.T) {
	base, bodies := busy(t, 200)
	if code, out, errs := command(t.Context(), "event-platform-product-updated-delta", base, "--rate", "1000", "--for", "100ms"); code != done {
		t.Fatalf("ends with %d: %s%s", code, out, errs)
	}
	ids, times := map[string]bool{}, map[string]bool{}
	for _, body := range bodies() {
		var event struct{ ID, Time string }
		if err := json.Unmarshal([]byte(body), &event); err != nil {
			t.Fatal(err)
		}
		ids[event.ID], times[event.Time] = true, true
	}
	if len(ids) != 100 || len(times) != 100 {
		t.Errorf("%d ids and %d times for 100 events", len(ids), len(times))
	}

	straight, mixed := places(1000, false), places(1000, true)
	if !slices.IsSorted(straight) || slices.IsSorted(mixed) {
		t.Error("the order is not as asked for")
	}
	for block := range slices.Chunk(mixed, shuffled) {
		slices.Sort(block)
	}
	if !slices.Equal(straight, mixed) {
		t.Error("an event was lost or doubled by shuffling")
	}
}
