package contentful_test

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

func entries(ids ...string) (items []jobs.Item) {
	for _, id := range ids {
		items = append(items, jobs.Item{Type: jobs.Entry, ID: id})
	}
	return items
}

func ids(n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("entry%d", i)
	}
	return strings.Join(all, ",")
}

// TestCallsBecomeJobs is the list of what is taken, and what the job then holds.
func TestCallsBecomeJobs(t *testing.T) {
	two := entries("5KsDBWseXY6QegucYAoacS", "2uNOpLMJioKeoMq8W44uYc")
	for _, row := range []struct {
		name, action, body string
		items              []jobs.Item
		params             string // "": as the body
	}{
		{"a notification", "notify", message, nil, ""},
		{"a notification without recipient", "notify", `{"message":"Hello"}`, nil, ""},
		{"message_body is the message", "notify", `{"message_body":"Hello","recipient":"Bob"}`, nil, `{"recipient":"Bob","message":"Hello"}`},
		{"message counts where both are", "notify", `{"message":"Hello","message_body":"Bye"}`, nil, ""},
		{"message_body counts where message is null", "notify", `{"message":null,"message_body":"Hello"}`, nil, `{"message":"Hello"}`},
		{"a parameter of a later v1", "notify", `{"message":"Hello","urgency":{"level":3}}`, nil, ""},
		{"declared as a later v1", "later", `{"message":"Hello"}`, nil, ""},
		{"wrapped", "notify", `{"parameters":{"message":"Hello"}}`, nil, `{"message":"Hello"}`},
		{"wrapped, with its category", "notify", `{"category":"Notification.v1.0","parameters":{"message":"Hello"}}`, nil, `{"message":"Hello"}`},
		{"wrapped, with a later v1", "notify", `{"parameters":{"message":"Hello"},"category":"Notification.v1.12"}`, nil, `{"message":"Hello"}`},
		{"wrapped, with the toolkit's spelling", "notify", `{"category":"Notifications.v1.0","parameters":{"message":"Hello"}}`, nil, `{"message":"Hello"}`},
		{"white space and escapes", "notify", " {\n \"message\" :\t\"\\u0048i\" }\n", nil, `{"message":"\u0048i"}`},

		{"entries", "entries", `{"entryIds":"5KsDBWseXY6QegucYAoacS,2uNOpLMJioKeoMq8W44uYc"}`, two, ""},
		{"entries with spaces", "entries", `{"entryIds":" 5KsDBWseXY6QegucYAoacS , 2uNOpLMJioKeoMq8W44uYc,"}`, two, ""},
		{"entries as a list", "entries", `{"entryIds":["5KsDBWseXY6QegucYAoacS","2uNOpLMJioKeoMq8W44uYc"]}`, two, ""},
		{"entries named twice", "entries", `{"entryIds":"a,b,a"}`, entries("a", "b"), ""},
		{"one entry", "entries", `{"entryIds":"A-b_c.9"}`, entries("A-b_c.9"), ""},
		{"1,000 entries", "entries", `{"entryIds":"` + ids(1000) + `"}`, entries(strings.Split(ids(1000), ",")...), ""},

		{"custom parameters", "deploy", `{"environment":"staging","force":true,"limit":25}`, nil, ""},
		{"custom, without parameters", "deploy", `{}`, nil, ""},
		{"custom, of a schema", "deploy", `{"targets":["a","b"],"options":{"dry":true},"limit":12345678901234567890}`, nil, ""},
		{"custom, wrapped", "deploy", `{"parameters":{"force":true}}`, nil, `{"force":true}`},
		{"custom, with a parameter that is named parameters", "deploy", `{"parameters":{"force":true},"limit":1}`, nil, ""},
		{"custom, with a parameter that is named category", "deploy", `{"category":"shoes"}`, nil, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFixture()
			id := job(t, f.Send(t, f.request(call{path: "/contentful/" + row.action, body: row.body}, nil)))
			job := f.Job(t, id)
			if row.params == "" {
				row.params = row.body
			}
			if string(job.Params) != row.params {
				t.Errorf("params %.200s, want %.200s", job.Params, row.params)
			}
			if len(job.Items) != len(row.items) || len(row.items) > 0 && !reflect.DeepEqual(job.Items, row.items) {
				t.Errorf("%d items, want %d", len(job.Items), len(row.items))
			}
			if job.Action != "relay" || job.Extension != row.action || job.Trigger != jobs.TriggerContentful || job.Total != len(row.items) ||
				job.State != jobs.Queued || job.Once != "" || job.User.UUID != "0M5q1fYAwHhbCJXW5gsJFe" || string(job.Context) != `{"space":"yadj1kx9rmg0","environment":"master"}` {
				t.Errorf("job %+v", job)
			}
			if !strings.HasPrefix(id, row.action+"-") || f.Depth() != 1 {
				t.Errorf("job %s, %d messages", id, f.Depth())
			}
		})
	}
}

func TestSamplesOfTheVendorsPagesAreTaken(t *testing.T) {
	for action, name := range map[string]string{"notify": "notification", "entries": "entries", "deploy": "custom"} {
		f := newFixture()
		job(t, f.Send(t, f.request(call{path: "/contentful/" + action, body: example(t, name)}, nil)))
	}
}

