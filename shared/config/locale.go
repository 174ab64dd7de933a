package config

import "strings"

// IsLocale says whether a text is a locale code as the PIM writes it: en_US, sr_Latn_RS, zh_Hans_CN (Akeneo API,
// "Locales"). Which locales a PIM has is the PIM's business.
func IsLocale(text string) bool {
	language, region, _ := strings.Cut(text, "_")
	if len(language) < 2 || len(region) < 2 {
		return false
	}
	for _, c := range []byte(text) {
		if !letter(c) && c != '_' && (c < '0' || c > '9') {
			return false
		}
	}
	for _, c := range []byte(language) {
		if !letter(c) {
			return false
		}
	}
	return true
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

const localeRemedy = "write it as the PIM does: en_US"

// locale returns the value of a key that is a locale code.
func (t table) locale(key string) string {
	s := t.scalar(key)
	if s.text != "" && !IsLocale(s.text) {
		t.errorf(s.at, localeRemedy, "%s of %s: %q is not a locale", key, t.what, s.text)
	}
	return s.text
}

// locales returns the values of a key that is a list of locale codes.
func (t table) locales(key string) []string {
	var locales []string
	for _, s := range t.list(key) {
		if !IsLocale(s.text) {
			t.errorf(s.at, localeRemedy, "%s of %s: %q is not a locale", key, t.what, s.text)
		}
		locales = append(locales, s.text)
	}
	return locales
}
