package table

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/shared/pim"
)

// Part is the head of one batch's rows: all that the table must know of them before it is made.
type Part struct {
	Columns  []Column `json:"columns"`            // that its rows have, in the order of their first appearance
	First    []string `json:"first,omitempty"`    // of each column, the key of the row in which it appears first
	Families []string `json:"families,omitempty"` // of its products: their attributes are columns
	Levels   []Level  `json:"levels,omitempty"`   // of its models
	Linked   bool     `json:"linked,omitempty"`   // a product has associations: every type has its columns
	Rows     int      `json:"rows"`
	IDs      []string `json:"ids,omitempty"` // of each row's product or model, where the form wants them
}

// Level says which attributes models have: those of their family variant down to their own level, the root's being 0.
type Level struct {
	Family  string `json:"family"`
	Variant string `json:"variant"`
	Depth   int    `json:"depth"`
}

// Row of a part. Its cells are in the order of the part's columns; those at the end that are empty are left out.
type Row struct {
	Key     string          `json:"key"`               // by which the PIM orders rows
	Cells   []string        `json:"cells,omitempty"`   // of a table
	Product json.RawMessage `json:"product,omitempty"` // in the PIM's own form, instead of cells
}

// RowKey is what the PIM orders rows by: the identifier in lower case, products without one last, by their UUID.
func RowKey(p pim.Product, main string) string {
	identifier := pim.NewView(p, main, "", "").Identifier()
	if identifier == "" {
		return "1\x00" + p.ID
	}
	return "0" + strings.ToLower(identifier) + "\x00" + p.ID
}

// WritePart writes a batch's products as a part: its head, then its rows in the PIM's order, one JSON a line.
func WritePart(w io.Writer, f Form, s Structure, l Linked, products []pim.Product) error {
	c := cells{Form: f, Structure: s, Linked: l, families: slices.ContainsFunc(products, func(p pim.Product) bool { return p.Family != "" })}
	part, rows := Part{Rows: len(products)}, make([]Row, len(products))
	place := map[string]int{}
	for i, p := range inOrder(products, s.Main) {
		if f.IDs {
			part.IDs = append(part.IDs, p.ID)
		}
		rows[i].Key = RowKey(p, s.Main)
		row, linked := c.row(p)
		part.Linked = part.Linked || linked
		for _, cell := range row {
			at, there := place[cell.column.Name]
			if !there {
				at = len(part.Columns)
				place[cell.column.Name] = at
				part.Columns, part.First = append(part.Columns, cell.column), append(part.First, rows[i].Key)
			}
			for len(rows[i].Cells) <= at {
				rows[i].Cells = append(rows[i].Cells, "")
			}
			rows[i].Cells[at] = cell.text
		}
		part.note(f, p)
	}
	slices.Sort(part.Families)
	return writeLines(w, part, rows)
}

// note keeps what decides columns beside the values that are there.
func (part *Part) note(f Form, p pim.Product) {
	if f.Models {
		depth := 0
		if p.Parent != "" {
			depth = 1
		}
		level := Level{Family: p.Family, Variant: p.FamilyVariant, Depth: depth}
		if p.FamilyVariant != "" && !slices.Contains(part.Levels, level) {
			part.Levels = append(part.Levels, level)
		}
	} else if p.Family != "" && !slices.Contains(part.Families, p.Family) {
		part.Families = append(part.Families, p.Family)
	}
}

// WriteProducts writes a batch's products in the PIM's own form, as a part without columns. ids is Form.IDs.
func WriteProducts(w io.Writer, main string, ids bool, products []pim.Product) error {
	part, rows := Part{Rows: len(products)}, make([]Row, len(products))
	for i, p := range inOrder(products, main) {
		if ids {
			part.IDs = append(part.IDs, p.ID)
		}
		rows[i] = Row{Key: RowKey(p, main), Product: p.Raw}
	}
	return writeLines(w, part, rows)
}

func inOrder(products []pim.Product, main string) []pim.Product {
	return slices.SortedStableFunc(slices.Values(products), func(a, b pim.Product) int { return strings.Compare(RowKey(a, main), RowKey(b, main)) })
}

func writeLines(w io.Writer, part Part, rows []Row) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(part); err != nil {
		return fmt.Errorf("write part: %w", err)
	}
	for _, row := range rows {
		if err := encoder.Encode(row); err != nil {
			return fmt.Errorf("write part: %w", err)
		}
	}
	return nil
}

// PartReader reads a part, row by row.
type PartReader struct {
	Part
	lines *bufio.Reader
	left  int
}

// ReadPart reads a part's head.
func ReadPart(r io.Reader) (*PartReader, error) {
	reader := &PartReader{lines: bufio.NewReaderSize(r, 16<<10)}
	if err := reader.line(&reader.Part); err != nil {
		return nil, err
	}
	reader.left = reader.Rows
	return reader, nil
}

// Next is the next row; io.EOF after the last.
func (r *PartReader) Next() (Row, error) {
	if r.left == 0 {
		return Row{}, io.EOF
	}
	var row Row
	if err := r.line(&row); err != nil {
		return Row{}, err
	}
	r.left--
	return row, nil
}

func (r *PartReader) line(into any) error {
	line, err := r.lines.ReadBytes('\n')
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		err = json.Unmarshal(line, into)
	}
	if err != nil {
		return fmt.Errorf("read part: %w", err)
	}
	return nil
}
