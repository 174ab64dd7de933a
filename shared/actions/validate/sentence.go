package validate

import (
	"fmt"
	"strings"

	"github.com/pim-functions/pim-functions/shared/config"
)

// sentences are what users read of what is wrong, by name and locale.
var sentences = map[string]config.Text{
	"ready":            {"default": "All rules hold.", "fr_FR": "Toutes les règles sont respectées.", "de_DE": "Alle Regeln sind erfüllt."},
	"not_ready":        {"default": "Not ready: %s", "fr_FR": "Pas prêt : %s", "de_DE": "Nicht bereit: %s"},
	"ready_of":         {"default": "%d of %d are ready; the report lists each.", "fr_FR": "%d sur %d sont prêts ; le rapport les liste tous.", "de_DE": "%d von %d sind bereit; der Bericht führt alle auf."},
	"ready_of_some":    {"default": "%d of %d are ready; the report lists the %d that could be read.", "fr_FR": "%d sur %d sont prêts ; le rapport liste les %d qui ont pu être lus.", "de_DE": "%d von %d sind bereit; der Bericht führt die %d auf, die zu lesen waren."},
	"nothing_found":    {"default": "Nothing was found: the report has no rows.", "fr_FR": "Rien n'a été trouvé : le rapport est vide.", "de_DE": "Nichts gefunden: Der Bericht hat keine Zeilen."},
	"more":             {"default": "and %d more", "fr_FR": "et %d de plus", "de_DE": "und %d weitere"},
	"missing":          {"default": "%s is missing", "fr_FR": "%s manque", "de_DE": "%s fehlt"},
	"too_short":        {"default": "%s is shorter than %d characters", "fr_FR": "%s compte moins de %d caractères", "de_DE": "%s ist kürzer als %d Zeichen"},
	"too_long":         {"default": "%s is longer than %d characters", "fr_FR": "%s compte plus de %d caractères", "de_DE": "%s ist länger als %d Zeichen"},
	"pattern":          {"default": "%s does not match %s", "fr_FR": "%s ne correspond pas à %s", "de_DE": "%s entspricht nicht %s"},
	"one_of":           {"default": "%s is not one of %s", "fr_FR": "%s ne fait pas partie de %s", "de_DE": "%s ist keines von %s"},
	"no_price":         {"default": "%s has no price in %s", "fr_FR": "%s n'a pas de prix en %s", "de_DE": "%s hat keinen Preis in %s"},
	"below":            {"default": "%s is below %s", "fr_FR": "%s est inférieur à %s", "de_DE": "%s liegt unter %s"},
	"above":            {"default": "%s is above %s", "fr_FR": "%s est supérieur à %s", "de_DE": "%s liegt über %s"},
	"not_after":        {"default": "%s is not after %s", "fr_FR": "%s n'est pas après le %s", "de_DE": "%s liegt nicht nach dem %s"},
	"not_before":       {"default": "%s is not before %s", "fr_FR": "%s n'est pas avant le %s", "de_DE": "%s liegt nicht vor dem %s"},
	"no_image":         {"default": "%s is no image", "fr_FR": "%s n'est pas une image", "de_DE": "%s ist kein Bild"},
	"few_categories":   {"default": "fewer than %d categories", "fr_FR": "moins de %d catégories", "de_DE": "weniger als %d Kategorien"},
	"many_categories":  {"default": "more than %d categories", "fr_FR": "plus de %d catégories", "de_DE": "mehr als %d Kategorien"},
	"incomplete":       {"default": "not complete for %s: %d%%", "fr_FR": "incomplet pour %s : %d %%", "de_DE": "unvollständig für %s: %d %%"},
	"complete_unknown": {"default": "the PIM does not say how complete it is for %s", "fr_FR": "le PIM n'indique pas la complétude pour %s", "de_DE": "das PIM nennt keine Vollständigkeit für %s"},
	"model_complete":   {"default": "product models have no completeness", "fr_FR": "les modèles de produit n'ont pas de complétude", "de_DE": "Produktmodelle haben keine Vollständigkeit"},
	"broken":           {"default": "not so: %s", "fr_FR": "non respecté : %s", "de_DE": "nicht erfüllt: %s"},
	"uncomputable":     {"default": "%s cannot be checked: %s", "fr_FR": "%s ne peut pas être vérifié : %s", "de_DE": "%s lässt sich nicht prüfen: %s"},
	"misfit":           {"default": "%s holds values that %s cannot check", "fr_FR": "%s contient des valeurs que %s ne peut pas vérifier", "de_DE": "%s enthält Werte, die %s nicht prüfen kann"},
}

// speaker says sentences in a user's language.
type speaker struct{ locale string }

func (s speaker) say(name string, args ...any) string {
	return fmt.Sprintf(sentences[name].In(s.locale), args...)
}

// summary is what a report of many says, or of none.
func (s speaker) summary(ready, rows, total int) string {
	switch {
	case total == 0:
		return s.say("nothing_found")
	case rows < total:
		return s.say("ready_of_some", ready, total, rows)
	}
	return s.say("ready_of", ready, total)
}

// list names the first problems, as many as fit into so many bytes, and how many more there are. The first is always
// there.
func (s speaker) list(problems []string, most int) string {
	text := clip(problems[0], most/2)
	for n := 1; n < len(problems); n++ {
		longer := text + "; " + clip(problems[n], most/2)
		rest := ""
		if left := len(problems) - n - 1; left > 0 {
			rest = "; " + s.say("more", left)
		}
		if len(longer)+len(rest) > most {
			return text + "; " + s.say("more", len(problems)-n)
		}
		text = longer
	}
	return text
}

// clip cuts a sentence that is longer than so many bytes, between characters.
func clip(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most-len("…")], "") + "…"
}
