package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/pim-functions/pim-functions/ci/stack"
	"github.com/pim-functions/pim-functions/shared/senders"
)

// press presses the button export_to_erp, and returns the job's ID.
func (v *visit) press(ctx context.Context) (job string, err error) {
	return stack.Press(ctx, v.URL, v.Signing.Extensions["export_to_erp"].Secrets[0])
}

// succeeded waits for a job's good end.
func (v *visit) succeeded(ctx context.Context, id string) (job stack.Job, err error) {
	err = stack.Until(ctx, patience, "job "+id+" has succeeded", func() (bool, error) {
		if job, err = v.Job(ctx, id); err != nil {
			return false, err
		}
		if slices.Contains([]string{"failed", "partial", "cancelled"}, job.State) {
			return false, fmt.Errorf("job %s: %+v", id, job)
		}
		return job.State == "succeeded", nil
	})
	if err == nil && (job.Done != job.Total || job.Total == 0) {
		err = fmt.Errorf("job %s: %+v", id, job)
	}
	return job, err
}

// action is a button: its items arrive, each once, with the token.
func action(ctx context.Context, v *visit) (string, error) {
	id, err := v.press(ctx)
	if err != nil {
		return "", err
	}
	job, err := v.succeeded(ctx, id)
	if err != nil {
		return "", err
	}
	items := 0
	for _, call := range v.destination.Applied("/products") {
		if !strings.HasPrefix(call.Key(), id+"/") {
			continue
		}
		var got struct{ Items []any }
		if err := json.Unmarshal(call.Body, &got); err != nil {
			return "", err
		}
		items += len(got.Items)
		if call.Header.Get("Authorization") != "Bearer "+v.Token {
			return "", fmt.Errorf("the destination got the token %q", call.Header.Get("Authorization"))
		}
	}
	if items != job.Total {
		return "", fmt.Errorf("the destination got %d items of %d", items, job.Total)
	}
	return fmt.Sprintf("job %s with %d of %d items, each delivered once", job.State, job.Done, job.Total), nil
}

// refusals are answered as documented; no event path with 404 or a redirect.
func refusals(ctx context.Context, v *visit) (string, error) {
	for _, row := range []struct {
		method, path string
		want         []int
	}{
		{"POST", "/actions/export_to_erp", []int{401}},
		{"POST", "/actions/nobody", []int{401, 404}}, // whether an extension exists may be kept from the unproven
		{"PUT", "/actions/export_to_erp", []int{405}},
		{"GET", "/files/media/front.png", []int{401}},
		{"POST", "/files/media/front.png", []int{405}},
		{"POST", "/events-api/main", []int{401}},
		{"PUT", "/events-api/main", []int{405}},
		{"POST", "/event-platform/main", []int{401}},
		{"GET", "/event-platform/main", []int{401}},
		{"POST", "/event-platform", []int{401}},
		{"POST", "/event-platfrom/main", []int{401}},
		{"GET", "/", []int{401}},
		{"DELETE", "/nothing/at/all", []int{401}},
	} {
		request := senders.Request{Method: row.method, Path: row.path, Body: []byte(`{"data": {}, "context": {}, "user": {}, "timestamp": 0}`)}
		status, text, err := stack.Send(ctx, v.URL, request)
		if err != nil {
			return "", err
		}
		answer := map[string]any{}
		if !slices.Contains(row.want, status) || json.Unmarshal(text, &answer) != nil || answer["success"] != false {
			return "", fmt.Errorf("%s %s: answered %d %s, want %v", row.method, row.path, status, text, row.want)
		}
	}
	return "each answered as documented, no event path with 404 or a redirect", nil
}
