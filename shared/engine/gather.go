package engine

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pimevent"
)

// manner is how events run an action.
type manner int

const (
	inTurn      manner = iota // in the event's own turn
	withProduct               // likewise, and with products, which may come together
	asJob                     // an event starts a job: the action waits, writes to the PIM or makes files
)

// manner of an action by its name. Its error is that of an action that cannot be opened.
func (i *Invocation) manner(ctx context.Context, name string) (manner, error) {
	action, err := i.open(ctx, name)
	if err != nil {
		return inTurn, err
	}
	return mannerOf(action), nil
}

func mannerOf(action Action) manner {
	_, finishes := action.(Finisher)
	switch {
	case finishes || waitsOf(action) != nil || writesPIM(action):
		return asJob
	case readsOf(action) != nil:
		return withProduct
	}
	return inTurn
}

// gathering is what the subscriptions with `deliver: latest` want of an invocation's events.
type gathering struct {
	*Invocation
	groups []*group // by the subscription's name

	mu      sync.Mutex
	manners map[string]manner // by action
}

// manner of an action by its name, found once.
func (g *gathering) manner(ctx context.Context, name string) (manner, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if m, known := g.manners[name]; known {
		return m, nil
	}
	m, err := g.Invocation.manner(ctx, name)
	if err == nil {
		g.manners[name] = m
	}
	return m, err
}

// gather finds the subscriptions whose events may come together.
func (i *Invocation) gather(ctx context.Context) *gathering {
	g := &gathering{Invocation: i, manners: map[string]manner{}}
	for _, name := range slices.Sorted(maps.Keys(i.Config.Config.Subscriptions)) {
		s := i.Config.Config.Subscriptions[name]
		if s.Deliver != "latest" || s.Shadow {
			continue
		}
		if m, err := g.manner(ctx, s.Action); err == nil && m != inTurn { // else the event's own turn says what is wrong
			g.groups = append(g.groups, &group{Invocation: i, s: s, job: m == asJob, log: i.Log.With("subscription", s.Name)})
		}
	}
	return g
}

// of is the group that an event is in for a subscription; nil: it goes alone. Without an entity and a time no event is newer
// than another.
func (g *gathering) of(s config.Subscription, event pimevent.Event) *group {
	n, there := slices.BinarySearchFunc(g.groups, s.Name, func(a *group, name string) int { return cmp.Compare(a.s.Name, name) })
	switch {
	case !there || event.Time.IsZero() || len(eventItems(event.Kind, event.EntityID)) == 0:
		return nil
	case !g.groups[n].job && event.Kind != jobs.Product && event.Kind != jobs.ProductModel:
		return nil
	}
	return g.groups[n]
}

// wants says whether an event may be in a group.
func (g *gathering) wants(event pimevent.Event) bool {
	return slices.ContainsFunc(g.groups, func(each *group) bool {
		matches, _ := Matches(each.s, event)
		return matches && g.of(each.s, event) != nil
	})
}

// late says that an event should be in a group, and is in none: the action could not be opened when the groups were made.
func (g *gathering) late(s config.Subscription, event pimevent.Event) bool {
	return s.Deliver == "latest" && !event.Time.IsZero() && len(eventItems(event.Kind, event.EntityID)) > 0
}
