// The heart of a counter in Go, with the SDK in guest-sdk/go. README.md in the folder above says how it is built.
package main

import (
	"errors"

	"ractor-host/ractor"
)

// Counter counts up from its start argument.
type Counter struct{ Count uint64 }

func (c *Counter) PreStart(start uint64)     { c.Count = start }
func (c *Counter) Add(n uint64)              { c.Count += n }
func (c *Counter) Get() uint64               { return c.Count }
func (c *Counter) Name() string              { return ractor.SelfName() }
func (c *Counter) Crash(reason string) error { return errors.New(reason) }

func init() { ractor.Export(&Counter{}) }
func main() {}
