package export

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/pim-functions/pim-functions/shared/actions/export/table"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/files"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/pim"
)

// maxSorted is the most rows that are put into the PIM's order; more stay in the order of the search, since all parts are
// open at once.
const maxSorted = 10_000

// outline says what the job's files will be. It is stored beside the parts once all batches are through, so that every
// turn that works on the files has the same columns, whatever changes in the PIM meanwhile.
type outline struct {
	Tables []sheet `json:"tables"`
	Rows   int     `json:"rows"`
}

// sheet is the table of one type of rows, and its files.
type sheet struct {
	Parts   []part         `json:"parts"`
	Columns []table.Column `json:"columns"`
	Header  []string       `json:"header"`
	Rows    int            `json:"rows"`
	ByKey   bool           `json:"byKey"`
	Files   []string       `json:"files"` // names
	Lines   int            `json:"lines"` // rows of a file; of the last perhaps fewer
}

func outlineKey(job string) string { return files.PartKey(job, "outline.json") }

func loadOutline(ctx context.Context, run engine.Run) (outline, error) {
	var o outline
	file, err := run.Files.Open(ctx, outlineKey(run.Job))
	if err != nil {
		return o, fmt.Errorf("open outline: %w", err)
	}
	text, err := io.ReadAll(file)
	if err := errors.Join(err, file.Close()); err != nil {
		return o, fmt.Errorf("read outline: %w", err)
	}
	if err := json.Unmarshal(text, &o); err != nil {
		return o, fmt.Errorf("read outline: %w", err)
	}
	return o, nil
}

// makeOutline looks at all parts and stores what the files will be.
func (a *action) makeOutline(ctx context.Context, run engine.Run) (outline, error) {
	parts := map[string][]part{}
	unions := map[string]*table.Union{}
	heads := map[string][]table.Part{}
	items, seen := 0, map[string]bool{}
	for file, err := range run.Files.List(ctx, files.PartsFolder(run.Job)) {
		if err != nil {
			return outline{}, fmt.Errorf("list parts: %w", err)
		}
		for _, kind := range kinds {
			if strings.HasSuffix(file.Key, "-"+kind+".ndjson") {
				head, err := partHead(ctx, run.Files, file.Key)
				if err != nil {
					return outline{}, err
				}
				if !isVariants(file.Key) {
					items += head.Rows
				}
				p := part{Key: file.Key, Rows: head.Rows}
				p.leaveOut(head.IDs, seen)
				parts[kind] = append(parts[kind], p)
				heads[kind] = append(heads[kind], head)
			}
		}
	}
	if len(parts) == 0 {
		parts[pim.TypeProduct] = nil // an empty table of products
	}
	client, err := run.Client(ctx)
	if err != nil {
		return outline{}, err
	}
	name, err := a.name.Execute(run, nil)
	if err != nil {
		return outline{}, err
	}
	var o outline
	for _, kind := range kinds {
		if _, there := parts[kind]; !there {
			continue
		}
		s := sheet{Parts: parts[kind]}
		for _, p := range s.Parts {
			s.Rows += p.Rows
		}
		s.ByKey = s.Rows <= maxSorted
		unions[kind] = &table.Union{}
		for _, head := range heads[kind] {
			unions[kind].Add(head, s.ByKey)
		}
		if a.Format != formatNDJSON {
			if err := a.columns(ctx, client, run, kind, unions[kind], &s); err != nil {
				return outline{}, err
			}
		}
		suffix := ""
		if kind == pim.TypeModel && len(parts) > 1 {
			suffix = "_models"
		}
		s.split(name, suffix, a.Lines)
		o.Tables, o.Rows = append(o.Tables, s), o.Rows+s.Rows
	}
	if items != run.Done {
		return outline{}, engine.Permanent("some of the rows that were kept for the file are gone: start it again", fmt.Errorf("%w: %d rows for %d items", errParts, items, run.Done))
	}
	if number := o.files(); number > jobs.MaxFiles {
		return outline{}, engine.Permanent(fmt.Sprintf("there would be %d files, and a job has %d at most: raise lines_per_file", number, jobs.MaxFiles), nil)
	}
	text, err := json.Marshal(o)
	if err != nil {
		return outline{}, fmt.Errorf("write outline: %w", err)
	}
	if err := run.Files.Put(ctx, outlineKey(run.Job), text, "application/json"); err != nil {
		return outline{}, fmt.Errorf("store outline: %w", err)
	}
	return o, nil
}

func (o outline) files() int { return len(o.names()) }

// names are those of all files.
func (o outline) names() (all []string) {
	for _, s := range o.Tables {
		all = append(all, s.Files...)
	}
	return all
}

func partHead(ctx context.Context, store files.Store, key string) (table.Part, error) {
	file, err := store.Open(ctx, key)
	if err != nil {
		return table.Part{}, fmt.Errorf("open part: %w", err)
	}
	reader, err := table.ReadPart(file)
	if err := errors.Join(err, file.Close()); err != nil {
		return table.Part{}, err
	}
	return reader.Part, nil
}

// columns finds the columns of a table and their names.
func (a *action) columns(ctx context.Context, client *pim.Client, run engine.Run, kind string, union *table.Union, s *sheet) error {
	form, structure, err := a.structure(ctx, client, run, kind)
	if err != nil {
		return err
	}
	if structure.Families, err = client.Families(ctx, union.Families...); err != nil {
		return err
	}
	if structure.Associations, err = client.AssociationTypes(ctx); err != nil {
		return err
	}
	levels := map[table.Level][][]string{}
	for _, level := range union.Levels {
		if levels[level], err = client.LevelAttributes(ctx, level.Family, level.Variant); err != nil {
			return err
		}
	}
	codes := append(union.Attributes(form, structure.Families, levels), structure.Main)
	if structure.Attributes, err = client.Attributes(ctx, codes...); err != nil {
		return err
	}
	s.Columns = union.Columns(form, structure, levels)
	if number := len(s.Columns); a.Format == formatXLSX && number > table.MaxSheetColumns {
		return engine.Permanent(fmt.Sprintf("there would be %d columns, and a spreadsheet has %d at most: use format csv, or name attributes", number, table.MaxSheetColumns), nil)
	}
	s.Header = form.Header(structure, s.Columns)
	return nil
}

// split names the sheet's files: one, or as many as its rows need.
func (s *sheet) split(name, suffix string, lines int) {
	ext := path.Ext(name)
	stem := strings.TrimSuffix(name, ext) + suffix
	if s.Lines = s.Rows; lines > 0 {
		s.Lines = min(lines, s.Rows)
	}
	if s.Lines >= s.Rows {
		s.Files = []string{files.Name(stem + ext)}
		return
	}
	for number := 1; (number-1)*s.Lines < s.Rows; number++ {
		s.Files = append(s.Files, files.Name(fmt.Sprintf("%s_%d%s", stem, number, ext)))
	}
}
