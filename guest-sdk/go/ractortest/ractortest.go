// Package ractortest has a node to test actors with, under `go test` and without WebAssembly:
//
//	func TestItCounts(t *testing.T) {
//		counter := ractortest.Start(t, &Counter{}, uint64(5))
//		counter.Cast("Add", uint64(2))
//		if count := ractortest.Call[uint64](counter, "Get"); count != 7 {
//			t.Errorf("it counted to %d", count)
//		}
//	}
//
// It runs one actor, the other actors answer as the test says, time passes when the test says, and everything is written down that the
// actor asks its node for. As there is one actor in a component, there is one in a test: tests with actors don't run in parallel.
package ractortest

import (
	"encoding/binary"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"testing"
	"time"

	"ractor-host/ractor"
	"ractor-host/ractor/internal/node"
)

// Node is one to test with, and the actor on it.
type Node struct {
	// What the actor has of its environment. Set it before Start, by an Option, or later.
	Name, FullName string
	Settings       map[string]string
	// What the actor did, in order.
	Casts  []Sent
	Logs   []Log
	Spawns []node.Child
	// Groups that it is in, and that it monitors.
	Groups, MonitoredGroups map[string]bool
	// Actors that it monitors.
	Monitored map[ractor.Pid]bool
	// Whether it stopped itself, and for which reason.
	Stopped    bool
	StopReason string
	// The failure of the actor, if it failed. It takes no messages then.
	Failure error

	t      testing.TB
	value  any
	actor  node.Actor
	others map[string]*Other
	// The names in `others` of the children that live.
	children map[ractor.Pid]string
	calls    map[uint64]*Pending
	last     uint64
	now      time.Duration
	timers   []*timer
	queue    []func()
	held     bool
	open     bool
	busy     bool
}

// Sent is a message to another actor.
type Sent struct {
	To  ractor.Pid
	Tag string
	// The arguments, as bytes: see Argument.
	Arguments []byte
}

// Argument gives one of a message, counted from 0.
func Argument[T any](t testing.TB, arguments []byte, at int) T {
	t.Helper()
	for range at {
		_, arguments = cut(t, arguments)
	}
	bytes, _ := cut(t, arguments)
	value, err := ractor.Decode[T](bytes)
	if err != nil {
		t.Fatalf("argument %d: %v", at, err)
	}
	return value
}

func cut(t testing.TB, bytes []byte) (argument, rest []byte) {
	t.Helper()
	if len(bytes) < 8 || binary.BigEndian.Uint64(bytes) > uint64(len(bytes)-8) {
		t.Fatal("the message has no such argument")
	}
	size := 8 + binary.BigEndian.Uint64(bytes)
	return bytes[8:size], bytes[size:]
}

// Log is an event in the log.
type Log struct {
	Level   string
	Message string
	Fields  map[string]string
}

// Other is an actor beside the one that is tested.
type Other struct {
	Pid ractor.Pid
	// Answer gives the reply to a call. An error that is a *ractor.CallError is the one that the actor sees, and every other one fails the
	// call with its text. Nil answers nothing: calls time out.
	Answer func(tag string, arguments []byte) (any, error)
	// Groups that it is in.
	Groups []string
}

type timer struct {
	number  uint64
	at      time.Duration
	period  time.Duration
	fire    func()
	isReply bool
	isEnded bool
}

var self = ractor.Pid{ID: 1}

// Option changes a node before the actor starts.
type Option func(*Node)

// WithSettings gives the actor settings, as `[actors.config]` does.
func WithSettings(settings map[string]string) Option {
	return func(n *Node) { n.Settings = settings }
}

// Start starts an actor, which is a pointer to a struct, with a start argument or nil. The test fails if that fails.
func Start(t testing.TB, actor any, argument any, options ...Option) *Node {
	t.Helper()
	made, err := TryStart(t, actor, argument, options...)
	if err != nil {
		t.Fatalf("the actor doesn't start: %v", err)
	}
	return made
}

