package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/ci/stack"
	"github.com/pim-functions/pim-functions/shared/files"
	"github.com/pim-functions/pim-functions/shared/files/address"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/senders"
	"github.com/pim-functions/pim-functions/shared/signature"
)

// links stores an image and a job's file as the worker does, and fetches both by links that the stack's own secret signs.
// A changed link proves nothing; one whose time is over, and one to what is not kept, say so.
func links(ctx context.Context, v *visit) (string, error) {
	id, err := v.press(ctx)
	if err != nil {
		return "", err
	}
	if _, err := v.succeeded(ctx, id); err != nil {
		return "", err
	}
	content, until := []byte(senders.NewUUID()), time.Now().Add(time.Hour)
	file := jobs.File{Name: "prices of March é.csv", Bytes: int64(len(content)), Until: until}
	file.Key = files.ExportKey("1d", id, file.Name)
	if err := v.record(ctx, id, file); err != nil {
		return "", err
	}
	image := files.MediaKey("main", "4/f/0/1/"+senders.NewUUID()+"_front.png")
	for _, key := range []string{file.Key, image} {
		if err := v.Files().Put(ctx, key, content, "application/octet-stream"); err != nil {
			return "", err
		}
	}
	link := func(job, name string, until time.Time) string {
		return address.Link(v.URL, v.Links.Current, signature.Link{Kind: signature.LinkFiles, Job: job, Name: name, Until: until})
	}
	good := link(files.Media, path.Base(image), until)
	for _, at := range []string{link(id, file.Name, until), good} {
		if err := download(ctx, at, content); err != nil {
			return "", err
		}
	}
	for _, row := range []struct {
		name, at string
		want     int
	}{
		{"a link to another image", strings.Replace(good, "_front.png", "_back.png", 1), http.StatusUnauthorized},
		{"a link whose time is over", link(files.Media, path.Base(image), time.Now().Add(-time.Second)), http.StatusGone},
		{"a file that the job never had", link(id, "other.csv", until), http.StatusGone},
		{"a job that never was", link("nobody", file.Name, until), http.StatusGone},
	} {
		if _, _, err := get(ctx, row.at, row.want); err != nil {
			return "", fmt.Errorf("%s: %w", row.name, err)
		}
	}
	return "a job's file and an image, each by its link; a changed link 401, one whose time is over 410, one to what is not kept 410", nil
}

// record adds a file to a job's record.
func (v *visit) record(ctx context.Context, id string, file jobs.File) error {
	records := v.Records()
	job, err := records.Get(ctx, id)
	if err != nil {
		return err
	}
	job.Files = append(job.Files, file)
	_, err = records.Save(ctx, job)
	return err
}

// download follows a link as a browser does, and compares what comes with what was stored.
func download(ctx context.Context, link string, want []byte) error {
	header, _, err := get(ctx, link, http.StatusFound)
	if err != nil {
		return err
	}
	header, got, err := get(ctx, header.Get("Location"), http.StatusOK)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) || !strings.HasPrefix(header.Get("Content-Disposition"), "attachment") {
		return fmt.Errorf("the bucket answered %q with the header %v", got, header)
	}
	return nil
}

// get asks for an address, and fails unless it is answered with that status.
func get(ctx context.Context, address string, want int) (http.Header, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, nil, err
	}
	answer, text, err := stack.Do(request)
	if err != nil {
		return nil, nil, err
	}
	if answer.StatusCode != want {
		return nil, nil, fmt.Errorf("GET %s: answered %d %s, want %d", request.URL.Path, answer.StatusCode, text, want)
	}
	return answer.Header, text, nil
}
