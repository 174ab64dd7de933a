package inspector

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Line is one line of the log, as the page shows it.
type Line struct {
	At    time.Time      `json:"at"`
	Level string         `json:"level"`
	Text  string         `json:"text"` // what the terminal shows
	Attrs map[string]any `json:"attrs"`
}

// Log is a slog.Handler that writes the log twice: short lines to the terminal, all of it to the page.
type Log struct {
	terminal io.Writer
	level    slog.Level   // of the terminal; the page has everything from debug
	quiet    *atomic.Bool // the terminal shows warnings and errors alone
	recorder *Recorder
	attrs    []slog.Attr
	group    string
}

var _ slog.Handler = (*Log)(nil)

// NewLog is a Log whose terminal shows lines from a level on.
func NewLog(terminal io.Writer, level slog.Level, recorder *Recorder) *Log {
	return &Log{terminal: terminal, level: level, quiet: new(atomic.Bool), recorder: recorder}
}

// Quiet shows warnings and errors alone on the terminal, or all from its level on again.
func (h *Log) Quiet(quiet bool) { h.quiet.Store(quiet) }

// Enabled implements slog.Handler: the page shows everything.
func (h *Log) Enabled(context.Context, slog.Level) bool { return true }

// WithAttrs implements slog.Handler.
func (h *Log) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *h
	with.attrs = slices.Concat(h.attrs, h.named(attrs))
	return &with
}

// WithGroup implements slog.Handler.
func (h *Log) WithGroup(name string) slog.Handler {
	with := *h
	with.group = h.group + name + "."
	return &with
}

func (h *Log) named(attrs []slog.Attr) []slog.Attr {
	named := slices.Clone(attrs)
	for i := range named {
		named[i].Key = h.group + named[i].Key
	}
	return named
}

// Handle implements slog.Handler.
func (h *Log) Handle(_ context.Context, record slog.Record) error {
	var own []slog.Attr
	record.Attrs(func(attr slog.Attr) bool { own = append(own, attr); return true })
	attrs := slices.Concat(h.attrs, h.named(own))
	line := Line{At: record.Time, Level: record.Level.String(), Text: short(record, attrs), Attrs: map[string]any{"msg": record.Message}}
	for _, attr := range attrs {
		line.Attrs[attr.Key] = jsonValue(attr.Value)
	}
	h.recorder.logged(line)

	level := h.level
	if h.quiet.Load() {
		level = max(level, slog.LevelWarn)
	}
	if record.Level < level {
		return nil
	}
	_, err := fmt.Fprintf(h.terminal, "%s %s\n", record.Time.Format(time.TimeOnly), line.Text)
	return err
}

// jsonValue is what a value looks like on the page.
func jsonValue(value slog.Value) any {
	switch v := value.Resolve().Any().(type) {
	case error:
		return v.Error()
	case fmt.Stringer:
		return v.String()
	default:
		if _, err := json.Marshal(v); err != nil {
			return fmt.Sprint(v)
		}
		return v
	}
}

// terminalOmits are left out of the terminal's lines: they are long, and seldom needed there.
var terminalOmits = []string{"function", "method", "route", "status", "duration_ms", "request_id", "correlation", "stack", "user", "user_uuid", "timestamp", "message_id"}

// short makes a line that a person reads in passing.
func short(record slog.Record, attrs []slog.Attr) string {
	value := func(key string) string {
		for _, attr := range attrs {
			if attr.Key == key {
				return attr.Value.String()
			}
		}
		return ""
	}
	text := record.Message
	if route := value("route"); route != "" {
		text = fmt.Sprintf("%s %s: %s in %s ms", value("method"), route, value("status"), value("duration_ms"))
	}
	var out strings.Builder
	if record.Level != slog.LevelInfo {
		out.WriteString(record.Level.String() + " ")
	}
	out.WriteString(text)
	for _, attr := range attrs {
		if text := attr.Value.String(); text != "" && !slices.Contains(terminalOmits, attr.Key) {
			if strings.ContainsAny(text, " \n\"") {
				text = strconv.Quote(text)
			}
			out.WriteString(" " + attr.Key + "=" + text)
		}
	}
	return out.String()
}
