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
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"unsafe"

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
	fields   []field
	// Why there are no fields, if that is so.
	fieldsFault error

	replies, wakes map[uint64]*wait
	running        int
	// Tasks whose turn it is, and why a task failed.
	ready   []*task
	failure error
}

// the is the actor. A component has one, and a test one at a time.
var the *engine

// handler is a method that is called with what a message has.
type handler struct {
	name, tag string
	method    reflect.Value
	// Arguments on the wire, and behind how many others they come.
	arguments []reflect.Type
	codecs    []*codec
	isAsync   bool
	replies   replyTo
	// Nil if this is a cast.
	reply     *codec
	hasResult bool
	hasError  bool
	quick     func(arguments []byte) ([]byte, bool)
}

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
	made.fields, made.fieldsFault = fieldsOf(self.Elem().Type())
	return made, nil
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

var typeOfError = reflect.TypeFor[error]()

func newHandler(name string, method reflect.Value) (*handler, error) {
	made := &handler{name: name, tag: name, method: method}
	kind := method.Type()
	if kind.IsVariadic() {
		return nil, errors.New("a message has a fixed number of arguments")
	}
	for i := range kind.NumIn() {
		in := kind.In(i)
		if in == reflect.TypeFor[*Async]() && i == 0 {
			made.isAsync = true
			continue
		}
		if replies, ok := reflect.Zero(in).Interface().(replyTo); ok && len(made.arguments) == 0 && made.replies == nil {
			made.replies = replies
			continue
		}
		codec, err := codecOf(in)
		if err != nil {
			return nil, fmt.Errorf("its argument %d: %w", i+1, err)
		}
		made.arguments = append(made.arguments, in)
		made.codecs = append(made.codecs, codec)
	}
	return made, made.results(kind)
}

func (h *handler) results(kind reflect.Type) error {
	count := kind.NumOut()
	if count > 0 && kind.Out(count-1) == typeOfError {
		h.hasError = true
		count--
	}
	if count > 1 || count > 0 && h.replies != nil {
		return errors.New("it has too many results")
	}
	var err error
	if count == 1 {
		h.hasResult = true
		h.reply, err = codecOf(kind.Out(0))
	} else if h.replies != nil {
		h.reply, err = codecOf(h.replies.replyType())
	}
	if err != nil {
		return fmt.Errorf("its result: %w", err)
	}
	return nil
}

// quickly calls the most frequent kinds of methods without reflection, which takes longer than the rest of a cast. It gives nil of
// another kind. What it gives says false of what doesn't decode.
func quickly(self reflect.Value, method reflect.Method, kind reflect.Type) func([]byte) ([]byte, bool) {
	receiver := self.UnsafePointer()
	// A function is a pointer to the place of its code, and a method one whose first argument is the receiver.
	code := method.Func.Pointer()
	function := unsafe.Pointer(&code)
	switch kind {
	case reflect.TypeFor[func(uint64)]():
		call := *(*func(unsafe.Pointer, uint64))(unsafe.Pointer(&function))
		return func(arguments []byte) ([]byte, bool) {
			if len(arguments) != 16 || binary.BigEndian.Uint64(arguments) != 8 {
				return nil, false
			}
			call(receiver, binary.BigEndian.Uint64(arguments[8:]))
			return nil, true
		}
	case reflect.TypeFor[func() uint64]():
		call := *(*func(unsafe.Pointer) uint64)(unsafe.Pointer(&function))
		return func(arguments []byte) ([]byte, bool) {
			if len(arguments) != 0 {
				return nil, false
			}
			return binary.BigEndian.AppendUint64(nil, call(receiver)), true
		}
	}
	return nil
}

// values decodes arguments.
func (h *handler) values(bytes []byte, async *Async, call uint64) ([]reflect.Value, error) {
	values := make([]reflect.Value, 0, len(h.arguments)+2)
	if h.isAsync {
		values = append(values, reflect.ValueOf(async))
	}
	if h.replies != nil {
		values = append(values, h.replies.to(call))
	}
	for i, codec := range h.codecs {
		if len(bytes) < 8 || binary.BigEndian.Uint64(bytes) > uint64(len(bytes)-8) {
			return nil, fmt.Errorf("argument %d of %d is missing or cut off", i+1, len(h.codecs))
		}
		size := binary.BigEndian.Uint64(bytes)
		value := reflect.New(h.arguments[i]).Elem()
		if err := codec.decode(bytes[8:8+size], value); err != nil {
			return nil, fmt.Errorf("argument %d is no %s: %w", i+1, codec.name, err)
		}
		values, bytes = append(values, value), bytes[8+size:]
	}
	if len(bytes) > 0 {
		return nil, fmt.Errorf("there are more than %d arguments", len(h.codecs))
	}
	return values, nil
}

// result is what became of a handler.
type result struct {
	bytes []byte
	err   error
}

