package ledger

import (
	"slices"
	"strings"
	"time"
)

// end says that the row is the end of a gap, whose beginning is another row.
func (g Gap) end() bool { return g.From.IsZero() && !g.To.IsZero() }

// key names a row of gaps, as it is stored, among those of its PIM; times in it sort as text.
func (g Gap) key() string {
	if g.end() {
		return sortable(g.To) + "#" + g.Subscription + "#end"
	}
	return sortable(g.From) + "#" + g.Subscription
}

// pair makes gaps of the rows of a PIM: every beginning gets the first end of its subscription that follows. What is
// stored with both, as the first wave did, is one already. Newest first, at most maxGaps.
func pair(rows []Gap) []Gap {
	var gaps []Gap
	ends := map[string][]time.Time{}
	for _, row := range rows {
		if row.end() {
			ends[row.Subscription] = append(ends[row.Subscription], row.To)
		} else {
			gaps = append(gaps, row)
		}
	}
	for i := range gaps {
		if !gaps[i].To.IsZero() {
			continue
		}
		for _, end := range ends[gaps[i].Subscription] {
			if !end.Before(gaps[i].From) && (gaps[i].To.IsZero() || end.Before(gaps[i].To)) {
				gaps[i].To = end
			}
		}
	}
	slices.SortFunc(gaps, func(a, b Gap) int { return strings.Compare(b.key(), a.key()) })
	return gaps[:min(len(gaps), maxGaps)]
}
