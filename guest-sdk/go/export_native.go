//go:build !wasip1

package ractor

// Export makes this the actor of the component: a pointer to a struct. Call it in `init`. In a test it does nothing: give the actor to
// ractortest.Start there.
func Export(actor any) {
	if _, err := newEngine(actor); err != nil {
		panic("ractor.Export: " + err.Error())
	}
}
