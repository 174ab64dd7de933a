package local

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pim-functions/pim-functions/shared/jobs"
)

// desk is a running system and whoever uses it.
type desk struct {
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
func open(t *testing.T) *desk {
	t.Helper()
	return openFile(t, "")
}

// openFile starts a system of another extensions.yaml.
func openFile(t *testing.T, file string) *desk {
	t.Helper()
	log := &transcript{}
	system, err := Open(t.Context(), Options{ConfigFile: file, Lookup: none, AllowPrivate: true, Log: log, Level: slog.LevelDebug})
	if err != nil {
		t.Fatal(err)
	}
	system.Start()
	t.Cleanup(func() { system.Stop() })
	return &desk{system, t, log}
}

// call sends a request to the system's port.
func (d *desk) call(method, path, body string, header map[string]string) (status int, answer string) {
	d.t.Helper()
	return d.callAt(d.URL(), method, path, body, header)
}

func (d *desk) callAt(origin, method, path, body string, header map[string]string) (status int, answer string) {
	d.t.Helper()
	request, err := http.NewRequestWithContext(d.t.Context(), method, origin+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	for name, value := range header {
		request.Header.Set(name, value)
		if name == "Host" {
			request.Host = value
		}
	}
	response, err := http.DefaultTransport.RoundTrip(request) // follows no redirect
	if err != nil {
		d.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// post is a call of the page's own, which succeeds.
func (d *desk) post(path, body string) string {
	d.t.Helper()
	status, answer := d.call("POST", path, body, map[string]string{"Origin": d.URL()})
	if status != 200 {
		d.t.Fatalf("POST %s: %d %s", path, status, answer)
	}
	return answer
}

// press presses a button from the page.
func (d *desk) press(extension string, press Press) Pressed {
	d.t.Helper()
	body, err := json.Marshal(press)
	if err != nil {
		d.t.Fatal(err)
	}
	var pressed Pressed
	if err := json.Unmarshal([]byte(d.post("/_local/press/"+extension, string(body))), &pressed); err != nil {
		d.t.Fatal(err)
	}
	return pressed
}

// started presses a button and returns the job's ID.
func (d *desk) started(extension string, press Press) string {
	d.t.Helper()
	pressed := d.press(extension, press)
	_, id, found := strings.Cut(pressed.Message(), "Job ID: ")
	if pressed.Status != 200 || !found {
		d.t.Fatalf("press answers %d: %s", pressed.Status, pressed.Answer)
	}
	return id
}

func (d *desk) state() State {
	d.t.Helper()
	status, answer := d.call("GET", "/_local/state", "", nil)
	var state State
	if err := json.Unmarshal([]byte(answer), &state); err != nil || status != 200 {
		d.t.Fatalf("state: %d %v", status, err)
	}
	return state
}

// job waits until a job is in a state, and returns it.
func (d *desk) job(id string, want jobs.State) JobState {
	d.t.Helper()
	var last JobState
	d.until(fmt.Sprintf("job %s is %s", id, want), func() bool {
		for _, job := range d.state().Jobs {
			if job.ID == id {
				last = job
			}
		}
		if last.State.Ended() && last.State != want {
			d.t.Fatalf("job ended as %s, want %s: %+v", last.State, want, last)
		}
		return last.State == want
	})
	return last
}

// until waits for what comes by itself.
func (d *desk) until(what string, holds func() bool) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), 30*time.Second)
	defer cancel()
	for !holds() {
		pause(ctx, 5*time.Millisecond)
		if ctx.Err() != nil {
			d.t.Fatalf("still waiting until %s; log:\n%s", what, d.log)
		}
	}
}
