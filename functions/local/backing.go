package local

import (
	"context"
	"log/slog"
	"time"

	"github.com/pim-functions/pim-functions/shared/actions/publish"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/pimevent"
	"github.com/pim-functions/pim-functions/shared/queue"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

// backing is what the system stands on: this process's memory, or an AWS endpoint.
type backing struct {
	name         string // for the closing line
	jobs         queue.Queue
	letters      queue.Queue // the jobs queue's dead letters
	store        jobs.Store
	events       queue.Queue
	eventLetters queue.Queue // the events queue's dead letters
	ledger       ledger.Store
	gaps         ledger.Gaps
	secrets      secrets.Source
	bus          publish.Bus

	// allJobs returns every job that the page can know of, newest first.
	allJobs func(context.Context) ([]jobs.Job, error)
	// deadLetters returns what can be seen of them without taking them.
	deadLetters func(context.Context) ([]DeadLetter, error)
}

// DeadLetter is a message that was received too often.
type DeadLetter struct {
	ID       string    `json:"id"`
	Queue    string    `json:"queue"`           // whose dead letter: jobs, events
	Job      string    `json:"job,omitempty"`   // "" if nobody can read the message
	Event    string    `json:"event,omitempty"` // its id and type
	Receives int       `json:"receives"`
	Sent     time.Time `json:"sent"`
}

// inProcess is the name of the backing that nobody sees after the process.
const inProcess = "memory"

// inMemory lives as long as the process.
func inMemory(source secrets.Source, recorder *Recorder, log *slog.Logger) backing {
	letters := queue.NewMemory(queue.MemoryConfig{Visibility: visibility})
	eventLetters := queue.NewMemory(queue.MemoryConfig{Visibility: visibility})
	store := jobs.NewMemory(jobs.MemoryConfig{Now: time.Now})
	records := ledger.NewMemory(ledger.MemoryConfig{Now: time.Now})
	return backing{
		name:         inProcess,
		jobs:         queue.NewMemory(queue.MemoryConfig{Visibility: visibility, MaxReceives: maxReceives, DeadLetters: letters}),
		letters:      letters,
		store:        store,
		events:       queue.NewMemory(queue.MemoryConfig{Visibility: visibility, MaxReceives: maxReceives, DeadLetters: eventLetters}),
		eventLetters: eventLetters,
		ledger:       records,
		gaps:         records,
		secrets:      source,
		bus:          publish.NewLog(publish.LogConfig{Log: log, Observe: recorder.published}),
		allJobs:      func(context.Context) ([]jobs.Job, error) { return store.All(), nil },
		deadLetters: func(context.Context) ([]DeadLetter, error) {
			found := []DeadLetter{}
			for _, message := range letters.Messages() {
				id, _ := jobs.ParseMessage(message.Body) // unreadable is one of the ways to get here
				found = append(found, DeadLetter{ID: message.ID, Queue: "jobs", Job: id, Receives: message.Receives, Sent: message.Sent})
			}
			for _, message := range eventLetters.Messages() {
				event := pimevent.Decode(message.Attributes[pimevent.AttributeAPI], message.Attributes[pimevent.AttributePIM], message.Body)
				found = append(found, DeadLetter{ID: message.ID, Queue: "events", Event: event.ID + " " + event.Type, Receives: message.Receives, Sent: message.Sent})
			}
			return found, nil
		},
	}
}
