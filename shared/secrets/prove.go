package secrets

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"
)

// MinEventSecret is the shortest secret in characters that the Event Platform takes (Akeneo: "Event Platform",
// "Authentication and authorization"); what the PIM generates for the Events API is longer.
const MinEventSecret = 16

// ErrUnavailable: no version of a document could be had, so that nothing can be proven or refused.
var ErrUnavailable = errors.New("secrets unavailable")

// Holder gives the current version of a document: a *Cache, or one fixed version in tests.
type Holder[T any] interface {
	// Get returns the current value, from memory if it can.
	Get(context.Context) (T, error)
	// Refresh looks at the source now, if it has not just done so; fresh says that the value is worth another try.
	Refresh(context.Context) (value T, fresh bool, err error)
}

// Prove tries verify with the secrets in hand and, if that fails, once more with fetched ones: they may have been
// changed since. It returns nil, what verify last returned, or an error that is ErrUnavailable.
func Prove[T any](ctx context.Context, holder Holder[T], verify func(T) error) error {
	value, err := holder.Get(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	refusal := verify(value)
	if refusal == nil {
		return nil
	}
	value, fresh, err := holder.Refresh(ctx)
	if err != nil {
		return fmt.Errorf("%w (and the secrets were not refreshed: %v)", refusal, err)
	}
	if !fresh {
		return refusal
	}
	return verify(value)
}

// EventSecrets is a list of what may prove who sends events: a secret that is shorter than MinEventSecret or, unless
// samples is set, published, is replaced by "", which proves nothing and keeps the others in their places. It does not
// close the door for them: the vendor stops sending to whoever refuses, and what is sent meanwhile is lost.
func EventSecrets(list []string, samples bool) []string {
	usable := make([]string, len(list))
	for i, secret := range list {
		if utf8.RuneCountInString(secret) >= MinEventSecret && (samples || !IsSample(secret)) {
			usable[i] = secret
		}
	}
	return usable
}
