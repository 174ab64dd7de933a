// Package texts is what users read, by name and locale: the answers to a press, and in one sentence how a job is. A
// sentence names what happened, what happens next, and what the reader can do, in that order; it names the
// destination as the action does, and neither hosts nor status codes.
//
// It is not for refusals of malformed requests, which developers read, and not for the page's own words
// (functions/iframe/page/texts.js). An extension's own messages come first.
package texts

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

// Values are what a text may name, in braces: {label}, {job}, {since}, {by} (who started it, in brackets, or nothing),
// {user}, {done}, {failed}, {total}, {message} (the job's own), {destination}, {next} and {until} (of the tries).
type Values struct {
	Label       string
	Job         string
	User        string
	Message     string
	Destination string // in the reader's language, as it stands within a sentence: "the ERP"
	Since       time.Time
	Next        time.Time // of the next try
	Until       time.Time // when the tries end
	Now         time.Time // a time of another day is shown with its date
	Zone        *time.Location
	Done        int
	Failed      int
	Total       int
}

// Of is what texts may name of a job, for a reader of this locale. Times are shown in the zone of the job's PIM.
func Of(c *config.Config, job jobs.Job, locale string, now time.Time) Values {
	v := Values{
		Label: Label(job), Job: job.ID, User: Username(job.User),
		Destination: c.Actions[job.Action].Destination.In(locale),
		Since:       job.CreatedAt, Next: job.NextTry, Until: job.GivesUpAt, Now: now, Zone: c.PIMs[job.PIM].Zone,
		Done: job.Done, Failed: job.Failed, Total: job.Total,
	}
	if v.Destination == "" {
		v.Destination = table["the_destination"].In(locale)
	}
	v.Message = v.message(job, locale)
	return v
}

// Label is how users know a job: by the name of its button, else of its action.
func Label(job jobs.Job) string {
	if job.Label != "" {
		return job.Label
	}
	return job.Action
}

// Username is a user's name as others may read it: "" if there is none, or if it is an e-mail address, which is nobody
// else's business.
func Username(user jobs.User) string {
	if strings.Contains(user.Username, "@") {
		return ""
	}
	return user.Username
}

// User names who started a job: by the username, else by the UUID that the PIM has proven.
func User(user jobs.User) string {
	if name := Username(user); name != "" {
		return name
	}
	return user.UUID
}

// Say is a text in a locale as the PIM writes it (fr_FR): the extension's own if it has one of this name, else ours. What
// stands in braces and names nothing stays.
func Say(name, locale string, own map[string]config.Text, v Values) string {
	text := own[name].In(locale)
	if text == "" {
		text = table[name].In(locale)
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
		if name == "destination" && begins(b.String()) {
			value = capital(value)
		}
		b.WriteString(value)
		text = after
	}
}

// begins says whether a sentence begins behind a text.
func begins(text string) bool { return text == "" || strings.HasSuffix(text, ". ") }

func capital(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}

// named is the value that a text names.
func (v Values) named(name string) (value string, known bool) {
	switch name {
	case "label":
		return v.Label, true
	case "job":
		return v.Job, true
	case "since":
		return v.clock(v.Since), true
	case "by":
		if v.User == "" {
			return "", true
		}
		return " (" + v.User + ")", true
	case "user":
		return v.User, true
	case "done":
		return strconv.Itoa(v.Done), true
	case "failed":
		return strconv.Itoa(v.Failed), true
	case "total":
		return strconv.Itoa(v.Total), true
	case "message":
		return v.Message, true
	case "destination":
		return v.Destination, true
	case "next":
		return v.clock(v.Next), true
	case "until":
		return v.clock(v.Until), true
	}
	return "", false
}

// clock is a time of day where the PIM is, with its date if that is not today's. UTC is named: nobody's clock on the wall
// shows it.
func (v Values) clock(t time.Time) string {
	zone, layout := v.Zone, "15:04"
	if zone == nil || zone == time.UTC {
		zone, layout = time.UTC, "15:04 UTC"
	}
	t = t.In(zone)
	if !v.Now.IsZero() && t.Format(time.DateOnly) != v.Now.In(zone).Format(time.DateOnly) {
		layout = "2006-01-02 " + layout
	}
	return t.Format(layout)
}