// invoke calls the method.
func (h *handler) invoke(values []reflect.Value) (made result) {
	made.err = protected(h.name, func() {
		results := h.method.Call(values)
		if h.hasError {
			if err, ok := results[len(results)-1].Interface().(error); ok {
				made.err = err
				return
			}
		}
		if h.hasResult {
			var err error
			if made.bytes, err = h.reply.append(nil, results[0]); err != nil {
				made.err = fmt.Errorf("the reply is no %s: %w", h.reply.name, err)
			}
		}
	}, &made.err)
	return made
}

// protected runs something whose panic is an error, and goes to the log with the stack. Otherwise it gives the error that is noted.
func protected(what string, run func(), noted ...*error) (err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("panic: %v", panicked)
			slog.Error(fmt.Sprintf("%s panicked: %v", what, panicked), "stack", stack())
		}
	}()
	run()
	if len(noted) > 0 {
		return *noted[0]
	}
	return nil
}

// stack is that of a panic, from the panic on.
func stack() string {
	text := string(debug.Stack())
	if at := strings.Index(text, "\npanic("); at >= 0 {
		return text[at+1:]
	}
	return text
}

func (e *engine) Describe() node.Contract {
	name, version := e.contract.Name, e.contract.Version
	if name == "" {
		name = e.self.Elem().Type().Name()
	}
	if version == "" {
		version = "0.1.0"
	}
	made := node.Contract{Name: clean(name), Version: clean(version), StateVersion: e.contract.StateVersion,
		Documentation: clean(e.contract.Documentation), Schemas: e.contract.Schemas}
	if e.start != nil && len(e.start.codecs) == 1 {
		made.Start = &node.Parameter{Name: clean(e.contract.Start), Type: e.start.codecs[0].name}
	}
	for _, tag := range e.tags {
		handler := e.handlers[tag]
		said := e.contract.Messages[handler.name]
		message := node.Message{Name: clean(tag), Documentation: clean(said.Documentation)}
		for i, codec := range handler.codecs {
			parameter := node.Parameter{Type: codec.name}
			if i < len(said.Arguments) {
				parameter.Name = clean(said.Arguments[i])
			}
			message.Arguments = append(message.Arguments, parameter)
		}
		if handler.reply != nil {
			message.Reply = handler.reply.name
		}
		made.Messages = append(made.Messages, message)
	}
	return made
}

func (e *engine) PreStart(bytes []byte) error {
	if e.start == nil {
		return nil
	}
	var values []reflect.Value
	if len(e.start.codecs) == 1 {
		value := reflect.New(e.start.arguments[0]).Elem()
		if err := e.start.codecs[0].decode(bytes, value); err != nil {
			return fmt.Errorf("the start argument is no %s: %w", e.start.codecs[0].name, err)
		}
		values = append(values, value)
	}
	return e.start.invoke(values).err
}

func (e *engine) PostStart() error {
	if actor, ok := e.self.Interface().(interface{ PostStart() error }); ok {
		return fallible("PostStart", actor.PostStart)
	}
	return nil
}

func (e *engine) PostStop() error {
	if actor, ok := e.self.Interface().(interface{ PostStop() error }); ok {
		return fallible("PostStop", actor.PostStop)
	}
	return nil
}

func (e *engine) PostReload() error {
	if actor, ok := e.self.Interface().(interface{ PostReload() error }); ok {
		return fallible("PostReload", actor.PostReload)
	}
	return nil
}

func (e *engine) HandleEvent(event node.Event) error {
	if actor, ok := e.self.Interface().(interface{ HandleEvent(Event) error }); ok {
		return fallible("HandleEvent", func() error { return actor.HandleEvent(event) })
	}
	return nil
}

func fallible(what string, run func() error) error {
	var err error
	return protected(what, func() { err = run() }, &err)
}

func (e *engine) Snapshot() (state []byte, err error) {
	if actor, ok := e.self.Interface().(snapshots); ok {
		err = protected("Snapshot", func() { state, err = actor.Snapshot() }, &err)
		return state, err
	}
	return PortableSnapshot(e.self.Interface())
}

func (e *engine) Restore(state []byte, version uint32) error {
	if actor, ok := e.self.Interface().(restores); ok {
		return fallible("Restore", func() error { return actor.Restore(state, version) })
	}
	return PortableRestore(e.self.Interface(), state)
}

// PortableSnapshot is the state of a pointer to a struct in the form that code in other languages reads, for a Snapshot of one's own.
func PortableSnapshot(state any) ([]byte, error) {
	of := reflect.ValueOf(state).Elem()
	fields, err := fieldsOf(of.Type())
	if err != nil {
		return nil, err
	}
	return writeFields(of, fields)
}

// PortableRestore reads such a state into a pointer to a struct, for a Restore of one's own.
func PortableRestore(into any, state []byte) error {
	of := reflect.ValueOf(into).Elem()
	fields, err := fieldsOf(of.Type())
	if err != nil {
		return err
	}
	return readFields(state, of, fields)
}

