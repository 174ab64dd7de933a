package secrets

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

const (
	fetchTimeout = 3 * time.Second        // of one fetch: a webhook function has five seconds in all
	patience     = 250 * time.Millisecond // how long Get keeps a caller waiting who can be served the last good value
	emptyPause   = time.Second            // between fetches while there is no value at all: nobody can be served
)

// CacheConfig is what a Cache keeps and for how long.
type CacheConfig[T any] struct {
	Source Source
	ID     string                            // of the document in the source
	Parse  func([]byte) (T, []string, error) // ParseSigning or ParseConnections
	Life   time.Duration                     // how long a value is served without a look at the source; 0: 5 minutes
	Pause  time.Duration                     // at least so long between refetches; 0: 10 s
	Now    func() time.Time                  // nil: time.Now
	Log    *slog.Logger                      // nil: no log
}

// Cache keeps one parsed document of a source. It asks the source seldom: once per Life, and once per Pause when
// it is told that a value did not match, so that neither traffic nor junk can hammer the source. A source that
// fails, or holds a document that does not parse, leaves the last good value in service.
//
// Safe for concurrent use. Callers share values and must not change them.
type Cache[T any] struct {
	config CacheConfig[T]

	mu        sync.Mutex
	value     T
	sum       [sha256.Size]byte // of the document that value was made from
	loaded    bool              // there is a value
	fetched   time.Time         // start of the last fetch that succeeded
	tried     time.Time         // start of the last fetch
	refreshed time.Time         // start of the last fetch that Refresh asked for
	changed   time.Time         // when value last replaced another one
	warned    time.Time
	lastErr   error  // of the last fetch
	flight    *fetch // nil: none under way
}

// fetch is one look at the source, shared by all who wait for it.
type fetch struct {
	done chan struct{}
}

// NewCache makes an empty cache; the first Get fetches. To have the value before the first request, call Get
// while starting.
func NewCache[T any](config CacheConfig[T]) *Cache[T] {
	if config.Life == 0 {
		config.Life = 5 * time.Minute
	}
	if config.Pause == 0 {
		config.Pause = 10 * time.Second
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	return &Cache[T]{config: config, lastErr: errors.New("not read yet")}
}

// Get returns the value, from the source if the one in hand is older than Life. An error means that there is no
// value to serve, or that ctx ended while waiting for it.
func (c *Cache[T]) Get(ctx context.Context) (T, error) {
	c.mu.Lock()
	now := c.config.Now()
	pause := c.config.Pause
	if !c.loaded {
		pause = min(pause, emptyPause)
	}
	stale := !c.loaded || now.Sub(c.fetched) >= c.config.Life
	if stale && c.flight == nil && now.Sub(c.tried) >= pause {
		c.start(ctx, now)
	}
	flight, loaded := c.flight, c.loaded
	c.mu.Unlock()

	if stale && flight != nil {
		if err := flight.wait(ctx, loaded); err != nil {
			var none T
			return none, err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.inHand()
}

// Refresh is for whoever found that the value does not match, a signature for one: the secret may have been
// rotated since. It looks at the source now, unless it did so within Pause. Callers at the same time share one
// look.
//
// Fresh says that the value is worth another try: it differs from the one before, or did so for the first time
// within the last Pause, so that a caller who was late for another's look is not turned away. Errors are those of
// Get; a look that fails is not one as long as there is a last good value.
func (c *Cache[T]) Refresh(ctx context.Context) (value T, fresh bool, err error) {
	c.mu.Lock()
	now := c.config.Now()
	if c.flight == nil && now.Sub(c.refreshed) >= c.config.Pause {
		c.refreshed = now
		c.start(ctx, now)
	}
	flight := c.flight
	c.mu.Unlock()

	if flight != nil {
		if err := flight.wait(ctx, false); err != nil {
			return value, false, err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	value, err = c.inHand()
	fresh = err == nil && !c.changed.IsZero() && c.config.Now().Sub(c.changed) < c.config.Pause
	return value, fresh, err
}

// start begins a fetch; c.mu is held. It has its own deadline and outlives ctx: one caller who leaves must not
// take the answer from the others.
func (c *Cache[T]) start(ctx context.Context, now time.Time) {
	flight := &fetch{done: make(chan struct{})}
	c.flight, c.tried = flight, now
	ctx = context.WithoutCancel(ctx)
	go func() {
		defer close(flight.done)
		ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
		defer cancel()
		document, err := c.config.Source.Get(ctx, c.config.ID)
		c.land(document, err, now)
	}()
}

// land takes in what a fetch brought.
func (c *Cache[T]) land(document []byte, err error, started time.Time) {
	sum := sha256.Sum256(document)
	var value T
	var warnings []string

	c.mu.Lock()
	defer c.mu.Unlock()
	c.flight = nil
	same := err == nil && c.loaded && sum == c.sum
	if err == nil && !same {
		value, warnings, err = c.config.Parse(document)
	}
	c.lastErr = err
	switch {
	case err != nil:
		c.warn(err)
	case same:
		c.fetched = started
	default:
		if c.loaded {
			c.changed = c.config.Now()
			c.config.Log.Info("secret changed", "secret", c.config.ID)
		}
		c.value, c.sum, c.loaded, c.fetched = value, sum, true, started
		for _, warning := range warnings {
			c.config.Log.Warn("secret needs attention", "secret", c.config.ID, "warning", warning)
		}
	}
}

// warn logs a failed fetch, at most once per Pause.
func (c *Cache[T]) warn(err error) {
	now := c.config.Now()
	if !c.warned.IsZero() && now.Sub(c.warned) < c.config.Pause {
		return
	}
	c.warned = now
	c.config.Log.Warn("secret not read", "secret", c.config.ID, "error", err.Error(), "serving_last_good", c.loaded)
}

// inHand returns what there is; c.mu is held.
func (c *Cache[T]) inHand() (T, error) {
	if c.loaded {
		return c.value, nil
	}
	return c.value, fmt.Errorf("read secret %q: %w", c.config.ID, c.lastErr)
}

// wait waits for the fetch as long as ctx lives; the impatient, who have a value to go on with, leave sooner.
func (f *fetch) wait(ctx context.Context, impatient bool) error {
	var leave <-chan time.Time
	if impatient {
		timer := time.NewTimer(patience)
		defer timer.Stop()
		leave = timer.C
	}
	select {
	case <-f.done:
		return nil
	case <-leave:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
