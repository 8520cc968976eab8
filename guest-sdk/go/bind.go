package ractor

import "ractor-host/ractor/internal/node"

// Bind makes an actor that of a node to test with. It is for the package ractortest.
func Bind(actor any, on node.Node) (node.Actor, error) {
	made, err := newEngine(actor)
	if err != nil {
		return nil, err
	}
	node.Current = on
	the = made
	return made, nil
}
