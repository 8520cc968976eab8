package ractor

import (
	"time"

	"ractor-host/ractor/internal/node"
)

// Async is the first argument of a handler that waits without blocking the actor:
//
//	func (k *Kitchen) Total(async *ractor.Async, shop ractor.Pid) (uint64, error) {
//		apples := ractor.Ask[uint64](shop, time.Second, "Apples")
//		pears := ractor.Ask[uint64](shop, time.Second, "Pears")
//		…
//		a, err := apples.Await(async)
//	}
//
// Such a handler has a goroutine of its own, which stands still in Await, Sleep and Wait alone. Until it is done other messages wait, unless
// the actor is Reentrant.
type Async struct{ task *task }

// task is a goroutine that runs while the entry that started it, or goes on with it, waits: there is never more than one at a time.
type task struct {
	resume, paused chan struct{}
	done           bool
	// The handler, if it waits. Nil for what Async.Go started.
	handler *running
}

// running is a handler that isn't done.
type running struct {
	what   *handler
	call   uint64
	isCall bool
	result result
}

// begin runs something in a goroutine of its own until it waits or is done.
func begin(body func(*Async)) *task {
	made := &task{resume: make(chan struct{}), paused: make(chan struct{})}
	go func() {
		<-made.resume
		body(&Async{made})
		made.done = true
		made.paused <- struct{}{}
	}()
	made.goOn()
	return made
}

func (t *task) goOn() {
	before := current
	current = t
	t.resume <- struct{}{}
	<-t.paused
	current = before
}

// current is the task whose turn it is, if it is that of one.
var current *task

// pause gives the turn back to whoever let this go on.
func (t *task) pause() {
	t.paused <- struct{}{}
	<-t.resume
}

// wait is for a reply, a timer or a task.
type wait struct {
	settled bool
	bytes   []byte
	err     *CallError
	waiters []*task
	// Of AfterFunc.
	then func() error
}

func (w *wait) finish(bytes []byte, err *CallError) {
	w.settled, w.bytes, w.err = true, bytes, err
}

// settle brings what was waited for. Those that wait go on when whoever has the turn waits or is done.
func (w *wait) settle(bytes []byte, err *CallError) {
	w.finish(bytes, err)
	the.ready = append(the.ready, w.waiters...)
	w.waiters = nil
}

func (w *wait) await(async *Async) {
	if async == nil || async.task != current || current == nil {
		panic("this Async is that of another handler or task, or of one that is done: a task waits by the Async that it was given")
	}
	for !w.settled {
		w.waiters = append(w.waiters, async.task)
		async.task.pause()
	}
}

// Future is a reply that is on its way.
type Future[R any] struct {
	wait
	tag   string
	token uint64
}

// Await waits for the reply. Its error is a *CallError.
func (f *Future[R]) Await(async *Async) (R, error) {
	var reply R
	f.await(async)
	if f.err != nil {
		return reply, f.err
	}
	err := unpackReply(f.tag, f.bytes, &reply)
	return reply, err
}

// AwaitFor does the same for a while at most. The error is of the kind Timeout then, and the reply is given up.
func (f *Future[R]) AwaitFor(async *Async, limit time.Duration) (R, error) {
	timer, err := AfterFunc(limit, func() error {
		f.end(Timeout)
		return nil
	})
	if err != nil {
		var none R
		return none, err
	}
	defer timer.Stop()
	return f.Await(async)
}

// Cancel gives up the reply. Whoever awaits it gets an error of the kind Cancelled. False if it came already.
func (f *Future[R]) Cancel() bool { return f.end(Cancelled) }

func (f *Future[R]) end(kind Kind) bool {
	if f.settled {
		return false
	}
	delete(the.replies, f.token)
	node.Current.CancelAsk(f.token)
	f.settle(nil, &CallError{Kind: kind})
	return true
}

// Sleep waits for a while. An error says that this node starts no more timers for this actor.
func (a *Async) Sleep(duration time.Duration) error {
	number, failure := node.Current.WakeAfter(milliseconds(duration))
	if failure != nil {
		return errorOf(failure, timerKinds)
	}
	sleep := &wait{}
	the.wakes[number] = sleep
	sleep.await(a)
	return nil
}

// Task is what Async.Go started.
type Task struct{ wait wait }

// Go runs something beside this handler, until it first waits. It goes on when what it waits for is there, also after the handler is
// done. A panic in it fails the actor.
func (a *Async) Go(body func(async *Async)) *Task {
	made := &Task{}
	begin(func(async *Async) {
		if err := protected("a task", func() error { body(async); return nil }); err != nil {
			the.failure = err
		}
		made.wait.settle(nil, nil)
	})
	return made
}

// Wait waits until the task is done.
func (t *Task) Wait(async *Async) { t.wait.await(async) }
