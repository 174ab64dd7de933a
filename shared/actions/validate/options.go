package validate

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/actions/expression"
	"github.com/pim-functions/pim-functions/shared/config"
)

// options are the keys of a validate action in extensions.yaml.
type options struct {
	Rules  []ruleOptions `yaml:"rules"`
	Report string        `yaml:"report"` // csv: a file of what was found
}

// ruleOptions are the keys of a rule.
type ruleOptions struct {
	Attribute  string            `yaml:"attribute"`
	Required   bool              `yaml:"required"`
	MinLength  *int              `yaml:"min_length"` // characters
	MaxLength  *int              `yaml:"max_length"`
	Pattern    string            `yaml:"pattern"` // RE2, anywhere in the value
	Min        *float64          `yaml:"min"`
	Max        *float64          `yaml:"max"`
	Currency   string            `yaml:"currency"` // which price; none: each
	OneOf      []string          `yaml:"one_of"`
	After      string            `yaml:"after"` // YYYY-MM-DD, today, today+30d, today-7d (UTC)
	Before     string            `yaml:"before"`
	Image      bool              `yaml:"image"`
	Categories *countOptions     `yaml:"categories"`
	Complete   *completeOptions  `yaml:"complete"`
	When       string            `yaml:"when"` // the rule is for products of which this holds
	That       string            `yaml:"that"` // holds
	Locales    []string          `yaml:"locales"`
	Channels   []string          `yaml:"channels"`
	Message    map[string]string `yaml:"message"` // in place of our sentences
}

type countOptions struct {
	Min *int `yaml:"min"`
	Max *int `yaml:"max"`
}

type completeOptions struct {
	Channel string `yaml:"channel"` // none: that of whoever asks
	Locale  string `yaml:"locale"`  // none: every locale of the channel
}

// rule is a checked rule.
type rule struct {
	ruleOptions
	pattern       *regexp.Regexp
	after, before day
	when, that    *expression.Expression
	message       config.Text
}

// parse reads the section and reports all its mistakes at once.
func parse(section config.Section) (options, []rule, error) {
	var o options
	problems := []error{section.Decode(&o)}
	if section.Has("report") && o.Report != "csv" {
		problems = append(problems, section.Errorf("report", "use report: csv", "report %q", o.Report))
	}
	list := section.List("rules")
	if len(list) == 0 {
		problems = append(problems, section.Errorf("rules", "add rules: [{attribute: name, required: true}]", "a validate action needs rules"))
	}
	rules := make([]rule, len(list))
	for i, one := range list {
		_ = one.Decode(&rules[i].ruleOptions) // its mistakes are among the section's
		problems = append(problems, rules[i].parse(one))
	}
	return o, rules, errors.Join(problems...)
}

// parse checks a rule and compiles its parts.
func (r *rule) parse(section config.Section) error {
	var problems []error
	report := func(key, remedy, format string, args ...any) {
		problems = append(problems, section.Errorf(key, remedy, format, args...))
	}
	subject := r.subject(section, report)
	for _, key := range ofAttribute {
		if subject != "attribute" && subject != "" && section.Has(key) {
			report(key, "remove it, or add attribute", "%s is for a rule about an attribute", key)
		}
	}
	if subject == "attribute" && !r.checksValue() {
		report("attribute", "add required: true, max_length: 80, …", "the rule about %q checks nothing", r.Attribute)
	}
	if section.Has("currency") && !r.Required && r.Min == nil && r.Max == nil {
		report("currency", "add required, min or max", "currency alone checks nothing")
	}
	natural(report, "min_length", r.MinLength)
	natural(report, "max_length", r.MaxLength)
	ordered(report, "min_length", r.MinLength, r.MaxLength)
	ordered(report, "min", r.Min, r.Max)
	if r.Categories != nil {
		if r.Categories.Min == nil && r.Categories.Max == nil {
			report("categories", "write {min: 1}", "categories has neither min nor max")
		}
		natural(report, "categories", r.Categories.Min)
		natural(report, "categories", r.Categories.Max)
		ordered(report, "categories", r.Categories.Min, r.Categories.Max)
	}
	if r.Complete != nil && r.Complete.Locale != "" && !config.IsLocale(r.Complete.Locale) {
		report("complete", "write it as the PIM does: en_US", "locale of complete: %q is not a locale", r.Complete.Locale)
	}
	for _, locale := range r.Locales {
		if !config.IsLocale(locale) {
			report("locales", "write it as the PIM does: en_US", "%q is not a locale", locale)
		}
	}
	for _, key := range []string{"locales", "channels", "one_of"} {
		if section.Has(key) && len(map[string][]string{"locales": r.Locales, "channels": r.Channels, "one_of": r.OneOf}[key]) == 0 {
			report(key, "name one, or remove the key", "%s names none", key)
		}
	}
	r.compile(section, report)
	r.texts(report)
	return errors.Join(problems...)
}

