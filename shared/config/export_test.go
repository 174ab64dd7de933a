package config

// Zone is zone, for tests.
var Zone = zone
