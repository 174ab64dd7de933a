package action_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pim-functions/pim-functions/events"
	"github.com/pim-functions/pim-functions/shared/config"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/signature"
)

// jobID is the ID that an answer names.
func jobID(t *testing.T, got said) string {
	t.Helper()
	_, id, found := strings.Cut(got.answer.Message, "Job ID: ")
	if !found {
		t.Fatalf("no job in %d %s", got.status, got.body)
	}
	return id
}

func TestPressBecomesAJob(t *testing.T) {
	d := newDesk()
	body := d.stamp(press)
	got := d.press(t, "export", body)
	id := jobID(t, got)
	if want := jobs.ID("export", body); got.status != 200 || got.body != `{"success":true,"message":"Export to ERP started. Job ID: `+want+`"}` {
		t.Errorf("%d %s", got.status, got.body)
	}
	job, err := d.store.Load(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if job.State != jobs.Queued || d.depth(t) != 1 {
		t.Errorf("state %s, %d messages", job.State, d.depth(t))
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
	checkLeaks(t, d, request("/", body, signature.SignAction(secretNew, body)))
	for name, want := range map[string]any{"extension": "export", "job": id, "user": julia, "username": "julia", "header": "signature", "secret": 0.0,
		"verdict": "started", "items": 2.0, "outcome": "started", "route": "/actions/export", "level": "INFO", "correlation": got.header.Get("X-Request-Id")} {
		if got.line[name] != want {
			t.Errorf("logged %s %v, want %v", name, got.line[name], want)
		}
	}
	if got.line["timestamp"] == nil || got.line["reason"] != nil {
		t.Errorf("logged %v", got.line)
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
		{"without prefix", "export", "", "signature", bare(secretNew), "", "signature", 0},
		{"upper-case hex and prefix", "export", "", "Signature", func(b []byte) string { return strings.ToUpper(prefixed(secretNew)(b)) }, "", "signature", 0},
		{"the header of 2025", "export", "", "X-Akeneo-Signature", bare(secretNew), "", "x-akeneo-signature", 0},
		{"the header of the demo", "export", "", "X-Akeneo-Request-Signature", bare(secretNew), "", "x-akeneo-request-signature", 0},
		{"the same signature twice", "export", "", "signature", func(b []byte) string { return bare(secretNew)(b) + ", " + prefixed(secretNew)(b) }, "", "signature", 0},
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
			d := newDesk()
			body, path := d.stamp(press), row.path
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
			got := d.send(t, r)
			if got.status != 200 || got.line["header"] != row.variant || got.line["secret"] != row.secret || d.depth(t) != 1 {
				t.Errorf("%d %s, %v %v", got.status, got.body, got.line["header"], got.line["secret"])
			}
			if got.line["extension"] != row.extension {
				t.Errorf("extension %v", got.line["extension"])
			}
			checkLeaks(t, d, r)
		})
	}
}

// TestRecordedEvents plays events as API Gateway sends them: with a named stage in the path, and with base64.
func TestRecordedEvents(t *testing.T) {
	body, err := events.FS.ReadFile("action-product-header.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, stage := range map[string]string{"named stage": "prod", "a stage with our route's name": "actions", "default stage": "$default"} {
		d := newDesk()
		d.now = func() time.Time { return time.Unix(1739948408+300, 0) }
		path := "/actions/export"
		if stage != "$default" {
			path = "/" + stage + path
		}
		payload, _ := json.Marshal(map[string]any{"version": "2.0", "rawPath": path, "body": body, "isBase64Encoded": true, // []byte becomes base64
			"headers":        map[string]string{"signature": signature.SignAction(secretNew, body)},
			"requestContext": map[string]any{"http": map[string]string{"method": "POST"}, "stage": stage, "requestId": "x", "timeEpoch": 1739948408000}})
		answer, err := d.function().Invoke(t.Context(), payload)
		if err != nil || !strings.Contains(string(answer), `"statusCode":200`) {
			t.Errorf("%s: %s %v", name, answer, err)
		}
	}
}

