// Package ractor makes a struct an actor of a ractor-host node:
//
//	type Counter struct{ Count uint64 }
//
//	func (c *Counter) PreStart(start uint64) { c.Count = start }
//	func (c *Counter) Add(n uint64)          { c.Count += n }
//	func (c *Counter) Get() uint64           { return c.Count }
//
//	func init() { ractor.Export(&Counter{}) }
//	func main() {}
//
// Its exported methods are its messages. One that has a result besides an error, or an argument ReplyTo, is a call, and every other one
// a cast. An error that a call returns fails that call, and its caller hears the text; that of a cast fails the actor. A panic does the
// same, and its stack goes to the log. Methods of these names aren't messages, but what their name says, and all of them may be missing:
//
//	PreStart(argument T) error                     starts the actor, with a start argument of any type or none
//	PostStart() error                              runs when it is reachable
//	PostStop() error                               runs at its orderly end
//	HandleEvent(event ractor.Event) error          gets news of children, and of what is monitored
//	PostReload() error                             runs behind a change of the code
//	Snapshot() ([]byte, error)                     gives the state, in place of the exported fields
//	Restore(state []byte, version uint32) error    takes it over
//	Contract() ractor.Contract                     describes the actor
//
// docs/guests/go.md tells all of it.
package ractor

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"ractor-host/ractor/internal/node"
)

// Event is news of a child, or of an actor or a group that is monitored.
type Event = node.Event

// What an Event is about.
const (
	Started      = node.Started
	Terminated   = node.Terminated
	ActorFailed  = node.ActorFailed
	GroupChanged = node.GroupChanged
)

// FailedCasts says what becomes of an actor whose cast returned an error.
type FailedCasts bool

const (
	// FailActor lets the actor fail.
	FailActor FailedCasts = false
	// LogAndGoOn writes the error to the log.
	LogAndGoOn FailedCasts = true
)

// Contract is what an actor says of itself, and how it is to be treated. Each part may be left out.
type Contract struct {
	// The type of the actor, if not that of the struct.
	Name string
	// The versions of its code, and of its state: count that one up whenever the code can't restore the state of before as it is.
	Version       string
	StateVersion  uint32
	Documentation string
	// The name of the start argument.
	Start string
	// What there is to say of messages, by the names of their methods.
	Messages Messages
	// Definitions of types that have names.
	Schemas []Schema
	FailedCasts
	// Reentrant actors get other messages while a handler waits.
	Reentrant bool
}

// Schema is a definition of a type. Its format is "protobuf", with a serialized FileDescriptorSet, or "json-schema".
type Schema = node.Schema

// Messages are by the names of methods.
type Messages map[string]Message

// Message is what reflection doesn't tell of a message.
type Message struct {
	// Another tag than the name of the method.
	Tag           string
	Documentation string
	// The names of the arguments.
	Arguments []string
}

// Doc documents a message, and names its arguments.
func Doc(documentation string, arguments ...string) Message {
	return Message{Documentation: documentation, Arguments: arguments}
}

// The methods that aren't messages.
var reserved = []string{"PreStart", "PostStart", "PostStop", "HandleEvent", "PostReload", "Snapshot", "Restore", "Contract"}

// engine is the one actor of this component, or of a test.
type engine struct {
	self     reflect.Value
	contract Contract
	// By their tags.
	handlers map[string]*handler
	tags     []string
	start    *handler

	// What is waited for, by the numbers of the node.
	replies, wakes map[uint64]*wait
	// The number of handlers that aren't done.
	running int
	// Tasks whose turn it is, and why a task failed.
	ready   []*task
	failure error
}

// the is the actor. A component has one, and a test one at a time.
var the *engine

// newEngine finds the messages of an actor.
func newEngine(actor any) (*engine, error) {
	self := reflect.ValueOf(actor)
	if self.Kind() != reflect.Pointer || self.Elem().Kind() != reflect.Struct {
		return nil, fmt.Errorf("an actor is a pointer to a struct, and not %T", actor)
	}
	made := &engine{self: self, handlers: map[string]*handler{}, replies: map[uint64]*wait{}, wakes: map[uint64]*wait{}}
	if described, ok := actor.(interface{ Contract() Contract }); ok {
		made.contract = described.Contract()
	}
	for i := range self.NumMethod() {
		name := self.Type().Method(i).Name
		isReserved := slices.Contains(reserved, name)
		if isReserved && name != "PreStart" {
			continue
		}
		found, err := newHandler(name, self.Method(i))
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w; a method with a small letter is no message", self.Elem().Type().Name(), name, err)
		}
		if isReserved {
			made.start = found
			continue
		}
		found.quick = quickly(self, self.Type().Method(i), self.Method(i).Type())
		if said := made.contract.Messages[name].Tag; said != "" {
			found.tag = said
		}
		if made.handlers[found.tag] != nil {
			return nil, fmt.Errorf("two messages have the tag %s", found.tag)
		}
		made.handlers[found.tag] = found
		made.tags = append(made.tags, found.tag)
	}
	if err := made.check(actor); err != nil {
		return nil, err
	}
	if implements[snapshots](actor) {
		return made, nil
	}
	_, err := fieldsOf(self.Elem().Type())
	return made, err
}

// check finds what is misspelt.
func (e *engine) check(actor any) error {
	if e.start != nil && (len(e.start.arguments) > 1 || e.start.hasResult || e.start.isAsync || e.start.replies != nil) {
		return errors.New("PreStart has one argument at most, and no result but an error")
	}
	for name, message := range e.contract.Messages {
		at := slices.IndexFunc(e.tags, func(tag string) bool { return e.handlers[tag].name == name })
		if at < 0 {
			return fmt.Errorf("its contract speaks of the message %s, which it doesn't have", name)
		}
		if found := e.handlers[e.tags[at]]; len(message.Arguments) > len(found.arguments) {
			return fmt.Errorf("its contract names %d arguments of the message %s, which has %d", len(message.Arguments), name, len(found.arguments))
		}
	}
	for name, implements := range map[string]bool{
		"PostStart":   implements[interface{ PostStart() error }](actor),
		"PostStop":    implements[interface{ PostStop() error }](actor),
		"PostReload":  implements[interface{ PostReload() error }](actor),
		"HandleEvent": implements[interface{ HandleEvent(Event) error }](actor),
		"Snapshot":    implements[snapshots](actor),
		"Restore":     implements[restores](actor),
		"Contract":    implements[interface{ Contract() Contract }](actor),
	} {
		if !implements && e.self.MethodByName(name).IsValid() {
			return fmt.Errorf("%s has other arguments or results than it needs: see the documentation of this package", name)
		}
	}
	return nil
}

type snapshots interface{ Snapshot() ([]byte, error) }
type restores interface {
	Restore(state []byte, version uint32) error
}

func implements[T any](actor any) bool {
	_, ok := actor.(T)
	return ok
}
