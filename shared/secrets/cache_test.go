package secrets_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pim-functions/pim-functions/shared/secrets"
)

// store is a source that a test turns as it likes.
type store struct {
	mu       sync.Mutex
	document string
	err      error
	takes    time.Duration
	gets     int
}

func (s *store) Get(ctx context.Context, id string) ([]byte, error) {
	s.mu.Lock()
	document, err, takes := s.document, s.err, s.takes
	s.gets++
	s.mu.Unlock()
	select {
	case <-time.After(takes):
		return []byte(document), err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *store) set(document string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.document, s.err = document, err
}

func (s *store) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gets
}

// bubble runs a test with a cache whose documents are text: "bad" does not parse, "newline" parses with a warning.
func bubble(t *testing.T, test func(*testing.T, *store, *secrets.Cache[string], *bytes.Buffer)) {
	synctest.Test(t, func(t *testing.T) {
		source := &store{document: "one"}
		log := &bytes.Buffer{}
		cache := secrets.NewCache(secrets.CacheConfig[string]{
			Source: source,
			ID:     "signing",
			Parse: func(document []byte) (string, []string, error) {
				switch string(document) {
				case "bad":
					return "", nil, errors.New("does not parse")
				case "newline":
					return "newline", []string{"trailing newline trimmed"}, nil
				}
				return string(document), nil, nil
			},
			Log: slog.New(slog.NewTextHandler(log, nil)),
		})
		test(t, source, cache, log)
	})
}

func get(t *testing.T, cache *secrets.Cache[string], want string) {
	t.Helper()
	if got, err := cache.Get(t.Context()); got != want || err != nil {
		t.Errorf("get: %q, %v; expected %q", got, err, want)
	}
}

func refresh(t *testing.T, cache *secrets.Cache[string], want string, fresh bool) {
	t.Helper()
	if got, f, err := cache.Refresh(t.Context()); got != want || f != fresh || err != nil {
		t.Errorf("refresh: %q, %t, %v; expected %q, %t", got, f, err, want, fresh)
	}
}

func fetches(t *testing.T, source *store, want int) {
	t.Helper()
	if got := source.count(); got != want {
		t.Errorf("%d fetches, expected %d", got, want)
	}
}

func TestCacheServesAValueForItsLife(t *testing.T) {
	bubble(t, func(t *testing.T, source *store, cache *secrets.Cache[string], log *bytes.Buffer) {
		for range 100 {
			get(t, cache, "one")
		}
		fetches(t, source, 1)
		source.set("two", nil)
		time.Sleep(5*time.Minute - 1)
		get(t, cache, "one")
		fetches(t, source, 1)
		time.Sleep(time.Nanosecond)
		get(t, cache, "two")
		fetches(t, source, 2)
	})
}

func TestCacheRotation(t *testing.T) {
	bubble(t, func(t *testing.T, source *store, cache *secrets.Cache[string], log *bytes.Buffer) {
		get(t, cache, "one")
		source.set("two", nil)
		refresh(t, cache, "two", true) // right after the first fetch, which was not asked for by a mismatch
		get(t, cache, "two")
		fetches(t, source, 2)

		// Somebody who verified with "one" and comes late finds the new value without a fetch of their own.
		time.Sleep(time.Second)
		refresh(t, cache, "two", true)
		fetches(t, source, 2)

		time.Sleep(9 * time.Second) // ten since the value changed, and since the last look
		refresh(t, cache, "two", false)
		fetches(t, source, 3)
	})
}

func TestCacheJunkFloodIsOneFetch(t *testing.T) {
	bubble(t, func(t *testing.T, source *store, cache *secrets.Cache[string], log *bytes.Buffer) {
		get(t, cache, "one")
		for range 1000 {
			refresh(t, cache, "one", false)
			time.Sleep(time.Millisecond)
		}
		fetches(t, source, 2)
		time.Sleep(9 * time.Second)
		refresh(t, cache, "one", false)
		fetches(t, source, 3)
	})
}

func TestCacheConcurrentCallersShareOneFetch(t *testing.T) {
	bubble(t, func(t *testing.T, source *store, cache *secrets.Cache[string], log *bytes.Buffer) {
		source.takes = 100 * time.Millisecond
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() { get(t, cache, "one") })
		}
		all.Wait()
		fetches(t, source, 1)
		source.set("two", nil)
		for range 50 {
			all.Go(func() { refresh(t, cache, "two", true) })
		}
		all.Wait()
		fetches(t, source, 2)
	})
}