func TestOneCallDeliveredTwiceIsOneJobAndTwoCallsAreTwo(t *testing.T) {
	f := newFixture()
	first := job(t, f.Send(t, f.request(call{body: message}, nil)))
	again := job(t, f.Send(t, f.request(call{body: message}, nil)))
	if first != again || f.Depth() != 1 {
		t.Errorf("%s, then %s; %d messages", first, again, f.Depth())
	}
	f.at = f.at.Add(time.Millisecond)
	if second := job(t, f.Send(t, f.request(call{body: message}, nil))); second == first || f.Depth() != 2 {
		t.Errorf("the same message, sent again by a person, is the same job %s", second)
	}
}

// What API Gateway shows of the path is not always what Contentful called.
func TestPathsThatContentfulMayHaveCalled(t *testing.T) {
	for _, row := range []struct {
		name, called, seen, stage, base string
		status                          int
	}{
		{"as it is", "/contentful/notify", "/contentful/notify", "$default", "", 202},
		{"a named stage in front of both", "/prod/contentful/notify", "/prod/contentful/notify", "prod", "", 202},
		{"a stage that the function does not see", "/prod/contentful/notify", "/contentful/notify", "prod", "", 202},
		{"a domain that hides the stage", "/contentful/notify", "/prod/contentful/notify", "prod", "", 202},
		{"a domain with a base path", "/pim/contentful/notify", "/contentful/notify", "$default", "/pim", 202},
		{"a base path instead of the stage", "/pim/contentful/notify", "/prod/contentful/notify", "prod", "pim/", 202},
		{"a base path that the function sees", "/pim/contentful/notify", "/pim/contentful/notify", "$default", "", 202},
		{"a base path that the function sees behind a stage", "/pim/contentful/notify", "/prod/pim/contentful/notify", "prod", "", 202},
		{"a base path that is named contentful", "/contentful/contentful/notify", "/contentful/contentful/notify", "$default", "", 202},
		{"a stage named contentful", "/contentful/contentful/notify", "/contentful/contentful/notify", "contentful", "", 202},
		{"a base path that is not ours", "/pim/contentful/notify", "/contentful/notify", "$default", "/other", 403},
		{"another stage", "/test/contentful/notify", "/contentful/notify", "prod", "", 403},
		{"another action's", "/contentful/deploy", "/contentful/notify", "$default", "", 403},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFixture()
			f.base = row.base
			got := f.invoke(t, call{method: http.MethodPost, path: row.called, body: message, secret: secretNew}, row.seen, row.stage)
			if got.Status != row.status {
				t.Errorf("answered %d %s: %v", got.Status, got.Body, got.Line["reason"])
			}
		})
	}
}

func TestQueryIsSignedAsItWasSent(t *testing.T) {
	f := newFixture()
	job(t, f.Send(t, f.request(call{path: "/contentful/notify?a=1&b=x%20y", body: message}, nil)))
	got := f.Send(t, f.request(call{path: "/contentful/notify?a=1&b=2", body: message}, func(r *http.Request) { r.URL.RawQuery = "b=2&a=1" }))
	if got.Status != http.StatusForbidden {
		t.Errorf("a query in another order: %d", got.Status)
	}
}

func TestSecretsRotate(t *testing.T) {
	f := newFixture()
	if got := f.Send(t, f.request(call{body: message, secret: secretOld}, nil)); got.Status != 202 || got.Line["secret"] != 1.0 {
		t.Errorf("the old secret: %d, secret %v", got.Status, got.Line["secret"])
	}
	f = newFixture()
	f.samples, f.Document.Contentful = true, []string{sample}
	if got := f.Send(t, f.request(call{body: message, secret: sample}, nil)); got.Status != 202 {
		t.Errorf("a sample on a developer's machine: %d", got.Status)
	}
}

func TestWithoutAListAnySpaceMayCall(t *testing.T) {
	f := newFixture()
	f.spaces = nil
	id := job(t, f.Send(t, f.request(call{body: message, header: map[string]string{"x-contentful-space-id": "elsewhere", "x-contentful-user-id": "", "x-contentful-app-id": "app"}}, nil)))
	if job := f.Job(t, id); string(job.Context) != `{"space":"elsewhere","environment":"master","app":"app"}` || job.User.UUID != "" {
		t.Errorf("context %s, user %+v", job.Context, job.User)
	}
}

func TestOneLogLineTellsTheCall(t *testing.T) {
	f := newFixture()
	got := f.Send(t, f.request(call{path: "/contentful/entries", body: `{"entryIds":"a,b"}`}, nil))
	want := map[string]any{
		"action": "entries", "header": "x-contentful-signature", "secret": 0.0, "space": "yadj1kx9rmg0", "environment": "master",
		"user": "0M5q1fYAwHhbCJXW5gsJFe", "timestamp": 1767225600000.0, "items": 2.0, "job": job(t, got), "outcome": "started", "status": 202.0,
	}
	for name, value := range want {
		if got.Line[name] != value {
			t.Errorf("%s is %v, want %v", name, got.Line[name], value)
		}
	}
}
