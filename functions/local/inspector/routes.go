package inspector

import (
	"embed"
	"net/http"
	"strings"
	"time"

	"github.com/pim-functions/pim-functions/functions/local/destination"
	"github.com/pim-functions/pim-functions/functions/local/loopback"
	"github.com/pim-functions/pim-functions/functions/local/pim"
	"github.com/pim-functions/pim-functions/shared/engine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/platformapi/platformtest"
	"github.com/pim-functions/pim-functions/shared/queue"
)

//go:embed page
var files embed.FS

// Owns reports whether a path is the inspector's, and no function's.
func Owns(path string) bool {
	return path == "/" || path == "/style.css" || path == "/app.js" || strings.HasPrefix(path, "/_local/")
}

func (i *Inspector) handlers() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", loopback.File(files, "page/index.html"))
	mux.HandleFunc("GET /style.css", loopback.File(files, "page/style.css"))
	mux.HandleFunc("GET /app.js", loopback.File(files, "page/app.js"))
	mux.HandleFunc("GET /_local/state", i.serveState)
	mux.HandleFunc("GET /_local/live", i.serveLive)
	mux.HandleFunc("GET /_local/senders", i.serveSenders)
	mux.HandleFunc("GET /_local/secrets", i.serveUses)
	mux.HandleFunc("POST /_local/press/{extension}", i.servePress)
	mux.HandleFunc("POST /_local/events", i.serveEvents)
	mux.HandleFunc("POST /_local/appaction/{action}", i.serveAppAction)
	mux.HandleFunc("POST /_local/jobs/{id}/cancel", i.serveCancel)
	mux.HandleFunc("POST /_local/jobs/{id}/give-up", i.endWait(jobs.SignalGiveUp))
	mux.HandleFunc("POST /_local/jobs/{id}/as-done", i.endWait(jobs.SignalAsDone))
	mux.HandleFunc("POST /_local/redrive", i.serveRedrive)
	mux.HandleFunc("POST /_local/wake", i.serveWake)
	mux.HandleFunc("POST /_local/jobs/{id}/undo", i.serveUndo)
	mux.HandleFunc("POST /_local/run", i.serveRun)
	mux.HandleFunc("POST /_local/switch", i.serveSwitch)
	mux.Handle(destination.Path+"/", i.config.Destination)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		loopback.Refuse(w, http.StatusNotFound, "not_found", "There is nothing at this address.")
	})
	return loopback.Guard("", mux)
}

func (i *Inspector) serveState(w http.ResponseWriter, r *http.Request) {
	state, err := i.State(r.Context())
	if err != nil {
		loopback.Refuse(w, http.StatusInternalServerError, "internal", err.Error())
		return
	}
	loopback.Respond(w, state)
}

// serveSenders tells pimctl where the senders are that are played here, by the variables that name real ones.
func (i *Inspector) serveSenders(w http.ResponseWriter, _ *http.Request) {
	loopback.Respond(w, map[string]string{
		"PIM_URL": i.config.PIM.URL(), "EVENT_PLATFORM_URL": i.config.PIM.URL() + platformtest.Base,
	})
}

func (i *Inspector) servePress(w http.ResponseWriter, r *http.Request) {
	extension, known := i.config.Extensions.Extensions[r.PathValue("extension")]
	if !known || extension.Type != "action" {
		loopback.Refuse(w, http.StatusNotFound, "not_found", "There is no such button.")
		return
	}
	var press pim.Press
	if !loopback.Decode(w, r, &press) {
		return
	}
	pressed, err := i.config.PIM.Press(r.Context(), extension, press)
	if err != nil {
		loopback.Refuse(w, http.StatusBadGateway, "not_sent", err.Error())
		return
	}
	loopback.Respond(w, pressed)
}

func (i *Inspector) serveEvents(w http.ResponseWriter, r *http.Request) {
	var sending pim.Sending
	if !loopback.Decode(w, r, &sending) {
		return
	}
	sent, err := i.config.PIM.SendEvents(r.Context(), sending)
	if err != nil {
		loopback.Refuse(w, http.StatusBadGateway, "not_sent", err.Error())
		return
	}
	loopback.Respond(w, sent)
}

// serveRedrive moves the dead letters that are there now back to their queues. Messages that fail again meanwhile stay.
func (i *Inspector) serveRedrive(w http.ResponseWriter, r *http.Request) {
	var moved int
	for _, redrive := range []queue.Redrive{
		{Letters: i.config.Cloud.JobLetters, Work: i.config.Cloud.Jobs, Now: time.Now},
		{Letters: i.config.Cloud.EventLetters, Work: i.config.Cloud.Events, Attributes: map[string]string{engine.RedriveAttribute: "1"}, Now: time.Now},
	} {
		done, err := redrive.Run(r.Context())
		if err != nil {
			loopback.Refuse(w, http.StatusInternalServerError, "internal", err.Error())
			return
		}
		moved += done.Moved
	}
	i.config.Log.Info("dead letters redriven", "moved", moved)
	loopback.Respond(w, map[string]int{"moved": moved})
}

// serveWake sends a message for each job that waits. The delayed one comes as well: a second message is harmless.
func (i *Inspector) serveWake(w http.ResponseWriter, r *http.Request) {
	all, err := i.config.Cloud.AllJobs(r.Context())
	if err != nil {
		loopback.Refuse(w, http.StatusInternalServerError, "internal", err.Error())
		return
	}
	var messages []queue.Message
	for _, job := range all {
		if job.State == jobs.Waiting {
			messages = append(messages, jobs.Message(job.ID, 0))
		}
	}
	if err := i.config.Cloud.Jobs.Send(r.Context(), messages...); err != nil {
		loopback.Refuse(w, http.StatusInternalServerError, "internal", err.Error())
		return
	}
	loopback.Respond(w, map[string]int{"woken": len(messages)})
}

func (i *Inspector) serveSwitch(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Mode destination.Mode `json:"mode"`
	}
	if !loopback.Decode(w, r, &asked) {
		return
	}
	if err := i.config.Destination.Switch(asked.Mode); err != nil {
		loopback.Refuse(w, http.StatusBadRequest, "invalid", err.Error())
		return
	}
	i.config.Log.Info("destination switched", "mode", string(asked.Mode))
	loopback.Respond(w, asked)
}
