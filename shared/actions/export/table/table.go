// Package table makes the rows and columns of an export as the PIM's own export profiles write them (Akeneo: "Export
// your products", "Import/export file formats"), so that a file can be imported into a PIM again.
//
// A Part holds the rows of one batch; Unite makes the columns of several parts one table; the writers in csv.go, xlsx.go
// and ndjson.go make files of rows. It calls nobody: what it must know of the PIM is a Structure and, for one batch, a
// Linked.
package table

import (
	"slices"
	"time"

	"github.com/pim-functions/pim-functions/shared/pim"
)

// Form says what the table holds and how its cells look.
type Form struct {
	Models     bool     // product models; else products
	Locales    []string // of the channel
	Attributes []string // codes, in the order of their columns; nil: all
	IDs        bool     // parts say which products their rows are of: several parts may have one of the same
	Complete   bool     // columns that say how complete products are
	UUID       bool     // a column of UUIDs, by which associations name products too
	Media      bool     // columns of images and files
	Labels     Labels
	Decimal    string         // between a number's integers and decimals
	Date       string         // of a date, as time.Format takes it
	Zone       *time.Location // of the PIM's server; nil: UTC
}

// Labels says where labels stand instead of codes.
type Labels struct {
	Values bool
	Header bool
	Locale string            // of the labels
	Words  map[string]string // for some of Words: what this PIM calls them
}

// Structure is what of the PIM's structure decides columns and cells.
type Structure struct {
	Main         string                   // code of the main identifier's attribute
	Attributes   map[string]pim.Attribute // by code: those of all values and families that the table meets
	Families     map[string]pim.Family    // by code: those of all products that the table meets
	Associations []pim.AssociationType
	Channel      pim.Channel
	Channels     []pim.Channel
	Measurements []pim.MeasurementFamily      // where a unit is converted, or has a label
	Categories   map[string]map[string]string // labels by category; where asked for
}

// Linked is what cells say of products that others name, of the files in their values, and of their models.
type Linked struct {
	Identifiers map[string]string // of products by UUID; "": it has none
	Products    map[string]string // labels by UUID
	Models      map[string]string // labels by code
	Files       map[string]string // a media file's own name by its key
}

// locale says whether values of a locale are in the table.
func (f Form) locale(code string) bool { return code == "" || slices.Contains(f.Locales, code) }

// shows says whether an attribute has columns at all.
func (f Form) shows(a pim.Attribute) bool {
	if !f.Media && isMedia(a.Type) {
		return false
	}
	return len(a.Locales) == 0 || slices.ContainsFunc(a.Locales, f.locale)
}

func isMedia(kind string) bool {
	return kind == "pim_catalog_image" || kind == "pim_catalog_file"
}
