// Package cloud is what the local system runs on in place of AWS: queues, records, secrets and a bus under the same ports,
// in this process's memory or at an AWS endpoint (an emulator), and the pollers that bring messages to the worker.
package cloud

import (
	"context"
	"time"

	"github.com/pim-functions/pim-functions/shared/actions/publish"
	"github.com/pim-functions/pim-functions/shared/actions/statemachine"
	"github.com/pim-functions/pim-functions/shared/files"
	"github.com/pim-functions/pim-functions/shared/files/address"
	"github.com/pim-functions/pim-functions/shared/jobs"
	"github.com/pim-functions/pim-functions/shared/ledger"
	"github.com/pim-functions/pim-functions/shared/queue"
	"github.com/pim-functions/pim-functions/shared/secrets"
)

// Cloud is one set of ports. Memory and Endpoint make one.
type Cloud struct {
	Name string // Process, or the endpoint's address

	Jobs         queue.Queue
	JobLetters   queue.Queue // dead letters of Jobs
	Events       queue.Queue
	EventLetters queue.Queue // dead letters of Events
	Store        jobs.Store
	Profiles     jobs.Profiles
	Ticks        jobs.Ticks
	Ledger       ledger.Store
	Secrets      secrets.Source
	Bus          publish.Bus
	Machines     statemachine.Machines
	Files        files.Store
	Signer       address.Signer // of addresses that give these files

	// AllJobs returns the jobs that are known, newest first: in memory all, at an endpoint those of this process.
	AllJobs func(context.Context) ([]jobs.Job, error)
	// DeadLetters returns the dead letters of both queues as far as they can be known without receiving them.
	DeadLetters func(context.Context) ([]DeadLetter, error)
}

// Process is the name of a Cloud that ends with the process.
const Process = "memory"

// DeadLetter is a message that was received too often, or that the worker gave up.
type DeadLetter struct {
	ID       string    `json:"id"`
	Queue    string    `json:"queue"`           // whose dead letter: jobs or events
	Job      string    `json:"job,omitempty"`   // its ID; "": unreadable
	Event    string    `json:"event,omitempty"` // its ID and type
	Receives int       `json:"receives"`
	Sent     time.Time `json:"sent"`
}

// The queues, as template.yaml sets them.
const (
	visibility  = 180 * time.Second
	MaxReceives = 5 // a message received more often is a dead letter
)
