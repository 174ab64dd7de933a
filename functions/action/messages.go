package action

import (
	"strconv"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
)

// texts is what we say to users, by name and locale; an extension's own messages come first. In braces: {label},
// {job}, {since} (a time of day), {by} (who started it, in brackets), {user}, {done}, {failed}, {total} and {message} (the
// job's own). "Job ID: " is the same in every language, so that people and scripts find it.
var texts = map[string]config.Text{
	"started": {
		"default": "{label} started. Job ID: {job}",
		"fr_FR":   "{label} : lancé. Job ID: {job}",
	},
	"running": {
		"default": "Already running since {since}{by}. Job ID: {job}",
		"fr_FR":   "Déjà en cours depuis {since}{by}. Job ID: {job}",
	},
	"succeeded": {
		"default": "{label}: {done} of {total} done. Job ID: {job}",
		"fr_FR":   "{label} : {done} sur {total} traités. Job ID: {job}",
	},
	"succeeded_none": { // a job without items
		"default": "{label}: done. Job ID: {job}",
		"fr_FR":   "{label} : terminé. Job ID: {job}",
	},
	"partial": {
		"default": "{label}: {done} of {total} done, {failed} failed. Job ID: {job}",
		"fr_FR":   "{label} : {done} sur {total} traités, {failed} en échec. Job ID: {job}",
	},
	"failed": {
		"default": "{label} failed. Job ID: {job}",
		"fr_FR":   "{label} : échec. Job ID: {job}",
	},
	"cancelled": {
		"default": "{label} was cancelled: {done} of {total} done. Job ID: {job}",
		"fr_FR":   "{label} : annulé, {done} sur {total} traités. Job ID: {job}",
	},
	"forbidden": {
		"default": "You are not allowed to use {label}.",
		"fr_FR":   "Vous n'êtes pas autorisé à utiliser {label}.",
	},
	"unavailable": {
		"default": "{label} could not be started. Please press again.",
		"fr_FR":   "{label} n'a pas pu être lancé. Veuillez réessayer.",
	},
	"too_many": {
		"default": "At most 500 items can be sent at once, {total} were selected.",
		"fr_FR":   "500 éléments au plus par envoi, {total} sont sélectionnés.",
	},
	"too_large": {
		"default": "The selection is too large for one job.",
		"fr_FR":   "La sélection est trop volumineuse pour un seul traitement.",
	},
}

// values are what a text may name.
type values struct {
	label, job, user, message string
	since                     time.Time
	done, failed, total       int
}

// say is a text in a locale as the PIM writes it (fr_FR), the extension's own if it has one.
func say(name, locale string, own map[string]config.Text, v values) string {
	text := own[name].In(locale)
	if text == "" {
		text = texts[name].In(locale)
	}
	var b strings.Builder
	for {
		before, rest, open := strings.Cut(text, "{")
		name, after, closed := strings.Cut(rest, "}")
		b.WriteString(before)
		if !open || !closed {
			b.WriteString(text[len(before):])
			return b.String()
		}
		value, known := v.named(name)
		if !known {
			value = "{" + name + "}"
		}
		b.WriteString(value)
		text = after
	}
}

// named is the value that a text names.
func (v values) named(name string) (value string, known bool) {
	switch name {
	case "label":
		return v.label, true
	case "job":
		return v.job, true
	case "since":
		return v.since.UTC().Format("15:04 UTC"), true
	case "by":
		if v.user == "" {
			return "", true
		}
		return " (" + v.user + ")", true
	case "user":
		return v.user, true
	case "done":
		return strconv.Itoa(v.done), true
	case "failed":
		return strconv.Itoa(v.failed), true
	case "total":
		return strconv.Itoa(v.total), true
	case "message":
		return v.message, true
	}
	return "", false
}
