package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// MaxSignalBody is how many bytes a Signal brings in its row; what is longer lies in a file.
const MaxSignalBody = 64 << 10

// MaxWithin is how long a job can wait for a signal: its record lives for 30 days after its last write.
const MaxWithin = 14 * 24 * time.Hour

// What a job can wait for: stable codes, from which the functions that face users make sentences.
const (
	WaitCallback  = "callback"  // what a destination sends to the address that it got
	WaitPIMJob    = "pim_job"   // the end of an export or import of the PIM's
	WaitWorkflow  = "workflow"  // the end of workflows of the PIM's
	WaitExecution = "execution" // the end of a state machine's execution
)

// Wait is what a job asks others to tell it. It is written before they are asked, and stays the same at every try: one
// per batch.
type Wait struct {
	Name   string         `json:"name"`             // "{first}-{last}" of the batch's items: with the job's ID, what its Signal is found by
	For    string         `json:"for"`              // see the Wait constants
	Until  time.Time      `json:"until"`            // what comes later is too late
	URL    string         `json:"url,omitempty"`    // where a callback goes: whoever has it can end the wait, so nothing logs it
	AsDone bool           `json:"asDone,omitempty"` // a user may say that it is done (SignalAsDone)
	Begun  bool           `json:"begun,omitempty"`  // they have been asked: nothing is left to do but to wait
	Failed []EarlyFailure `json:"failed,omitempty"`
}

// EarlyFailure is one item that failed before the wait began, by its place in the batch.
type EarlyFailure struct {
	Index  int    `json:"i"`
	Reason string `json:"r"`
}

// Kinds of signal. The first three bring how it went; the others end the batch.
const (
	SignalCallback = "callback" // Body or File: what functions/callback got
	SignalEvent    = "event"    // Body: what an event says, in the form of the kind of action
	SignalAsDone   = "as_done"  // a user says that it is done
	SignalTimeout  = "timeout"  // nothing came in time
	SignalGiveUp   = "give_up"  // a user stops waiting: the items fail
	SignalCancel   = "cancel"   // a user stops the job
	SignalEnded    = "ended"    // the batch ended without a wait, such as by a refusal: Code, Cause and Reason say how
)

// Signal ends a wait. There is one per wait: the first to be written counts, and nothing changes it.
type Signal struct {
	Job    string          `json:"job"`
	Wait   string          `json:"wait"` // Wait.Name
	Kind   string          `json:"kind"`
	At     time.Time       `json:"at"`
	Digest string          `json:"digest,omitempty"` // Digest of what came, byte by byte
	Body   json.RawMessage `json:"body,omitempty"`   // JSON of at most MaxSignalBody
	File   string          `json:"file,omitempty"`   // key in package files' store of a longer one
	User   User            `json:"user,omitzero"`    // who ended it by hand
	Code   string          `json:"code,omitempty"`
	Cause  string          `json:"cause,omitempty"`
	Reason string          `json:"reason,omitempty"`
}

// Brings says whether the signal brings how it went, so that the action has to look at it.
func (s Signal) Brings() bool {
	return s.Kind == SignalCallback || s.Kind == SignalEvent || s.Kind == SignalAsDone
}

// ErrNoSignal: nothing has ended the wait yet.
var ErrNoSignal = errors.New("no signal yet")

// Signals keeps what ends waits. Each signal has a partition of its own, so that whoever sends one need not know the job's
// record.
type Signals interface {
	// PutSignal writes a signal where there is none, and returns the one that holds the place: this one, or an earlier one,
	// which the caller obeys. It is durable when the error is nil; after an error it may have been written. ErrTooLarge for a
	// Body above MaxSignalBody. A signal lives for 60 days.
	//
	// Whoever has written one sends Message(job, 0) afterwards, or the job finds it within 15 minutes.
	PutSignal(ctx context.Context, signal Signal) (there Signal, err error)

	// Signal returns the signal of a wait. ErrNoSignal. It sees all earlier writes.
	Signal(ctx context.Context, job, wait string) (Signal, error)
}

// check refuses what no Store can keep.
func (s Signal) check() error {
	switch {
	case !possibleID(s.Job) || s.Wait == "" || len(s.Wait) > maxID || s.Kind == "":
		return errors.New("a signal without a job, a wait or a kind")
	case len(s.Body) > MaxSignalBody:
		return fmt.Errorf("%w: a signal of %d bytes, at most %d", ErrTooLarge, len(s.Body), MaxSignalBody)
	}
	return nil
}

// encodeSignal returns a signal as a read will, and its JSON.
func encodeSignal(s Signal) (Signal, []byte, error) {
	s.At = s.At.UTC().Round(0)
	blob, err := encode(s)
	if err != nil {
		return Signal{}, nil, fmt.Errorf("encode signal: %w", err)
	}
	s, err = decodeSignal(blob)
	return s, blob, err
}

func decodeSignal(blob []byte) (s Signal, err error) {
	if err := json.Unmarshal(blob, &s); err != nil {
		return Signal{}, fmt.Errorf("decode signal: %w", err)
	}
	return s, nil
}

// AtRest says whether the job does nothing but wait for a signal.
func (j Job) AtRest() bool { return j.State == Waiting && j.restsForSignal() }

// restsForSignal says that the signal, not somebody who asked for a pause, is what the job is held for.
func (j Job) restsForSignal() bool {
	return j.Awaits != nil && j.Awaits.Begun && j.NotBefore.Equal(j.Awaits.Until)
}
