package publish

import (
	"context"
	"log/slog"
)

// LogConfig is what a Log needs.
type LogConfig struct {
	Log     *slog.Logger
	Observe func(Entry) // sees each entry; may be nil
}

// Log is a Bus for the local system: it logs that there was an event, not what it holds.
type Log struct{ LogConfig }

// NewLog returns a Log.
func NewLog(config LogConfig) *Log { return &Log{config} }

// Put implements Bus.
func (l *Log) Put(ctx context.Context, entries []Entry) ([]error, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for _, entry := range entries {
		l.Log.Info("event published", "detail_type", entry.DetailType, "source", entry.Source, "bus", entry.Bus, "bytes", len(entry.Detail))
		if l.Observe != nil {
			l.Observe(entry)
		}
	}
	return make([]error, len(entries)), nil
}
