//go:build wasip1

package abi

import (
	"unsafe"

	"ractor-host/ractor/internal/node"
)

// The actor that the exports are about. It is set while the instance is made.
var actor node.Actor

// Serve makes an actor that of this component.
func Serve(one node.Actor) {
	actor = one
	// So that the linker keeps it.
	reserved[len(reserved)-1] = 0
}

// enter begins an entry. What the last one returned has been read.
func enter() {
	clear(returned)
	returned = returned[:0]
}

// leave ends an entry. What came in lives on only where the actor holds it.
func leave() {
	actor.Leave()
	clear(arrived)
	arrived = arrived[:0]
}

// Where the results of exports are, until the next entry.
var results [8]uint32

// nothingOrText is `result<_, string>`.
func nothingOrText(err error) unsafe.Pointer {
	leave()
	results = [8]uint32{}
	if err != nil {
		results[0] = 1
		setText(1, err.Error())
	}
	return unsafe.Pointer(&results)
}

func setText(at int, text string) { copy(results[at:], (*words)(nil).of(text)) }

func (*words) of(text string) words {
	var w words
	w.text(text)
	return w
}

//go:wasmexport ractor:actor/actor@0.1.0#pre-start
func preStart(ptr, len uint32) unsafe.Pointer {
	enter()
	return nothingOrText(actor.PreStart(slice{ptr, len}.bytes()))
}

//go:wasmexport ractor:actor/actor@0.1.0#post-start
func postStart() unsafe.Pointer {
	enter()
	return nothingOrText(actor.PostStart())
}

//go:wasmexport ractor:actor/actor@0.1.0#post-stop
func postStop() unsafe.Pointer {
	enter()
	return nothingOrText(actor.PostStop())
}

//go:wasmexport ractor:actor/actor@0.1.0#handle-cast
func handleCast(tag, tagLen, ptr, len uint32) unsafe.Pointer {
	enter()
	_, err := actor.HandleCast(slice{tag, tagLen}.text(), slice{ptr, len}.bytes())
	return nothingOrText(err)
}

//go:wasmexport ractor:actor/batch@0.1.0#handle-casts
func handleCasts(ptr, len, casts, count uint32) unsafe.Pointer {
	enter()
	bytes := slice{ptr, len}.bytes()
	var err error
	for i, sizes := range slicesOf[[2]uint32](slice{casts, count}) {
		if i > 0 && !(Host{}).NextCast() {
			break
		}
		tag, arguments := bytes[:sizes[0]], bytes[sizes[0]:][:sizes[1]]
		bytes = bytes[sizes[0]+sizes[1]:]
		var progress node.Progress
		progress, err = actor.HandleCast(asText(tag), arguments)
		if err != nil || progress == node.Pending {
			break
		}
	}
	return nothingOrText(err)
}

//go:wasmexport ractor:actor/calls@0.1.0#handle-call
func handleCall(tag, tagLen, ptr, len uint32, call uint64) unsafe.Pointer {
	enter()
	outcome, err := actor.HandleCall(slice{tag, tagLen}.text(), slice{ptr, len}.bytes(), call)
	if err != nil {
		return nothingOrText(err)
	}
	leave()
	results = [8]uint32{0, uint32(outcome.Kind)}
	switch outcome.Kind {
	case node.Reply:
		setText(2, asText(outcome.Bytes))
	case node.Failed:
		setText(2, outcome.Reason)
	}
	return unsafe.Pointer(&results)
}

// Of a node that knows nothing of `calls`: the caller isn't told the reason, so the log is.
//
//go:wasmexport ractor:actor/actor@0.1.0#handle-call
func handleCallPlainly(tag, tagLen, ptr, len uint32, call uint64) unsafe.Pointer {
	enter()
	outcome, err := actor.HandleCall(slice{tag, tagLen}.text(), slice{ptr, len}.bytes(), call)
	if err != nil {
		return nothingOrText(err)
	}
	if outcome.Kind == node.Failed {
		Host{}.Log(warn, "ractor", "dropped a call: "+outcome.Reason, nil)
		Host{}.DropCall(call)
	}
	leave()
	results = [8]uint32{}
	if outcome.Kind == node.Reply {
		results[1] = 1
		setText(2, asText(outcome.Bytes))
	}
	return unsafe.Pointer(&results)
}

const warn = 3

