package actions

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/engine"
)

// Heard lists the types of event by which actions are told how they ended: by the PIM that sends them, each with the first
// action by name that needs it there. An action is started in a PIM by an extension, a schedule or an event of it, or by what
// follows another one.
func Heard(c *config.Config) map[string]map[string]string {
	kinds := Kinds(Deps{})
	heard := map[string]map[string]string{}
	for pim, started := range startedIn(c) {
		for _, name := range slices.Sorted(maps.Keys(started)) {
			action := c.Actions[name]
			listener, ok := kinds[action.Kind].(engine.Listener)
			if !ok {
				continue
			}
			for _, kind := range listener.Listens(action.Section) {
				if heard[pim] == nil {
					heard[pim] = map[string]string{}
				}
				if heard[pim][kind] == "" {
					heard[pim][kind] = name
				}
			}
		}
	}
	return heard
}

// startedIn lists the actions that can run, by PIM.
func startedIn(c *config.Config) map[string]map[string]bool {
	all := map[string]map[string]bool{}
	var start func(pim, action string)
	start = func(pim, action string) {
		if all[pim] == nil {
			all[pim] = map[string]bool{}
		}
		if action == "" || all[pim][action] {
			return
		}
		all[pim][action] = true
		for _, next := range c.Actions[action].Then {
			start(pim, next)
		}
	}
	for _, extension := range c.Extensions {
		for _, action := range append(slices.Clone(extension.Actions), extension.Action) {
			start(extension.PIM, action)
		}
	}
	for _, schedule := range c.Schedules {
		start(schedule.PIM, schedule.Action)
	}
	for _, subscription := range c.Subscriptions {
		start(subscription.PIM, subscription.Action)
	}
	for _, notification := range c.Notifications {
		start(notification.PIM, notification.Action)
	}
	return all
}

// Unheard lists actions whose end nobody would tell us: no subscription of the PIM brings the event, and the Event Platform
// cannot be asked for it. Each is a warning.
func Unheard(c *config.Config) config.Problems {
	var found config.Problems
	heard := Heard(c)
	for _, pim := range slices.Sorted(maps.Keys(heard)) {
		for _, kind := range slices.Sorted(maps.Keys(heard[pim])) {
			action := c.Actions[heard[pim][kind]]
			filtered, asked := "", false
			for _, name := range slices.Sorted(maps.Keys(c.Subscriptions)) {
				if s := c.Subscriptions[name]; s.PIM == pim && s.Asks(kind) {
					if asked = true; s.Filter != "" {
						filtered = name
					}
				}
			}
			warn := func(remedy, format string, args ...any) {
				problem, _ := action.Section.Warnf("", remedy, "action %q waits for %s of pim %s, "+format, append([]any{action.Name, kind, pim}, args...)...).(*config.Problem)
				found = append(found, problem)
			}
			switch {
			case filtered != "":
				warn("take the type out of that subscription", "which the filter of subscription %q may keep back: its jobs would fail when their time is over", filtered)
			case !asked && c.PIMs[pim].TechnicalEmail == "":
				warn(fmt.Sprintf("add technical_email to pim %s: then the Event Platform is asked for it", pim), "and no subscription brings it: its jobs would fail when their time is over")
			}
		}
	}
	return found
}
