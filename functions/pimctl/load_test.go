package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/pflag"

	"github.com/pim-functions/pim-functions/shared/signature"
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
		w.Header().Set("Location", "/") // of a redirect
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
		{"all taken", "event-platform-product-updated-delta --rate 500 --for 20ms", []int{200}, succeeded, 10, []string{"events sent    10 ", "answered 2xx   10\n", "lost           0\n", "p99 "}},
		{"some refused", "event-platform-product-updated-delta --rate 500 --for 20ms", []int{429, 429, 503, 200}, failed, 10, []string{"answered 2xx   7\n", "answered 429   2\n", "answered 503   1\n", "lost           3\n"}},
		{"a redirect is no success", "event-platform-product-updated-delta --rate 100 --for 20ms", []int{301, 200}, failed, 2, []string{"answered 301   1\n", "lost           1\n"}},
		{"no answer", "event-platform-product-updated-delta --rate 100 --for 10ms", []int{0}, failed, 1, []string{"not answered   1\n", "lost           1\n"}},
		{"each twice", "event-platform-product-updated-delta --rate 500 --for 20ms --duplicate", []int{200}, succeeded, 20, []string{"events sent    20 "}},
		{"ten of the Events API in a request", "events-api-ten --rate 1000 --for 30ms", []int{200}, succeeded, 3, []string{"events sent    30 ", "answered 2xx   30\n"}},
		{"presses", "action-product-grid --rate 100 --for 20ms", []int{200}, succeeded, 2, []string{"events sent    2 "}},
	} {
		t.Run(row.name, func(t *testing.T) {
			base, bodies := busy(t, row.answers...)
			code, out, errs := send(t.Context(), append(strings.Fields(row.args), base)...)
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
	if code, out, errs := send(t.Context(), "event-platform-product-updated-delta", base, "--rate", "1000", "--for", "100ms"); code != succeeded {
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

// over is a way to a system that is not there: it says what came of each request, in a synctest bubble's time.
type over func(*http.Request) (status int, err error)

func (o over) RoundTrip(r *http.Request) (*http.Response, error) {
	status, err := o(r)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Body: http.NoBody, Request: r}, nil
}

// after waits, or fails with the request's context as a connection does.
func after(r *http.Request, wait time.Duration) (int, error) {
	select {
	case <-time.After(wait):
		return http.StatusOK, nil
	case <-r.Context().Done():
		return 0, r.Context().Err()
	}
}

// loading plays a command line's load, against a system that is reached that way.
func loading(t *testing.T, ctx context.Context, args string, way over) (printed string, err error) {
	t.Helper()
	s, flags := sending{now: time.Now}, pflag.NewFlagSet("send", pflag.ContinueOnError)
	s.flags(flags)
	if err := flags.Parse(strings.Fields(args)); err != nil {
		t.Fatal(err)
	}
	if err := s.check(flags, append(flags.Args(), "http://localhost:8080")); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = s.load(ctx, &out, way)
	return out.String(), err
}

// An event every 100 ms, answered after 1 ms, 2 ms, …: what is printed while it goes on and at its end.
func TestALoadPrintsOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent int
		printed, err := loading(t, t.Context(), "event-platform-product-created --rate 10 --for 2500ms", func(r *http.Request) (int, error) {
			sent++
			time.Sleep(time.Duration(sent) * time.Millisecond)
			switch sent {
			case 3, 4:
				return http.StatusTooManyRequests, nil
			case 5:
				return http.StatusInternalServerError, nil
			}
			return http.StatusOK, nil
		})
		const want = `POST http://localhost:8080/event-platform/main: 25 requests with 1 events each, one every 100ms
   1s  sent 10  2xx 7  429 2  other 1  p50 5ms  p99 10ms
   2s  sent 20  2xx 17  429 2  other 1  p50 10ms  p99 20ms
events sent    25 in 2.425s (25 requests)
answered 2xx   22
answered 429   2
answered 500   1
not answered   0
lost           3
p50            13ms
p99            25ms
slowest        25ms
`
		if err != errRefused || printed != want {
			t.Errorf("%v:\n%s\nwant\n%s", err, printed, want)
		}
	})
}

// A system that hangs gets no more requests than the bound; the lines go on, and what could not be sent has waited.
func TestALoadIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var underWay, most int
		printed, err := loading(t, t.Context(), "event-platform-product-created --rate 500 --for 1s", func(r *http.Request) (int, error) {
			mu.Lock()
			underWay++
			most = max(most, underWay)
			mu.Unlock()
			defer func() {
				mu.Lock()
				underWay--
				mu.Unlock()
			}()
			return after(r, 5*time.Second)
		})
		if err != nil || most != maxInFlight {
			t.Errorf("%v, %d at once", err, most)
		}
		for _, want := range []string{"\n   3s  sent 0 ", "\n   7s  sent 256 ", "events sent    500 in 10.", "slowest        9."} {
			if !strings.Contains(printed, want) {
				t.Errorf("prints no %q:\n%s", want, printed)
			}
		}
	})
}