func TestCacheOutage(t *testing.T) {
	bubble(t, func(t *testing.T, source *store, cache *secrets.Cache[string], log *bytes.Buffer) {
		get(t, cache, "one")
		source.set("", errors.New("secrets manager is away"))
		time.Sleep(5 * time.Minute)
		for range 60 { // a minute
			get(t, cache, "one")
			get(t, cache, "one")
			time.Sleep(time.Second)
		}
		fetches(t, source, 1+6)
		if warnings := strings.Count(log.String(), "level=WARN"); warnings != 6 {
			t.Errorf("%d warnings in a minute:\n%s", warnings, log)
		}
		refresh(t, cache, "one", false)
		source.set("bad", nil)
		time.Sleep(10 * time.Second)
		get(t, cache, "one")
		source.set("two", nil)
		time.Sleep(10 * time.Second)
		get(t, cache, "two")
	})
}

func TestCacheSlowSourceKeepsNobodyWaitingWhoCanBeServed(t *testing.T) {
	bubble(t, func(t *testing.T, source *store, cache *secrets.Cache[string], log *bytes.Buffer) {
		get(t, cache, "one")
		source.set("two", nil)
		source.takes = time.Second
		time.Sleep(5 * time.Minute)
		start := time.Now()
		get(t, cache, "one")
		if waited := time.Since(start); waited >= 500*time.Millisecond {
			t.Errorf("waited %s", waited)
		}
		time.Sleep(time.Second)
		get(t, cache, "two") // the fetch went on
		fetches(t, source, 2)
	})
}

func TestCacheWithoutAValue(t *testing.T) {
	bubble(t, func(t *testing.T, source *store, cache *secrets.Cache[string], log *bytes.Buffer) {
		away := errors.New("secrets manager is away")
		source.set("", away)
		for range 10 {
			if _, err := cache.Get(t.Context()); !errors.Is(err, away) {
				t.Errorf("get: %v", err)
			}
		}
		if _, fresh, err := cache.Refresh(t.Context()); fresh || !errors.Is(err, away) {
			t.Errorf("refresh: %t, %v", fresh, err)
		}
		fetches(t, source, 2)
		source.set("one", nil)
		time.Sleep(time.Second)
		get(t, cache, "one")
	})
}

func TestCacheHangingSource(t *testing.T) {
	bubble(t, func(t *testing.T, source *store, cache *secrets.Cache[string], log *bytes.Buffer) {
		source.takes = time.Hour
		start := time.Now()
		if _, err := cache.Get(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("get: %v", err)
		}
		if waited := time.Since(start); waited > 5*time.Second {
			t.Errorf("waited %s", waited)
		}
	})
}

func TestCacheWaiterLeavesWithItsOwnContext(t *testing.T) {
	bubble(t, func(t *testing.T, source *store, cache *secrets.Cache[string], log *bytes.Buffer) {
		source.takes = time.Second
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := cache.Get(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("first caller: %v", err)
			}
		})
		synctest.Wait()
		all.Go(func() { get(t, cache, "one") })
		synctest.Wait()
		cancel()
		all.Wait()
		fetches(t, source, 1)
	})
}

func TestCacheLogsWarningsOfADocumentOnce(t *testing.T) {
	bubble(t, func(t *testing.T, source *store, cache *secrets.Cache[string], log *bytes.Buffer) {
		source.set("newline", nil)
		for range 3 {
			get(t, cache, "newline")
			time.Sleep(5 * time.Minute)
		}
		fetches(t, source, 3)
		if strings.Count(log.String(), "trailing newline") != 1 {
			t.Errorf("log:\n%s", log)
		}
	})
}

func TestReadSince(t *testing.T) {
	bubble(t, func(t *testing.T, source *store, cache *secrets.Cache[string], log *bytes.Buffer) {
		began := time.Now()
		if cache.ReadSince(began) {
			t.Error("before it read anything")
		}
		get(t, cache, "one")
		if !cache.ReadSince(began) || cache.ReadSince(began.Add(1)) {
			t.Error("of the first look")
		}
		time.Sleep(time.Minute)
		source.set("", errors.New("secrets manager is away"))
		refresh(t, cache, "one", false)
		if cache.ReadSince(time.Now()) {
			t.Error("a look that failed tells nothing")
		}
		time.Sleep(5 * time.Second)
		source.set("one", nil)
		refresh(t, cache, "one", false)
		if cache.ReadSince(time.Now()) {
			t.Error("nobody looked again so soon")
		}
		time.Sleep(5 * time.Second)
		refresh(t, cache, "one", false)
		if !cache.ReadSince(time.Now()) {
			t.Error("it looked, and found the same")
		}
	})
}
