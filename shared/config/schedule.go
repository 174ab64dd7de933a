package config

import (
	"strings"
	"time"
)

// Schedule starts an action by the clock.
type Schedule struct {
	Name     string // NAME_PIM where the file names several PIMs
	Declared string // NAME, as the file has it: what outlives a change of the list of PIMs is kept by it and the PIM
	PIM      string
	Cron     string // five fields: minute, hour, day of the month, month, day of the week; "" with Every
	Every    time.Duration
	Zone     *time.Location // in which Cron is meant: the schedule's own, else the PIM's
	Select   string         // a selection; "": the action needs no items
	Action   string
	Overlap  bool // a run may begin while another one goes on
}

const maxEvery = 31 * day

var scheduleKeys = []key{
	{name: "pim", form: formTextOrTexts, need: addPIM, doc: "The PIM whose products it is about, by its name in pims. Several: one for each, NAME_PIM."},
	{name: "cron", doc: "When: minute, hour, day of the month, month, day of the week."},
	{name: "zone", doc: "The time zone of cron: Europe/Paris. Default: the PIM's."},
	{name: "every", form: formDuration, doc: "Instead of cron: how often, 1m to 31d."},
	{name: "select", doc: "What it is about, by its name in selections."},
	{name: "action", need: addAction, doc: "What to do, by its name in actions."},
	{name: "overlap", form: formFlag, doc: "true: a run may begin while the one before goes on. Default: it is skipped."},
}

func (r *reader) schedules(root table, pims map[string]PIM, known references) map[string]Schedule {
	schedules := map[string]Schedule{}
	for _, t := range root.named("schedules", "schedule") {
		t.takes(scheduleKeys)
		s := Schedule{
			Declared: t.name(), Cron: t.cron(), Every: t.every(), Select: t.reference("select", "selection", known.selections),
			Action: t.reference("action", "action", known.actions), Overlap: t.flag("overlap"),
		}
		t.selects(known, s.Action)
		zone := t.zone("zone")
		_, own := t.find("zone")
		for _, place := range t.perPIM(known) {
			s.Name, s.PIM, s.Zone = place.name, place.pim, pims[place.pim].Zone
			if own || s.Zone == nil {
				s.Zone = zone
			}
			if _, taken := schedules[s.Name]; taken {
				t.errorf(t.at, "rename one", "%s is %q in one of its PIMs, as another schedule is", t.what, s.Name)
			}
			schedules[s.Name] = s
		}
	}
	return schedules
}

// cron reads when a schedule is due. What the five fields hold is checked by what computes the times (Source.Cron).
func (t table) cron() string {
	cron, every := t.scalar("cron"), t.scalar("every")
	switch {
	case cron.text == "" && every.text == "":
		t.errorf(t.at, `add cron: "30 2 * * *" or every: 1h`, "%s has neither cron nor every", t.what)
	case cron.text != "" && every.text != "":
		t.errorf(cron.at, "keep one", "%s has cron and every", t.what)
	case cron.text != "" && len(strings.Fields(cron.text)) != 5:
		t.errorf(cron.at, `write minute, hour, day, month, weekday: "30 2 * * *"`, "cron of %s has %d fields", t.what, len(strings.Fields(cron.text)))
	case cron.text != "" && t.checkCron != nil:
		if err := t.checkCron(cron.text); err != nil {
			t.errorf(cron.at, `write minute, hour, day, month, weekday: "30 2 * * *"`, "cron of %s is %q: %v", t.what, cron.text, err)
		}
	}
	if e, ok := t.find("zone"); ok && cron.text == "" {
		t.errorf(e.key, "remove it: it is for cron", "zone of %s does nothing", t.what)
	}
	return strings.Join(strings.Fields(cron.text), " ")
}

func (t table) every() time.Duration {
	least, remedy := time.Minute, "use 1m to 31d"
	if t.stage == Local {
		least, remedy = time.Second, "use 1s to 31d"
	}
	return t.duration("every", remedy, least, maxEvery)
}
