package main

import (
	"testing"

	"ractor-host/ractor/ractortest"
)

func TestItCounts(t *testing.T) {
	counter := ractortest.Start(t, &Counter{}, uint64(5))
	counter.Cast("Add", uint64(3))
	if count := ractortest.Call[uint64](counter, "Get"); count != 8 {
		t.Errorf("it counted to %d", count)
	}
	counter.Cast("Crash", "enough")
	if counter.Failure == nil || counter.Failure.Error() != "enough" {
		t.Errorf("it failed with %v", counter.Failure)
	}
}
