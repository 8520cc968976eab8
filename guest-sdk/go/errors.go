package ractor

import "ractor-host/ractor/internal/node"

// Kind says why something was not done, in the words of the WIT.
type Kind string

// The kinds, and what gives them.
const (
	// UnknownActor comes of everything that is given a pid: the actor ended, or its node is gone.
	UnknownActor Kind = "unknown-actor"
	// Stopped comes of messages: the actor is stopping and accepts no more.
	Stopped Kind = "stopped"
	// TooLarge comes of messages, replies and timers: there is a limit of this node on what they carry.
	TooLarge Kind = "too-large"
	// Timeout comes of calls.
	Timeout Kind = "timeout"
	// NoReply comes of calls: the actor dropped the call, or failed in the middle of it.
	NoReply Kind = "no-reply"
	// WouldDeadlock comes of calls: the other actor waits, maybe through others, for this one.
	WouldDeadlock Kind = "would-deadlock"
	// Overloaded comes of messages: the actor, or its node, takes them too slowly.
	Overloaded Kind = "overloaded"
	// Denied comes of messages, timers and Spawn: node.toml doesn't grant it.
	Denied Kind = "denied"
	// Failed comes of calls, which the other actor failed with the Reason, and of Spawn.
	Failed Kind = "failed"
	// TooMany comes of Ask, timers, Monitor and Spawn: there is a limit of this node on their number.
	TooMany Kind = "too-many"
	// UnknownModule comes of Spawn.
	UnknownModule Kind = "unknown-module"
	// NameTaken comes of Spawn.
	NameTaken Kind = "name-taken"
	// UnknownCall comes of replies: nobody waits for this one, or somebody was answered before.
	UnknownCall Kind = "unknown-call"
	// TooLate comes of replies: the caller has given up.
	TooLate Kind = "too-late"
	// Cancelled comes of a Future that was cancelled.
	Cancelled Kind = "cancelled"
	// Invalid comes of everything that has arguments, of which one can't be sent, and of calls with a reply of another type.
	Invalid Kind = "invalid"
)

// CallError says why a message was not accepted or a call has no reply, or why this node didn't do something else that it was asked for.
type CallError struct {
	Kind Kind
	// What the other actor said, of Failed, or what is wrong, of Invalid. It is empty otherwise.
	Reason string
}

func (e *CallError) Error() string {
	if e.Reason == "" {
		return string(e.Kind)
	}
	return string(e.Kind) + ": " + e.Reason
}

// The kinds by their numbers in the WIT.
var (
	callKinds    = []Kind{UnknownActor, Stopped, TooLarge, Timeout, NoReply, WouldDeadlock, Overloaded, Denied, Failed, TooMany}
	replyKinds   = []Kind{UnknownCall, TooLate, TooLarge}
	timerKinds   = []Kind{TooMany, TooLarge, Denied}
	spawnKinds   = []Kind{Denied, UnknownModule, NameTaken, TooMany, Failed}
	monitorKinds = []Kind{UnknownActor, TooMany}
)

// errorOf is nil, and not a nil *CallError, of no failure.
func errorOf(failure *node.Failure, kinds []Kind) error {
	if failure == nil {
		return nil
	}
	return callErrorOf(failure, kinds)
}

func callErrorOf(failure *node.Failure, kinds []Kind) *CallError {
	if int(failure.Code) >= len(kinds) {
		return &CallError{Invalid, "this node gives an error that this SDK doesn't know"}
	}
	return &CallError{kinds[failure.Code], failure.Reason}
}

func invalid(err error) *CallError { return &CallError{Invalid, err.Error()} }
