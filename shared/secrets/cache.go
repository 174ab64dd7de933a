package secrets

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
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
	Failed func()                            // is told of each fetch that brought no value; may be nil
}

// Cache keeps one parsed document of a source. It asks the source seldom: once per Life, and once per Pause when
// it is told that a value did not match, so that neither traffic nor junk can hammer the source. A source that
// fails, or holds a document that does not parse, leaves the last good value in service.
//
// Safe for concurrent use. Callers share values and must not change them.
type Cache[T any] struct {
	config  CacheConfig[T]
	flights singleflight.Group // of one key: there is one document

	mu        sync.Mutex
	value     T
	sum       [sha256.Size]byte // of the document that value was made from
	loaded    bool              // there is a value
	fetched   time.Time         // start of the last fetch that succeeded
	tried     time.Time         // start of the last fetch
	refreshed time.Time         // start of the last fetch that Refresh asked for
	changed   time.Time         // when value last replaced another one
	warned    time.Time
	lastErr   error // of the last fetch
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
	loaded, stale := c.loaded, c.stale(c.config.Now())
	c.mu.Unlock()
	if stale {
		if _, err := c.look(ctx, c.renews, loaded); err != nil {
			var none T
			return none, err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.inHand()
}

// stale says that there is no value, or one that is older than Life; c.mu is held.
func (c *Cache[T]) stale(now time.Time) bool { return !c.loaded || now.Sub(c.fetched) >= c.config.Life }

// renews says that a fetch is due because the value is stale; c.mu is held.
func (c *Cache[T]) renews(now time.Time) bool {
	pause := c.config.Pause
	if !c.loaded {
		pause = min(pause, emptyPause)
	}
	return c.stale(now) && now.Sub(c.tried) >= pause
}

// Refresh is for whoever found that the value does not match, a signature for one: the secret may have been
// rotated since. It looks at the source now, unless it did so within Pause. Callers at the same time share one
// look.
//
// Fresh says that the value is worth another try: it differs from the one before, or did so for the first time
// within the last Pause, so that a caller who was late for another's look is not turned away. Errors are those of
// Get; a look that fails is not one as long as there is a last good value.
func (c *Cache[T]) Refresh(ctx context.Context) (value T, fresh bool, err error) {
	for {
		looked, err := c.look(ctx, c.refreshes, false)
		if err != nil {
			return value, false, err
		}
		c.mu.Lock()
		due := c.refreshDue(c.config.Now())
		c.mu.Unlock()
		if looked || !due {
			break
		} // else we joined a Get for which no fetch was due: for a Refresh it is
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	value, err = c.inHand()
	fresh = c.config.Now().Sub(c.changed) < c.config.Pause // never for a value that is the first
	return value, fresh, err
}

// ReadSince says that the value in hand is what the source held at some moment since a time.
func (c *Cache[T]) ReadSince(at time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.loaded && !c.fetched.Before(at)
}

// refreshDue says that the last fetch which a Refresh asked for is long enough ago; c.mu is held.
func (c *Cache[T]) refreshDue(now time.Time) bool { return now.Sub(c.refreshed) >= c.config.Pause }

// refreshes says that a fetch is due because a value did not match, and notes it; c.mu is held.
func (c *Cache[T]) refreshes(now time.Time) bool {
	if !c.refreshDue(now) {
		return false
	}
	c.refreshed = now
	return true
}

// look fetches the document if that is due, and waits until it is there, ctx ends or, for the impatient who have a value
// to go on with, patience ends. Who comes while somebody else fetches waits for the same answer; looked is false if
// nothing was fetched. A fetch has its own deadline and outlives ctx: one caller who leaves must not take the answer
// from the others.
func (c *Cache[T]) look(ctx context.Context, due func(time.Time) bool, impatient bool) (looked bool, err error) {
	flight := c.flights.DoChan("", func() (any, error) {
		now := c.config.Now()
		c.mu.Lock()
		begin := due(now)
		if begin {
			c.tried = now
		}
		c.mu.Unlock()
		if !begin {
			return false, nil
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
		defer cancel()
		document, err := c.config.Source.Get(ctx, c.config.ID)
		c.land(document, err, now)
		return true, nil
	})
	var leave <-chan time.Time
	if impatient {
		timer := time.NewTimer(patience)
		defer timer.Stop()
		leave = timer.C
	}
	select {
	case landed := <-flight:
		return landed.Val.(bool), nil
	case <-leave:
		return false, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// land takes in what a fetch brought.
func (c *Cache[T]) land(document []byte, err error, started time.Time) {
	sum := sha256.Sum256(document)
	var value T
	var warnings []string

	c.mu.Lock()
	defer c.mu.Unlock()
	same := sum == c.sum // no document has the sum of zeros that is there before the first
	if err == nil && !same {
		value, warnings, err = c.config.Parse(document)
	}
	c.lastErr = err
	switch {
	case err != nil:
		c.warn(err)
		if c.config.Failed != nil {
			c.config.Failed()
		}
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
