package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/local"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

const ordered = `
environments: {local: {}, production: {}}
pims: {main: {url: "${PIM_URL}", channel: ecommerce, locale: en_US}}
selections: {shoes: {of: products, search: {family: [{operator: IN, value: [shoes]}]}}}
actions:
  rename: {kind: update, set: {name: {data: Renamed, locale: en_US}}}
  look: {kind: validate, rules: [{attribute: name, required: true}]}
`

const chair = "63139bf3-a7f7-4eaa-ba5e-000000000061"

// system is a local system of a configuration.
func system(t *testing.T, text string) *local.System {
	t.Helper()
	file := filepath.Join(t.TempDir(), "extensions.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	running, err := local.Open(t.Context(), local.Options{
		ConfigFile: file, Lookup: func(string) (string, bool) { return "", false }, AllowPrivate: true, Log: io.Discard, MailFolder: t.TempDir(),
	})
	if err != nil {
		t.Fatal(err)
	}
	running.Start()
	t.Cleanup(func() { running.Stop() })
	return running
}

// job waits until a job of the local system has ended.
func job(t *testing.T, url, id string) (found struct {
	ID, Trigger, User, Message, Parent string
	State                              jobs.State
	Done                               int
}) {
	t.Helper()
	for until := time.Now().Add(30 * time.Second); time.Now().Before(until); <-time.After(5 * time.Millisecond) {
		answer, err := http.Get(url + "/_local/state")
		if err != nil {
			t.Fatal(err)
		}
		var state struct{ Jobs []json.RawMessage }
		err = json.NewDecoder(answer.Body).Decode(&state)
		answer.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range state.Jobs {
			if json.Unmarshal(one, &found) == nil && found.ID == id && found.State.Ended() {
				return found
			}
		}
	}
	t.Fatalf("job %s does not end", id)
	return found
}

// An action is started by hand on the local system, over a selection or items, and taken back.
func TestRunAndUndoHere(t *testing.T) {
	t.Parallel()
	url := system(t, ordered).URL()
	here := func(in string, words ...string) (code int, out, errs string) {
		return start(t, strings.NewReader(in), map[string]string{"USER": "mary"}, append(words, "--url", url)...)
	}
	code, out, errs := here("", "run", "look", "--select", "shoes", "--yes", "--json")
	var started struct{ Job, Verdict, Undoes string }
	if err := json.Unmarshal([]byte(out), &started); err != nil || code != succeeded || errs != "" || started.Verdict != "started" {
		t.Fatalf("ends with %d\nout: %s\nerrs: %s", code, out, errs)
	}
	looked := job(t, url, started.Job)
	if looked.Trigger != "order" || looked.User != "mary" || looked.Done == 0 {
		t.Errorf("%+v", looked)
	}
	code, out, errs = here("y\n", "run", "rename", "--product", chair)
	id, found := strings.CutPrefix(strings.TrimSuffix(out, ".\n"), "Started job ")
	if code != succeeded || !found || errs != "Start rename over 1 item (at "+url+")? [y/N] \n" {
		t.Fatalf("ends with %d\nout: %s\nerrs: %s", code, out, errs)
	}
	if renamed := job(t, url, id); renamed.Message != "1 changed in the PIM" {
		t.Errorf("%+v", renamed)
	}
	code, out, errs = here("", "jobs", "undo", id, "--yes", "--json")
	if err := json.Unmarshal([]byte(out), &started); err != nil || code != succeeded || errs != "" || started.Undoes != id {
		t.Fatalf("ends with %d\nout: %s\nerrs: %s", code, out, errs)
	}
	if undone := job(t, url, started.Job); undone.Parent != id || undone.State != jobs.Succeeded {
		t.Errorf("%+v", undone)
	}
	for _, c := range []struct {
		name  string
		words []string
		in    string
		code  int
		says  string
	}{
		{"an answer that is no yes", []string{"run", "rename", "--model", "a,b"}, "no\n", failed, "nothing was started"},
		{"nobody answers", []string{"jobs", "undo", id}, "", failed, "nothing was started"},
		{"an unknown action", []string{"run", "rnm", "--yes"}, "", failed, `no action "rnm" in extensions.yaml: it has look, rename`},
		{"an unknown selection", []string{"run", "look", "--select", "boots", "--yes"}, "", failed, "it has shoes"},
		{"an unknown job", []string{"jobs", "undo", "nobody", "--yes"}, "", failed, "There is no such job"},
		{"what is no ID", []string{"jobs", "undo", "../" + id, "--yes"}, "", misused, "is no ID of a job"},
		{"a job that changed nothing", []string{"jobs", "undo", looked.ID, "--yes"}, "", failed, "there is nothing to undo"},
		{"no action", []string{"run"}, "", misused, "missing ACTION"},
		{"no job", []string{"jobs", "undo"}, "", misused, "missing ID"},
		{"a selection and products", []string{"run", "look", "--select", "shoes", "--product", chair}, "", misused, "select"},
		{"a stage's table without a stage", []string{"run", "look", "--table", "t"}, "", misused, ""},
	} {
		if code, out, errs := here(c.in, c.words...); code != c.code || !strings.Contains(errs, c.says) || out != "" {
			t.Errorf("%s: ends with %d\nout: %s\nerrs: %s", c.name, code, out, errs)
		}
	}
}

