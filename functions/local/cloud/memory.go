package cloud

import (
	"context"
	"log/slog"
	"time"

	"github.com/pim-functions/pim-functions/shared/actions/publish"
	"github.com/pim-functions/pim-functions/shared/actions/statemachine"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/pimevent"
	"github.com/pim-functions/pim-functions/shared/queue"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

// MemoryConfig is what Memory needs. All fields are required.
type MemoryConfig struct {
	Secrets   secrets.Source
	Downloads *Downloads          // the files
	Published func(publish.Entry) // called with what is put on the bus
	Started   func(statemachine.Execution)
	Log       *slog.Logger
}

// Memory is a Cloud that lives as long as the process.
func Memory(config MemoryConfig) *Cloud {
	work := func() (messages, letters *queue.Memory) {
		letters = queue.NewMemory(queue.MemoryConfig{Visibility: visibility})
		return queue.NewMemory(queue.MemoryConfig{Visibility: visibility, MaxReceives: MaxReceives, DeadLetters: letters}), letters
	}
	messages, letters := work()
	events, eventLetters := work()
	store := jobs.NewMemory(jobs.MemoryConfig{Now: time.Now})
	records := ledger.NewMemory(ledger.MemoryConfig{Now: time.Now})
	return &Cloud{
		Name:         Process,
		Jobs:         messages,
		JobLetters:   letters,
		Events:       events,
		EventLetters: eventLetters,
		Store:        store,
		Profiles:     store,
		Ticks:        store,
		Ledger:       records,
		Secrets:      config.Secrets,
		Files:        config.Downloads.Files,
		Signer:       config.Downloads,
		Bus:          publish.NewLog(publish.LogConfig{Log: config.Log, Observe: config.Published}),
		Machines:     statemachine.NewPlayed(statemachine.PlayedConfig{Started: config.Started}),
		AllJobs:      func(context.Context) ([]jobs.Job, error) { return store.All(), nil },
		DeadLetters: func(context.Context) ([]DeadLetter, error) {
			return append(jobLetters(letters.Messages()), eventLettersOf(eventLetters.Messages())...), nil
		},
	}
}

func jobLetters(messages []queue.Received) []DeadLetter {
	found := []DeadLetter{}
	for _, message := range messages {
		id, _, _ := jobs.ParseMessage(message.Body) // a letter may be one because nobody can read it
		found = append(found, DeadLetter{ID: message.ID, Queue: "jobs", Job: id, Receives: message.Receives, Sent: message.Sent})
	}
	return found
}

func eventLettersOf(messages []queue.Received) (found []DeadLetter) {
	for _, message := range messages {
		event := pimevent.Decode(pimevent.API(message.Attributes), message.Attributes[pimevent.AttributePIM], message.Body)
		found = append(found, DeadLetter{ID: message.ID, Queue: "events", Event: event.ID + " " + event.Type, Receives: message.Receives, Sent: message.Sent})
	}
	return found
}