func (e *engine) HandleCast(tag string, arguments []byte) (node.Progress, error) {
	handler := e.handlers[tag]
	if handler == nil || handler.reply != nil {
		slog.Warn("dropped a cast " + clean(tag) + ", which is not understood")
		return node.Done, nil
	}
	progress, result := e.handle(handler, arguments, 0, false)
	if undecoded, ok := result.err.(*undecoded); ok {
		slog.Warn("dropped a cast " + tag + ": " + undecoded.Error())
		return progress, nil
	}
	return progress, e.afterCast(result.err)
}

func (e *engine) afterCast(err error) error {
	if err != nil && e.contract.FailedCasts == LogAndGoOn {
		slog.Error("a cast failed: " + err.Error())
		return nil
	}
	return err
}

func (e *engine) HandleCall(tag string, arguments []byte, call uint64) node.Outcome {
	handler := e.handlers[tag]
	if handler == nil || handler.reply == nil {
		return failed(fmt.Errorf("%s understands no call %s", e.Describe().Name, clean(tag)))
	}
	progress, result := e.handle(handler, arguments, call, true)
	switch {
	case progress == node.Pending:
		return node.Outcome{Kind: node.Later}
	case result.err != nil:
		return failed(result.err)
	case handler.replies != nil:
		return node.Outcome{Kind: node.Later}
	}
	return node.Outcome{Kind: node.Reply, Bytes: result.bytes}
}

func failed(err error) node.Outcome {
	return node.Outcome{Kind: node.Failed, Reason: clean(err.Error())}
}

// undecoded says what is wrong with arguments.
type undecoded struct{ error }

func (e *engine) handle(handler *handler, arguments []byte, call uint64, isCall bool) (node.Progress, result) {
	if handler.quick != nil {
		var made result
		var ok bool
		made.err = protected(handler.name, func() { made.bytes, ok = handler.quick(arguments) })
		if ok || made.err != nil {
			return node.Done, made
		}
	}
	async := &Async{}
	values, err := handler.values(arguments, async, call)
	if err != nil {
		return node.Done, result{err: &undecoded{err}}
	}
	if !handler.isAsync {
		return node.Done, handler.invoke(values)
	}
	state := &running{what: handler, call: call, isCall: isCall}
	e.running++
	task := begin(state, func(turn *Async) {
		*async = *turn
		state.result = handler.invoke(values)
	})
	e.turns()
	if !task.done {
		return node.Pending, result{}
	}
	e.running--
	task.handler = nil
	return node.Done, state.result
}

// turns lets those go on that a task waited for.
func (e *engine) turns() {
	for len(e.ready) > 0 {
		next := e.ready[0]
		e.ready = e.ready[1:]
		next.goOn()
		e.after(next)
	}
}

// after ends the handler of a task that is done.
func (e *engine) after(task *task) {
	if task == nil || !task.done || task.handler == nil {
		return
	}
	state := task.handler
	task.handler = nil
	e.running--
	if !state.isCall {
		if err := e.afterCast(state.result.err); err != nil {
			e.failure = err
		}
		return
	}
	switch {
	case state.result.err != nil:
		node.Current.FailCall(state.call, clean(state.result.err.Error()))
	case state.what.replies == nil:
		if failure := node.Current.Reply(state.call, state.result.bytes); failure != nil {
			slog.Warn("nobody got the reply to " + state.what.tag + ": " + callErrorOf(failure, replyKinds).Error())
		}
	}
}

// goOn brings what something waited for.
func (e *engine) goOn(wait *wait, bytes []byte, err *CallError) error {
	if wait.then != nil {
		return e.afterCast(fallible("a function of AfterFunc", wait.then))
	}
	e.after(wait.settle(bytes, err))
	return nil
}

func (e *engine) HandleReply(token uint64, bytes []byte, failure *node.Failure) error {
	wait := e.replies[token]
	delete(e.replies, token)
	// Whoever asked has been replaced by new code, or gave up.
	if wait == nil {
		return nil
	}
	var err *CallError
	if failure != nil {
		err = callErrorOf(failure, callKinds)
	}
	return e.afterTurn(e.goOn(wait, bytes, err))
}

func (e *engine) HandleWake(timer uint64) error {
	wait := e.wakes[timer]
	delete(e.wakes, timer)
	if wait == nil {
		return nil
	}
	return e.afterTurn(e.goOn(wait, nil, nil))
}

// afterTurn lets others go on, and gives the error of whoever failed.
func (e *engine) afterTurn(err error) error {
	e.turns()
	if err == nil {
		err = e.failure
	}
	e.failure = nil
	return err
}

func (e *engine) Leave() {
	if e.running > 0 {
		node.Current.Pending(e.contract.Reentrant)
	}
}
