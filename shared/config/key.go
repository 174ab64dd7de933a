package config

// key is one key of a mapping: what the file is checked by, and what the schema for editors is made of.
type key struct {
	name  string
	form  form
	words []string // of formWord and formMessages
	keys  []key    // of formMapping and formNamed
	need  string   // what to do where it is missing; "": it may be
	doc   string   // for editors: one line
}

// form is what a key's value looks like.
type form int

const (
	formText        form = iota // one value
	formWord                    // one of some words
	formFlag                    // true or false
	formDuration                // 30s, 6h, 1d
	formLocalized               // texts by locale, with default
	formTexts                   // a list of values
	formTextOrTexts             // one value, or a list of them
	formMapping                 // keys of its own
	formNamed                   // mappings with these keys, by names of the file's author
	formValues                  // values by names that are no keys of ours
	formIdentifier              // a word, or {attribute: CODE}
	formFilters                 // the PIM's search filters
	formMessages                // localized texts by some words
)

func keyNames(keys []key) []string {
	all := make([]string, len(keys))
	for i, k := range keys {
		all[i] = k.name
	}
	return all
}

// takes reports every key that is not among some, and every one of them that is missing.
func (t table) takes(keys []key) {
	t.only(keyNames(keys)...)
	t.needs(keys)
}

// needs reports what is missing.
func (t table) needs(keys []key) {
	for _, k := range keys {
		switch {
		case k.need == "":
		case k.form == formTexts:
			t.needList(k.name, k.need)
		default:
			t.need(k.name, k.need)
		}
	}
}