// subjects are what a rule may be about: one of these.
var subjects = []string{"attribute", "categories", "complete", "that"}

// ofAttribute are the keys that need an attribute.
var ofAttribute = []string{
	"required", "min_length", "max_length", "pattern", "min", "max", "currency", "one_of", "after", "before", "image", "locales", "channels",
}

type reporter = func(key, remedy, format string, args ...any)

func (r *rule) subject(section config.Section, report reporter) (subject string) {
	for _, key := range subjects {
		if !section.Has(key) {
			continue
		}
		if subject != "" {
			report(key, "make two rules of it", "the rule has %s and %s", subject, key)
			continue
		}
		subject = key
	}
	switch {
	case subject == "":
		report("", "add attribute, categories, complete or that", "the rule is about nothing")
	case subject == "attribute" && strings.TrimSpace(r.Attribute) == "":
		report("attribute", "write the code of an attribute", "attribute is empty")
	case subject == "that" && strings.TrimSpace(r.That) == "":
		report("that", `write a condition: value("weight").amount > 0`, "that is empty")
	}
	return subject
}

func (r *rule) checksValue() bool {
	return r.Required || r.MinLength != nil || r.MaxLength != nil || r.Pattern != "" || r.Min != nil || r.Max != nil || len(r.OneOf) > 0 ||
		r.After != "" || r.Before != "" || r.Image
}

// ordered reports a least that is more than the most.
func ordered[N int | float64](report reporter, key string, a, b *N) {
	if a != nil && b != nil && *a > *b {
		report(key, "exchange them", "%s: the least is more than the most", key)
	}
}

func natural(report reporter, key string, n *int) {
	if n != nil && *n < 0 {
		report(key, "write 0 or more", "%s is below zero", key)
	}
}

// compile reads what is written in a language of its own.
func (r *rule) compile(section config.Section, report reporter) {
	var err error
	if r.Pattern != "" {
		if r.pattern, err = regexp.Compile(r.Pattern); err != nil {
			remedy := "use the syntax of RE2, which has no lookaheads and no backreferences"
			report("pattern", remedy, "pattern: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		} else if last := strings.LastIndex(r.Pattern, "/"); last > 0 && r.Pattern[0] == '/' && strings.Trim(r.Pattern[last+1:], "imsuxU") == "" {
			report("pattern", "write it without / at both ends; (?i) at the beginning ignores case", "pattern has the delimiters of PHP")
		}
	}
	for _, date := range []struct {
		key, text string
		into      *day
	}{{"after", r.After, &r.after}, {"before", r.Before, &r.before}} {
		if date.text != "" {
			if *date.into, err = parseDay(date.text); err != nil {
				report(date.key, "write 2026-12-31, today, today+30d or today-7d", "%s is %q", date.key, date.text)
			}
		}
	}
	for _, condition := range []struct {
		key, text string
		into      **expression.Expression
	}{{"when", r.When, &r.when}, {"that", r.That, &r.that}} {
		if strings.TrimSpace(condition.text) == "" {
			continue
		}
		if *condition.into, err = expression.Compile(condition.text, expression.Form{Condition: true}); err != nil {
			report(condition.key, "correct the expression", "%s: %s", condition.key, err)
		}
	}
	if section.Has("when") && strings.TrimSpace(r.When) == "" {
		report("when", `write a condition: family == "shoes"`, "when is empty")
	}
}

func (r *rule) texts(report reporter) {
	r.message = config.Text(r.Message)
	if len(r.Message) > 0 && strings.TrimSpace(r.Message["default"]) == "" {
		report("message", "add default: for every other locale", "message has no default")
	}
	for name, text := range r.Message {
		switch {
		case name != "default" && !config.IsLocale(name):
			report("message", "write it as the PIM does: en_US", "%q in message is not a locale", name)
		case strings.Contains(text, "{{"):
			report("message", "write the text itself", "message takes no template")
		}
	}
}

// day is a date, or one relative to today.
type day struct {
	date   string // YYYY-MM-DD; "": relative
	offset int    // days
}

func parseDay(text string) (day, error) {
	rest, relative := strings.CutPrefix(text, "today")
	if !relative {
		_, err := time.Parse(time.DateOnly, text)
		return day{date: text}, err
	}
	if rest == "" {
		return day{}, nil
	}
	number, ok := strings.CutSuffix(rest, "d")
	if !ok || !strings.HasPrefix(number, "+") && !strings.HasPrefix(number, "-") || len(number) > 6 {
		return day{}, errors.New("not a day")
	}
	offset, err := strconv.Atoi(number)
	return day{offset: offset}, err
}

// on is the date, in UTC.
func (d day) on(now time.Time) string {
	if d.date != "" {
		return d.date
	}
	return now.UTC().AddDate(0, 0, d.offset).Format(time.DateOnly)
}
