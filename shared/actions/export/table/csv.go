package table

import (
	"bytes"
	"strings"
)

// CSV makes a row of a CSV file as the PIM writes it: UTF-8, cells in quotation marks where they hold the delimiter, a
// quotation mark, white space or a line break, and a line feed at the end.
type CSV struct {
	Delimiter byte // ; , or |
	Text      bool // cells that a spreadsheet would run as formulas begin with an apostrophe
}

// Row appends a row.
func (c CSV) Row(to *bytes.Buffer, cells []string) {
	for i, cell := range cells {
		if i > 0 {
			to.WriteByte(c.Delimiter)
		}
		if c.Text && formula(cell) {
			cell = "'" + cell
		}
		if !strings.ContainsAny(cell, "\"\n\r\t "+string(c.Delimiter)) {
			to.WriteString(cell)
			continue
		}
		to.WriteByte('"')
		to.WriteString(strings.ReplaceAll(cell, `"`, `""`))
		to.WriteByte('"')
	}
	to.WriteByte('\n')
}

// formula says whether a spreadsheet may run a cell (OWASP: "CSV Injection"). A negative number is none.
func formula(cell string) bool {
	if cell == "" || !strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return false
	}
	if cell[0] == '-' {
		_, ok := rational(strings.Replace(cell, ",", ".", 1))
		return !ok
	}
	return true
}
