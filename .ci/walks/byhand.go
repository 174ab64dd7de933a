package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/ci/stack"
	"github.com/pim-functions/pim-functions/shared/pim/pimtest"
)

// export starts an export over a selection with the project's own tool, and downloads the file through its link.
func export(ctx context.Context, v *visit) (string, error) {
	id, err := v.Order(ctx, "run", "catalogue", "--select", "on-sale")
	if err != nil {
		return "", err
	}
	rows, err := v.exported(ctx, id)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("pimctl run: a file of %d products, downloaded through its link", rows), nil
}

// exported waits for an export's end and downloads its file, which has a row for each item.
func (v *visit) exported(ctx context.Context, id string) (rows int, err error) {
	job, err := v.succeeded(ctx, id)
	if err != nil {
		return 0, err
	}
	if len(job.Files) != 1 {
		return 0, fmt.Errorf("job %s has the files %+v", id, job.Files)
	}
	path, ours := strings.CutPrefix(job.Files[0].Link, v.Outputs["ApiUrl"])
	if !ours {
		return 0, fmt.Errorf("the file's link is not the API's: %s", job.Files[0].Link)
	}
	header, _, err := get(ctx, v.URL+path, http.StatusFound)
	if err != nil {
		return 0, err
	}
	_, text, err := get(ctx, header.Get("Location"), http.StatusOK)
	if err != nil {
		return 0, err
	}
	rows = bytes.Count(text, []byte("\n")) - 1
	if int64(len(text)) != job.Files[0].Bytes || !bytes.HasPrefix(text, []byte("sku;")) || rows < job.Total { // cells may hold line ends
		return 0, fmt.Errorf("job %+v, and a file of %d bytes that begins with %.40q", job, len(text), text)
	}
	return job.Total, nil
}

// undo changes a product in the PIM and takes that back, both with the project's own tool.
func undo(ctx context.Context, v *visit) (string, error) {
	product := v.pim.Shown().Products[0].UUID
	id, err := v.Order(ctx, "run", "mark-reviewed", "--product", product)
	if err != nil {
		return "", err
	}
	if _, err := v.succeeded(ctx, id); err != nil {
		return "", err
	}
	if !v.reviewed(product) {
		return "", fmt.Errorf("job %s has changed nothing in the PIM", id)
	}
	if id, err = v.Order(ctx, "jobs", "undo", id); err != nil {
		return "", err
	}
	if _, err := v.succeeded(ctx, id); err != nil {
		return "", err
	}
	if v.reviewed(product) {
		return "", fmt.Errorf("job %s has taken nothing back", id)
	}
	return "pimctl run, then jobs undo: a value of a product changes in the PIM, and is what it was", nil
}

// reviewed says whether the PIM shows a yes for a product's attribute of that name.
func (v *visit) reviewed(uuid string) bool {
	shown := v.pim.Shown().Products
	at := slices.IndexFunc(shown, func(product pimtest.ShownProduct) bool { return product.UUID == uuid })
	return slices.ContainsFunc(shown[at].Values["reviewed"], func(value pimtest.ShownValue) bool { return value.Data == "yes" })
}

// clock has a schedule be due, which two ticks at once start once.
func clock(ctx context.Context, v *visit) (string, error) {
	const schedule = "nightly/main"
	records := v.Records()
	for { // the emulator ticks by itself, too
		tick, err := records.Tick(ctx, schedule)
		if err != nil {
			return "", err
		}
		tick.Seen, tick.Due = time.Now().Add(-48*time.Hour), time.Time{}
		if err := records.SaveTick(ctx, tick); err == nil {
			break
		}
	}
	ticked := make(chan error, 2)
	for range cap(ticked) {
		go func() { ticked <- v.Invoke(ctx, "clock") }()
	}
	for range cap(ticked) {
		if err := <-ticked; err != nil {
			return "", err
		}
	}
	started := map[string]int{} // by verdict
	var id string
	err := stack.Until(ctx, patience, "the clock has logged what it started", func() (bool, error) {
		clear(started)
		lines, err := v.Log(ctx, "clock")
		for _, text := range lines {
			var line struct{ Msg, Schedule, Job, Verdict string }
			if json.Unmarshal([]byte(text), &line) == nil && line.Msg == "schedule started" && line.Schedule == "nightly" {
				id = line.Job
				started[line.Verdict]++
			}
		}
		return started["started"] > 0, err
	})
	if err != nil {
		return "", err
	}
	rows, err := v.exported(ctx, id)
	if err != nil {
		return "", err
	}
	if started["started"] != 1 {
		return "", fmt.Errorf("two ticks started the schedule so: %v", started)
	}
	return fmt.Sprintf("two ticks start what is due once: a job of %d products, with its file", rows), nil
}
