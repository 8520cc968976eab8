package ractor

import (
	"strings"
	"time"

	"ractor-host/ractor/internal/node"
)

// clean is a text that may go to the node, which ends an actor that gives it something else than UTF-8.
func clean(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

// Self is this actor.
func Self() Pid { return node.Current.SelfPid() }

// SelfName is the name of this actor, or empty if it has none.
func SelfName() string {
	name, _ := node.Current.SelfName()
	return name
}

// NodeName is the full name of this node, `name@hostname`.
func NodeName() string { return node.Current.NodeName() }

// WhereIs finds an actor by its name: in the own family, on this node, then on others. `actor@name@hostname` asks that node alone.
func WhereIs(name string) (Pid, bool) { return node.Current.WhereIs(clean(name)) }

// Address is an actor as bytes that mean the same one on every node, or false if its node isn't connected.
func Address(actor Pid) ([]byte, bool) { return node.Current.Address(actor) }

// Resolve gives the actor that an address means, or false if there is none, or its node isn't connected.
func Resolve(address []byte) (Pid, bool) { return node.Current.Resolve(address) }

// Scope has groups of its own. The zero value is the default scope, whose groups are also those of the functions below.
type Scope string

// Join adds this actor to a group. Joining twice is joining once.
func (s Scope) Join(group string) { node.Current.Join(clean(group), clean(string(s))) }

// Leave takes this actor out of a group.
func (s Scope) Leave(group string) { node.Current.Leave(clean(group), clean(string(s))) }

// Members are those that this node knows of, wherever they live, in no particular order.
func (s Scope) Members(group string) []Pid {
	return node.Current.Members(clean(group), clean(string(s)))
}

// LocalMembers are those on this node.
func (s Scope) LocalMembers(group string) []Pid {
	return node.Current.LocalMembers(clean(group), clean(string(s)))
}

// Groups are those that have members.
func (s Scope) Groups() []string { return node.Current.WhichGroups(clean(string(s))) }

// Monitor asks for an Event at every change of the group.
func (s Scope) Monitor(group string) { node.Current.MonitorGroup(clean(group), clean(string(s))) }

// Demonitor ends that.
func (s Scope) Demonitor(group string) { node.Current.DemonitorGroup(clean(group), clean(string(s))) }

// Join adds this actor to a group of the default scope. Joining twice is joining once.
func Join(group string) { Scope("").Join(group) }

// Leave takes this actor out of a group of the default scope.
func Leave(group string) { Scope("").Leave(group) }

// Members are those of a group of the default scope, wherever they live.
func Members(group string) []Pid { return Scope("").Members(group) }

// MonitorGroup asks for an Event at every change of a group of the default scope.
func MonitorGroup(group string) { Scope("").Monitor(group) }

// DemonitorGroup ends that.
func DemonitorGroup(group string) { Scope("").Demonitor(group) }

// Timer is one of the node. All timers of an actor end with it.
type Timer struct{ number uint64 }

// Stop ends the timer. False if it has ended already.
func (t Timer) Stop() bool {
	delete(the.wakes, t.number)
	return node.Current.CancelTimer(t.number)
}

// SendAfter casts a message after a while.
func SendAfter(to Pid, after time.Duration, tag string, arguments ...any) (Timer, error) {
	bytes, err := pack(arguments)
	if err != nil {
		return Timer{}, invalid(err)
	}
	number, failure := node.Current.SendAfter(to, clean(tag), bytes, milliseconds(after))
	return Timer{number}, errorOf(failure, timerKinds)
}

// SendInterval casts a message again and again, for the first time after one period. One is left out while the one before isn't handled.
func SendInterval(to Pid, period time.Duration, tag string, arguments ...any) (Timer, error) {
	bytes, err := pack(arguments)
	if err != nil {
		return Timer{}, invalid(err)
	}
	number, failure := node.Current.SendInterval(to, clean(tag), bytes, milliseconds(period))
	return Timer{number}, errorOf(failure, timerKinds)
}

// StopAfter stops this actor after a while.
func StopAfter(after time.Duration) (Timer, error) {
	number, failure := node.Current.StopAfter(milliseconds(after))
	return Timer{number}, errorOf(failure, timerKinds)
}

// AfterFunc calls a function after a while, between two messages. An error that it returns fails the actor, as that of a cast does.
// The timers of package time run only while a handler does.
func AfterFunc(after time.Duration, call func() error) (Timer, error) {
	number, failure := node.Current.WakeAfter(milliseconds(after))
	if failure != nil {
		return Timer{}, errorOf(failure, timerKinds)
	}
	the.wakes[number] = &wait{then: call}
	return Timer{number}, nil
}

// Restart is what the node does when a child fails or ends.
type Restart uint8

const (
	// Temporary children aren't restarted. This actor gets an Event.
	Temporary Restart = iota
	// Transient children are restarted in place after a failure.
	Transient
	// Permanent ones also after they stopped themselves.
	Permanent
)

// Child is an actor to start.
type Child struct {
	// The name of its module in node.toml.
	Module string
	// Its name in the family, or empty for none.
	Name string
	// Its start argument, of exactly the type that it declares; nil for none.
	Argument any
	// Groups of the default scope that it is in from the start.
	Groups  []string
	Restart Restart
}

// Spawn starts a child of this actor. It returns when the child's PreStart is done.
func Spawn(child Child) (Pid, error) {
	argument, err := Encode(child.Argument)
	if err != nil {
		return Pid{}, invalid(err)
	}
	groups := make([]string, len(child.Groups))
	for i, group := range child.Groups {
		groups[i] = clean(group)
	}
	pid, failure := node.Current.Spawn(node.Child{
		Module: clean(child.Module), Name: clean(child.Name), Arguments: argument, Groups: groups, Restart: uint8(child.Restart),
	})
	return pid, errorOf(failure, spawnKinds)
}

// Children are those that live.
func Children() []Pid { return node.Current.Children() }

// Supervisor is the one of this actor, if it has one.
func Supervisor() (Pid, bool) { return node.Current.Supervisor() }

// Stop ends this actor once the present message is handled. The reason may be empty, here and below.
func Stop(reason string) { node.Current.Stop(clean(reason)) }

// Exit fails this actor at once, in the middle of anything.
func Exit(reason string) {
	node.Current.Exit(clean(reason))
	panic("the actor failed by ractor.Exit")
}

// StopChild ends a child once it has handled its present message. False if it is no living child of this actor.
func StopChild(child Pid, reason string) bool { return node.Current.StopChild(child, clean(reason)) }

// KillChild ends a child at once. False if it is no living child of this actor.
func KillChild(child Pid) bool { return node.Current.KillChild(child) }

// Monitor asks for an Event at the end of an actor, wherever it lives.
func Monitor(actor Pid) error { return errorOf(node.Current.Monitor(actor), monitorKinds) }

// Demonitor ends that.
func Demonitor(actor Pid) { node.Current.Demonitor(actor) }

// Config is a setting of this actor, from the table `[actors.config]` of node.toml, and whether it is there.
func Config(key string) (string, bool) { return node.Current.ConfigValue(clean(key)) }

// Settings are all of them.
func Settings() map[string]string {
	settings := map[string]string{}
	for _, setting := range node.Current.ConfigEntries() {
		settings[setting.Key] = setting.Value
	}
	return settings
}

// Random gives that many bytes of the node's cryptographic generator. crypto/rand does so, too, but makes the component larger by a
// third. What math/rand draws differs in each instance.
func Random(count int) []byte {
	bytes := make([]byte, 0, count)
	for count > 0 {
		part := min(count, randomAtOnce)
		bytes = append(bytes, node.Current.Random(uint32(part))...)
		count -= part
	}
	return bytes
}

// The most bytes that the node gives at once.
const randomAtOnce = 65536
