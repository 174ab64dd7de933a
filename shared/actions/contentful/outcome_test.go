package contentful_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/contentfulapi"
	"github.com/pim-functions/pim-functions/shared/contentfulapi/contentfultest"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
)

func TestWhatBecomesOfACall(t *testing.T) {
	for _, c := range []struct {
		name    string
		script  contentfultest.Script
		state   jobs.State
		outcome string
		message string
		result  string
	}{
		{"succeeds at once", contentfultest.Script{Result: map[string]int{"sent": 2}}, jobs.Succeeded, "succeeded", "succeeded in Contentful", `{"sent":2}`},
		{"succeeds in a newer version", contentfultest.Script{InSys: true, Result: "done"}, jobs.Succeeded, "succeeded", "succeeded in Contentful", `"done"`},
		{"succeeds after many looks", contentfultest.Script{Takes: 30}, jobs.Succeeded, "succeeded", "succeeded in Contentful", `null`},
		{"is not known for a moment", contentfultest.Script{Missing: 3}, jobs.Succeeded, "succeeded", "succeeded in Contentful", `null`},
		{"fails", contentfultest.Script{Takes: 1, Fails: true}, jobs.Failed, "failed", "failed in Contentful: The endpoint answered with an error (500)", ""},
		{"fails in a newer version", contentfultest.Script{InSys: true, Fails: true}, jobs.Failed, "failed", "failed in Contentful: The endpoint answered with an error (500)", ""},
		{"has no ID", contentfultest.Script{WithoutID: true}, jobs.Succeeded, "accepted", "accepted by Contentful, outcome not reported", ""},
		{"has an ID that nobody knows", contentfultest.Script{Missing: 1000}, jobs.Succeeded, "accepted", "accepted by Contentful, outcome not reported", ""},
		{"has no status", contentfultest.Script{Silent: true}, jobs.Succeeded, "accepted", "accepted by Contentful, outcome not reported", ""},
		{"never ends", contentfultest.Script{Takes: -1}, jobs.Failed, "unknown", "outcome unknown: it did not end within 30m0s. Look in Contentful before you start it again", ""},
		{"is forbidden", contentfultest.Script{Forbidden: true}, jobs.Failed, "failed", "install both the calling and the providing app in this environment", ""},
		{"is of an app without a secret", contentfultest.Script{NoSecret: true}, jobs.Failed, "failed", "no valid signing secret", ""},
		{"answers too much", contentfultest.Script{Result: strings.Repeat("x", 9000)}, jobs.Succeeded, "succeeded", "succeeded in Contentful", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, one)
			f.install("notify", c.script)
			id := f.press(3)
			f.drain()
			job := f.job(id)
			if job.State != c.state || !strings.Contains(job.Message, c.message) || job.Done+job.Failed != 3 {
				t.Errorf("the job is %s: %q, done %d, failed %d", job.State, job.Message, job.Done, job.Failed)
			}
			got := f.report(job).Actions
			if len(got) != 1 || got[0].Action != "notify" || got[0].Outcome != c.outcome || string(got[0].Result) != c.result {
				t.Errorf("%s", job.Result)
			}
			if got[0].ResultOmitted != (c.name == "answers too much") || len(job.Result) > jobs.MaxKindState {
				t.Errorf("a result of %d bytes; omitted %v", len(job.Result), got[0].ResultOmitted)
			}
		})
	}
}

func TestAQuickCallEndsInOneTurn(t *testing.T) {
	f := newFixture(t, one)
	f.install("notify", contentfultest.Script{Missing: 1, Takes: 3})
	id := f.press(1)
	f.deliver(t.Context())
	if job := f.job(id); job.State != jobs.Succeeded || f.pauses != 4 {
		t.Errorf("the job is %s after one turn with %d pauses", job.State, f.pauses)
	}
}

