package table

import (
	"maps"
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/shared/pim"
)

// Union is what parts have together. Add the parts in the order of their batches.
type Union struct {
	Rows     int
	Families []string
	Levels   []Level
	linked   bool
	columns  map[string]appearance
}

type appearance struct {
	column Column
	key    string // of the row in which it appears first
	place  int    // among the columns of that row's part
}

// Add takes a part's head. byKey says that rows come in the order of their keys; else parts come one behind the other.
func (u *Union) Add(part Part, byKey bool) {
	if u.columns == nil {
		u.columns = map[string]appearance{}
	}
	for i, column := range part.Columns {
		at := appearance{column, part.First[i], i}
		if !byKey {
			at.key, at.place = "", len(u.columns)
		}
		if seen, there := u.columns[column.Name]; !there || byKey && at.key < seen.key {
			u.columns[column.Name] = at
		}
	}
	u.Rows += part.Rows
	u.linked = u.linked || part.Linked
	for _, family := range part.Families {
		if !slices.Contains(u.Families, family) {
			u.Families = append(u.Families, family)
		}
	}
	for _, level := range part.Levels {
		if !slices.Contains(u.Levels, level) {
			u.Levels = append(u.Levels, level)
		}
	}
}

// Attributes are the codes whose structure Columns must know: those of the columns and of the families, and selected ones.
// levels are the attributes of each of u.Levels, from the root model's down.
func (u *Union) Attributes(f Form, families map[string]pim.Family, levels map[Level][][]string) []string {
	codes := map[string]bool{}
	for _, appearance := range u.columns {
		codes[appearance.column.Attribute] = true
	}
	for _, code := range u.generated(f, families, levels) {
		codes[code] = true
	}
	delete(codes, "")
	return slices.Sorted(maps.Keys(codes))
}

// generated are the attributes that have columns whether or not a product has a value.
func (u *Union) generated(f Form, families map[string]pim.Family, levels map[Level][][]string) []string {
	codes := slices.Clone(f.Attributes)
	if f.Attributes != nil {
		return codes
	}
	for _, family := range u.Families {
		codes = append(codes, families[family].Attributes...)
	}
	for _, level := range u.Levels {
		for depth, attributes := range levels[level] {
			if depth <= level.Depth {
				codes = append(codes, attributes...)
			}
		}
	}
	return codes
}

// Columns are the columns of the whole table, in the PIM's order.
func (u *Union) Columns(f Form, s Structure, levels map[Level][][]string) []Column {
	found := slices.SortedFunc(maps.Values(u.columns), func(a, b appearance) int {
		if order := strings.Compare(a.key, b.key); order != 0 {
			return order
		}
		return a.place - b.place
	})
	var columns []Column
	have := map[string]bool{}
	add := func(column Column) {
		if !have[column.Name] {
			have[column.Name] = true
			columns = append(columns, column)
		}
	}
	for _, name := range headOf(f.Models, s.Main) {
		if name != "parent" && (name != "uuid" || f.UUID) || f.Models {
			add(Column{Name: name})
		}
	}
	for _, appearance := range found {
		add(appearance.column)
	}
	for _, code := range u.generated(f, s.Families, levels) {
		if code != s.Main {
			for _, column := range f.columnsOf(s, code) {
				add(column)
			}
		}
	}
	for _, t := range s.Associations {
		if u.linked && !t.Quantified {
			for _, column := range f.associationColumns(t.Code, false) {
				add(column)
			}
		}
	}
	for _, column := range f.completenessColumns(s.Channel.Code) {
		add(column)
	}
	return f.order(s, columns)
}

// Fit gives the places of a part's cells in the table: for each column of the table the index among the part's columns, or -1.
func Fit(table, part []Column) []int {
	index := make(map[string]int, len(part))
	for i, column := range part {
		index[column.Name] = i
	}
	places := make([]int, len(table))
	for i, column := range table {
		place, there := index[column.Name]
		if !there {
			place = -1
		}
		places[i] = place
	}
	return places
}

// In puts a row's cells into their places; into is used again if it is long enough.
func (r Row) In(places []int, into []string) []string {
	into = into[:0]
	for _, place := range places {
		text := ""
		if place >= 0 && place < len(r.Cells) {
			text = r.Cells[place]
		}
		into = append(into, text)
	}
	return into
}
