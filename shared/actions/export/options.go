package export

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/shared/actions/export/table"
	"github.com/pim-functions/pim-functions/shared/actions/template"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/files"
)

const (
	formatCSV    = "csv"
	formatXLSX   = "xlsx"
	formatNDJSON = "ndjson"
)

// Rows of one workbook: as many as the PIM's export profiles put into one, and as many as one run can write.
const (
	sheetLines   = 10_000
	longestSheet = 100_000
)

// options are the keys of an export action in extensions.yaml.
type options struct {
	Format     string   `yaml:"format"`
	Channel    string   `yaml:"channel"`    // "": the channel of whoever asked, else the PIM's default
	Locales    []string `yaml:"locales"`    // none: all of the channel
	Attributes any      `yaml:"attributes"` // all, or a list of codes
	Labels     labels   `yaml:"labels"`
	Decimal    string   `yaml:"decimal"`
	DateFormat string   `yaml:"date_format"`
	Delimiter  string   `yaml:"delimiter"`
	Header     bool     `yaml:"header"`
	UUID       bool     `yaml:"uuid"`
	Lines      int      `yaml:"lines_per_file"` // 0: all in one file; with xlsx 10,000, as the PIM
	Formulas   string   `yaml:"formulas"`
	Complete   bool     `yaml:"completeness"`
	Expand     bool     `yaml:"expand"` // the variants of models too
	Media      string   `yaml:"media"`
	Name       string   `yaml:"name"`
	To         any      `yaml:"to"`      // files, or {sftp: NAME}
	Private    bool     `yaml:"private"` // the SFTP server may be in a private network
	Keep       string   `yaml:"keep"`
}

type labels struct {
	Values bool              `yaml:"values"`
	Header bool              `yaml:"header"`
	Locale string            `yaml:"locale"`
	Words  map[string]string `yaml:"words"` // names of the table.Words
}

// Options is the struct that the kind's keys are decoded into, for the schema of extensions.yaml.
func (Kind) Options() any { return options{} }

// plan is a checked configuration.
type plan struct {
	options
	attributes []string // nil: all
	name       *template.Template
	keep       time.Duration
	to         string // the SFTP server by its name in the connection secret; "": none
}

// dateFormats are those that the PIM's export profiles offer, as time.Format takes them.
var dateFormats = map[string]string{
	"yyyy-MM-dd": "2006-01-02", "yyyy/MM/dd": "2006/01/02", "MM/dd/yyyy": "01/02/2006", "dd/MM/yyyy": "02/01/2006", "dd.MM.yyyy": "02.01.2006",
}

// ofTables are keys that say what a table looks like: NDJSON is the PIM's own form.
var ofTables = []string{"channel", "locales", "labels", "decimal", "date_format", "delimiter", "header", "uuid", "formulas", "media"}

// warning is for a CSV file of which nobody has decided whether a spreadsheet or a PIM reads it.
func (p plan) warning(section config.Section) error {
	if p.Format != formatCSV || section.Has("formulas") {
		return nil
	}
	return section.Warnf("kind", "write formulas: text, or formulas: as_is where a PIM imports the file",
		"a spreadsheet runs cells of the CSV file that begin with = + - or @ as formulas")
}

