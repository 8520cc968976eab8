package ractor

import (
	"context"
	"log/slog"
	"runtime"

	"ractor-host/ractor/internal/node"
)

// LevelTrace is below slog.LevelDebug, as the level of the node is.
const LevelTrace slog.Level = -8

// logHandler brings records of log/slog to the log of the node.
type logHandler struct {
	fields []node.Setting
	// The groups that further keys are in: `request.`
	prefix string
}

// NewLogHandler gives the handler of log/slog that writes to the log of the node. It is the default one of an actor, so that slog.Info
// and log.Print go there. The node leaves out the levels that it isn't asked for.
func NewLogHandler() slog.Handler { return logHandler{} }

func (logHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h logHandler) Handle(_ context.Context, record slog.Record) error {
	fields := h.fields[:len(h.fields):len(h.fields)]
	record.Attrs(func(attr slog.Attr) bool {
		fields = appendField(fields, h.prefix, attr)
		return true
	})
	node.Current.Log(levelOf(record.Level), origin(record.PC), clean(record.Message), fields)
	return nil
}

func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	h.fields = h.fields[:len(h.fields):len(h.fields)]
	for _, attr := range attrs {
		h.fields = appendField(h.fields, h.prefix, attr)
	}
	return h
}

func (h logHandler) WithGroup(name string) slog.Handler {
	if name != "" {
		h.prefix += name + "."
	}
	return h
}

func appendField(fields []node.Setting, prefix string, attr slog.Attr) []node.Setting {
	value := attr.Value.Resolve()
	if value.Kind() != slog.KindGroup {
		if attr.Equal(slog.Attr{}) {
			return fields
		}
		return append(fields, node.Setting{Key: clean(prefix + attr.Key), Value: clean(value.String())})
	}
	if attr.Key != "" {
		prefix += attr.Key + "."
	}
	for _, inner := range value.Group() {
		fields = appendField(fields, prefix, inner)
	}
	return fields
}

func levelOf(level slog.Level) uint8 {
	switch {
	case level >= slog.LevelError:
		return 4
	case level >= slog.LevelWarn:
		return 3
	case level >= slog.LevelInfo:
		return 2
	case level >= slog.LevelDebug:
		return 1
	}
	return 0
}

// origin is the function that logged.
func origin(pc uintptr) string {
	if pc == 0 {
		return "go"
	}
	frame, _ := runtime.CallersFrames([]uintptr{pc}).Next()
	return clean(frame.Function)
}
