package config

import "time"

// zone returns the value of a key that names a time zone (IANA), else UTC.
func (t table) zone(key string) *time.Location {
	s := t.scalar(key)
	if s.text == "" {
		return time.UTC
	}
	zone, ok := zone(s.text, time.LoadLocation)
	if !ok {
		t.errorf(s.at, "use a name such as Europe/Paris or UTC", "%s of %s: no time zone %q", key, t.what, s.text)
	}
	return zone
}

// zone finds a time zone by its name.
//
// A program without time zone data cannot: Lambda's runtime has none, and the functions that show no times do not
// link time/tzdata, which is half a megabyte. There a name is right and means UTC. What checks the file (pimctl, the
// tests) and what shows times (the functions action and worker) link it.
func zone(name string, load func(string) (*time.Location, error)) (*time.Location, bool) {
	if name == "Local" { // Go's own word for the zone of this machine
		return time.UTC, false
	}
	if location, err := load(name); err == nil {
		return location, true
	}
	_, err := load("Etc/UTC") // in all data; the name UTC needs none
	return time.UTC, err != nil
}
