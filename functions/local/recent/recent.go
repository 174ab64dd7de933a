// Package recent keeps the newest values of a list that never ends. It is for what the local system's pages show.
package recent

import "slices"

// List keeps its newest values. It is not safe for concurrent use.
type List[T any] struct {
	most   int
	values []T // oldest first
}

// New is a list that forgets the oldest values beyond most.
func New[T any](most int) List[T] { return List[T]{most: most} }

// Add appends a value.
func (l *List[T]) Add(value T) {
	if len(l.values) >= l.most {
		l.values = slices.Delete(l.values, 0, len(l.values)-l.most+1)
	}
	l.values = append(l.values, value)
}

// Oldest copies the values, oldest first. It is never nil.
func (l *List[T]) Oldest() []T { return append([]T{}, l.values...) }

// Newest copies the values, newest first, at most so many. It is never nil.
func (l *List[T]) Newest(most int) []T {
	newest := l.Oldest()[max(0, len(l.values)-most):]
	slices.Reverse(newest)
	return newest
}
