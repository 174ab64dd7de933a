package action_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pim-functions/pim-functions/events"
	"github.com/pim-functions/pim-functions/functions/fixture"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/signature"
)

// jobID is the ID that an answer names.
func jobID(t *testing.T, got fixture.Answer) string {
	t.Helper()
	_, id, found := strings.Cut(message(t, got), "Job ID: ")
	if !found {
		t.Fatalf("no job in %d %s", got.Status, got.Body)
	}
	return id
}

func TestPressBecomesAJob(t *testing.T) {
	f := newFixture()
	body := f.stamp(press)
	got := f.press(t, "export", body)
	id := jobID(t, got)
	if want := jobs.ID("export", body); got.Status != 200 || got.Body != `{"success":true,"message":"Export to ERP started. Job ID: `+want+`"}` {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	job, err := f.Store.Load(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if job.State != jobs.Queued || f.Depth() != 1 {
		t.Errorf("state %s, %d messages", job.State, f.Depth())
	}
	job.CreatedAt, job.UpdatedAt, job.ExpiresAt, job.Version, job.State, job.Correlation = time.Time{}, time.Time{}, time.Time{}, 0, "", ""
	job.Format, job.Turn = 0, 0
	text, _ := json.Marshal(job)
	once := jobs.OnceKey("export", "send", job.Items, "en_US", "ecommerce")
	want, _ := json.Marshal(jobs.Job{ID: id, Action: "send", Trigger: "action", Extension: "export", PIM: "main", Label: "Export to ERP",
		Items: items(product(uuidA), model("armor")), Context: json.RawMessage(`{"locale":"en_US","channel":"ecommerce"}`),
		User: jobs.User{UUID: julia, Username: "julia", Groups: []string{"Redactor"}}, Total: 2, Once: once})
	if string(text) != string(want) {
		t.Errorf("job  %s\nwant %s", text, want)
	}
	checkLeaks(t, f, request("/", body, signature.SignAction(secretNew, body)))
	for name, want := range map[string]any{"extension": "export", "job": id, "user": julia, "username": "julia", "header": "signature", "secret": 0.0,
		"verdict": "started", "items": 2.0, "outcome": "started", "route": "/actions/export", "level": "INFO", "correlation": got.Header.Get("X-Request-Id")} {
		if got.Line[name] != want {
			t.Errorf("logged %s %v, want %v", name, got.Line[name], want)
		}
	}
	if got.Line["timestamp"] == nil || got.Line["reason"] != nil {
		t.Errorf("logged %v", got.Line)
	}
}

func TestWhatProves(t *testing.T) {
	bare := func(secret string) func([]byte) string {
		return func(body []byte) string { return strings.TrimPrefix(signature.SignAction(secret, body), "sha512=") }
	}
	prefixed := func(secret string) func([]byte) string {
		return func(body []byte) string { return signature.SignAction(secret, body) }
	}
	for _, row := range []struct {
		name, extension, path, header string
		value                         func([]byte) string
		credential                    string
		variant                       string
		secret                        float64
	}{
		{"today's header", "export", "", "signature", prefixed(secretNew), "", "signature", 0},
		{"the header of 2025", "export", "", "X-Akeneo-Signature", bare(secretNew), "", "x-akeneo-signature", 0},
		{"the header of the demo", "export", "", "X-Akeneo-Request-Signature", bare(secretNew), "", "x-akeneo-request-signature", 0},
		{"the old secret during a rotation", "export", "", "signature", prefixed(secretOld), "", "signature", 1},
		{"a secret with newline, quote, $ and more bytes than characters", "odd", "", "signature", prefixed(secretOdd), "", "signature", 0},
		{"signature and credential", "guarded", "", "signature", prefixed(secretGuard), "Bearer " + bearer, "signature", 0},
		{"credential alone", "credential", "", "", nil, "Bearer " + bearerAlone, "credential", -1},
		{"nothing, because the file says so", "open", "", "", nil, "", "unsigned", -1},
		{"placeholders in path and query", "export", "/actions/export/" + uuidA + "/a%20b/?sku=1&actions=/actions/none", "signature", prefixed(secretNew), "", "signature", 0},
		{"a base path in front", "export", "/akeneo/v1/actions/export", "signature", prefixed(secretNew), "", "signature", 0},
		{"placeholders that look like a route", "export", "/actions/export/actions/none", "signature", prefixed(secretNew), "", "signature", 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFixture()
			body, path := f.stamp(press), row.path
			if path == "" {
				path = "/actions/" + row.extension
			}
			r := request(path, body, "")
			if row.value != nil {
				r.Header.Set(row.header, row.value(body))
			}
			if row.credential != "" {
				r.Header.Set("Authorization", row.credential)
			}
			got := f.Send(t, r)
			if got.Status != 200 || got.Line["header"] != row.variant || got.Line["secret"] != row.secret || f.Depth() != 1 {
				t.Errorf("%d %s, %v %v", got.Status, got.Body, got.Line["header"], got.Line["secret"])
			}
			if got.Line["extension"] != row.extension {
				t.Errorf("extension %v", got.Line["extension"])
			}
			checkLeaks(t, f, r)
		})
	}
}

// A recorded sample, as API Gateway sends it behind a named stage, in base64.
func TestRecordedSample(t *testing.T) {
	body, err := events.FS.ReadFile("action-product-header.json")
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture()
	f.Now = func() time.Time { return time.Unix(1739948408+300, 0) }
	got := f.Invoke(t, map[string]any{"version": "2.0", "rawPath": "/prod/actions/export", "body": body, "isBase64Encoded": true, // []byte becomes base64
		"headers":        map[string]string{"signature": signature.SignAction(secretNew, body)},
		"requestContext": map[string]any{"http": map[string]string{"method": "POST"}, "stage": "prod", "requestId": "x", "timeEpoch": 1739948408000}})
	if got.Status != 200 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}

func TestSamePressSameJob(t *testing.T) {
	f := newFixture()
	body := f.stamp(press)
	first, second := f.press(t, "export", body), f.press(t, "export", body)
	if first.Body != second.Body || second.Line["verdict"] != "repeated" || f.Depth() != 1 {
		t.Errorf("%s, then %s (%v)", first.Body, second.Body, second.Line["verdict"])
	}
	other := f.press(t, "many", f.stamp(press))
	again := f.press(t, "many", f.stamp(press+" "))
	if jobID(t, other) == jobID(t, again) {
		t.Error("once: off, and other bytes: the same job")
	}
}

func TestAlreadyRunning(t *testing.T) {
	f := newFixture()
	f.Now = func() time.Time { return time.Date(2026, 3, 4, 10, 42, 59, 0, time.FixedZone("", 7200)) }
	first := f.press(t, "export", f.stamp(press))
	for name, row := range map[string]struct{ from, to, want string }{
		"the same work":        {"", "", "Already running since 08:42 UTC (julia). Job ID: " + jobID(t, first)},
		"another channel":      {"ecommerce", "print", ""},
		"another locale":       {"en_US", "de_DE", ""},
		"in French":            {"en_US", "fr_FR", ""},
		"other items":          {"armor", "apollon", ""},
		"by another user":      {`"username":"julia"`, `"username":"peter"`, "Already running since 08:42 UTC (julia). Job ID: " + jobID(t, first)},
		"with something extra": {`"timestamp"`, `"new":1,"timestamp"`, "Already running since 08:42 UTC (julia). Job ID: " + jobID(t, first)},
	} {
		got := f.press(t, "export", f.stamp(strings.Replace(press, row.from, row.to, 1)+" "))
		if row.want == "" && got.Line["verdict"] != "started" || row.want != "" && message(t, got) != row.want || got.Status != 200 {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	anonymous := strings.Replace(strings.Replace(press, `"username":"julia",`, "", 1), "armor", "nobody", 1)
	first = f.press(t, "export", f.stamp(anonymous))
	if got := f.press(t, "export", f.stamp(anonymous+" ")); message(t, got) != "Already running since 08:42 UTC. Job ID: "+jobID(t, first) {
		t.Errorf("without a username: %s", got.Body)
	}
}

func TestAPressThatBringsNoItemsIsOfTheSelection(t *testing.T) {
	f := newFixture()
	for name, change := range map[string]func(*config.Extension){
		"export": func(e *config.Extension) { e.Select = "ready" },
		"waits":  func(e *config.Extension) { e.Select, e.OnceForAll = "ready", true },
		"many":   func(e *config.Extension) { e.Select, e.Once = "ready", false },
	} {
		e := f.config.Extensions[name]
		change(&e)
		e.Action = "send"
		f.config.Extensions[name] = e
	}
	const index = `{"data":{},"context":{"locale":"en_US","channel":"ecommerce"},"user":{"uuid":"` + julia + `","username":"julia"},"timestamp":NOW}`
	job := func(extension, body string) jobs.Job {
		job, err := f.Store.Load(t.Context(), jobID(t, f.press(t, extension, f.stamp(body))))
		if err != nil {
			t.Fatal(err)
		}
		return job
	}
	first := job("export", index)
	if first.Select == nil || first.Select.Name != "ready" || first.Select.Mark != "button/export/main/ready" || len(first.Items) != 0 || !first.Open() {
		t.Errorf("%+v", first)
	}
	if again := job("export", strings.Replace(index, "en_US", "fr_FR", 1)); again.ID != first.ID {
		t.Error("a second press of the same selection started another job")
	}
	own := job("export", press)
	if own.Select != nil || len(own.Items) != 2 {
		t.Errorf("a position's own items: %+v", own)
	}
	if one := job("waits", press); job("waits", index).ID != one.ID || job("waits", strings.Replace(press, "armor", "apollon", 1)).ID != one.ID {
		t.Error("once: extension lets two jobs run")
	}
	if one := job("many", index); job("many", index+" ").ID == one.ID {
		t.Error("once: off keeps a job out")
	}
}

func TestRights(t *testing.T) {
	for name, row := range map[string]struct {
		from, to string
		status   int
	}{
		"neither":           {"", "", 403},
		"a group":           {`{"id":1,"name":"Redactor"}`, `"All",{"id":7,"name":"Manager"}`, 200},
		"a username":        {`"username":"julia"`, `"username":"root"`, 200},
		"a user named so":   {`"username":"julia"`, `"username":"Manager"`, 403},
		"nobody":            {`"username":"julia",`, ``, 403},
		"a group's id only": {`"name":"Redactor"`, `"id2":"Manager"`, 403},
	} {
		f := newFixture()
		got := f.press(t, "managers", f.stamp(strings.Replace(press, row.from, row.to, 1)))
		if got.Status != row.status || row.status == 403 && message(t, got) != "You are not allowed to use Export to ERP. Ask your administrator if you need it." {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
}

func TestNotStarted(t *testing.T) {
	const again = `{"success":false,"message":"Export to ERP could not be started. Please press again.","error":"unavailable"}`
	f := newFixture()
	f.Store.Err = errors.New("internal text")
	if got := f.press(t, "export", f.stamp(press)); got.Status != 503 || got.Body != again || got.Line["reason"] != "job_not_started" || !strings.Contains(got.Line["error"].(string), "internal text") {
		t.Errorf("store down: %d %s %v", got.Status, got.Body, got.Line)
	}
	f = newFixture()
	f.Queue.Before = failing(errors.New("internal text"))
	body := f.stamp(press)
	if got := f.press(t, "export", body); got.Status != 503 || got.Body != again {
		t.Errorf("queue down: %d %s", got.Status, got.Body)
	}
	f.Queue.Before = nil
	if got := f.press(t, "export", body); got.Status != 503 || got.Body != again {
		t.Errorf("the same bytes again: %d %s", got.Status, got.Body)
	}
	if got := f.press(t, "export", append(body, ' ')); got.Status != 200 {
		t.Errorf("pressed again: %d %s", got.Status, got.Body)
	}
}

func TestWaitingAnswers(t *testing.T) {
	ended := func(state jobs.State, message string, done, failed int) func(jobs.Job) jobs.Job {
		return func(job jobs.Job) jobs.Job {
			job.State, job.Message, job.Done, job.Failed = state, message, done, failed
			return job
		}
	}
	for _, row := range []struct {
		name    string
		end     func(jobs.Job) jobs.Job // nil: it goes on
		after   time.Duration
		wait    time.Duration
		own     map[string]config.Text
		status  int
		message string // JOB stands for the ID
		took    time.Duration
	}{
		{"succeeded, in the job's words", ended(jobs.Succeeded, "2 products sent", 2, 0), time.Second, 3 * time.Second, nil, 200, "2 products sent", 2 * time.Second},
		{"succeeded, in ours", ended(jobs.Succeeded, "", 2, 0), time.Second, 3 * time.Second, nil, 200, "Export to ERP: 2 of 2 done. Job ID: JOB", 2 * time.Second},
		{"succeeded, in the extension's", ended(jobs.Succeeded, "sent", 2, 0), time.Second, 3 * time.Second, map[string]config.Text{"succeeded": {"default": "{done}/{total}: {message}, {user}"}}, 200, "2/2: sent, julia", 2 * time.Second},
		{"partial", ended(jobs.Partial, "", 1, 1), time.Second, 3 * time.Second, nil, 422, "Export to ERP: 1 of 2 done, 1 failed. Job ID: JOB", 2 * time.Second},
		{"failed", ended(jobs.Failed, "Product not found in ERP", 0, 2), time.Second, 3 * time.Second, nil, 422, "Product not found in ERP", 2 * time.Second},
		{"failed without a word", ended(jobs.Failed, "", 0, 2), time.Second, 3 * time.Second, nil, 422, "Export to ERP failed. Job ID: JOB", 2 * time.Second},
		{"cancelled", ended(jobs.Cancelled, "", 0, 0), time.Second, 3 * time.Second, nil, 422, "Export to ERP was cancelled: 0 of 2 done. Job ID: JOB", 2 * time.Second},
		{"still going", nil, 0, 3 * time.Second, nil, 200, "Export to ERP started. Job ID: JOB", 3*time.Second + 1},
		{"still going, in the extension's words", nil, 0, time.Second, map[string]config.Text{"started": {"default": "Off it goes"}}, 200, "Off it goes", time.Second + 1},
		{"never beyond 4 s", nil, 0, time.Hour, nil, 200, "Export to ERP started. Job ID: JOB", 4*time.Second + 1},
		{"without waiting", ended(jobs.Failed, "Product not found in ERP", 0, 2), 0, 0, nil, 200, "Export to ERP started. Job ID: JOB", time.Second},
		{"a start given up in between", func(job jobs.Job) jobs.Job { return job.NotQueued() }, time.Second, 3 * time.Second, nil, 503, "Export to ERP could not be started. Please press again.", 2 * time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture()
				check := f.config.Actions["check"]
				check.Wait = row.wait
				f.config.Actions["check"] = check
				extension := f.config.Extensions["waits"]
				extension.Messages = row.own
				f.config.Extensions["waits"] = extension
				body := f.stamp(press)
				id := jobs.ID("waits", body)
				if row.end != nil {
					go func() {
						time.Sleep(row.after)
						job, err := f.Store.Store.Get(t.Context(), id)
						if err == nil {
							_, err = f.Store.Store.Save(t.Context(), row.end(job))
						}
						if err != nil && row.after > 0 {
							t.Error(err)
						}
					}()
				}
				for _, delivery := range []string{"first", "again"} { // the same bytes, the same answer
					start := time.Now()
					got := f.press(t, "waits", body)
					if took := time.Since(start); took >= row.took {
						t.Errorf("%s: answered after %s", delivery, took)
					}
					if got.Status != row.status || message(t, got) != strings.ReplaceAll(row.message, "JOB", id) {
						t.Errorf("%s: %d %s", delivery, got.Status, got.Body)
					}
				}
			})
		})
	}
}

func TestTimeIsAPIGatewaysClock(t *testing.T) {
	for name, row := range map[string]struct{ passed, ahead, took time.Duration }{
		"nothing has passed":           {0, 0, 3 * time.Second},
		"a cold start":                 {2500 * time.Millisecond, 0, 500 * time.Millisecond},
		"too late to wait":             {3500 * time.Millisecond, 0, 0},
		"a clock that is ahead of us":  {0, time.Hour, 3 * time.Second},
		"a sample event from long ago": {0, -1e4 * time.Hour, 3 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture()
			body, epoch := f.stamp(press), time.Now().Add(row.ahead)
			time.Sleep(row.passed)
			start := time.Now()
			got := f.invoke(t, "waits", body, epoch)
			if took := time.Since(start); took != row.took || !strings.Contains(message(t, got), " started. Job ID: ") {
				t.Errorf("%s: left after %s: %s", name, took, got.Body)
			}
		})
	}
}

// Whatever hangs, the user is asked to press again while the PIM still listens.
func TestAPressIsAnsweredInTime(t *testing.T) {
	hangs := map[string]func(*fixtures){
		"records hang": func(f *fixtures) { f.Store.Hangs = true },
		"queue hangs":  func(f *fixtures) { f.Queue.Before = fixture.Hang },
	}
	for name, hang := range hangs {
		for waited, took := range map[time.Duration]time.Duration{0: 4 * time.Second, 2500 * time.Millisecond: 1500 * time.Millisecond, 1e5 * time.Hour: 4 * time.Second, -time.Hour: 4 * time.Second} {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture()
				hang(f)
				start := time.Now()
				got := f.invoke(t, "export", f.stamp(press), start.Add(-waited))
				if got.Status != 503 || message(t, got) != "Export to ERP could not be started. Please press again." || time.Since(start) != took {
					t.Errorf("%s, %s old: %d %s after %s, want %s", name, waited, got.Status, got.Body, time.Since(start), took)
				}
			})
		}
	}
}

