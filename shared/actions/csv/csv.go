// Package csv makes rows of CSV files that people open in a spreadsheet and import into a PIM. It reads none: encoding/csv
// does.
package csv

import (
	"bytes"
	"regexp"
	"strings"
)

// ContentType is what a browser is told of such a file.
const ContentType = "text/csv; charset=utf-8"

// Format is how rows are written: as the PIM does, in UTF-8, with cells in quotation marks where they hold the delimiter, a
// quotation mark, white space or a line break, and a line feed at the end.
type Format struct {
	Delimiter byte // ; , or |
	Text      bool // cells that a spreadsheet would run as formulas begin with an apostrophe
}

// Row appends a row.
func (f Format) Row(to *bytes.Buffer, cells ...string) {
	for i, cell := range cells {
		if i > 0 {
			to.WriteByte(f.Delimiter)
		}
		if f.Text && formula(cell) {
			cell = "'" + cell
		}
		if !strings.ContainsAny(cell, "\"\n\r\t "+string(f.Delimiter)) {
			to.WriteString(cell)
			continue
		}
		to.WriteByte('"')
		to.WriteString(strings.ReplaceAll(cell, `"`, `""`))
		to.WriteByte('"')
	}
	to.WriteByte('\n')
}

// negative is a number below zero, with any of the PIM's decimal separators.
var negative = regexp.MustCompile(`^-\d+([.,٫]\d+)?([eE][+-]?\d{1,2})?$`)

// formula says whether a spreadsheet may run a cell (OWASP: "CSV Injection"). A negative number is none.
func formula(cell string) bool {
	return cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) && !negative.MatchString(cell)
}
