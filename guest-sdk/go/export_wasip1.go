package ractor

import (
	"log/slog"
	"runtime/debug"

	"ractor-host/ractor/internal/abi"
	"ractor-host/ractor/internal/node"
)

// Three quarters of the memory that a guest has by default, in bytes. Memory that doesn't grow any more ends a program in Go, which would
// let as much again as it needs pile up before it collects it.
const memoryLimit = 48 << 20

// Export makes this the actor of the component: a pointer to a struct. Call it in `init`.
func Export(actor any) {
	made, err := newEngine(actor)
	if err != nil {
		panic("ractor.Export: " + err.Error())
	}
	debug.SetMemoryLimit(memoryLimit)
	node.Current = abi.Host{}
	the = made
	abi.Serve(made)
	slog.SetDefault(slog.New(NewLogHandler()))
}