// A destination that is down is no success: who waits is told what is known, when it goes on and when that ends.
func TestWhoWaitsIsToldWhatIsKnown(t *testing.T) {
	for _, row := range []struct{ name, locale, cause, message, want string }{
		{"no answer", "en_US", jobs.CauseNoAnswer, "127.0.0.1:8191 gave no answer", "Export to ERP is not done yet. The ERP does not answer. Next try 01:02 UTC, we stop at 07:02 UTC. Job ID: JOB"},
		{"down, in French", "fr_FR", jobs.CauseDestinationDown, "127.0.0.1:8191 answered 503", "Exporter vers l'ERP : pas encore terminé. L'ERP ne fonctionne pas pour le moment. Prochain essai à 01:02 UTC, arrêt des essais à 07:02 UTC. Job ID: JOB"},
		{"nothing is wrong", "en_US", "", "", "Export to ERP started. Job ID: JOB"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture()
				body := f.stamp(strings.Replace(press, "en_US", row.locale, 1))
				id := jobs.ID("waits", body)
				go func() {
					time.Sleep(time.Second)
					job, err := f.Store.Store.Get(t.Context(), id)
					if err != nil {
						t.Error(err)
					}
					job.State, job.Cause, job.Message = jobs.Waiting, row.cause, row.message
					job.NextTry, job.GivesUpAt = time.Date(2000, 1, 1, 1, 2, 0, 0, time.UTC), time.Date(2000, 1, 1, 7, 2, 0, 0, time.UTC)
					if _, err := f.Store.Store.Save(t.Context(), job); err != nil {
						t.Error(err)
					}
				}()
				got := f.press(t, "waits", body)
				if want := strings.ReplaceAll(row.want, "JOB", id); message(t, got) != want || (got.Status == 200) != (row.cause == "") {
					t.Errorf("%d %s, want %s", got.Status, got.Body, want)
				}
			})
		})
	}
}