// fakeStage is a deployed stage: its queues, and a table that takes every write and has no record.
type fakeStage struct {
	*fakeSQS
	tables []string
	writes []string // bodies
}

func (f *fakeStage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	operation, ours := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "DynamoDB_20120810.")
	if !ours {
		f.fakeSQS.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	switch operation {
	case "ListTables":
		json.NewEncoder(w).Encode(map[string]any{"TableNames": f.tables})
		return
	case "TransactWriteItems":
		f.writes = append(f.writes, string(body))
	}
	w.Write([]byte("{}"))
}

func TestRunAndUndoOnAStage(t *testing.T) {
	t.Parallel()
	f := &fakeStage{fakeSQS: &fakeSQS{}, tables: []string{"other", "pim-functions-production-Table-1ABC", "pim-functions-staging-Table-2", "pim-functions-staging-Table-3"}}
	f.stage("pim-functions-production", "0a1b2c3d")
	f.stage("pim-functions-staging", "0a1b2c3d")
	server := httptest.NewServer(f)
	defer server.Close()
	file := filepath.Join(t.TempDir(), "extensions.yaml")
	if err := os.WriteFile(file, []byte(ordered), 0o600); err != nil {
		t.Fatal(err)
	}
	set := map[string]string{"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_ENDPOINT_URL": server.URL, "CONFIG_FILE": file}
	code, out, errs := start(t, strings.NewReader("y\n"), set, "run", "look", "--select", "shoes", "--stage", "production")
	if code != succeeded || !strings.HasPrefix(out, "Started job run-") || errs != "Start look over the selection shoes (on stage production)? [y/N] \n" {
		t.Fatalf("ends with %d\nout: %s\nerrs: %s", code, out, errs)
	}
	if sent := f.queues["pim-functions-production-jobs-0a1b2c3d"].Messages(); len(sent) != 1 || len(f.writes) != 1 ||
		!strings.Contains(f.writes[0], `"TableName":"pim-functions-production-Table-1ABC"`) || !strings.Contains(f.writes[0], `order/look/main/shoes`) {
		t.Errorf("%d messages, written: %s", len(sent), f.writes)
	}
	queue := server.URL + "/000000000000/pim-functions-staging-jobs-0a1b2c3d"
	for _, c := range []struct {
		name  string
		words []string
		code  int
		says  string
	}{
		{"several tables", []string{"run", "look", "--stage", "staging"}, failed, ""}, // the configuration has no such stage
		{"several tables of another stack", []string{"run", "look", "--stage", "production", "--stack", "pim-functions-staging"}, failed, "several tables (pim-functions-staging-Table-2, pim-functions-staging-Table-3)"},
		{"no table", []string{"jobs", "undo", "x", "--stage", "nowhere"}, failed, "no table of stack pim-functions-nowhere"},
		{"named", []string{"run", "look", "--stage", "production", "--table", "mine", "--queue", queue, "--json"}, succeeded, ""},
		{"an unknown action", []string{"run", "lok", "--stage", "production"}, failed, `no action "lok"`},
		{"an unknown job", []string{"jobs", "undo", "nobody", "--stage", "production"}, failed, "there is no job nobody on stage production"},
		{"here and there", []string{"jobs", "undo", "nobody", "--stage", "production", "--url", "http://localhost:8080"}, misused, "url"},
	} {
		if code, out, errs := start(t, strings.NewReader(""), set, append(c.words, "--yes")...); code != c.code || !strings.Contains(errs, c.says) {
			t.Errorf("%s: ends with %d\nout: %s\nerrs: %s", c.name, code, out, errs)
		}
	}
	if sent := f.queues["pim-functions-staging-jobs-0a1b2c3d"].Messages(); len(sent) != 1 || len(f.writes) != 2 || !strings.Contains(f.writes[1], `"TableName":"mine"`) {
		t.Errorf("%d messages, written: %s", len(sent), f.writes)
	}
	if code, _, errs := pimctl(t, nil, "jobs", "undo", "x", "--stage", "production", "--yes"); code != failed || !strings.Contains(errs, "AWS_ACCESS_KEY_ID") {
		t.Errorf("without credentials: %d %s", code, errs)
	}
}
