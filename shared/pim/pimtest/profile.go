package pimtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Profile is a job profile: an export or an import that is set up in the PIM.
type Profile struct {
	Code      string `json:"code"`
	Direction string `json:"direction"` // export or import
	Label     string `json:"label"`
}

// Execution is a run of a job profile, or what the PIM's events tell of it.
type Execution struct {
	ID       int
	Profile  Profile
	Launched time.Time
}

// LaunchForm is what the PIM answers to a launch: PIMs differ (Akeneo: "Launch an export job").
type LaunchForm int

const (
	LaunchNumber LaunchForm = iota // {"job_execution_id": 4711}
	LaunchText                     // {"execution_id": "4711"}
	LaunchUUID                     // {"job_execution_id": UUID}: events still name the number
	LaunchSilent                   // {}
)

// firstExecution is the number of the first execution.
const firstExecution = 4711

// AnswerLaunches sets the form of answers to launches.
func (p *PIM) AnswerLaunches(form LaunchForm) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.launchForm = form
}

// OnLaunch has a function called with each execution, before the launch is answered. It may call the PIM.
func (p *PIM) OnLaunch(launched func(Execution)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.onLaunch = launched
}

// Executions are those so far, oldest first.
func (p *PIM) Executions() []Execution {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.executions)
}

// Run starts an execution as somebody in the PIM does.
func (p *PIM) Run(code string) (Execution, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, profile := range p.catalogue.JobProfiles {
		if profile.Code == code {
			return p.execute(profile), nil
		}
	}
	return Execution{}, fmt.Errorf("no profile %q", code)
}

func (p *PIM) execute(profile Profile) Execution {
	execution := Execution{ID: firstExecution + len(p.executions), Profile: profile, Launched: p.now().UTC()}
	p.executions = append(p.executions, execution)
	return execution
}

// launch answers a launch of a profile (Akeneo: "Launch an export job", "Launch an import job").
func (p *PIM) launch(direction string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if refused := p.authorize(r); refused != nil {
			refused.write(w)
			return
		}
		if refused := checkLaunch(direction, r); refused != nil {
			refused.write(w)
			return
		}
		p.mu.Lock()
		at := slices.IndexFunc(p.catalogue.JobProfiles, func(profile Profile) bool {
			return profile.Code == r.PathValue("code") && profile.Direction == direction
		})
		if at < 0 {
			p.mu.Unlock()
			(&refusal{status: http.StatusNotFound, Message: fmt.Sprintf("The job %q does not exist.", r.PathValue("code"))}).write(w)
			return
		}
		execution := p.execute(p.catalogue.JobProfiles[at])
		form, told := p.launchForm, p.onLaunch
		p.mu.Unlock()
		if told != nil {
			told(execution)
		}
		writeJSON(w, http.StatusOK, form.answer(execution.ID))
	}
}

// checkLaunch refuses a body that no launch may have.
func checkLaunch(direction string, r *http.Request) *refusal {
	text, err := io.ReadAll(io.LimitReader(r.Body, 1<<16))
	if err != nil {
		return &refusal{status: http.StatusBadRequest, Message: "Invalid json message received"}
	}
	var body map[string]any
	if len(text) > 0 && json.Unmarshal(text, &body) != nil {
		return &refusal{status: http.StatusBadRequest, Message: "Invalid json message received"}
	}
	for name, value := range body {
		mode, _ := value.(string)
		switch {
		case name == "is_dry_run":
		case name == "import_mode" && direction == "import" && slices.Contains([]string{"create_only", "update_only", "create_or_update"}, mode):
		case name == "import_mode" && direction == "import":
			return &refusal{status: http.StatusUnprocessableEntity, Message: "Validation failed.",
				Errors: []violation{{Property: "import_mode", Message: "The value you selected is not a valid choice."}}}
		default:
			return &refusal{status: http.StatusUnprocessableEntity, Message: fmt.Sprintf("Property %q does not exist.", name), documented: true}
		}
	}
	return nil
}

func (f LaunchForm) answer(id int) map[string]any {
	switch f {
	case LaunchText:
		return map[string]any{"execution_id": strconv.Itoa(id)}
	case LaunchUUID:
		return map[string]any{"job_execution_id": fmt.Sprintf("0f4b4cb2-4b6d-4f0e-8a52-%012d", id)}
	case LaunchSilent:
		return map[string]any{}
	}
	return map[string]any{"job_execution_id": id}
}

// Status is what an event says of an execution.
type Status struct {
	Name     string    // starting, in_progress, completed, failed, stopped, abandoned, …; PIMs also write them in capitals
	Rows     int       // read
	Skipped  int       // of an import
	Warnings int       // of an import
	End      time.Time // zero: it has not ended
}

// Event is the Event Platform's event of an execution's status (Akeneo: "Event Platform", "Available events"), at a time.
func (e Execution) Event(id string, s Status, at time.Time) json.RawMessage {
	job := map[string]any{
		"execution_id": e.ID, "code": e.Profile.Code, "name": e.Profile.Code, "label": e.Profile.Label, "status": s.Name,
		"total_rows": s.Rows, "start_time": e.Launched.Format(eventTime), "end_time": nil,
	}
	if !s.End.IsZero() {
		job["end_time"] = s.End.UTC().Format(eventTime)
	}
	if e.Profile.Direction == "import" {
		job["total_rows_processed"], job["total_rows_skipped"], job["total_warnings"] = s.Rows-s.Skipped, s.Skipped, s.Warnings
	}
	event, err := json.Marshal(map[string]any{
		"specversion": "1.0", "id": id, "type": "com.akeneo.pim.v1.job." + e.Profile.Direction + ".status-changed", "source": "pim",
		"subject": "019256aa-7f77-7f58-bc8c-770f7e369c5b", "time": at.UTC().Format(time.RFC3339), "datacontenttype": "application/json",
		"data": map[string]any{"job": job, "author": map[string]any{"identifier": "system", "type": "system"}},
	})
	if err != nil {
		panic(err) // texts and numbers always marshal
	}
	return event
}

// eventTime is how the PIM writes times in its events.
const eventTime = "2006-01-02T15:04:05-07:00"
