package ractor

import (
	"fmt"
	"log/slog"
	"reflect"

	"ractor-host/ractor/internal/node"
)

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
	slots := e.start.slots()
	if len(e.start.codecs) == 1 {
		if err := e.start.codecs[0].decode(bytes, slots[0]); err != nil {
			return fmt.Errorf("the start argument is no %s: %w", e.start.codecs[0].name, err)
		}
	}
	return e.start.invoke(slots).err
}

func (e *engine) PostStart() error {
	if actor, ok := e.self.Interface().(interface{ PostStart() error }); ok {
		return protected("PostStart", actor.PostStart)
	}
	return nil
}

func (e *engine) PostStop() error {
	if actor, ok := e.self.Interface().(interface{ PostStop() error }); ok {
		return protected("PostStop", actor.PostStop)
	}
	return nil
}

func (e *engine) PostReload() error {
	if actor, ok := e.self.Interface().(interface{ PostReload() error }); ok {
		return protected("PostReload", actor.PostReload)
	}
	return nil
}

func (e *engine) HandleEvent(event node.Event) error {
	if actor, ok := e.self.Interface().(interface{ HandleEvent(Event) error }); ok {
		return e.afterTurn(protected("HandleEvent", func() error { return actor.HandleEvent(event) }))
	}
	return nil
}

func (e *engine) Snapshot() (state []byte, err error) {
	if actor, ok := e.self.Interface().(snapshots); ok {
		err = protected("Snapshot", func() (failure error) {
			state, failure = actor.Snapshot()
			return failure
		})
		return state, err
	}
	return PortableSnapshot(e.self.Interface())
}

func (e *engine) Restore(state []byte, version uint32) error {
	if actor, ok := e.self.Interface().(restores); ok {
		return protected("Restore", func() error { return actor.Restore(state, version) })
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
	return progress, e.afterTurn(e.afterCast(result.err))
}

func (e *engine) afterCast(err error) error {
	if err != nil && e.contract.FailedCasts == LogAndGoOn {
		slog.Error("a cast failed: " + err.Error())
		return nil
	}
	return err
}

func (e *engine) HandleCall(tag string, arguments []byte, call uint64) (node.Outcome, error) {
	outcome := e.outcome(tag, arguments, call)
	return outcome, e.afterTurn(nil)
}

func (e *engine) outcome(tag string, arguments []byte, call uint64) node.Outcome {
	handler := e.handlers[tag]
	if handler == nil || handler.reply == nil {
		return failed(fmt.Errorf("%s understands no call %s", e.Describe().Name, clean(tag)))
	}
	progress, result := e.handle(handler, arguments, call, true)
	_, isUndecoded := result.err.(*undecoded)
	switch {
	case progress == node.Pending:
		return node.Outcome{Kind: node.Later}
	case isUndecoded:
		return failed(fmt.Errorf("%s: %w", handler.tag, result.err))
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
		if made, ok := handler.runQuickly(arguments); ok || made.err != nil {
			return node.Done, made
		}
	}
	if handler.isAsync {
		return e.begin(handler, arguments, call, isCall)
	}
	return node.Done, handler.run(arguments, call)
}

// begin runs a method that may wait.
func (e *engine) begin(handler *handler, arguments []byte, call uint64, isCall bool) (node.Progress, result) {
	async, slots := &Async{}, handler.slots()
	if err := handler.fill(slots, arguments, async, call); err != nil {
		return node.Done, result{err: &undecoded{err}}
	}
	state := &running{what: handler, call: call, isCall: isCall}
	task := begin(func(turn *Async) {
		*async = *turn
		state.result = handler.invoke(slots)
	})
	e.turns()
	if task.done {
		return node.Done, state.result
	}
	// From now on whoever lets it go on ends it.
	task.handler = state
	e.running++
	return node.Pending, result{}
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
	if !task.done || task.handler == nil {
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
		return e.afterCast(protected("a function of AfterFunc", wait.then))
	}
	wait.settle(bytes, err)
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
	e.turns()
	if e.running > 0 {
		node.Current.Pending(e.contract.Reentrant)
	}
}
