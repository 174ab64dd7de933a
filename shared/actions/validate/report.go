package validate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/pim-functions/pim-functions/shared/actions/csv"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/files"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

// keep is how long the file of a report lives.
const keep = "30d"

// maxProblems is how many bytes the problems of one product take in the file: a spreadsheet's cell holds 32,767 characters.
const maxProblems = 30_000

// reporting is a validate action with `report: csv`: each run keeps what it found as a part, and Finish makes a file of the
// parts, a product a row.
type reporting struct{ action }

var (
	_ engine.Reader   = (*reporting)(nil)
	_ engine.Finisher = (*reporting)(nil)
)

// header names the report's columns.
var header = []string{"type", "identifier", "id", "ready", "problems"}

// part is what one run keeps.
type part struct {
	Rows     int    `json:"rows"`
	Text     string `json:"text"`               // of the rows
	Sentence string `json:"sentence,omitempty"` // for the user, of a product that is alone
}

// state is how far the file is.
type state struct {
	Next   int           `json:"next"` // part that is in no stored piece
	Rows   int           `json:"rows"` // of the parts before it
	Upload *files.Upload `json:"upload,omitempty"`
}

// Run checks each product and keeps what it found. A repeat replaces that.
func (a *reporting) Run(ctx context.Context, run engine.Run) (engine.Result, error) {
	if run.Files == nil {
		return engine.Result{}, engine.Permanent("this deployment keeps no files, so that it cannot make a report", nil)
	}
	if len(run.Products) != len(run.Items) {
		return engine.Result{}, errors.New("validate: items without products")
	}
	found := a.check(run)
	says := speaker{locale(run.Context)}
	var text bytes.Buffer
	format := csv.Format{Delimiter: ';', Text: true}
	for k, product := range run.Products {
		ready, problems := "yes", ""
		if list := found[k]; len(list) > 0 {
			ready, problems = "no", says.list(list, maxProblems)
		}
		format.Row(&text, product.Type(), product.Identifier(), run.Items[k].ID, ready, problems)
	}
	result := a.result(run, found, says)
	kept, err := json.Marshal(part{Rows: len(found), Text: text.String(), Sentence: result.Message})
	if err != nil {
		return engine.Result{}, fmt.Errorf("write part: %w", err)
	}
	key := files.PartKey(run.Job, fmt.Sprintf("%09d-report.json", run.First))
	if err := run.Files.Put(ctx, key, kept, "application/json"); err != nil {
		return engine.Result{}, fmt.Errorf("store part: %w", err)
	}
	return result, nil
}

// Finish makes the file, a piece in each call.
func (a *reporting) Finish(ctx context.Context, run engine.Run) (engine.Result, error) {
	if run.Files == nil {
		return engine.Result{}, engine.Permanent("this deployment keeps no files, so that it cannot make a report", nil)
	}
	var now state
	if len(run.State) > 0 {
		if err := json.Unmarshal(run.State, &now); err != nil {
			return engine.Result{}, fmt.Errorf("read state: %w", err)
		}
	}
	name := files.Name(run.Action + "_" + run.Began.UTC().Format("2006-01-02_15-04-05") + ".csv")
	key := files.ExportKey(keep, run.Job, name)
	var sentence string
	upload, whole, err := files.Continue(ctx, run.Files, key, csv.ContentType, now.Upload, func(writer *files.Writer) (more bool, err error) {
		sentence, more, err = now.write(ctx, run, writer)
		return more, err
	})
	if errors.Is(err, files.ErrUploadGone) {
		return engine.Result{}, &engine.LaterError{Reason: "the report is made again from its beginning: its pieces are gone"}
	}
	if err != nil {
		return engine.Result{}, err
	}
	if !whole {
		now.Upload = &upload
		kept, err := json.Marshal(now)
		if err != nil {
			return engine.Result{}, fmt.Errorf("write state: %w", err)
		}
		return engine.Result{State: kept}, &engine.LaterError{Reason: fmt.Sprintf("writing the report: %d of %d rows", now.Rows, run.Total)}
	}
	if run.Total != 1 {
		sentence = speaker{locale(run.Context)}.summary(run.Done, now.Rows, run.Total)
	}
	return engine.Result{
		Message: sentence,
		Files:   []jobs.File{{Name: name, Key: key, Bytes: upload.Bytes, Until: run.Now.Add(files.Keeps[keep])}},
	}, nil
}

// write copies parts until a piece is stored, or none is left. It returns the last one's sentence.
func (s *state) write(ctx context.Context, run engine.Run, writer *files.Writer) (sentence string, more bool, err error) {
	if s.Next == 0 && writer.Upload().Pieces == 0 {
		var first bytes.Buffer
		csv.Format{Delimiter: ';'}.Row(&first, header...)
		if _, err := writer.Write(first.Bytes()); err != nil {
			return "", false, err
		}
	}
	number := 0
	for file, err := range run.Files.List(ctx, files.PartsFolder(run.Job)) {
		if err != nil {
			return "", false, fmt.Errorf("list parts: %w", err)
		}
		if number++; number <= s.Next {
			continue
		}
		if writer.Stored() {
			return "", true, nil
		}
		kept, err := load(ctx, run.Files, file.Key)
		if err != nil {
			return "", false, err
		}
		if _, err := writer.Write([]byte(kept.Text)); err != nil {
			return "", false, err
		}
		s.Next, s.Rows, sentence = number, s.Rows+kept.Rows, kept.Sentence
	}
	return sentence, false, nil
}

func load(ctx context.Context, store files.Store, key string) (p part, err error) {
	file, err := store.Open(ctx, key)
	if err != nil {
		return part{}, fmt.Errorf("open part: %w", err)
	}
	text, err := io.ReadAll(file)
	if err := errors.Join(err, file.Close()); err != nil {
		return part{}, fmt.Errorf("read part: %w", err)
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return part{}, fmt.Errorf("read part: %w", err)
	}
	return p, nil
}
