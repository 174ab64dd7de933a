package config

import "go.yaml.in/yaml/v3"

// place is one of the PIMs of what may be for several.
type place struct{ name, pim string }

// perPIM reads pim: NAME is for one PIM, NAME_PIM for each of several. Each has addresses, secrets and records of its own
// by that name.
func (t table) perPIM(known references) []place {
	pims := t.placed(known)
	places := make([]place, len(pims))
	for i, pim := range pims {
		places[i] = place{t.name(), pim.text}
		if len(pims) > 1 {
			places[i].name += "_" + pim.text
		}
		if !isName(places[i].name) && isName(t.name()) && known.pims[pim.text] {
			t.errorf(pim.at, "shorten one of both", "%s is %q in pim %q: not a name of at most 40 characters", t.what, places[i].name, pim.text)
		}
	}
	return places
}

// placed are the PIMs that pim names: one, or a list.
func (t table) placed(known references) []scalar {
	entry, ok := t.find("pim")
	if !ok || entry.value.Kind != yaml.SequenceNode {
		pim := t.scalar("pim")
		t.refer(pim, "pim", "pim", known.pims)
		return []scalar{pim}
	}
	pims := t.list("pim")
	if t.nothing("pim") {
		t.errorf(entry.key, addPIM, "pim of %s names none", t.what)
	}
	for _, pim := range pims {
		t.refer(pim, "pim", "pim", known.pims)
	}
	return pims
}
