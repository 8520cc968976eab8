// An actor that uses all of its SDK: the kitchen, in Go. What its messages do is the same in every language.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"ractor-host/ractor"
)

const (
	patience  = 10 * time.Second
	failLater = 10 * time.Millisecond
	cancel    = 20 * time.Millisecond
	step      = 30 * time.Millisecond
)

// Kitchen has its state in the fields with capital letters.
type Kitchen struct {
	Count uint64
	Note  string
	// The message Big has the name that it would have.
	BigNumber ractor.I128 `ractor:"big"`
	Marks     []uint64

	program string
	events  []string
	kept    []ractor.ReplyTo[string]
	timers  []ractor.Timer
}

func main() {}

func init() { ractor.Export(&Kitchen{}) }

// ---- Life ----

func (k *Kitchen) PreStart(program string) error {
	if text, ok := strings.CutPrefix(program, "fail:"); ok {
		return errors.New(text)
	}
	if program == "panic" {
		panic("PreStart panics")
	}
	k.program = program
	if !strings.HasPrefix(program, "fail-") {
		k.Note = program
	}
	return nil
}

func (k *Kitchen) PostStart() error { return k.failIf("fail-post") }
func (k *Kitchen) PostStop() error  { return k.failIf("fail-stop") }

func (k *Kitchen) failIf(program string) error {
	if k.program == program {
		return errors.New(program)
	}
	return nil
}

func (k *Kitchen) HandleEvent(event ractor.Event) error {
	name := event.Name
	if name == "" {
		name = "?"
	}
	switch event.Kind {
	case ractor.Started:
		k.events = append(k.events, "started:"+name)
	case ractor.Terminated:
		k.events = append(k.events, "terminated:"+name+":"+event.Reason)
	case ractor.ActorFailed:
		k.events = append(k.events, "failed:"+name+":"+event.Reason)
	case ractor.GroupChanged:
		change := "left"
		if event.Joined {
			change = "joined"
		}
		k.events = append(k.events, fmt.Sprintf("group:%s:%s:%d", event.Group, change, len(event.Actors)))
	}
	return k.failIf("fail-event")
}

// ---- Casts ----

func (k *Kitchen) Add(n uint64)                { k.Count += n }
func (k *Kitchen) AddBig(n ractor.I128)        { k.BigNumber = k.BigNumber.Add(n) }
func (k *Kitchen) Mark(n uint64)               { k.Marks = append(k.Marks, n) }
func (k *Kitchen) SetNote(text string)         { k.Note = text }
func (k *Kitchen) ThrowCast(text string) error { return errors.New(text) }

// Trap ends the program. A panic would be an error.
func (k *Kitchen) Trap() { os.Exit(1) }

func (k *Kitchen) Log(level, text string) {
	levels := map[string]slog.Level{"trace": ractor.LevelTrace, "debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn,
		"error": slog.LevelError}
	slog.Log(context.Background(), levels[level], text)
}

func (k *Kitchen) Print(text string) { fmt.Println(text) }

func (k *Kitchen) After(ms, n uint64) error {
	_, err := ractor.SendAfter(ractor.Self(), millis(ms), "Mark", n)
	return err
}

func (k *Kitchen) Every(ms, n uint64) error {
	timer, err := ractor.SendInterval(ractor.Self(), millis(ms), "Mark", n)
	k.timers = append(k.timers, timer)
	return err
}

func (k *Kitchen) CancelTimers() {
	for _, timer := range k.timers {
		timer.Stop()
	}
	k.timers = nil
}

func (k *Kitchen) Join(group string)         { ractor.Join(group) }
func (k *Kitchen) Leave(group string)        { ractor.Leave(group) }
func (k *Kitchen) MonitorGroup(group string) { ractor.MonitorGroup(group) }

func (k *Kitchen) MonitorActor(name string) {
	k.note(with(name, func(other ractor.Pid) error { return ractor.Monitor(other) }))
}

func (k *Kitchen) StopSelf(reason string) { ractor.Stop(reason) }
func (k *Kitchen) ExitNow(reason string)  { ractor.Exit(reason) }

func (k *Kitchen) CastOther(name string, n uint64) {
	k.note(with(name, func(other ractor.Pid) error { return ractor.Cast(other, "Add", n) }))
}

func (k *Kitchen) Forget(name string) {
	if other, ok := ractor.WhereIs(name); ok {
		ractor.Demonitor(other)
	}
}

func (k *Kitchen) Release(text string) {
	for _, reply := range k.kept {
		// Those that gave up don't matter.
		_ = reply.Send(text)
	}
	k.kept = nil
}