// parse reads the section and reports all its mistakes at once.
func parse(section config.Section) (plan, error) {
	p := plan{options: options{Format: formatCSV, Decimal: ".", DateFormat: "yyyy-MM-dd", Delimiter: ";", Header: true, Formulas: "as_is", Media: "paths", To: "files", Keep: "30d"}}
	problems := []error{section.Decode(&p.options)}
	report := func(key, remedy, format string, args ...any) {
		problems = append(problems, section.Errorf(key, remedy, format, args...))
	}
	oneOf := func(key, value string, words ...string) {
		if !slices.Contains(words, value) {
			report(key, "use "+strings.Join(words, " or "), "%s %q", key, value)
		}
	}
	oneOf("format", p.Format, formatCSV, formatXLSX, formatNDJSON)
	if p.Format == formatNDJSON {
		for _, key := range ofTables {
			if section.Has(key) {
				report(key, "remove it", "%s means nothing with format: ndjson, which is the PIM's own form", key)
			}
		}
	}
	if p.Format == formatXLSX {
		for _, key := range []string{"delimiter", "formulas"} {
			if section.Has(key) {
				report(key, "remove it", "%s means nothing with format: xlsx, whose cells are all text", key)
			}
		}
		if !section.Has("lines_per_file") {
			p.Lines = sheetLines
		}
		if p.Lines > longestSheet {
			report("lines_per_file", "use 2 to 100000", "lines_per_file %d is more than one run can write", p.Lines)
		}
	}
	oneOf("decimal", p.Decimal, ".", ",", "٫")
	oneOf("delimiter", p.Delimiter, ";", ",", "|")
	oneOf("formulas", p.Formulas, "as_is", "text")
	oneOf("media", p.Media, "paths", "none")
	if dateFormats[p.DateFormat] == "" {
		report("date_format", "use yyyy-MM-dd, yyyy/MM/dd, MM/dd/yyyy, dd/MM/yyyy or dd.MM.yyyy, as the PIM does", "date_format %q", p.DateFormat)
	}
	if p.Lines < 0 || p.Lines == 1 || p.Lines == 0 && p.Format == formatXLSX {
		report("lines_per_file", "use 2 or more", "lines_per_file %d", p.Lines)
	}
	for _, locale := range append(slices.Clone(p.Locales), cmp.Or(p.Labels.Locale, "en_US")) {
		if !config.IsLocale(locale) {
			report("locales", "write it as the PIM does: en_US", "%q is no locale code", locale)
		}
	}
	if (p.Labels.Values || p.Labels.Header) && p.Labels.Locale == "" {
		report("labels", "add locale: en_US", "labels need a locale")
	}
	for _, name := range slices.Sorted(maps.Keys(p.Labels.Words)) {
		switch {
		case !slices.Contains(table.Words(), name):
			report("labels", "known are "+strings.Join(table.Words(), ", "), "words of labels has %q", name)
		case p.Labels.Words[name] == "" || !p.Labels.Values && !p.Labels.Header:
			report("labels", "give it a text, and add values: true or header: true", "%s in words of labels does nothing", name)
		}
	}
	if files.Keeps[p.Keep] == 0 {
		report("keep", "use 1d, 7d, 30d or 90d", "keep %q", p.Keep)
	}
	p.keep = files.Keeps[p.Keep]
	problems = append(problems, p.parseAttributes(section), p.parseName(section), p.parseTo(section))
	return p, errors.Join(problems...)
}

func (p *plan) parseAttributes(section config.Section) error {
	wrong := section.Errorf("attributes", "use all, or a list of attribute codes", "attributes is neither all nor a list of codes")
	switch value := p.options.Attributes.(type) {
	case nil:
		return nil
	case string:
		if value != "all" {
			return wrong
		}
		return nil
	case []any:
		p.attributes = []string{}
		for _, member := range value {
			code, ok := member.(string)
			if !ok || code == "" || slices.Contains(p.attributes, code) {
				return wrong
			}
			p.attributes = append(p.attributes, code)
		}
		if len(p.attributes) > 0 {
			return nil
		}
	}
	return wrong
}

func (p *plan) parseTo(section config.Section) error {
	switch value := p.To.(type) {
	case string:
		if value == "files" && !p.Private {
			return nil
		}
		if value == "files" {
			return section.Errorf("private", "remove it, or use to: {sftp: NAME}", "private is about an SFTP server, and there is none")
		}
	case map[string]any:
		name, ok := value["sftp"].(string)
		if p.to = name; ok && name != "" && len(value) == 1 {
			return nil
		}
	}
	return section.Errorf("to", "use files, or {sftp: NAME} with a name that the connection secret has under \"sftp\"", "to is neither")
}

func (p *plan) parseName(section config.Section) error {
	text := p.Name
	if text == "" {
		text = `{{.Action}}_{{.Now.Format "2006-01-02_15-04-05"}}.` + p.Format
	}
	var err error
	p.name, err = template.Parse(text)
	return template.Problems(section, "name", err)
}

// form is the table's form; its locales are still to be found.
func (p *plan) form() table.Form {
	return table.Form{
		Attributes: p.attributes, IDs: p.Expand, UUID: p.UUID, Complete: p.Complete, Media: p.Media == "paths",
		Labels:  table.Labels{Values: p.Labels.Values, Header: p.Labels.Header, Locale: p.Labels.Locale, Words: p.Labels.Words},
		Decimal: p.Decimal, Date: dateFormats[p.DateFormat],
	}
}
