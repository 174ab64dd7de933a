package table

import (
	"strconv"

	"github.com/pim-functions/pim-functions/shared/pim"
)

// completeness is the part of a column that says how complete products are in one locale of the table's channel. The PIM
// keeps the word from attributes (Akeneo: "Attribute codes"), so that no column has the same name by chance.
const completeness = "completeness"

// completenessColumns are those of the table: the last ones, in the order of its locales. Models have none.
func (f Form) completenessColumns(channel string) (columns []Column) {
	if !f.Complete || f.Models {
		return nil
	}
	for _, locale := range f.Locales {
		columns = append(columns, Column{Name: completeness + "-" + locale + "-" + channel, Part: completeness, Locale: locale, Channel: channel})
	}
	return columns
}

// complete are a product's cells of these columns: whole percents. A product without family has none.
func (c cells) complete(p pim.Product) (row []cell) {
	for _, column := range c.completenessColumns(c.Structure.Channel.Code) {
		for _, share := range p.Complete {
			if share.Channel == column.Channel && share.Locale == column.Locale {
				row = append(row, cell{column, strconv.Itoa(share.Percent)})
			}
		}
	}
	return row
}
