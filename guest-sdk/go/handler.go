package ractor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"runtime/debug"
	"strings"
	"unsafe"
)

// handler is a method that is called with what a message has.
type handler struct {
	name, tag string
	method    reflect.Value
	// What is on the wire, which is all but an Async and a ReplyTo.
	arguments []reflect.Type
	codecs    []*codec
	isAsync   bool
	replies   replyTo
	// Nil if this is a cast.
	reply     *codec
	hasResult bool
	hasError  bool
	// Nil if the method is of another kind than those of `quickly`.
	quick func(arguments []byte) ([]byte, bool)
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
		if replies, ok := reflect.Zero(in).Interface().(replyTo); ok && in.Kind() == reflect.Struct && len(made.arguments) == 0 && made.replies == nil {
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