// note keeps an error, if there is one.
func (k *Kitchen) note(err error) {
	if err != nil {
		k.Note = told(err)
	}
}

var errNotFound = errors.New("not-found")

func with(name string, act func(ractor.Pid) error) error {
	other, ok := ractor.WhereIs(name)
	if !ok {
		return errNotFound
	}
	return act(other)
}

// told is `error:KIND` or `error:KIND:TEXT`.
func told(err error) string {
	var call *ractor.CallError
	switch {
	case !errors.As(err, &call):
		return "error:" + err.Error()
	case call.Reason == "":
		return "error:" + string(call.Kind)
	}
	return "error:" + string(call.Kind) + ":" + call.Reason
}

func millis(ms uint64) time.Duration { return time.Duration(ms) * time.Millisecond }

// ---- Calls ----

func (k *Kitchen) Two(number uint64, text string) string { return fmt.Sprintf("%d:%s", number, text) }
func (k *Kitchen) Nothing() ractor.Unit                  { return ractor.Unit{} }
func (k *Kitchen) Get() uint64                           { return k.Count }
func (k *Kitchen) GetBig() ractor.I128                   { return k.BigNumber }
func (k *Kitchen) GetMarks() []uint64                    { return k.Marks }
func (k *Kitchen) GetNote() string                       { return k.Note }

func (k *Kitchen) Later(reply ractor.ReplyTo[string], ms uint64, text string) error {
	_, err := ractor.AfterFunc(millis(ms), func() error {
		_ = reply.Send(text)
		return nil
	})
	return err
}

func (k *Kitchen) Keep(reply ractor.ReplyTo[string])   { k.kept = append(k.kept, reply) }
func (k *Kitchen) DropIt(reply ractor.ReplyTo[string]) { reply.Drop() }
func (k *Kitchen) FailIt(text string) (string, error)  { return "", errors.New(text) }

func (k *Kitchen) FailLater(reply ractor.ReplyTo[string], text string) error {
	_, err := ractor.AfterFunc(failLater, func() error {
		reply.Fail(text)
		return nil
	})
	return err
}

// Throw panics, as what escapes from a handler in Go is a panic.
func (k *Kitchen) Throw(text string) string { panic(text) }

func (k *Kitchen) TrapCall() string {
	os.Exit(1)
	return ""
}

func (k *Kitchen) Recurse(depth uint32) uint32 { return recurse(depth, 0) }

func recurse(depth, at uint32) uint32 {
	if depth != ^uint32(0) && at == depth {
		return at
	}
	// Something to come back to, so that the calls stay calls.
	return recurse(depth, at+1) + at - at
}

// memory keeps the compiler from leaving out what is allocated.
var memory []byte

func (k *Kitchen) Allocate(bytes uint64) uint64 {
	memory = make([]byte, bytes)
	for i := uint64(0); i < bytes; i += 4096 {
		memory[i] = 1
	}
	memory = nil
	return bytes
}

// The messages by which another kitchen is called.
func order(what string) (tag string, arguments []any) {
	switch what {
	case "fail":
		return "FailIt", []any{"no soup"}
	case "drop":
		return "DropIt", nil
	}
	return "Keep", nil
}

func answer[T any](value T, err error) string {
	if err != nil {
		return told(err)
	}
	return fmt.Sprintf("ok:%v", value)
}

func (k *Kitchen) CallOther(name, what string, ms uint64) string {
	other, ok := ractor.WhereIs(name)
	if !ok {
		return told(errNotFound)
	}
	if what == "get" {
		return answer(ractor.Call[uint64](other, millis(ms), "Get"))
	}
	tag, arguments := order(what)
	return answer(ractor.Call[string](other, millis(ms), tag, arguments...))
}

func (k *Kitchen) AskOther(async *ractor.Async, name, what string, ms uint64) string {
	other, ok := ractor.WhereIs(name)
	if !ok {
		return told(errNotFound)
	}
	if what == "get" {
		return answer(ractor.Ask[uint64](other, millis(ms), "Get").Await(async))
	}
	tag, arguments := order(what)
	return answer(ractor.Ask[string](other, millis(ms), tag, arguments...).Await(async))
}

func (k *Kitchen) Ring(name string) string {
	other, ok := ractor.WhereIs(name)
	if !ok {
		return told(errNotFound)
	}
	return answer(ractor.Call[string](other, patience, "Ring", ractor.SelfName()))
}

