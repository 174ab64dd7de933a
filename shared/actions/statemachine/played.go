package statemachine

import (
	"context"
	"fmt"
	"sync"
)

// PlayedConfig is what Played needs.
type PlayedConfig struct {
	Started func(Execution) // sees each execution that begins, once; may be nil
}

// Played are Machines in this process, for the local system and for tests: every state machine exists, and keeps the names of
// its executions.
type Played struct {
	PlayedConfig

	mu    sync.Mutex
	names map[string]bool // by state machine and name
}

var _ Machines = (*Played)(nil)

// NewPlayed returns Played.
func NewPlayed(config PlayedConfig) *Played {
	return &Played{PlayedConfig: config, names: map[string]bool{}}
}

// Start implements Machines.
func (p *Played) Start(ctx context.Context, execution Execution) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !arn.MatchString(execution.Machine) || !plain.MatchString(execution.Name) || len(execution.Name) > maxName || len(execution.Input) > maxInput {
		return fmt.Errorf("%w: InvalidName or another of its inputs", ErrRefused)
	}
	p.mu.Lock()
	key := execution.Machine + " " + execution.Name
	exists := p.names[key]
	p.names[key] = true
	p.mu.Unlock()
	if !exists && p.Started != nil {
		p.Started(execution)
	}
	return nil
}