func TestAnInterruptedLoad(t *testing.T) {
	for _, row := range []struct {
		name  string
		wait  time.Duration // of each answer
		err   string
		taken string
		ended string
	}{
		{"waits for what is under way", 3 * time.Second, "interrupted", "answered 2xx   2\n", "events sent    2 in 4s"},
		{"no longer than the PIM would", time.Minute, errRefused.Error(), "not answered   2\n", "events sent    2 in 6.5s"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(1500*time.Millisecond, cancel)
				printed, err := loading(t, ctx, "event-platform-product-created --rate 1 --for 10s", func(r *http.Request) (int, error) { return after(r, row.wait) })
				if err == nil || err.Error() != row.err || !strings.Contains(printed, row.taken) || !strings.Contains(printed, row.ended) {
					t.Errorf("%v:\n%s", err, printed)
				}
			})
		})
	}
}

// Whoever stops a load learns what was lost; if nothing was, that it was stopped.
func TestAnInterruptedLoadEndsWith(t *testing.T) {
	for status, want := range map[int]string{http.StatusOK: "interrupted\n", http.StatusServiceUnavailable: errRefused.Error() + "\n"} {
		ctx, cancel := context.WithCancel(t.Context())
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			cancel()
		}))
		code, out, errs := send(ctx, "event-platform-product-created", server.URL, "--rate", "1", "--for", "10m")
		server.Close()
		if code != failed || errs != want || !strings.Contains(out, "events sent    1 ") {
			t.Errorf("%d: ends with %d: %s%s", status, code, out, errs)
		}
	}
}

func TestALoadOnNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		printed, err := loading(t, t.Context(), "event-platform-product-created --rate 10 --for 10m", func(*http.Request) (int, error) { return 0, syscall.ECONNREFUSED })
		if err == nil || !strings.Contains(err.Error(), "make run") || !strings.Contains(printed, "events sent    1 in 100ms") {
			t.Errorf("%v:\n%s", err, printed)
		}
	})
	synctest.Test(t, func(t *testing.T) { // a system that starts anew is another matter
		var sent int
		printed, err := loading(t, t.Context(), "event-platform-product-created --rate 10 --for 1s", func(*http.Request) (int, error) {
			if sent++; sent == 1 || sent > 5 {
				return http.StatusOK, nil
			}
			return 0, syscall.ECONNREFUSED
		})
		if err == nil || !strings.Contains(printed, "answered 2xx   6\n") || !strings.Contains(printed, "lost           4\n") {
			t.Errorf("%v:\n%s", err, printed)
		}
	})
}

// The Events API signs when it sends, not when something happened; what was changed after signing stays unproven.
func TestALoadIsSignedWhenItIsSent(t *testing.T) {
	for args, reason := range map[string]string{"": "", " --tamper": "signature_mismatch", " --header none": "signature_missing"} {
		synctest.Test(t, func(t *testing.T) {
			checked := 0
			loading(t, t.Context(), "events-api-ten --rate 10 --for 20s --shuffle"+args, func(r *http.Request) (int, error) {
				checked++
				body, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				header := map[string]string{}
				for name := range r.Header {
					header[strings.ToLower(name)] = r.Header.Get(name)
				}
				_, sent, err := signature.VerifyEventsAPI([]string{eventsAPISecret}, header, body)
				if reason == "" && (err != nil || sent.Unix() != time.Now().Unix()) {
					t.Errorf("%v, sent %s at %s", err, sent, time.Now())
				}
				if reason != "" && (err == nil || err.Error() != "unproven: "+reason) {
					t.Errorf("got %v, want %s", err, reason)
				}
				return http.StatusOK, nil
			})
			if checked != 20 {
				t.Errorf("%d requests", checked)
			}
		})
	}
}

// A press says when it was, and is refused when that is long ago: in a shuffled load too it is now.
func TestALoadOfPresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pressed := 0
		loading(t, t.Context(), "action-product-grid --rate 1 --for 100s --shuffle", func(r *http.Request) (int, error) {
			pressed++
			body, err := io.ReadAll(r.Body)
			if at := timestamp(t, body); err != nil || at != time.Now().Unix() {
				t.Errorf("pressed at %d, sent at %d, %v", at, time.Now().Unix(), err)
			}
			return http.StatusOK, nil
		})
		if pressed != 100 {
			t.Errorf("%d presses", pressed)
		}
	})
}
