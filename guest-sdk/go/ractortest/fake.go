package ractortest

import (
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"ractor-host/ractor"
	"ractor-host/ractor/internal/node"
)

// fake is the node as the actor sees it.
type fake struct{ *Node }

var _ node.Node = fake{}

// The kinds of errors, by their numbers.
var callKinds = []ractor.Kind{ractor.UnknownActor, ractor.Stopped, ractor.TooLarge, ractor.Timeout, ractor.NoReply, ractor.WouldDeadlock,
	ractor.Overloaded, ractor.Denied, ractor.Failed, ractor.TooMany}

func failureOf(kind ractor.Kind, reason string) *node.Failure {
	return &node.Failure{Code: uint8(max(0, slices.Index(callKinds, kind))), Reason: reason}
}

func (f fake) SelfPid() node.Pid        { return self }
func (f fake) SelfName() (string, bool) { return f.Name, f.Name != "" }
func (f fake) NodeName() string         { return f.FullName }

func (f fake) other(pid node.Pid) *Other {
	for _, other := range f.others {
		if other.Pid == pid {
			return other
		}
	}
	return nil
}

func (f fake) Cast(to node.Pid, tag string, arguments []byte) *node.Failure {
	if to == self {
		f.queueCast(tag, arguments)
		return nil
	}
	if f.other(to) == nil {
		return failureOf(ractor.UnknownActor, "")
	}
	f.Casts = append(f.Casts, Sent{to, tag, arguments})
	return nil
}

// The numbers of reply errors.
const unknownCall = 0

func (f fake) Reply(call uint64, bytes []byte) *node.Failure {
	return f.finish(call, bytes, nil)
}

func (f fake) finish(call uint64, bytes []byte, err error) *node.Failure {
	pending := f.calls[call]
	delete(f.calls, call)
	if pending == nil || !pending.finish(bytes, err) {
		return &node.Failure{Code: unknownCall}
	}
	return nil
}

func (f fake) DropCall(call uint64) { f.finish(call, nil, &ractor.CallError{Kind: ractor.NoReply}) }

func (f fake) FailCall(call uint64, reason string) {
	f.finish(call, nil, &ractor.CallError{Kind: ractor.Failed, Reason: reason})
}

func (f fake) IsWaiting(call uint64) bool {
	pending := f.calls[call]
	return pending != nil && !pending.done
}

func (f fake) Metadata() ([]byte, bool) { return nil, false }

func (f fake) TraceContext() (parent, state string, traced bool) { return "", "", false }
func (f fake) NextCast() bool           { return true }

// answer asks another actor. The second value says whether it answers at all.
func (f fake) answer(to node.Pid, tag string, arguments []byte) ([]byte, *node.Failure, bool) {
	if to == self {
		return nil, failureOf(ractor.WouldDeadlock, ""), true
	}
	other := f.other(to)
	if other == nil {
		return nil, failureOf(ractor.UnknownActor, ""), true
	}
	if other.Answer == nil {
		return nil, nil, false
	}
	reply, err := other.Answer(tag, arguments)
	if err == nil {
		var bytes []byte
		if bytes, err = ractor.Encode(reply); err == nil {
			return bytes, nil, true
		}
	}
	var said *ractor.CallError
	if errors.As(err, &said) {
		return nil, failureOf(said.Kind, said.Reason), true
	}
	return nil, failureOf(ractor.Failed, err.Error()), true
}

func (f fake) Call(to node.Pid, tag string, arguments []byte, timeoutMs *uint64) ([]byte, *node.Failure) {
	bytes, failure, answers := f.answer(to, tag, arguments)
	if !answers {
		return nil, failureOf(ractor.Timeout, "")
	}
	return bytes, failure
}

func (f fake) Ask(to node.Pid, tag string, arguments []byte, timeoutMs *uint64) (uint64, *node.Failure) {
	bytes, failure, answers := f.answer(to, tag, arguments)
	made := &timer{at: f.now, isReply: answers}
	if !answers {
		failure = failureOf(ractor.Timeout, "")
		made.at += patience
		if timeoutMs != nil {
			made.at = f.now + milliseconds(*timeoutMs)
		}
	}
	made.fire = func() {
		f.deliver(func() error { return f.actor.HandleReply(made.number, bytes, failure) })
	}
	return f.add(made), nil
}

// How long this node lets calls wait.
const patience = time.Hour

func milliseconds(ms uint64) time.Duration { return time.Duration(ms) * time.Millisecond }

func (f fake) CancelAsk(token uint64) bool { return f.CancelTimer(token) }

func (f fake) Pending(open bool) {
	f.held = true
	f.open = open
}

func (f fake) WhereIs(name string) (node.Pid, bool) {
	if name == f.Name {
		return self, true
	}
	other := f.others[name]
	if other == nil {
		return node.Pid{}, false
	}
	return other.Pid, true
}