func TestACategoryIsOneOutcomePerAction(t *testing.T) {
	f := newFixture(t, all)
	f.install("slack", contentfultest.Script{Takes: 2, Result: 1})
	f.install("teams", contentfultest.Script{Fails: true})
	f.install("teams", contentfultest.Script{Fails: true}) // listed twice
	f.install("old", contentfultest.Script{WithoutID: true})
	f.Install(environment, contentfulapi.Action{ID: "newer", App: "another", Name: "Newer", Category: "Notification.v1.2"}, contentfultest.Script{})
	f.Install(environment, contentfulapi.Action{ID: "next", App: ourApp, Category: "Notification.v2.0"}, contentfultest.Script{})
	f.Install(environment, contentfulapi.Action{ID: "entries", App: ourApp, Category: "Entries.v1.0"}, contentfultest.Script{})
	f.Install("space1/staging", contentfulapi.Action{ID: "elsewhere", App: ourApp, Category: "Notification.v1.0"}, contentfultest.Script{})
	id := f.press(2)
	f.drain()
	job := f.job(id)
	var got []string
	for _, action := range f.report(job).Actions {
		got = append(got, action.App+"/"+action.Action+" "+action.Outcome)
	}
	if want := "[another/newer succeeded ourapp/old accepted ourapp/slack succeeded ourapp/teams failed]"; fmt.Sprint(got) != want || len(f.Calls()) != 4 {
		t.Errorf("%s with %d calls, want %s", got, len(f.Calls()), want)
	}
	if want := "3 of 4 App Actions. Notify teams: failed in Contentful: The endpoint answered with an error (500); Newer: succeeded in Contentful; "; job.State != jobs.Failed || !strings.HasPrefix(job.Message, want) {
		t.Errorf("the job is %s: %q", job.State, job.Message)
	}
	for _, call := range f.Calls() {
		if call.Parameters["message"] != "2 products" || call.Parameters["recipient"] != "team" {
			t.Errorf("called with %v", call.Parameters)
		}
	}
}

func TestAnEnvironmentWithoutSuchAnAction(t *testing.T) {
	f := newFixture(t, all)
	f.Install(environment, contentfulapi.Action{ID: "entries", App: ourApp, Category: "Entries.v1.0"}, contentfultest.Script{})
	id := f.press(1)
	f.drain()
	if job := f.job(id); job.State != jobs.Failed || job.Message != "space1/master has no App Action of category Notification.v1.0: install an app there that provides one" {
		t.Errorf("the job is %s: %q", job.State, job.Message)
	}
}

func TestTheLargestCategoryIsKeptInMind(t *testing.T) {
	f := newFixture(t, all)
	for i := range 12 {
		f.Install(environment, contentfulapi.Action{ID: fmt.Sprintf("%060d", i), App: ourApp, Name: strings.Repeat("ü<&\"", 50), Category: "Notification.v1.0"},
			contentfultest.Script{Takes: 20 + i, Result: strings.Repeat("<", 2000)})
	}
	id := f.press(1)
	f.drain()
	if job := f.job(id); len(f.Calls()) != 12 || job.State != jobs.Succeeded || len(f.report(job).Actions) != 12 || len(job.Result) > jobs.MaxKindState {
		t.Errorf("%d calls, and the job is %s: %q", len(f.Calls()), job.State, job.Message)
	}
	f.install("one-more", contentfultest.Script{})
	id = f.press(1)
	f.drain()
	if job := f.job(id); len(f.Calls()) != 12 || job.State != jobs.Failed || !strings.Contains(job.Message, "13 App Actions of category Notification.v1.0, and at most 12") {
		t.Errorf("%d calls, and the job is %s: %q", len(f.Calls()), job.State, job.Message)
	}
}

func TestAJobWithoutItemsCanFail(t *testing.T) {
	f := newFixture(t, one)
	f.install("notify", contentfultest.Script{Fails: true})
	id := f.press(0)
	f.drain()
	if job := f.job(id); job.State != jobs.Failed || job.Message != "failed in Contentful: The endpoint answered with an error (500)" {
		t.Errorf("the job is %s: %q", job.State, job.Message)
	}
}