func TestLocales(t *testing.T) {
	for locale, want := range map[string]string{
		"fr_FR": "Exporter vers l'ERP : lancé. Job ID: ",
		"fr_CA": "Exporter vers l'ERP : lancé. Job ID: ",
		"de_DE": "Export to ERP: gestartet. Job ID: ",
		"it_IT": "Export to ERP started. Job ID: ",
		"":      "Export to ERP started. Job ID: ",
	} {
		f := newFixture()
		got := f.press(t, "export", f.stamp(strings.Replace(press, "en_US", locale, 1)))
		if !strings.HasPrefix(message(t, got), want) {
			t.Errorf("%s: %s", locale, got.Body)
		}
	}
}

func TestUsernameThatIsAnAddressStaysOutOfTheLog(t *testing.T) {
	f := newFixture()
	body := f.stamp(strings.Replace(press, `"username":"julia"`, `"username":"julia@example.com"`, 1))
	got := f.press(t, "export", body)
	if got.Status != 200 || got.Line["user"] != julia {
		t.Errorf("%d %v", got.Status, got.Line)
	}
	checkLeaks(t, f, request("/", body, ""))
}

func TestUnknownFieldsReachTheJob(t *testing.T) {
	f := newFixture()
	got := f.press(t, "export", f.stamp(`{"data":{"new":1},"context":{"tenant":"t"},"other":[2],"timestamp":NOW}`))
	job, err := f.Store.Load(t.Context(), jobID(t, got))
	if err != nil || fmt.Sprint(string(job.Context), string(job.Params)) != `{"tenant":"t"}{"other":[2],"data":{"new":1}}` {
		t.Errorf("context %s, params %s, %v", job.Context, job.Params, err)
	}
}

func TestSamplesAreAllowedLocally(t *testing.T) {
	f := newFixture()
	f.samples = true
	if got := f.press(t, "sample", f.stamp(press)); got.Status != 200 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}
