package export_test

import (
	"strings"
	"testing"

	"github.com/pim-functions/pim-functions/shared/actions/export"
	"github.com/pim-functions/pim-functions/shared/config"
)

func TestMistakes(t *testing.T) {
	for keys, want := range map[string]string{
		`format: pdf`:                `format "pdf"`,
		`to: sftp`:                   "to is neither",
		`to: {sftp: ""}`:             "to is neither",
		`to: {sftp: erp, folder: x}`: "to is neither",
		`to: {ftp: erp}`:             "to is neither",
		`private: true`:              "private is about an SFTP server",
		`keep: 2d`:                   `keep "2d"`,
		`attributes: some`:           "attributes is neither",
		`attributes: []`:             "attributes is neither",
		`attributes: [a, a]`:         "attributes is neither",
		`labels: {values: true}`:     "labels need a locale",
		`labels: {header: true, locale: en_US, words: {uid: ID}}`:  `words of labels has "uid"`,
		`labels: {words: {uuid: ID}}`:                              "uuid in words of labels does nothing",
		`labels: {header: true, locale: en_US, words: {uuid: ""}}`: "uuid in words of labels does nothing",
		`locales: [english]`:                                       `"english" is no locale code`,
		`delimiter: "\t"`:                                          "delimiter",
		`decimal: ";"`:                                             "decimal",
		`date_format: yyyy`:                                        "date_format",
		`lines_per_file: 1`:                                        "lines_per_file 1",
		`format: xlsx, lines_per_file: 200000`:                     "lines_per_file 200000",
		`format: xlsx, formulas: text`:                             "formulas means nothing",
		`format: ndjson, delimiter: ","`:                           "delimiter means nothing",
		`name: "{{.Nothing}}"`:                                     "Nothing",
		`media: files`:                                             `media "files"`,
		`columns: all`:                                             "columns",
	} {
		section, err := config.ParseSection("{" + keys + "}")
		if err != nil {
			t.Fatal(err)
		}
		if err := (export.Kind{}).Check(section); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", keys, err, want)
		}
	}
}

// A CSV file of which nobody has decided who reads it is odd, and nothing is wrong with it.
func TestFormulasAreWarnedOf(t *testing.T) {
	for keys, warned := range map[string]bool{
		``: true, `, format: csv`: true, `, formulas: text`: false, `, formulas: as_is`: false, `, format: xlsx`: false, `, format: ndjson`: false,
	} {
		loaded, err := config.Load(config.Source{
			File: "f.yaml", Stage: "local", Lookup: func(string) (string, bool) { return "", false },
			Kinds: map[string]func(config.Section) error{"export": export.Kind{}.Check},
			Text:  []byte("environments: {local: {}}\nactions:\n  make: {kind: export" + keys + "}\n"),
		})
		if err != nil {
			t.Fatal(err)
		}
		want := ""
		if warned {
			want = "f.yaml:3: a spreadsheet runs cells of the CSV file that begin with = + - or @ as formulas; write formulas: text, or formulas: as_is where a PIM imports the file"
		}
		if got := loaded.Warnings.Error(); got != want {
			t.Errorf("%s: %q, want %q", keys, got, want)
		}
	}
}
