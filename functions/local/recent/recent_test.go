package recent_test

import (
	"slices"
	"testing"

	"github.com/pim-functions/pim-functions/functions/local/recent"
)

func TestTheOldestIsForgotten(t *testing.T) {
	list := recent.New[int](3)
	if list.Oldest() == nil || list.Newest(3) == nil {
		t.Error("an empty list is nil, which is null in JSON")
	}
	for i := range 5 {
		list.Add(i)
	}
	if got := list.Oldest(); !slices.Equal(got, []int{2, 3, 4}) {
		t.Errorf("oldest first: %v", got)
	}
	for most, want := range map[int][]int{0: {}, 2: {4, 3}, 9: {4, 3, 2}} {
		if got := list.Newest(most); !slices.Equal(got, want) {
			t.Errorf("newest %d: %v, want %v", most, got, want)
		}
	}
}