func (k *Kitchen) AskRing(async *ractor.Async, name string) string {
	other, ok := ractor.WhereIs(name)
	if !ok {
		return told(errNotFound)
	}
	return answer(ractor.Ask[string](other, patience, "Ring", ractor.SelfName()).Await(async))
}

// ---- Waiting ----

func (k *Kitchen) Sleep(async *ractor.Async, ms uint64) (uint64, error) {
	return ms, async.Sleep(millis(ms))
}

func (k *Kitchen) Gather(async *ractor.Async, name string, times uint32) (sum uint64, err error) {
	other, ok := ractor.WhereIs(name)
	if !ok {
		return 0, errNotFound
	}
	var asked []*ractor.Future[uint64]
	for range times {
		asked = append(asked, ractor.Ask[uint64](other, patience, "Get"))
	}
	for _, future := range asked {
		count, err := future.Await(async)
		if err != nil {
			return 0, err
		}
		sum += count
	}
	return sum, nil
}

func (k *Kitchen) Cancel(async *ractor.Async, name string) (string, error) {
	other, ok := ractor.WhereIs(name)
	if !ok {
		return "", errNotFound
	}
	future := ractor.Ask[string](other, patience, "Keep")
	task := async.Go(func(async *ractor.Async) {
		if async.Sleep(cancel) == nil {
			future.Cancel()
		}
	})
	_, err := future.Await(async)
	task.Wait(async)
	return word(err, ractor.Cancelled)
}

func (k *Kitchen) TimeoutAwait(async *ractor.Async, name string) (string, error) {
	other, ok := ractor.WhereIs(name)
	if !ok {
		return "", errNotFound
	}
	_, err := ractor.Ask[string](other, patience, "Keep").AwaitFor(async, cancel)
	return word(err, ractor.Timeout)
}

// word is that of an error of this kind.
func word(err error, kind ractor.Kind) (string, error) {
	var call *ractor.CallError
	if errors.As(err, &call) && call.Kind == kind {
		return string(kind), nil
	}
	return "", fmt.Errorf("not %s: %v", kind, err)
}

func (k *Kitchen) Steps(async *ractor.Async, text string) (string, error) {
	k.Mark(1)
	if err := async.Sleep(step); err != nil {
		return "", err
	}
	k.Mark(2)
	return text, nil
}

// ---- The rest of the node ----

func (k *Kitchen) Members(group string) uint32 { return uint32(len(ractor.Members(group))) }

func (k *Kitchen) WhereIs(name string) bool {
	_, ok := ractor.WhereIs(name)
	return ok
}

func (k *Kitchen) Events() string { return strings.Join(k.events, ";") }

func (k *Kitchen) Spawn(module, name, argument string) string {
	if _, err := ractor.Spawn(ractor.Child{Module: module, Name: name, Argument: argument}); err != nil {
		return told(err)
	}
	return "ok"
}

func (k *Kitchen) Children() uint32 { return uint32(len(ractor.Children())) }

func (k *Kitchen) StopChild(name string) bool {
	child, ok := ractor.WhereIs(name)
	return ok && ractor.StopChild(child, "")
}

func (k *Kitchen) KillChild(name string) bool {
	child, ok := ractor.WhereIs(name)
	return ok && ractor.KillChild(child)
}

func (k *Kitchen) Config(key string) string {
	value, _ := ractor.Config(key)
	return value
}

func (k *Kitchen) Self() string   { return ractor.SelfName() + "@" + ractor.NodeName() }
func (k *Kitchen) Now() uint64    { return uint64(time.Now().UnixMilli()) }
func (k *Kitchen) Random() uint64 { return rand.Uint64() }

func (k *Kitchen) Trace() string {
	trace, _ := ractor.TraceContext()
	return trace.Parent
}

func (k *Kitchen) Address(name string) ([]byte, error) {
	other, ok := ractor.WhereIs(name)
	if !ok {
		return nil, errNotFound
	}
	address, ok := ractor.Address(other)
	if !ok {
		return nil, errNotFound
	}
	return address, nil
}

func (k *Kitchen) CastAddress(address []byte, n uint64) bool {
	other, ok := ractor.Resolve(address)
	return ok && ractor.Cast(other, "Add", n) == nil
}

func (k *Kitchen) Big(bytes uint64) (uint64, error) {
	name, _ := ractor.Config("peer")
	peer, ok := ractor.WhereIs(name)
	if !ok {
		return 0, errors.New("no peer")
	}
	back, err := ractor.Call[[]byte](peer, patience, "EchoBytes", make([]byte, bytes))
	return uint64(len(back)), err
}
