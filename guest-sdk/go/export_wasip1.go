package ractor

import (
	"log/slog"

	"ractor-host/ractor/internal/abi"
	"ractor-host/ractor/internal/node"
)

// Export makes this the actor of the component: a pointer to a struct. Call it in `init`.
func Export(actor any) {
	made, err := newEngine(actor)
	if err != nil {
		panic("ractor.Export: " + err.Error())
	}
	node.Current = abi.Host{}
	the = made
	abi.Serve(made)
	slog.SetDefault(slog.New(NewLogHandler()))
}
