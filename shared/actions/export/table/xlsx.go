package table

import (
	"errors"
	"fmt"
	"io"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"
)

// Limits of a sheet (Microsoft: "Excel specifications and limits").
const (
	MaxSheetRows    = 1_048_576 // the header is one of them
	MaxSheetColumns = 16_384
	MaxSheetCell    = 32_767 // characters, as UTF-16 counts them
)

// ErrTooLong: a cell has more characters than a sheet holds.
var ErrTooLong = errors.New("a cell has more characters than a spreadsheet holds")

const sheetName = "Sheet1"

// XLSX is a workbook of one sheet, as the PIM writes it: every cell is text, so that no number loses its zeros and nothing
// runs as a formula; empty cells are left out. A character that XML cannot hold becomes U+FFFD. Rows go to a temporary file when there are many.
type XLSX struct {
	book   *excelize.File
	stream *excelize.StreamWriter
	row    int
	values []any
}

// NewXLSX begins a workbook. Close it.
func NewXLSX() (*XLSX, error) {
	book := excelize.NewFile()
	stream, err := book.NewStreamWriter(sheetName)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("begin sheet: %w", err), book.Close())
	}
	return &XLSX{book: book, stream: stream}, nil
}

// Row adds a row. ErrTooLong.
func (x *XLSX) Row(cells []string) error {
	x.row++
	x.values = x.values[:0]
	for _, cell := range cells {
		switch {
		case cell == "":
			x.values = append(x.values, nil)
		case len(cell) > MaxSheetCell && len(utf16.Encode([]rune(cell))) > MaxSheetCell:
			return ErrTooLong
		default:
			x.values = append(x.values, cell)
		}
	}
	at, err := excelize.CoordinatesToCellName(1, x.row)
	if err == nil {
		err = x.stream.SetRow(at, x.values)
	}
	if err != nil {
		return fmt.Errorf("write row: %w", err)
	}
	return nil
}

// WriteTo implements io.WriterTo: it ends the sheet and writes the workbook.
func (x *XLSX) WriteTo(w io.Writer) (int64, error) {
	if err := x.stream.Flush(); err != nil {
		return 0, fmt.Errorf("end sheet: %w", err)
	}
	return x.book.WriteTo(w)
}

// Close deletes the temporary files.
func (x *XLSX) Close() error { return x.book.Close() }