// A pause that Contentful asks for is kept, and counts against the time that the calls have, whether it is asked for
// by a call or by a look.
func TestAPauseIsKeptAndCounts(t *testing.T) {
	for _, c := range []struct {
		name    string
		section string
		after   int // requests
		n       int // answered 429
		pause   string
		calls   int
		state   jobs.State
		message string
		least   time.Duration
	}{
		{"the call, once", one, 0, 1, "90", 1, jobs.Succeeded, "succeeded in Contentful", 90 * time.Second},
		{"the call, for ever", one, 0, 1000, "600", 0, jobs.Failed, "not called within 30m0s: Contentful asks for a pause (429)", 30 * time.Minute},
		{"a look, once", one, 1, 1, "90", 1, jobs.Succeeded, "succeeded in Contentful", 90 * time.Second},
		{"a look, for ever", one, 1, 1000, "600", 1, jobs.Failed, "outcome unknown: it did not end within 30m0s", 30 * time.Minute},
		{"the list, once", all, 0, 1, "90", 1, jobs.Succeeded, "succeeded in Contentful", 90 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, c.section)
			f.install("notify", contentfultest.Script{})
			id, begun, seen := f.press(1), f.now, 0
			headers := http.Header{"X-Contentful-RateLimit-Reset": {c.pause}}
			f.API.Break(func(*http.Request) contentfultest.Fault {
				seen++
				return contentfultest.None
			})
			f.Throttle(c.after, c.n, headers)
			f.drain()
			job := f.job(id)
			if len(f.Calls()) != c.calls || job.State != c.state || !strings.Contains(job.Message, c.message) {
				t.Errorf("%d calls, and the job is %s: %q", len(f.Calls()), job.State, job.Message)
			}
			if took := job.UpdatedAt.Sub(begun); took < c.least {
				t.Errorf("it took %s, want at least %s", took, c.least)
			}
			if seen > 10 {
				t.Errorf("%d requests: the pause was not kept", seen)
			}
		})
	}
}

func TestAContentfulThatCannotBeReachedIsTriedAgain(t *testing.T) {
	f := newFixture(t, strings.Replace(one, `"%s"`, `"http://127.0.0.1:1", app: "%.0s`+ourApp+`"`, 1))
	f.install("notify", contentfultest.Script{})
	id := f.press(1)
	f.drain()
	if job := f.job(id); job.State != jobs.Failed || !strings.Contains(job.Message, "not called within 30m0s: the destination could not be reached") {
		t.Errorf("the job is %s: %q", job.State, job.Message)
	}
}

func TestAnEventCalls(t *testing.T) {
	f := newFixture(t, one)
	f.install("notify", contentfultest.Script{Takes: 20})
	f.event("e1", "product.updated")
	f.drain()
	entry, err := f.ledger.Get(t.Context(), "event-platform/main/e1")
	if err != nil || entry.Outcome != ledger.Applied || len(f.Calls()) != 1 || f.Calls()[0].Parameters["message"] != "catalogue: com.akeneo.pim.v1.product.updated" {
		t.Errorf("%+v, %v, %d calls", entry, err, len(f.Calls()))
	}
}

func TestParametersKeepTheirTypes(t *testing.T) {
	for _, c := range []struct{ name, parameters, want, message string }{
		{"all types", `{text: "{{.Label}} & <b>", whole: 7, part: 1.5, yes: true, count: {number: "{{.Count}}"}, some: {boolean: "{{if .Count}}true{{else}}false{{end}}"}}`,
			`{"text":"Tell & <b>","whole":7,"part":1.5,"yes":true,"count":2,"some":true}`, ""},
		{"a text that is no number", `{count: {number: "{{.Label}}"}}`, "", `count is not a number`},
		{"infinity", `{count: {number: "{{.Params.nobody}}Inf"}}`, "", `count is not a number`},
		{"a text that is no truth", `{force: {boolean: "{{.Label}}"}}`, "", `force is not true or false`},
		{"a type that Contentful does not take", `{text: 7}`, "", "text (type)"},
		{"one that is missing", `{part: 1}`, "", "text (required)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, `{kind: contentful, environment: space1/master, host: "%s", action: custom, parameters: `+c.parameters+`}`)
			f.Install(environment, contentfulapi.Action{ID: "custom", App: ourApp, Category: "Custom", Parameters: []contentfulapi.Parameter{
				{ID: "text", Type: "Symbol", Required: true}, {ID: "whole", Type: "Number"}, {ID: "part", Type: "Number"}, {ID: "yes", Type: "Boolean"},
				{ID: "count", Type: "Number"}, {ID: "some", Type: "Boolean"}, {ID: "force", Type: "Boolean"},
			}}, contentfultest.Script{})
			id := f.press(2)
			f.drain()
			job := f.job(id)
			if c.want == "" {
				if job.State != jobs.Failed || !strings.Contains(job.Message, c.message) || len(f.Calls()) > 0 {
					t.Errorf("the job is %s: %q, %d calls", job.State, job.Message, len(f.Calls()))
				}
				return
			}
			got, _ := json.Marshal(f.Calls()[0].Parameters)
			var a, b any
			if json.Unmarshal(got, &a) != nil || json.Unmarshal([]byte(c.want), &b) != nil || !reflect.DeepEqual(a, b) || job.State != jobs.Succeeded {
				t.Errorf("called with %s, want %s; the job is %s", got, c.want, job.State)
			}
		})
	}
}
