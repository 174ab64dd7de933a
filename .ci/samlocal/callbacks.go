package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/senders"
	"github.com/pim-functions/pim-functions/shared/signature"
)

// callbacks: an answer that comes later is recorded and wakes its job; one to an address that another secret signed is not
// taken.
func (b *bench) callbacks(ctx context.Context) error {
	link := signature.Link{Kind: signature.LinkCallback, Job: jobs.ID("translate", []byte(senders.NewUUID())), Name: "0-0", Until: time.Now().Add(time.Hour)}
	for _, row := range []struct {
		secret, body string
		status       int
	}{{secret(), `{}`, http.StatusUnauthorized}, {b.secrets.link, `{}`, http.StatusOK}, {b.secrets.link, `{}`, http.StatusOK}, {b.secrets.link, `{"status":"failed"}`, http.StatusConflict}} {
		query, err := url.ParseQuery(signature.SignLink(row.secret, link))
		if err != nil {
			return err
		}
		request := senders.Request{Method: http.MethodPost, Path: "/callbacks/" + link.Job + "/" + link.Name, Query: query, Body: []byte(row.body)}
		var got reply
		if err := b.invoke(ctx, "CallbackFunction", brought(request), &got); err != nil {
			return err
		}
		if got.StatusCode != row.status {
			return fmt.Errorf("CallbackFunction answered %d %s, want %d", got.StatusCode, got.Body, row.status)
		}
	}
	messages, err := take(ctx, b.variables["JOBS_QUEUE_URL"])
	if err != nil {
		return err
	}
	if len(messages) != 3 { // whoever comes second wakes the job too: the first may not have been heard
		return fmt.Errorf("%d messages wake the job, want 3", len(messages))
	}
	fmt.Println("CallbackFunction: 200, and again for the same bytes; others 409; 401 for an address that another secret signed")
	return nil
}
