package register

import (
	"slices"

	"github.com/pim-functions/pim-functions/shared/platformapi"
)

// pair finds for each wanted subscription the one that is there for it: of those that are ours, the one with the same
// types, else the one that shares most with it. The platform keeps no names. With moved, one that is sent elsewhere is taken
// too if it has exactly the types and the filter: somebody changed its address. rest is what is left.
func pair(wanted []Listened, there []platformapi.Subscription, ours func(platformapi.Subscription) bool, moved bool) (pairs []*platformapi.Subscription, rest []platformapi.Subscription) {
	p := pairing{wanted: wanted, there: there, pairs: make([]*platformapi.Subscription, len(wanted)), taken: make([]bool, len(there))}
	// The best come first, so that nothing is taken from who needs no change.
	p.match(func(w Listened, s platformapi.Subscription, shared int) bool {
		return ours(s) && exact(w, s, shared) && w.Filter == s.Filter
	})
	p.match(func(w Listened, s platformapi.Subscription, shared int) bool { return ours(s) && exact(w, s, shared) })
	p.match(func(_ Listened, s platformapi.Subscription, shared int) bool { return ours(s) && shared > 0 })
	p.match(func(w Listened, s platformapi.Subscription, shared int) bool {
		return moved && s.Type == "https" && exact(w, s, shared) && w.Filter == s.Filter
	})
	p.match(func(_ Listened, s platformapi.Subscription, _ int) bool { return ours(s) })
	for j, s := range there {
		if !p.taken[j] {
			rest = append(rest, s)
		}
	}
	return p.pairs, rest
}

// pairing is one run of pair.
type pairing struct {
	wanted []Listened
	there  []platformapi.Subscription
	pairs  []*platformapi.Subscription
	taken  []bool
}

// match gives each wanted subscription that has none the one of those alike that shares most types with it.
func (p *pairing) match(alike func(w Listened, s platformapi.Subscription, shared int) bool) {
	for i, w := range p.wanted {
		if p.pairs[i] != nil {
			continue
		}
		best, most := -1, -1
		for j, s := range p.there {
			shared := len(w.Events) - len(without(w.Events, s.Events))
			if !p.taken[j] && alike(w, s, shared) && shared > most {
				best, most = j, shared
			}
		}
		if best >= 0 {
			p.pairs[i], p.taken[best] = &p.there[best], true
		}
	}
}

func exact(w Listened, s platformapi.Subscription, shared int) bool {
	return shared == len(w.Events) && len(without(s.Events, w.Events)) == 0
}

// without is what stands in a list and not in another.
func without(list, other []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(name string) bool { return slices.Contains(other, name) })
}
