package main

import (
	"testing"

	"ractor-host/ractor/ractortest"
)

// The actor is on a node in memory: its tests need no WebAssembly.
func TestItCountsFromItsStartArgument(t *testing.T) {
	actor := ractortest.Start(t, &{{Type}}{}, uint64(5))
	actor.Cast("Add", uint64(2))
	if count := ractortest.Call[uint64](actor, "Get"); count != 7 {
		t.Errorf("it counted to %d", count)
	}
}