// TryStart gives the error with which the actor refuses to start.
func TryStart(t testing.TB, actor any, argument any, options ...Option) (*Node, error) {
	t.Helper()
	made := &Node{Name: "tested", FullName: "node@localhost", Groups: map[string]bool{}, MonitoredGroups: map[string]bool{},
		Monitored: map[ractor.Pid]bool{}, t: t, value: actor, others: map[string]*Other{}, children: map[ractor.Pid]string{}, calls: map[uint64]*Pending{}, last: 1}
	for _, option := range options {
		option(made)
	}
	made.bind(actor)
	before := slog.Default()
	slog.SetDefault(slog.New(ractor.NewLogHandler()))
	t.Cleanup(func() { slog.SetDefault(before) })
	bytes, err := ractor.Encode(argument)
	if err != nil {
		t.Fatal(err)
	}
	err = made.enter(func() error { return made.actor.PreStart(bytes) })
	if err == nil {
		err = made.enter(made.actor.PostStart)
	}
	made.Failure = err
	made.run()
	return made, err
}

func (n *Node) bind(actor any) {
	n.t.Helper()
	bound, err := ractor.Bind(actor, fake{n})
	if err != nil {
		n.t.Fatal(err)
	}
	n.actor = bound
}

// enter runs a callback of the actor, and says what holds afterwards.
func (n *Node) enter(callback func() error) error {
	n.held = false
	n.busy = true
	err := callback()
	n.busy = false
	n.actor.Leave()
	return err
}

// deliver runs a callback that comes to an actor that lives.
func (n *Node) deliver(callback func() error) {
	if n.Failure == nil && !n.Stopped {
		n.Failure = n.enter(callback)
	}
}

// run handles what waits: replies that are there, and messages unless a handler holds the mailbox.
func (n *Node) run() {
	for !n.busy {
		if at := slices.IndexFunc(n.timers, func(one *timer) bool { return one.isReply && !one.isEnded }); at >= 0 {
			n.timers[at].isEnded = true
			n.timers[at].fire()
			continue
		}
		if n.isHeld() || len(n.queue) == 0 {
			return
		}
		next := n.queue[0]
		n.queue = n.queue[1:]
		next()
	}
}

func (n *Node) isHeld() bool { return n.held && !n.open }

func (n *Node) next() uint64 {
	n.last++
	return n.last
}

// Other adds an actor that this one can find by its name, and that answers as the function says.
func (n *Node) Other(name string, answer func(tag string, arguments []byte) (any, error)) *Other {
	made := &Other{Pid: ractor.Pid{ID: n.next()}, Answer: answer}
	n.others[name] = made
	return made
}

// Cast sends the actor a message, and lets it handle what it can.
func (n *Node) Cast(tag string, arguments ...any) {
	n.t.Helper()
	n.queueCast(tag, n.pack(arguments))
	n.run()
}

func (n *Node) queueCast(tag string, bytes []byte) {
	n.queue = append(n.queue, func() {
		n.deliver(func() error {
			_, err := n.actor.HandleCast(tag, bytes)
			return err
		})
	})
}

func (n *Node) pack(arguments []any) []byte {
	n.t.Helper()
	var bytes []byte
	for _, argument := range arguments {
		encoded, err := ractor.Encode(argument)
		if err != nil {
			n.t.Fatal(err)
		}
		bytes = append(binary.BigEndian.AppendUint64(bytes, uint64(len(encoded))), encoded...)
	}
	return bytes
}

// Pending is a call that the actor has, and may answer later.
type Pending struct {
	done  bool
	bytes []byte
	err   error
}

// IsDone says whether it was answered, failed or dropped.
func (p *Pending) IsDone() bool { return p.done }

func (p *Pending) finish(bytes []byte, err error) bool {
	if p.done {
		return false
	}
	p.done, p.bytes, p.err = true, bytes, err
	return true
}

