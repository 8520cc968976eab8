package ractor

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"time"

	"ractor-host/ractor/internal/node"
)

// Forever is a timeout: the node has a limit of its own.
const Forever time.Duration = 0

// Cast sends a message and waits for no reply. The tag is the name of the message, as in "Add"; arguments have exactly the types that
// the other actor declares, so write uint64(5) and not 5. That it was accepted doesn't mean that it was handled.
func Cast(to Pid, tag string, arguments ...any) error {
	bytes, err := pack(arguments)
	if err != nil {
		return invalid(err)
	}
	return errorOf(node.Current.Cast(to, clean(tag), bytes), callKinds)
}

// Call sends a call and waits for its reply. This actor handles nothing else meanwhile: see Ask. Its error is a *CallError.
func Call[R any](to Pid, timeout time.Duration, tag string, arguments ...any) (R, error) {
	var reply R
	bytes, err := pack(arguments)
	if err != nil {
		return reply, invalid(err)
	}
	answer, failure := node.Current.Call(to, clean(tag), bytes, timeoutOf(timeout))
	if failure != nil {
		return reply, callErrorOf(failure, callKinds)
	}
	if err := unpackReply(tag, answer, &reply); err != nil {
		return reply, err
	}
	return reply, nil
}

// Ask sends a call and doesn't wait for its reply: Future.Await does, in a handler whose first argument is an *Async.
func Ask[R any](to Pid, timeout time.Duration, tag string, arguments ...any) *Future[R] {
	future := &Future[R]{tag: tag}
	bytes, err := pack(arguments)
	if err != nil {
		future.finish(nil, invalid(err))
		return future
	}
	token, failure := node.Current.Ask(to, clean(tag), bytes, timeoutOf(timeout))
	if failure != nil {
		future.finish(nil, callErrorOf(failure, callKinds))
		return future
	}
	future.token = token
	the.replies[token] = &future.wait
	return future
}

func timeoutOf(timeout time.Duration) *uint64 {
	if timeout == Forever {
		return nil
	}
	ms := milliseconds(timeout)
	return &ms
}

// milliseconds are rounded up, so that nothing comes too early.
func milliseconds(duration time.Duration) uint64 {
	if duration <= 0 {
		return 0
	}
	return uint64((duration-1)/time.Millisecond) + 1
}

func unpackReply(tag string, bytes []byte, reply any) error {
	value := reflect.ValueOf(reply).Elem()
	codec, err := codecOf(value.Type())
	if err == nil {
		err = codec.decode(bytes, value)
	}
	if err != nil {
		return invalid(fmt.Errorf("the reply to %s: %w", tag, err))
	}
	return nil
}

// pack encodes arguments: each with its length in front.
func pack(arguments []any) ([]byte, error) {
	var to []byte
	for i, argument := range arguments {
		var err error
		if to, err = appendArgument(to, argument); err != nil {
			return nil, fmt.Errorf("argument %d: %w", i+1, err)
		}
	}
	return to, nil
}

func appendArgument(to []byte, argument any) ([]byte, error) {
	if n, ok := argument.(uint64); ok {
		return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(to, 8), n), nil
	}
	value := reflect.ValueOf(argument)
	if !value.IsValid() {
		return nil, fmt.Errorf("nil has no type")
	}
	codec, err := codecOf(value.Type())
	if err != nil {
		return nil, err
	}
	at := len(to)
	to, err = codec.append(append(to, 0, 0, 0, 0, 0, 0, 0, 0), value)
	if err != nil {
		return nil, err
	}
	binary.BigEndian.PutUint64(to[at:], uint64(len(to)-at-8))
	return to, nil
}

// Encode gives the bytes of one value, as a start argument or a reply has them.
func Encode(value any) ([]byte, error) {
	of := reflect.ValueOf(value)
	if !of.IsValid() {
		return nil, nil
	}
	codec, err := codecOf(of.Type())
	if err != nil {
		return nil, err
	}
	return codec.append(nil, of)
}

// Decode gives the value of bytes, as Encode made them.
func Decode[T any](bytes []byte) (T, error) {
	var value T
	codec, err := codecOf(reflect.TypeFor[T]())
	if err == nil {
		err = codec.decode(bytes, reflect.ValueOf(&value).Elem())
	}
	return value, err
}

// Metadata is what came with the present message, and whether something did.
func Metadata() ([]byte, bool) { return node.Current.Metadata() }

// Trace is a place in a trace, in the texts of W3C Trace Context.
type Trace struct {
	// Parent has version, trace, span and flags: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.
	Parent string
	// State is what makers of traces add; it may be empty.
	State string
}

// TraceContext is the span of the present handler, and whether there is one: the node may not trace, or nothing that is traced has led here.
// It is for spans of your own, and for the headers of a request; what the handler sends to actors carries it anyway.
func TraceContext() (Trace, bool) {
	parent, state, traced := node.Current.TraceContext()
	return Trace{Parent: parent, State: state}, traced
}

// ReplyTo is a call that is answered later. A handler that has one as an argument is a call with a reply of the type R, and has no
// result but an error, which fails the call:
//
//	func (k *Kitchen) Keep(reply ractor.ReplyTo[string]) { k.kept = append(k.kept, reply) }
//
// In the fields of an actor it outlives a change of the code: it is a number there, of the type `u64`.
type ReplyTo[R any] struct{ Call uint64 }

// Send answers the call. Its error says why nobody got the reply.
func (r ReplyTo[R]) Send(reply R) error {
	bytes, err := Encode(any(reply))
	if err != nil {
		return invalid(err)
	}
	return errorOf(node.Current.Reply(r.Call, bytes), replyKinds)
}

// Fail fails the call: its caller hears the reason.
func (r ReplyTo[R]) Fail(reason string) { node.Current.FailCall(r.Call, clean(reason)) }

// Drop gives the call no reply: its caller hears `no-reply`.
func (r ReplyTo[R]) Drop() { node.Current.DropCall(r.Call) }

// IsWaiting says whether the caller still waits. Otherwise a reply isn't worth computing.
func (r ReplyTo[R]) IsWaiting() bool { return node.Current.IsWaiting(r.Call) }

// replyTo finds ReplyTo among the arguments of a handler.
type replyTo interface {
	replyType() reflect.Type
	to(call uint64) reflect.Value
}

func (r ReplyTo[R]) replyType() reflect.Type      { return reflect.TypeFor[R]() }
func (r ReplyTo[R]) to(call uint64) reflect.Value { return reflect.ValueOf(ReplyTo[R]{call}) }
