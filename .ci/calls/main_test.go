package main

import (
	"slices"
	"testing"
)

func TestDifferencesOfBothSides(t *testing.T) {
	got := differences("worker", []string{"sqs.SendMessage", "dynamodb.GetItem"}, []string{"dynamodb.GetItem", "sqs.PurgeQueue"})
	want := []string{"worker calls sqs.SendMessage, which is not listed", "worker does not call sqs.PurgeQueue, which is listed"}
	if !slices.Equal(got, want) {
		t.Errorf("differences = %q, want %q", got, want)
	}
}