func TestSamePressSameJob(t *testing.T) {
	d := newDesk()
	body := d.stamp(press)
	first, second := d.press(t, "export", body), d.press(t, "export", body)
	if first.body != second.body || second.line["verdict"] != "repeated" || d.depth(t) != 1 {
		t.Errorf("%s, then %s (%v)", first.body, second.body, second.line["verdict"])
	}
	other := d.press(t, "many", d.stamp(press))
	again := d.press(t, "many", d.stamp(press+" "))
	if jobID(t, other) == jobID(t, again) {
		t.Error("once: off, and other bytes: the same job")
	}
}

func TestAlreadyRunning(t *testing.T) {
	d := newDesk()
	d.now = func() time.Time { return time.Date(2026, 3, 4, 10, 42, 59, 0, time.FixedZone("", 7200)) }
	first := d.press(t, "export", d.stamp(press))
	for name, row := range map[string]struct{ from, to, want string }{
		"the same work":        {"", "", "Already running since 08:42 UTC (julia). Job ID: " + jobID(t, first)},
		"another channel":      {"ecommerce", "print", ""},
		"another locale":       {"en_US", "de_DE", ""},
		"in French":            {"en_US", "fr_FR", ""},
		"other items":          {"armor", "apollon", ""},
		"by another user":      {`"username":"julia"`, `"username":"peter"`, "Already running since 08:42 UTC (julia). Job ID: " + jobID(t, first)},
		"with something extra": {`"timestamp"`, `"new":1,"timestamp"`, "Already running since 08:42 UTC (julia). Job ID: " + jobID(t, first)},
	} {
		got := d.press(t, "export", d.stamp(strings.Replace(press, row.from, row.to, 1)+" "))
		if row.want == "" && got.line["verdict"] != "started" || row.want != "" && (got.answer.Message != row.want || !*got.answer.Success) || got.status != 200 {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	anonymous := strings.Replace(strings.Replace(press, `"username":"julia",`, "", 1), "armor", "nobody", 1)
	first = d.press(t, "export", d.stamp(anonymous))
	if got := d.press(t, "export", d.stamp(anonymous+" ")); got.answer.Message != "Already running since 08:42 UTC. Job ID: "+jobID(t, first) {
		t.Errorf("without a username: %s", got.body)
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
		d := newDesk()
		got := d.press(t, "managers", d.stamp(strings.Replace(press, row.from, row.to, 1)))
		if got.status != row.status || row.status == 403 && got.answer.Message != "You are not allowed to use Export to ERP." {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
}

func TestNotStarted(t *testing.T) {
	const again = `{"success":false,"message":"Export to ERP could not be started. Please press again.","error":"unavailable"}`
	d := newDesk()
	d.store.fail = errors.New("internal text")
	if got := d.press(t, "export", d.stamp(press)); got.status != 503 || got.body != again || got.line["reason"] != "job_not_started" || !strings.Contains(got.line["error"].(string), "internal text") {
		t.Errorf("store down: %d %s %v", got.status, got.body, got.line)
	}
	d = newDesk()
	d.queue.err = errors.New("internal text")
	body := d.stamp(press)
	if got := d.press(t, "export", body); got.status != 503 || got.body != again {
		t.Errorf("queue down: %d %s", got.status, got.body)
	}
	d.queue.err = nil
	if got := d.press(t, "export", body); got.status != 503 || got.body != again {
		t.Errorf("the same bytes again: %d %s", got.status, got.body)
	}
	if got := d.press(t, "export", append(body, ' ')); got.status != 200 {
		t.Errorf("pressed again: %d %s", got.status, got.body)
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
				d := newDesk()
				check := d.config.Actions["check"]
				check.Wait = row.wait
				d.config.Actions["check"] = check
				extension := d.config.Extensions["waits"]
				extension.Messages = row.own
				d.config.Extensions["waits"] = extension
				body := d.stamp(press)
				id := jobs.ID("waits", body)
				if row.end != nil {
					go func() {
						time.Sleep(row.after)
						job, err := d.store.Store.Get(t.Context(), id)
						if err == nil {
							_, err = d.store.Store.Save(t.Context(), row.end(job))
						}
						if err != nil && row.after > 0 {
							t.Error(err)
						}
					}()
				}
				for _, delivery := range []string{"first", "again"} { // the same bytes, the same answer
					start := time.Now()
					got := d.press(t, "waits", body)
					if took := time.Since(start); took >= row.took {
						t.Errorf("%s: answered after %s", delivery, took)
					}
					if got.status != row.status || got.answer.Message != strings.ReplaceAll(row.message, "JOB", id) || *got.answer.Success != (row.status == 200) {
						t.Errorf("%s: %d %s", delivery, got.status, got.body)
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
		"too late to wait":             {4 * time.Second, 0, 0},
		"a clock that is ahead of us":  {0, time.Hour, 3 * time.Second},
		"a sample event from long ago": {0, -1e4 * time.Hour, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk()
			body := d.stamp(press)
			epoch := time.Now().Add(row.ahead)
			time.Sleep(row.passed)
			payload, _ := json.Marshal(map[string]any{"rawPath": "/actions/waits", "body": string(body),
				"headers":        map[string]string{"signature": signature.SignAction(document().Extensions["waits"].Secrets[0], body)},
				"requestContext": map[string]any{"http": map[string]string{"method": "POST"}, "timeEpoch": epoch.UnixMilli()}})
			start := time.Now()
			answer, err := d.function().Invoke(t.Context(), payload)
			if took := time.Since(start); err != nil || took != row.took || !strings.Contains(string(answer), " started. Job ID: ") {
				t.Errorf("%s: left after %s: %s", name, took, answer)
			}
		})
	}
}

func TestLocales(t *testing.T) {
	for locale, want := range map[string]string{
		"fr_FR": "Exporter vers l'ERP : lancé. Job ID: ",
		"fr_CA": "Exporter vers l'ERP : lancé. Job ID: ",
		"de_DE": "Export to ERP started. Job ID: ",
		"":      "Export to ERP started. Job ID: ",
	} {
		d := newDesk()
		got := d.press(t, "export", d.stamp(strings.Replace(press, "en_US", locale, 1)))
		if !strings.HasPrefix(got.answer.Message, want) {
			t.Errorf("%s: %s", locale, got.body)
		}
	}
}

func TestUsernameThatIsAnAddressStaysOutOfTheLog(t *testing.T) {
	d := newDesk()
	body := d.stamp(strings.Replace(press, `"username":"julia"`, `"username":"julia@example.com"`, 1))
	got := d.press(t, "export", body)
	if got.status != 200 || got.line["user"] != julia {
		t.Errorf("%d %v", got.status, got.line)
	}
	checkLeaks(t, d, request("/", body, ""))
}

func TestUnknownFieldsReachTheJob(t *testing.T) {
	d := newDesk()
	got := d.press(t, "export", d.stamp(`{"data":{"new":1},"context":{"tenant":"t"},"other":[2],"timestamp":NOW}`))
	job, err := d.store.Load(t.Context(), jobID(t, got))
	if err != nil || fmt.Sprint(string(job.Context), string(job.Params)) != `{"tenant":"t"}{"other":[2],"data":{"new":1}}` {
		t.Errorf("context %s, params %s, %v", job.Context, job.Params, err)
	}
}

func TestPanicIsOurs(t *testing.T) {
	d := newDesk()
	d.store.Store = nil
	got := d.press(t, "export", d.stamp(press))
	if got.status != http.StatusInternalServerError || got.line["reason"] != "panic" || got.line["stack"] == nil || strings.Contains(got.body, "nil pointer") {
		t.Errorf("%d %s %v", got.status, got.body, got.line["reason"])
	}
}
