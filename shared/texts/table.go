package texts

import "github.com/pim-functions/pim-functions/shared/config"

// Locales are those that every text has, beside "default", which is English.
var Locales = []string{"fr_FR", "de_DE"}

// table is all that users read. "Job ID: " is the same in every language, so that people and scripts find it.
var table = map[string]config.Text{
	// Answers to a press.
	"started": {
		"default": "{label} started. Job ID: {job}",
		"fr_FR":   "{label} : lancé. Job ID: {job}",
		"de_DE":   "{label}: gestartet. Job ID: {job}",
	},
	"running": {
		"default": "Already running since {since}{by}. Job ID: {job}",
		"fr_FR":   "Déjà en cours depuis {since}{by}. Job ID: {job}",
		"de_DE":   "Läuft bereits seit {since}{by}. Job ID: {job}",
	},
	"succeeded": {
		"default": "{label}: {done} of {total} done. Job ID: {job}",
		"fr_FR":   "{label} : {done} sur {total} traités. Job ID: {job}",
		"de_DE":   "{label}: {done} von {total} erledigt. Job ID: {job}",
	},
	"succeeded_none": { // a job without items
		"default": "{label}: done. Job ID: {job}",
		"fr_FR":   "{label} : terminé. Job ID: {job}",
		"de_DE":   "{label}: erledigt. Job ID: {job}",
	},
	"partial": {
		"default": "{label}: {done} of {total} done, {failed} failed. Job ID: {job}",
		"fr_FR":   "{label} : {done} sur {total} traités, {failed} en échec. Job ID: {job}",
		"de_DE":   "{label}: {done} von {total} erledigt, {failed} fehlgeschlagen. Job ID: {job}",
	},
	"failed": {
		"default": "{label} failed. Job ID: {job}",
		"fr_FR":   "{label} : échec. Job ID: {job}",
		"de_DE":   "{label}: fehlgeschlagen. Job ID: {job}",
	},
	"cancelled": {
		"default": "{label} was cancelled: {done} of {total} done. Job ID: {job}",
		"fr_FR":   "{label} : annulé, {done} sur {total} traités. Job ID: {job}",
		"de_DE":   "{label}: abgebrochen, {done} von {total} erledigt. Job ID: {job}",
	},
	"delayed": { // it waits; {message} is one of the sentences below
		"default": "{label} is not done yet. {message} Job ID: {job}",
		"fr_FR":   "{label} : pas encore terminé. {message} Job ID: {job}",
		"de_DE":   "{label}: noch nicht erledigt. {message} Job ID: {job}",
	},
	"forbidden": {
		"default": "You are not allowed to use {label}. Ask your administrator if you need it.",
		"fr_FR":   "Vous n'êtes pas autorisé à utiliser {label}. Adressez-vous à votre administrateur si vous en avez besoin.",
		"de_DE":   "Sie dürfen {label} nicht verwenden. Wenden Sie sich an Ihren Administrator, wenn Sie es brauchen.",
	},
	// What a data component shows instead of an answer.
	"lookup_unknown": {
		"default": "Nothing is known of this there ({label}). Look at its identifier if you expected something.",
		"fr_FR":   "Rien n'y est connu à ce sujet ({label}). Vérifiez son identifiant si vous attendiez quelque chose.",
		"de_DE":   "Dort ist dazu nichts bekannt ({label}). Prüfen Sie den Identifier, falls Sie etwas erwartet haben.",
	},
	"lookup_nameless": {
		"default": "This has no value to look it up by ({label}). Fill in the attribute, save, and open it again.",
		"fr_FR":   "Il manque la valeur nécessaire à la recherche ({label}). Renseignez l'attribut, enregistrez, puis rouvrez.",
		"de_DE":   "Es fehlt der Wert, nach dem gesucht wird ({label}). Füllen Sie das Attribut aus, speichern Sie, und öffnen Sie es noch einmal.",
	},
	"lookup_away": {
		"default": "{label}: no answer came in time, so nothing is shown. Open it again in a moment.",
		"fr_FR":   "{label} : aucune réponse n'est arrivée à temps, rien n'est donc affiché. Rouvrez dans un instant.",
		"de_DE":   "{label}: Es kam keine Antwort zur rechten Zeit, deshalb wird nichts gezeigt. Öffnen Sie es gleich noch einmal.",
	},
	"lookup_refused": {
		"default": "{label}: the question was refused, so nothing is shown. Tell your administrator.",
		"fr_FR":   "{label} : la demande a été refusée, rien n'est donc affiché. Prévenez votre administrateur.",
		"de_DE":   "{label}: Die Anfrage wurde abgelehnt, deshalb wird nichts gezeigt. Sagen Sie es Ihrem Administrator.",
	},
	"lookup_unreadable": {
		"default": "{label}: the answer cannot be shown. Tell your administrator.",
		"fr_FR":   "{label} : la réponse ne peut pas être affichée. Prévenez votre administrateur.",
		"de_DE":   "{label}: Die Antwort kann nicht gezeigt werden. Sagen Sie es Ihrem Administrator.",
	},
	"unavailable": {
		"default": "{label} could not be started. Please press again.",
		"fr_FR":   "{label} n'a pas pu être lancé. Veuillez réessayer.",
		"de_DE":   "{label} konnte nicht gestartet werden. Bitte drücken Sie noch einmal.",
	},
	"too_many": {
		"default": "At most 500 items can be sent at once, {total} were selected.",
		"fr_FR":   "500 éléments au plus par envoi, {total} sont sélectionnés.",
		"de_DE":   "Höchstens 500 Elemente auf einmal, {total} sind ausgewählt.",
	},
	"too_large": {
		"default": "The selection is too large for one job. Select fewer items.",
		"fr_FR":   "La sélection est trop volumineuse pour un seul traitement. Sélectionnez moins d'éléments.",
		"de_DE":   "Die Auswahl ist zu groß für einen Auftrag. Wählen Sie weniger Elemente aus.",
	},

	// How a job is.
	"the_destination": {
		"default": "the destination",
		"fr_FR":   "la destination",
		"de_DE":   "das Zielsystem",
	},
	"all_done": {
		"default": "All {total} done.",
		"fr_FR":   "{total} sur {total} traités.",
		"de_DE":   "Alle {total} erledigt.",
	},
	"some_done": {
		"default": "{done} of {total} done, {failed} failed.",
		"fr_FR":   "{done} sur {total} traités, {failed} en échec.",
		"de_DE":   "{done} von {total} erledigt, {failed} fehlgeschlagen.",
	},
	"done": {
		"default": "Done.",
		"fr_FR":   "Terminé.",
		"de_DE":   "Erledigt.",
	},
	"stopping": {
		"default": "It is being cancelled: what is in work is finished first.",
		"fr_FR":   "Annulation en cours : ce qui est commencé est d'abord terminé.",
		"de_DE":   "Es wird abgebrochen: was in Arbeit ist, wird noch beendet.",
	},
	"cause_destination_down": {
		"default": "{destination} does not work at the moment.",
		"fr_FR":   "{destination} ne fonctionne pas pour le moment.",
		"de_DE":   "{destination} funktioniert im Moment nicht.",
	},
	"cause_no_answer": {
		"default": "{destination} does not answer.",
		"fr_FR":   "{destination} ne répond pas.",
		"de_DE":   "{destination} antwortet nicht.",
	},
	"cause_destination_busy": {
		"default": "{destination} is busy and asks us to wait.",
		"fr_FR":   "{destination} est occupé et nous demande d'attendre.",
		"de_DE":   "{destination} ist ausgelastet und bittet uns zu warten.",
	},
	"cause_pim_down": {
		"default": "The PIM does not answer us at the moment.",
		"fr_FR":   "Le PIM ne nous répond pas en ce moment.",
		"de_DE":   "Das PIM antwortet uns im Moment nicht.",
	},
	"cause_pim_busy": {
		"default": "The PIM is busy and asks us to wait.",
		"fr_FR":   "Le PIM est occupé et nous demande d'attendre.",
		"de_DE":   "Das PIM ist beschäftigt und bittet uns zu warten.",
	},
	"cause_credentials": {
		"default": "{destination} did not accept our credentials. We look for newer ones.",
		"fr_FR":   "{destination} n'a pas accepté nos identifiants. Nous cherchons s'il y en a de plus récents.",
		"de_DE":   "{destination} hat unsere Zugangsdaten nicht angenommen. Wir suchen nach neueren.",
	},
	"cause_configuration": {
		"default": "This action is not set up correctly. Tell your administrator.",
		"fr_FR":   "Cette action n'est pas configurée correctement. Prévenez votre administrateur.",
		"de_DE":   "Diese Aktion ist nicht richtig eingerichtet. Wenden Sie sich an Ihren Administrator.",
	},
	"cause_other": {
		"default": "It did not work this time.",
		"fr_FR":   "Cela n'a pas fonctionné cette fois.",
		"de_DE":   "Diesmal hat es nicht geklappt.",
	},
	"next_until": {
		"default": "Next try {next}, we stop at {until}.",
		"fr_FR":   "Prochain essai à {next}, arrêt des essais à {until}.",
		"de_DE":   "Nächster Versuch um {next}, letzter um {until}.",
	},
	"next": {
		"default": "Next try {next}.",
		"fr_FR":   "Prochain essai à {next}.",
		"de_DE":   "Nächster Versuch um {next}.",
	},
	"ended_not_queued": {
		"default": "It could not be started. Start it again.",
		"fr_FR":   "Le lancement a échoué. Relancez-le.",
		"de_DE":   "Es konnte nicht gestartet werden. Starten Sie es noch einmal.",
	},
	"ended_not_started": {
		"default": "It could not be started. Start it again.",
		"fr_FR":   "Le lancement a échoué. Relancez-le.",
		"de_DE":   "Es konnte nicht gestartet werden. Starten Sie es noch einmal.",
	},
	"ended_dead_letter": {
		"default": "It was interrupted and does not go on by itself. Tell your administrator, who can have it go on.",
		"fr_FR":   "Le traitement a été interrompu et ne reprend pas de lui-même. Prévenez votre administrateur, qui peut le faire reprendre.",
		"de_DE":   "Es wurde unterbrochen und geht nicht von selbst weiter. Wenden Sie sich an Ihren Administrator, der es fortsetzen kann.",
	},
	"ended_gave_up": {
		"default": "{destination} did not answer in time, and we have stopped trying. Start it again once it works.",
		"fr_FR":   "{destination} n'a pas répondu à temps et nous avons cessé d'essayer. Relancez quand cela fonctionne de nouveau.",
		"de_DE":   "{destination} hat nicht rechtzeitig geantwortet, und wir versuchen es nicht mehr. Starten Sie noch einmal, wenn es wieder geht.",
	},
	"ended_no_signal": {
		"default": "The answer that we waited for did not come in time. Ask there whether it was done, and start it again if not.",
		"fr_FR":   "La réponse attendue n'est pas arrivée à temps. Demandez sur place si c'est fait, et relancez sinon.",
		"de_DE":   "Die erwartete Antwort kam nicht rechtzeitig. Fragen Sie dort nach, ob es erledigt ist, und starten Sie es sonst noch einmal.",
	},
	"ended_stopped_waiting": {
		"default": "A user stopped waiting for the answer. What comes now no longer counts; start it again to ask once more.",
		"fr_FR":   "Un utilisateur a mis fin à l'attente de la réponse. Ce qui arrive maintenant ne compte plus ; relancez pour demander à nouveau.",
		"de_DE":   "Ein Benutzer wartet nicht mehr auf die Antwort. Was jetzt noch kommt, zählt nicht mehr; starten Sie es noch einmal, um wieder zu fragen.",
	},

	// What a job waits for.
	"waits_callback": {
		"default": "{destination} has it and will answer. We wait until {next}.",
		"fr_FR":   "{destination} l'a reçu et répondra. Nous attendons jusqu'à {next}.",
		"de_DE":   "{destination} hat es und wird antworten. Wir warten bis {next}.",
	},
	"waits_pim_job": {
		"default": "The PIM is working on its job. We wait for its end until {next}.",
		"fr_FR":   "Le PIM exécute son traitement. Nous en attendons la fin jusqu'à {next}.",
		"de_DE":   "Das PIM führt seinen Auftrag aus. Wir warten auf dessen Ende bis {next}.",
	},
	"waits_workflow": {
		"default": "The workflow in the PIM has begun. We wait for its end until {next}.",
		"fr_FR":   "Le workflow a commencé dans le PIM. Nous en attendons la fin jusqu'à {next}.",
		"de_DE":   "Der Workflow im PIM hat begonnen. Wir warten auf dessen Ende bis {next}.",
	},
	"waits_execution": {
		"default": "{destination} has it and will answer. We wait until {next}.",
		"fr_FR":   "{destination} l'a reçu et répondra. Nous attendons jusqu'à {next}.",
		"de_DE":   "{destination} hat es und wird antworten. Wir warten bis {next}.",
	},
	"waits_other": {
		"default": "We wait for an answer until {next}.",
		"fr_FR":   "Nous attendons une réponse jusqu'à {next}.",
		"de_DE":   "Wir warten auf eine Antwort bis {next}.",
	},

	// App Actions.
	"app_unavailable": {
		"default": "The job could not be started. Please call again.",
		"fr_FR":   "Le traitement n'a pas pu être lancé. Veuillez réessayer.",
		"de_DE":   "Der Auftrag konnte nicht gestartet werden. Bitte versuchen Sie es noch einmal.",
	},
	"page_unavailable": {
		"default": "This could not be started. Please try again.",
		"fr_FR":   "Le lancement a échoué. Veuillez réessayer.",
		"de_DE":   "Das konnte nicht gestartet werden. Bitte versuchen Sie es noch einmal.",
	},
}
