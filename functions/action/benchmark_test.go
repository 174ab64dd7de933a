package action_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/action"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/secrets"
	"github.com/pim-functions/pim-functions/shared/signature"
	"github.com/pim-functions/pim-functions/shared/web"
)

// wire is the body as one struct, for the floor.
type wire struct {
	Data struct {
		ProductUUID       string   `json:"productUuid"`
		ProductUUIDs      []string `json:"productUuids"`
		ProductModelCode  string   `json:"productModelCode"`
		ProductModelCodes []string `json:"productModelCodes"`
	} `json:"data"`
	Context struct {
		Locale     string   `json:"locale"`
		Channel    string   `json:"channel"`
		Categories []string `json:"categories"`
	} `json:"context"`
	User struct {
		UUID     string `json:"uuid"`
		Username string `json:"username"`
		Groups   []struct {
			ID   int    `json:"id"`
			Name string `json:"name"`
		} `json:"groups"`
	} `json:"user"`
	Timestamp int64 `json:"timestamp"`
}

// BenchmarkAction compares a press, from the request to the answer (verify, parse, check, respond; recording and
// queueing left out), with the least that any receiver must do: HMAC-SHA512 of the bytes and one decode into a
// struct. Both run by turns, and what is reported is x-floor, how many times the floor a press takes.
func BenchmarkAction(b *testing.B) {
	for _, size := range []int{600, 20_000} {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			body := bodyOf(size, time.Now())
			if off := len(body) - size; off < -250 || off > 40 {
				b.Fatalf("a body of %d bytes", len(body))
			}
			handler, req := benchHandler(b, body)
			ctx := b.Context()
			var floor, ours time.Duration
			for b.Loop() {
				start := time.Now()
				mac := hmac.New(sha512.New, []byte(secretNew))
				mac.Write(body)
				var decoded wire
				if err := json.Unmarshal(body, &decoded); err != nil || len(mac.Sum(nil)) != sha512.Size {
					b.Fatal(err)
				}
				middle := time.Now()
				req.Log = &web.Line{}
				if response, err := handler.ServeRequest(ctx, req); err != nil || response.Status != 200 {
					b.Fatal(response.Status, err)
				}
				floor += middle.Sub(start)
				ours += time.Since(middle)
			}
			b.ReportMetric(float64(ours)/float64(floor), "x-floor")
			b.ReportMetric(float64(ours.Nanoseconds())/float64(b.N), "ns/press")
		})
	}
}

// bodyOf is a grid press of about size bytes.
func bodyOf(size int, now time.Time) []byte {
	body := func(ids []string) []byte {
		return fmt.Appendf(nil, `{"data":{"productUuids":[%s],"productModelCodes":["armor","apollon"]},"context":{"locale":"en_US","channel":"ecommerce","categories":["master_men_blazers_deals","master_men_blazers"]},`+
			`"user":{"uuid":"`+julia+`","username":"julia","groups":[{"id":7,"name":"Manager"},{"id":11,"name":"All"}]},"timestamp":%d}`, strings.Join(ids, ","), now.Unix())
	}
	var ids []string
	for len(body(ids)) < size-20 && len(ids) < action.MaxItems-2 {
		ids = append(ids, fmt.Sprintf(`"63139bf3-a7f7-4eaa-ba5e-%012x"`, len(ids)))
	}
	return body(ids)
}

// benchHandler is a handler whose one secret is ours, and a signed request for it.
func benchHandler(b *testing.B, body []byte) (*action.Handler, *web.Request) {
	b.Helper()
	f := newFixture()
	f.Document.Extensions["export"] = secrets.Extension{Secrets: []string{secretNew}}
	handler := action.New(action.Config{
		Config: f.config, Signing: f.Signing(), Now: time.Now,
		Jobs: jobs.NewSubmitter(jobs.SubmitConfig{Store: free{}, Now: time.Now}),
	})
	return handler, &web.Request{Method: "POST", Path: "/actions/export", Header: map[string]string{"signature": signature.SignAction(secretNew, body)},
		Body: body, ID: "bench", Stage: "$default", Received: time.Now()}
}

// free is a Store that costs nothing: every press has been recorded and queued before.
type free struct{ jobs.Store }

func (free) Create(context.Context, jobs.Job, *jobs.Job) (jobs.Job, error) {
	return jobs.Job{}, jobs.ErrExists
}

func (free) Get(_ context.Context, id string) (jobs.Job, error) {
	return jobs.Job{ID: id, State: jobs.Queued, UpdatedAt: time.Now()}, nil
}
