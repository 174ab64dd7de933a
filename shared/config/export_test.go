package config

// For tests: what the schema says again in its own words.
var (
	Zone          = zone
	IsName        = isName
	ParseDuration = parseDuration
	Positions     = positions
)

const (
	NamePattern     = namePattern
	LocalePattern   = localePattern
	DurationPattern = durationPattern
)
