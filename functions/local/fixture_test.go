package local

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/functions/local/inspector"
	"github.com/pim-functions/pim-functions/functions/local/pim"
	"github.com/pim-functions/pim-functions/shared/jobs"
)

// fixture is a running system and whoever uses it.
type fixture struct {
	*System
	t   *testing.T
	log *transcript
}

// transcript is what a program wrote. Safe for concurrent use.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (t *transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(p)
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

// none is a process without variables.
func none(string) (string, bool) { return "", false }

// open starts a system of the project's own files, on any free port, until the test ends.
func open(t *testing.T) *fixture {
	t.Helper()
	return openFile(t, "")
}

// openFile starts a system of another extensions.yaml.
func openFile(t *testing.T, file string) *fixture {
	t.Helper()
	return openWith(t, Options{ConfigFile: file})
}

// openWith starts a system of some options.
func openWith(t *testing.T, options Options) *fixture {
	t.Helper()
	log := &transcript{}
	options.Lookup, options.AllowPrivate, options.Log, options.Level = none, true, log, slog.LevelDebug
	system, err := Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	system.Start()
	t.Cleanup(func() { system.Stop() })
	return &fixture{system, t, log}
}

// call sends a request to the system's port.
func (f *fixture) call(method, path, body string, header map[string]string) (status int, answer string) {
	f.t.Helper()
	return f.callAt(f.URL(), method, path, body, header)
}

func (f *fixture) callAt(origin, method, path, body string, header map[string]string) (status int, answer string) {
	f.t.Helper()
	request, err := http.NewRequestWithContext(f.t.Context(), method, origin+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	for name, value := range header {
		request.Header.Set(name, value)
		if name == "Host" {
			request.Host = value
		}
	}
	response, err := http.DefaultTransport.RoundTrip(request) // follows no redirect
	if err != nil {
		f.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// post is a call of the page's own, which succeeds.
func (f *fixture) post(path, body string) string {
	f.t.Helper()
	status, answer := f.call("POST", path, body, map[string]string{"Origin": f.URL()})
	if status != 200 {
		f.t.Fatalf("POST %s: %d %s", path, status, answer)
	}
	return answer
}

// press presses a button from the page.
func (f *fixture) press(extension string, press pim.Press) pim.Pressed {
	f.t.Helper()
	body, err := json.Marshal(press)
	if err != nil {
		f.t.Fatal(err)
	}
	var pressed pim.Pressed
	if err := json.Unmarshal([]byte(f.post("/_local/press/"+extension, string(body))), &pressed); err != nil {
		f.t.Fatal(err)
	}
	return pressed
}

// started presses a button and returns the job's ID.
func (f *fixture) started(extension string, press pim.Press) string {
	f.t.Helper()
	pressed := f.press(extension, press)
	_, id, found := strings.Cut(pressed.Message(), "Job ID: ")
	if pressed.Status != 200 || !found {
		f.t.Fatalf("press answers %d: %s", pressed.Status, pressed.Answer)
	}
	return id
}

func (f *fixture) state() inspector.State {
	f.t.Helper()
	status, answer := f.call("GET", "/_local/state", "", nil)
	var state inspector.State
	if err := json.Unmarshal([]byte(answer), &state); err != nil || status != 200 {
		f.t.Fatalf("state: %d %v", status, err)
	}
	return state
}

// job waits until a job is in a state, and returns it.
func (f *fixture) job(id string, want jobs.State) inspector.JobState {
	f.t.Helper()
	var last inspector.JobState
	f.until(fmt.Sprintf("job %s is %s", id, want), func() bool {
		for _, job := range f.state().Jobs {
			if job.ID == id {
				last = job
			}
		}
		if last.State.Ended() && last.State != want {
			f.t.Fatalf("job ended as %s, want %s: %+v", last.State, want, last)
		}
		return last.State == want
	})
	return last
}

// until waits for what comes by itself.
func (f *fixture) until(what string, holds func() bool) {
	f.t.Helper()
	late := time.After(30 * time.Second)
	for !holds() {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-late:
			f.t.Fatalf("still waiting until %s; log:\n%s", what, f.log)
		}
	}
}