// Ask sends the actor a call, and lets it handle what it can.
func (n *Node) Ask(tag string, arguments ...any) *Pending {
	n.t.Helper()
	bytes, number, made := n.pack(arguments), n.next(), &Pending{}
	n.calls[number] = made
	n.queue = append(n.queue, func() {
		n.deliver(func() error {
			outcome, err := n.actor.HandleCall(tag, bytes, number)
			switch {
			case err != nil:
				made.finish(nil, &ractor.CallError{Kind: ractor.NoReply})
			case outcome.Kind == node.Reply:
				made.finish(outcome.Bytes, nil)
			case outcome.Kind == node.Failed:
				made.finish(nil, &ractor.CallError{Kind: ractor.Failed, Reason: outcome.Reason})
			}
			return err
		})
	})
	n.run()
	return made
}

// Reply gives the reply to a call, or the *ractor.CallError that its caller gets. The test fails if the actor hasn't answered.
func Reply[R any](n *Node, call *Pending) (R, error) {
	n.t.Helper()
	if !call.done {
		n.t.Fatal("the call is not answered yet")
	}
	if call.err != nil {
		var none R
		return none, call.err
	}
	return ractor.Decode[R](call.bytes)
}

// Call sends the actor a call that it answers at once. The test fails if it doesn't.
func Call[R any](n *Node, tag string, arguments ...any) R {
	n.t.Helper()
	reply, err := TryCall[R](n, tag, arguments...)
	if err != nil {
		n.t.Fatalf("%s fails: %v", tag, err)
	}
	return reply
}

// TryCall does the same, and gives the error.
func TryCall[R any](n *Node, tag string, arguments ...any) (R, error) {
	n.t.Helper()
	return Reply[R](n, n.Ask(tag, arguments...))
}

// Send brings the actor an event.
func (n *Node) Send(event ractor.Event) {
	n.deliver(func() error { return n.actor.HandleEvent(event) })
	n.run()
}

// Advance lets time pass, and timers fire in their order.
func (n *Node) Advance(by time.Duration) {
	end := n.now + by
	for {
		var first *timer
		for _, one := range n.timers {
			if !one.isEnded && one.at <= end && (first == nil || one.at < first.at) {
				first = one
			}
		}
		if first == nil {
			break
		}
		n.now = first.at
		if first.period > 0 {
			first.at += first.period
		} else {
			first.isEnded = true
		}
		first.fire()
		n.run()
	}
	n.now = end
}

func (n *Node) start(after, period time.Duration, fire func()) uint64 {
	return n.add(&timer{at: n.now + after, period: period, fire: fire})
}

func (n *Node) add(one *timer) uint64 {
	one.number = n.next()
	n.timers = append(n.timers, one)
	return one.number
}

// Reload gives the state of the actor to a new one of the same type, as new code gets it. The new one is the tested actor from then on.
func (n *Node) Reload() any {
	n.t.Helper()
	state, err := n.actor.Snapshot()
	if err != nil {
		n.t.Fatalf("the actor gives no state: %v", err)
	}
	version := n.actor.Describe().StateVersion
	n.value = reflect.New(reflect.TypeOf(n.value).Elem()).Interface()
	n.bind(n.value)
	if err := n.actor.Restore(state, version); err != nil {
		n.t.Fatalf("the state is refused: %v", err)
	}
	n.deliver(n.actor.PostReload)
	n.run()
	return n.value
}

// Stop ends the actor in an orderly way.
func (n *Node) Stop() {
	n.deliver(n.actor.PostStop)
	n.Stopped = true
}

// Describe gives the message of this name as its contract has it, as text: `Add(n: u64)`, `Get() -> u64`.
func (n *Node) Describe(tag string) string {
	for _, message := range n.actor.Describe().Messages {
		if message.Name != tag {
			continue
		}
		text := tag + "("
		for i, argument := range message.Arguments {
			if i > 0 {
				text += ", "
			}
			if argument.Name != "" {
				text += argument.Name + ": "
			}
			text += argument.Type
		}
		text += ")"
		if message.Reply != "" {
			text += " -> " + message.Reply
		}
		return text
	}
	return fmt.Sprintf("there is no message %s", tag)
}
