package action

import (
	"strconv"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/config"
)

// texts is what we say to users, by name and locale; an extension's own messages come first. In braces: {label},
// {job}, {since}, {by}, {user}, {done}, {failed}, {total} and {message}. "Job ID: " is the same in every language, so that people
// and scripts find it.
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
	by := ""
	if v.user != "" {
		by = " (" + v.user + ")"
	}
	return strings.NewReplacer(
		"{label}", v.label,
		"{job}", v.job,
		"{since}", v.since.UTC().Format("15:04 UTC"),
		"{by}", by,
		"{user}", v.user,
		"{done}", strconv.Itoa(v.done),
		"{failed}", strconv.Itoa(v.failed),
		"{total}", strconv.Itoa(v.total),
		"{message}", v.message,
	).Replace(text)
}
