package main

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"
)

func TestTheFirstFailureIsKept(t *testing.T) {
	var count tally
	for _, err := range []error{context.Canceled, io.ErrUnexpectedEOF, io.EOF} {
		count.add(0, err, time.Second)
	}
	if count.failure != io.ErrUnexpectedEOF || count.silent != 3 || len(count.waits) != 0 {
		t.Errorf("%v of %d", count.failure, count.silent)
	}
}

func TestQuantiles(t *testing.T) {
	var count tally
	count.statuses = map[int]int{}
	if got := count.quantile(0.99); got != 0 {
		t.Errorf("%s of nothing", got)
	}
	for i := range 100 {
		count.add(http.StatusOK, nil, time.Duration(100-i)*time.Millisecond)
	}
	for q, want := range map[float64]time.Duration{0: 1, 0.5: 50, 0.99: 99, 1: 100} {
		if got := count.quantile(q); got != want*time.Millisecond {
			t.Errorf("%v: %s, want %d ms", q, got, want)
		}
	}
}