// The four cases of an event share their parameters. Of a change of a group, the first two are those of its scope.
//
//go:wasmexport ractor:actor/actor@0.1.0#handle-supervisor-evt
func handleEvent(kind uint32, nodeOrScoped, idOrScope uint64, namedOrScopeLen, nameOrGroup, nameLenOrGroupLen, reasonedOrChange,
	reasonOrActors, reasonLenOrActorCount uint32) unsafe.Pointer {
	enter()
	event := node.Event{Kind: node.EventKind(kind)}
	if event.Kind == node.GroupChanged {
		event.Scope = textIf(uint32(nodeOrScoped), slice{uint32(idOrScope), namedOrScopeLen})
		event.Group = slice{nameOrGroup, nameLenOrGroupLen}.text()
		event.Joined = reasonedOrChange == 0
		event.Actors = slice{reasonOrActors, reasonLenOrActorCount}.pids()
	} else {
		event.Actor = node.Pid{Node: nodeOrScoped, ID: idOrScope}
		event.Name = textIf(namedOrScopeLen, slice{nameOrGroup, nameLenOrGroupLen})
		if event.Kind != node.Started {
			event.Reason = textIf(reasonedOrChange, slice{reasonOrActors, reasonLenOrActorCount})
		}
	}
	return nothingOrText(actor.HandleEvent(event))
}

func textIf(some uint32, s slice) string {
	if some == 0 {
		return ""
	}
	return s.text()
}

//go:wasmexport ractor:actor/replies@0.1.0#handle-reply
func handleReply(token uint64, failed, bytesOrCode, lenOrReason, reasonLen uint32) unsafe.Pointer {
	enter()
	if failed == 0 {
		return nothingOrText(actor.HandleReply(token, slice{bytesOrCode, lenOrReason}.bytes(), nil))
	}
	failure := &node.Failure{Code: uint8(bytesOrCode)}
	if failure.Code == failedCall {
		failure.Reason = slice{lenOrReason, reasonLen}.text()
	}
	return nothingOrText(actor.HandleReply(token, nil, failure))
}

//go:wasmexport ractor:actor/replies@0.1.0#handle-wake
func handleWake(timer uint64) unsafe.Pointer {
	enter()
	return nothingOrText(actor.HandleWake(timer))
}

//go:wasmexport ractor:actor/reload@0.1.0#snapshot
func snapshot() unsafe.Pointer {
	enter()
	state, err := actor.Snapshot()
	to := nothingOrText(err)
	if err == nil {
		setText(1, asText(state))
	}
	return to
}

//go:wasmexport ractor:actor/reload@0.1.0#restore
func restore(ptr, len, version uint32) unsafe.Pointer {
	enter()
	return nothingOrText(actor.Restore(slice{ptr, len}.bytes(), version))
}

//go:wasmexport ractor:actor/reload@0.1.0#post-reload
func postReload() unsafe.Pointer {
	enter()
	return nothingOrText(actor.PostReload())
}

func (w *words) optionalText(text string) {
	if text == "" {
		*w = append(*w, 0, 0, 0)
		return
	}
	w.number(1)
	w.text(text)
}

//go:wasmexport ractor:actor/actor@0.1.0#describe
func describe() unsafe.Pointer {
	enter()
	contract := actor.Describe()
	start := "unit"
	if contract.Start != nil {
		start = contract.Start.Type
	}
	var messages words
	for _, message := range contract.Messages {
		var types words
		for _, argument := range message.Arguments {
			types.text(argument.Type)
		}
		messages.text(message.Name)
		messages.list(types, len(message.Arguments))
		messages.optionalText(message.Reply)
	}
	var w words
	w.text(contract.Name)
	w.text(contract.Version)
	w.number(contract.StateVersion)
	w.optionalText(start)
	w.list(messages, len(contract.Messages))
	leave()
	return w.address()
}

//go:wasmexport ractor:actor/contract@0.1.0#describe
func describeContract() unsafe.Pointer {
	enter()
	contract := actor.Describe()
	var messages, schemas words
	for _, message := range contract.Messages {
		var arguments words
		for _, argument := range message.Arguments {
			arguments.text(argument.Name)
			arguments.text(argument.Type)
		}
		messages.text(message.Name)
		messages.text(message.Documentation)
		messages.list(arguments, len(message.Arguments))
		messages.optionalText(message.Reply)
	}
	for _, schema := range contract.Schemas {
		schemas.text(schema.Name)
		schemas.text(schema.Format)
		schemas.bytes(schema.Bytes)
	}
	var w words
	w.text(contract.Name)
	w.text(contract.Version)
	w.number(contract.StateVersion)
	w.text(contract.Documentation)
	if contract.Start == nil {
		w = append(w, 0, 0, 0, 0, 0)
	} else {
		w.number(1)
		w.text(contract.Start.Name)
		w.text(contract.Start.Type)
	}
	w.list(messages, len(contract.Messages))
	w.list(schemas, len(contract.Schemas))
	leave()
	return w.address()
}
