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
	// What the last call had its arguments in, which are zero again. Nil while a call has them.
	spare []reflect.Value
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

// slots are places for what the method is called with.
func (h *handler) slots() []reflect.Value {
	kind := h.method.Type()
	made := make([]reflect.Value, kind.NumIn())
	for i := range made {
		made[i] = reflect.New(kind.In(i)).Elem()
	}
	return made
}

// fill decodes arguments into slots.
func (h *handler) fill(slots []reflect.Value, bytes []byte, async *Async, call uint64) error {
	if h.isAsync {
		slots[0].Set(reflect.ValueOf(async))
		slots = slots[1:]
	}
	if h.replies != nil {
		slots[0].Set(h.replies.to(call))
		slots = slots[1:]
	}
	for i, codec := range h.codecs {
		if len(bytes) < 8 || binary.BigEndian.Uint64(bytes) > uint64(len(bytes)-8) {
			return fmt.Errorf("argument %d of %d is missing or cut off", i+1, len(h.codecs))
		}
		size := binary.BigEndian.Uint64(bytes)
		if err := codec.decode(bytes[8:8+size], slots[i]); err != nil {
			return fmt.Errorf("argument %d is no %s: %w", i+1, codec.name, err)
		}
		bytes = bytes[8+size:]
	}
	if len(bytes) > 0 {
		return fmt.Errorf("there are more than %d arguments", len(h.codecs))
	}
	return nil
}

// run calls a method that doesn't wait.
func (h *handler) run(arguments []byte, call uint64) result {
	slots := h.spare
	if slots == nil {
		slots = h.slots()
	}
	h.spare = nil
	var made result
	if err := h.fill(slots, arguments, nil, call); err != nil {
		made.err = &undecoded{err}
	} else {
		made = h.invoke(slots)
	}
	// The method has copies, and what they point to is to be collected when it is done with that.
	for _, slot := range slots {
		slot.SetZero()
	}
	h.spare = slots
	return made
}

// runQuickly calls a method without reflection. False: its arguments don't decode.
func (h *handler) runQuickly(arguments []byte) (made result, ok bool) {
	defer recovered(h.name, &made.err)
	made.bytes, ok = h.quick(arguments)
	return made, ok
}

// result is what became of a handler.
type result struct {
	bytes []byte
	err   error
}

// invoke calls the method.
func (h *handler) invoke(values []reflect.Value) (made result) {
	defer recovered(h.name, &made.err)
	results := h.method.Call(values)
	if h.hasError {
		if failure := results[len(results)-1]; !failure.IsNil() {
			made.err, _ = failure.Interface().(error)
			return made
		}
	}
	if h.hasResult {
		var err error
		if made.bytes, err = h.reply.append(nil, results[0]); err != nil {
			made.err = fmt.Errorf("the reply is no %s: %w", h.reply.name, err)
		}
	}
	return made
}

// protected runs something whose panic is an error.
func protected(what string, run func() error) (err error) {
	defer recovered(what, &err)
	return run()
}

// recovered is deferred: it makes a panic an error, and puts it into the log with the stack.
func recovered(what string, err *error) {
	if panicked := recover(); panicked != nil {
		*err = fmt.Errorf("panic: %v", panicked)
		slog.Error(fmt.Sprintf("%s panicked: %v", what, panicked), "stack", stack())
	}
}

// stack is that of a panic, from the panic on.
func stack() string {
	text := string(debug.Stack())
	if at := strings.Index(text, "\npanic("); at >= 0 {
		return text[at+1:]
	}
	return text
}
