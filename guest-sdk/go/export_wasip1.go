package ractor

import (
	"log/slog"
	"runtime/debug"

	"ractor-host/ractor/internal/abi"
	"ractor-host/ractor/internal/node"
)

// The bytes that the stack of a goroutine may have. Beyond them the actor fails, rather than to use up its memory.
const stackBytes = 8 << 20

// Export makes this the actor of the component: a pointer to a struct. Call it in `init`.
func Export(actor any) {
	made, err := newEngine(actor)
	if err != nil {
		panic("ractor.Export: " + err.Error())
	}
	debug.SetMaxStack(stackBytes)
	node.Current = abi.Host{}
	the = made
	abi.Serve(made)
	slog.SetDefault(slog.New(NewLogHandler()))
}
