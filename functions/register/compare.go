package register

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/shared/contentfulapi"
)

// comparison collects a plan. What changes is kept apart by when it is made.
type comparison struct {
	Declared
	Options

	secrets, first, main, last []Change // last: deletions
	byHand                     []ByHand
	notes                      []string
}

// Compare is what has to change so that what is there becomes what is declared, in an order in which nobody meets a closed
// door: secrets exist before they are sent, and what is new answers before what is old goes. It calls nobody.
func Compare(d Declared, s State, o Options) Plan {
	c := &comparison{Declared: d, Options: o}
	for _, place := range d.Made {
		c.secrets = append(c.secrets, Change{Op: Create, What: ASigningSecret, Name: place, Fields: []Field{{Name: "secret", To: fmt.Sprintf("%d random characters", secretLength), Secret: true}}, place: place})
	}
	for _, missing := range d.Missing {
		name, why, _ := strings.Cut(missing, ": ")
		c.hand(ByHand{What: ASigningSecret, Name: name, Why: "only you know it: " + why, Steps: []string{"put it into the secret document (pimctl secrets)"}})
	}
	for _, one := range d.PIMs {
		state := s.PIMs[one.PIM.Name]
		if !o.EventsOnly {
			c.extensions(one, state)
		}
		c.platform(one, state)
		c.eventsAPI(one)
	}
	if !o.EventsOnly {
		c.contentful(s.Contentful)
	}

	plan := Plan{Changes: slices.Concat(c.secrets, c.first, c.main, c.last), ByHand: c.byHand, Notes: c.notes}
	plan.narrow(o.Only, d.Contentful.offers(o.Only))
	if plan.Changes == nil {
		plan.Changes = []Change{}
	}
	if plan.ByHand == nil {
		plan.ByHand = []ByHand{}
	}
	if plan.Notes == nil {
		plan.Notes = []string{}
	}
	for i := range plan.ByHand {
		if plan.ByHand[i].Steps == nil {
			plan.ByHand[i].Steps = []string{}
		}
	}
	for i := range plan.Changes {
		if plan.Changes[i].Fields == nil {
			plan.Changes[i].Fields = []Field{}
		}
	}
	return plan
}

func (c *comparison) hand(one ByHand) { c.byHand = append(c.byHand, one) }

func (c *comparison) note(format string, args ...any) {
	c.notes = append(c.notes, fmt.Sprintf(format, args...))
}

// sends says whether the secret at a place of the signing document goes to a sender that has one already.
func (c *comparison) sends(place string) bool {
	return c.SendSecrets || slices.Contains(c.Made, place) || slices.Contains(c.Unsent, place)
}

// offers says whether one of its App Actions has one of the names.
func (d DeclaredContentful) offers(names []string) bool {
	return slices.ContainsFunc(d.Actions, func(a contentfulapi.Action) bool { return slices.Contains(names, a.Name) })
}

// narrow leaves what belongs to the names alone, with what it needs: the subscriber of a new subscription, and with
// contentful the app's signing secret.
func (p *Plan) narrow(only []string, contentful bool) {
	if len(only) == 0 {
		return
	}
	needed := map[string]bool{} // PIMs whose new subscriber is needed
	for _, one := range p.Changes {
		if one.What == ASubscription && one.owner == "" && slices.Contains(only, one.declared) {
			needed[one.PIM] = true
		}
	}
	p.Changes = slices.DeleteFunc(p.Changes, func(one Change) bool {
		switch {
		case one.makesSecret():
			return false // only those are made that are needed
		case one.What == ASigningSecret:
			return !contentful
		case one.What == ASubscriber:
			return one.Op != Create || !needed[one.PIM]
		}
		return !slices.Contains(only, one.declared)
	})
	p.ByHand = slices.DeleteFunc(p.ByHand, func(one ByHand) bool { return !slices.Contains(only, one.Name) })
}