func (f fake) Address(actor node.Pid) ([]byte, bool) {
	return binary.BigEndian.AppendUint64(nil, actor.ID), true
}

func (f fake) Resolve(address []byte) (node.Pid, bool) {
	if len(address) != 8 {
		return node.Pid{}, false
	}
	pid := node.Pid{ID: binary.BigEndian.Uint64(address)}
	return pid, pid == self || f.other(pid) != nil
}

func (f fake) Join(group, _ string)  { f.Groups[group] = true }
func (f fake) Leave(group, _ string) { delete(f.Groups, group) }

func (f fake) Members(group, _ string) []node.Pid {
	var members []node.Pid
	if f.Groups[group] {
		members = append(members, self)
	}
	for _, name := range slices.Sorted(maps.Keys(f.others)) {
		if slices.Contains(f.others[name].Groups, group) {
			members = append(members, f.others[name].Pid)
		}
	}
	return members
}

func (f fake) LocalMembers(group, scope string) []node.Pid { return f.Members(group, scope) }
func (f fake) WhichGroups(string) []string                 { return slices.Sorted(maps.Keys(f.Groups)) }
func (f fake) MonitorGroup(group, _ string)                { f.MonitoredGroups[group] = true }
func (f fake) DemonitorGroup(group, _ string)              { delete(f.MonitoredGroups, group) }

func (f fake) SendAfter(to node.Pid, tag string, arguments []byte, ms uint64) (uint64, *node.Failure) {
	return f.start(milliseconds(ms), 0, func() { f.Cast(to, tag, arguments) }), nil
}

func (f fake) SendInterval(to node.Pid, tag string, arguments []byte, ms uint64) (uint64, *node.Failure) {
	period := milliseconds(max(1, ms))
	return f.start(period, period, func() { f.Cast(to, tag, arguments) }), nil
}

func (f fake) StopAfter(ms uint64) (uint64, *node.Failure) {
	return f.start(milliseconds(ms), 0, func() { f.Stop("") }), nil
}

func (f fake) WakeAfter(ms uint64) (uint64, *node.Failure) {
	var number uint64
	number = f.start(milliseconds(ms), 0, func() {
		f.deliver(func() error { return f.actor.HandleWake(number) })
	})
	return number, nil
}

func (f fake) CancelTimer(number uint64) bool {
	for _, timer := range f.timers {
		if timer.number == number && !timer.isEnded {
			timer.isEnded = true
			return true
		}
	}
	return false
}

func (f fake) Log(level uint8, _, message string, fields []node.Setting) {
	made := Log{Level: []string{"trace", "debug", "info", "warn", "error"}[level], Message: message, Fields: map[string]string{}}
	for _, field := range fields {
		made.Fields[field.Key] = field.Value
	}
	f.Logs = append(f.Logs, made)
}

// The number of spawn-error's `name-taken`.
const nameTaken = 2

func (f fake) Spawn(child node.Child) (node.Pid, *node.Failure) {
	name := child.Name
	if name == "" {
		name = fmt.Sprintf("(child %d)", len(f.Spawns))
	}
	if _, taken := f.WhereIs(name); taken {
		return node.Pid{}, &node.Failure{Code: nameTaken}
	}
	f.Spawns = append(f.Spawns, child)
	pid := f.Other(name, nil).Pid
	f.children[pid] = name
	return pid, nil
}

func (f fake) Children() []node.Pid {
	return slices.SortedFunc(maps.Keys(f.children), func(one, other node.Pid) int { return cmp.Compare(one.ID, other.ID) })
}

func (f fake) Supervisor() (node.Pid, bool) { return node.Pid{}, false }

func (f fake) Stop(reason string) { f.Node.Stopped, f.StopReason = true, reason }

func (f fake) Exit(reason string) {
	panic("the actor fails: " + reason)
}

func (f fake) StopChild(child node.Pid, _ string) bool { return f.KillChild(child) }

func (f fake) KillChild(child node.Pid) bool {
	name, ok := f.children[child]
	delete(f.children, child)
	delete(f.others, name)
	return ok
}

func (f fake) Monitor(actor node.Pid) *node.Failure {
	if f.other(actor) == nil {
		return failureOf(ractor.UnknownActor, "")
	}
	f.Monitored[actor] = true
	return nil
}

func (f fake) Demonitor(actor node.Pid) { delete(f.Monitored, actor) }

func (f fake) ConfigValue(key string) (string, bool) {
	value, ok := f.Settings[key]
	return value, ok
}

func (f fake) ConfigEntries() []node.Setting {
	var settings []node.Setting
	for _, key := range slices.Sorted(maps.Keys(f.Settings)) {
		settings = append(settings, node.Setting{Key: key, Value: f.Settings[key]})
	}
	return settings
}

func (f fake) Random(count uint32) []byte {
	bytes := make([]byte, count)
	_, _ = rand.Read(bytes)
	return bytes
}
