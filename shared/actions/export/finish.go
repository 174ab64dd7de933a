package export

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pim-functions/pim-functions/shared/actions/csv"
	"github.com/pim-functions/pim-functions/shared/actions/export/table"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/files"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

// state is how far the files are, kept in the job's record.
type state struct {
	Table  int           `json:"table"`            // of the outline's tables: the one in work
	Bytes  []int64       `json:"bytes"`            // of each whole file
	File   int           `json:"file"`             // of the table's files: the one in work
	Row    int           `json:"row"`              // of the table: the first that is in no stored piece
	Upload *files.Upload `json:"upload,omitempty"` // of the file in work; nil: not begun

	Sending *sending `json:"sending,omitempty"` // all files are whole, and on their way; nil: not yet, or they stay here
}

// Finish makes the files of the parts: one piece of one file in each call, then the engine keeps the state.
func (a *action) Finish(ctx context.Context, run engine.Run) (engine.Result, error) {
	if run.Files == nil {
		return engine.Result{}, engine.Permanent("this deployment keeps no files, so that it cannot make one", nil)
	}
	if run.Total > 0 && run.Done == 0 {
		return engine.Result{}, nil // every item has failed: the job says so, and there is nothing to write
	}
	var now state
	var o outline
	var err error
	if len(run.State) == 0 {
		o, err = a.makeOutline(ctx, run)
	} else if err = json.Unmarshal(run.State, &now); err == nil {
		o, err = loadOutline(ctx, run)
	}
	if err != nil {
		return engine.Result{}, err
	}
	work := a.piece
	if now.Sending != nil {
		work = a.send
	}
	next, done, err := work(ctx, run, o, now)
	if errors.Is(err, files.ErrUploadGone) {
		return engine.Result{}, &engine.LaterError{Reason: "the file is made again from its beginning: its pieces are gone"}
	}
	if err != nil {
		return engine.Result{}, err
	}
	if done && a.to != "" && next.Sending == nil {
		next.Sending, done = &sending{}, false
	}
	if done {
		return engine.Result{Files: a.made(run, o, next), Message: a.message(o)}, nil
	}
	kept, err := json.Marshal(next)
	if err != nil {
		return engine.Result{}, fmt.Errorf("write state: %w", err)
	}
	if next.Sending != nil {
		return engine.Result{State: kept}, &engine.LaterError{Reason: sendingReason(o, next)}
	}
	return engine.Result{State: kept}, &engine.LaterError{Reason: fmt.Sprintf("writing the file: %d of %d rows", next.Row, o.Tables[next.Table].Rows)}
}

// piece writes until a piece is stored, or a file is whole. done says that all are.
func (a *action) piece(ctx context.Context, run engine.Run, o outline, now state) (next state, done bool, err error) {
	s := o.Tables[now.Table]
	end := min((now.File+1)*s.Lines, s.Rows)
	write := a.rows
	if a.Format == formatXLSX {
		write = a.workbook
	}
	key := files.ExportKey(a.Keep, run.Job, s.Files[now.File])
	upload, whole, err := files.Continue(ctx, run.Files, key, contentTypes[a.Format], now.Upload, func(writer *files.Writer) (more bool, err error) {
		return write(ctx, run, s, &now, end, writer)
	})
	if err != nil {
		return now, false, err
	}
	if !whole {
		now.Upload = &upload
		return now, false, nil
	}
	now.Bytes, now.Upload = append(now.Bytes, upload.Bytes), nil
	if now.File++; now.File == len(s.Files) {
		now.Table, now.File, now.Row = now.Table+1, 0, 0
	}
	return now, now.Table == len(o.Tables), nil
}

// rows writes rows until a piece is stored (full), or the file ends.
func (a *action) rows(ctx context.Context, run engine.Run, s sheet, now *state, end int, writer *files.Writer) (full bool, err error) {
	var text bytes.Buffer
	format := csv.Format{Delimiter: a.Delimiter[0], Text: a.Formulas == "text"}
	if now.Row == now.File*s.Lines && writer.Upload().Pieces == 0 && a.Format == formatCSV && a.Header {
		format.Row(&text, s.Header...)
	}
	var cells []string
	write := func() (bool, error) {
		if _, err := writer.Write(text.Bytes()); err != nil {
			return false, err
		}
		text.Reset()
		return writer.Stored(), nil
	}
	if now.Row < end {
		for row, err := range lines(ctx, run.Files, s.Parts, s.Columns, s.ByKey, now.Row) {
			if err != nil {
				return false, err
			}
			if a.Format == formatNDJSON {
				text.Write(row.Product)
				text.WriteByte('\n')
			} else {
				cells = row.In(row.places, cells)
				format.Row(&text, cells...)
			}
			now.Row++
			if full, err := write(); err != nil || full && now.Row < end {
				return full, err
			}
			if now.Row == end {
				return false, nil
			}
		}
		return false, engine.Permanent("some of the rows that were kept for the file are gone: start it again", errParts)
	}
	_, err = write()
	return false, err
}

// workbook writes a whole file: a workbook cannot go on in another turn.
func (a *action) workbook(ctx context.Context, run engine.Run, s sheet, now *state, end int, writer *files.Writer) (full bool, err error) {
	book, err := table.NewXLSX()
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, book.Close()) }()
	if a.Header {
		if err := book.Row(s.Header); err != nil {
			return false, err
		}
	}
	var cells []string
	if now.Row < end {
		for row, err := range lines(ctx, run.Files, s.Parts, s.Columns, s.ByKey, now.Row) {
			if err != nil {
				return false, err
			}
			cells = row.In(row.places, cells)
			if err := book.Row(cells); errors.Is(err, table.ErrTooLong) {
				return false, engine.Permanent(fmt.Sprintf("row %d of the file has a cell of more than %d characters, which a spreadsheet cannot hold: use format csv", now.Row+1, table.MaxSheetCell), err)
			} else if err != nil {
				return false, err
			}
			if now.Row++; now.Row == end {
				break
			}
		}
	}
	if now.Row < end {
		return false, engine.Permanent("some of the rows that were kept for the file are gone: start it again", errParts)
	}
	_, err = book.WriteTo(writer)
	return false, err
}

var contentTypes = map[string]string{
	formatCSV: csv.ContentType, formatNDJSON: "application/x-ndjson",
	formatXLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

// made are the files for the job's record.
func (a *action) made(run engine.Run, o outline, s state) []jobs.File {
	var all []jobs.File
	for _, sheet := range o.Tables {
		for _, name := range sheet.Files {
			all = append(all, jobs.File{Name: name, Key: files.ExportKey(a.Keep, run.Job, name), Bytes: s.Bytes[len(all)], Until: run.Now.Add(a.keep)})
		}
	}
	return all
}

// message says what was made, and where it is, for the user.
func (a *action) message(o outline) string {
	text := a.rowsMade(o)
	if a.to != "" {
		text += sentMessage(o)
	}
	return text
}

func (a *action) rowsMade(o outline) string {
	if o.Rows == 0 {
		return "nothing was found: the file has no rows"
	}
	text := fmt.Sprintf("%d rows", o.Rows)
	if o.Rows == 1 {
		text = "1 row"
	}
	if number := o.files(); number > 1 {
		text += fmt.Sprintf(" in %d files", number)
	}
	for _, sheet := range o.Tables {
		if !sheet.ByKey {
			return text + fmt.Sprintf(", in the order of the search: more than %d are not sorted", maxSorted)
		}
	}
	return text
}
