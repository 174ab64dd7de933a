package config

// For tests: what the schema says again in its own words.
var (
	Zone          = zone
	IsName        = isName
	ParseDuration = parseDuration
)

const (
	NamePattern     = namePattern
	LocalePattern   = localePattern
	DurationPattern = durationPattern
)

// Has says whether the section has a key, for its tests.
func (s Section) Has(key string) bool { return s.find(key) != nil }
