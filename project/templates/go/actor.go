package main

import "ractor-host/ractor"

// {{Type}} counts.
type {{Type}} struct{ Count uint64 }

func (c *{{Type}}) PreStart(start uint64) { c.Count = start }
func (c *{{Type}}) Add(number uint64)     { c.Count += number }
func (c *{{Type}}) Get() uint64           { return c.Count }

func init() { ractor.Export(&{{Type}}{}) }
func main() {}
