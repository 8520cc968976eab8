package ractortest_test

import (
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"ractor-host/ractor"
	"ractor-host/ractor/ractortest"
)

// Shop uses what an actor can use.
type Shop struct {
	Sold  uint64
	Notes []string

	kept   ractor.ReplyTo[string]
	events []string
	timer  ractor.Timer
	steps  []string
}

func (s *Shop) Contract() ractor.Contract {
	return ractor.Contract{
		Version: "1.2.0", StateVersion: 3, Documentation: "Sells.", Start: "sold",
		Messages: ractor.Messages{"Sell": ractor.Doc("Sells some.", "n"), "Rename": {Tag: "CallIt"}},
	}
}

func (s *Shop) PreStart(sold uint64) error {
	if sold == 13 {
		return errors.New("thirteen brings bad luck")
	}
	s.Sold = sold
	return nil
}

func (s *Shop) PostStart() error { ractor.Join("shops"); return nil }
func (s *Shop) PostStop() error  { s.steps = append(s.steps, "stopped"); return nil }

func (s *Shop) HandleEvent(event ractor.Event) error {
	s.events = append(s.events, event.Name+" "+event.Reason)
	return nil
}

func (s *Shop) Sell(n uint64)                   { s.Sold += n }
func (s *Shop) Rename(name string)              { s.Notes = append(s.Notes, name) }
func (s *Shop) Refuse(why string) error         { return errors.New(why) }
func (s *Shop) Fall()                           { panic("it fell") }
func (s *Shop) Count() uint64                   { return s.Sold }
func (s *Shop) Nothing() ractor.Unit            { return ractor.Unit{} }
func (s *Shop) Fail(why string) (string, error) { return "", errors.New(why) }
func (s *Shop) Keep(reply ractor.ReplyTo[string]) {
	s.kept = reply
}

func (s *Shop) Answer(text string) error { return s.kept.Send(text) }
func (s *Shop) Give(text string)         { s.kept.Fail(text) }

func (s *Shop) Remind(ms uint64) error {
	timer, err := ractor.SendInterval(ractor.Self(), time.Duration(ms)*time.Millisecond, "Sell", uint64(1))
	s.timer = timer
	return err
}

func (s *Shop) Forget() bool { return s.timer.Stop() }

func (s *Shop) Tell(name string, n uint64) error {
	other, ok := ractor.WhereIs(name)
	if !ok {
		return errors.New("there is no " + name)
	}
	slog.Info("told", "name", name, slog.Group("sum", "n", n))
	return ractor.Cast(other, "Add", n)
}

func (s *Shop) Price(name string) (uint64, error) {
	other, _ := ractor.WhereIs(name)
	return ractor.Call[uint64](other, time.Second, "Price", "soup")
}

func (s *Shop) Prices(async *ractor.Async, name string) (uint64, error) {
	other, _ := ractor.WhereIs(name)
	s.steps = append(s.steps, "asks")
	one, two := ractor.Ask[uint64](other, time.Second, "Price", "soup"), ractor.Ask[uint64](other, time.Second, "Price", "bread")
	soup, err := one.Await(async)
	if err != nil {
		return 0, err
	}
	s.steps = append(s.steps, "heard")
	if err := async.Sleep(20 * time.Millisecond); err != nil {
		return 0, err
	}
	s.steps = append(s.steps, "slept")
	bread, err := two.Await(async)
	return soup + bread, err
}

func (s *Shop) Patient(async *ractor.Async, name string) string {
	other, _ := ractor.WhereIs(name)
	_, err := ractor.Ask[uint64](other, time.Hour, "Price", "soup").AwaitFor(async, 50*time.Millisecond)
	return err.Error()
}

func (s *Shop) Both(async *ractor.Async) string {
	var order []string
	sleeper := func(name string, ms int) *ractor.Task {
		return async.Go(func(async *ractor.Async) {
			if async.Sleep(time.Duration(ms)*time.Millisecond) == nil {
				order = append(order, name)
			}
		})
	}
	slow, fast := sleeper("slow", 30), sleeper("fast", 10)
	slow.Wait(async)
	fast.Wait(async)
	return strings.Join(order, ",")
}

func (s *Shop) Shared(async *ractor.Async, name string) uint64 {
	other, _ := ractor.WhereIs(name)
	asked, sum := ractor.Ask[uint64](other, time.Second, "Price", "soup"), uint64(0)
	add := func(async *ractor.Async) {
		price, _ := asked.Await(async)
		sum += price
	}
	one, two := async.Go(add), async.Go(add)
	one.Wait(async)
	two.Wait(async)
	return sum
}

func (s *Shop) Borrowed(async *ractor.Async) error {
	var said error
	async.Go(func(*ractor.Async) {
		defer func() { said = errors.New(recover().(string)) }()
		_ = async.Sleep(time.Second)
	})
	return said
}

func (s *Shop) FailLater(async *ractor.Async, why string) error {
	if err := async.Sleep(time.Millisecond); err != nil {
		return err
	}
	return errors.New(why)
}

func (s *Shop) PanicLater(async *ractor.Async) string {
	_ = async.Sleep(time.Millisecond)
	panic("too late")
}

func (s *Shop) Hire(name string) string {
	if _, err := ractor.Spawn(ractor.Child{Module: "clerk", Name: name, Argument: uint64(7), Restart: ractor.Transient}); err != nil {
		return err.Error()
	}
	return "hired"
}

func open(t *testing.T) *ractortest.Node {
	t.Helper()
	return ractortest.Start(t, &Shop{}, uint64(5))
}

func expect[T any](t *testing.T, what string, found, expected T) {
	t.Helper()
	if !reflect.DeepEqual(found, expected) {
		t.Errorf("%s is %v, and not %v", what, found, expected)
	}
}

func TestMethodsAreMessages(t *testing.T) {
	shop := open(t)
	shop.Cast("Sell", uint64(2))
	shop.Cast("CallIt", "corner")
	expect(t, "the count", ractortest.Call[uint64](shop, "Count"), 7)
	expect(t, "nothing", ractortest.Call[ractor.Unit](shop, "Nothing"), ractor.Unit{})
	expect(t, "the groups", shop.Groups, map[string]bool{"shops": true})
	for tag, expected := range map[string]string{"Sell": "Sell(n: u64)", "CallIt": "CallIt(string)", "Keep": "Keep() -> string",
		"Prices": "Prices(string) -> u64", "Nothing": "Nothing() -> unit"} {
		expect(t, tag, shop.Describe(tag), expected)
	}
}

func TestACallThatReturnsAnErrorFailsAndTheActorLives(t *testing.T) {
	shop := open(t)
	for tag, expected := range map[string]string{"Fail": "failed: no soup", "Unheard": "failed: Shop understands no call Unheard"} {
		_, err := ractortest.TryCall[string](shop, tag, "no soup")
		expect(t, tag, err.Error(), expected)
	}
	_, err := ractortest.TryCall[string](shop, "Fail", uint64(1), uint64(2))
	if err == nil || !strings.Contains(err.Error(), "more than 1 arguments") {
		t.Errorf("the error is %v", err)
	}
	expect(t, "the failure", shop.Failure, nil)
}

func TestACastThatFailsOrPanicsFailsTheActorWithItsStackInTheLog(t *testing.T) {
	shop := open(t)
	shop.Cast("Refuse", "no more")
	expect(t, "the failure", shop.Failure.Error(), "no more")
	shop = open(t)
	shop.Cast("Fall")
	expect(t, "the failure", shop.Failure.Error(), "panic: it fell")
	last := shop.Logs[len(shop.Logs)-1]
	if last.Level != "error" || !strings.Contains(last.Fields["stack"], "(*Shop).Fall") {
		t.Errorf("the log has %v", last)
	}
}

func TestCastsThatDontDecodeAreDroppedWithAWarning(t *testing.T) {
	shop := open(t)
	shop.Cast("Sell", "a text")
	shop.Cast("Steal")
	expect(t, "the failure", shop.Failure, nil)
	expect(t, "the count", ractortest.Call[uint64](shop, "Count"), 5)
	if len(shop.Logs) != 2 || !strings.Contains(shop.Logs[0].Message, "no u64") || !strings.Contains(shop.Logs[1].Message, "Steal") {
		t.Errorf("the log has %v", shop.Logs)
	}
}

func TestAnActorThatRefusesToStartSaysWhy(t *testing.T) {
	_, err := ractortest.TryStart(t, &Shop{}, uint64(13))
	expect(t, "the error", err.Error(), "thirteen brings bad luck")
	if _, err = ractortest.TryStart(t, &Shop{}, "a text"); err == nil || !strings.Contains(err.Error(), "no u64") {
		t.Errorf("the error is %v", err)
	}
}

func TestACallIsAnsweredLater(t *testing.T) {
	shop := open(t)
	call := shop.Ask("Keep")
	expect(t, "it", call.IsDone(), false)
	shop.Cast("Answer", "at last")
	reply, err := ractortest.Reply[string](shop, call)
	expect(t, "the reply", reply, "at last")
	expect(t, "the error", err, nil)
	call = shop.Ask("Keep")
	shop.Cast("Give", "up")
	_, err = ractortest.Reply[string](shop, call)
	expect(t, "the error", err.Error(), "failed: up")
	shop.Cast("Answer", "again")
	expect(t, "the failure", shop.Failure.Error(), "unknown-call")
}

func TestTimersFireWhenTimePasses(t *testing.T) {
	shop := open(t)
	shop.Cast("Remind", uint64(10))
	shop.Advance(35 * time.Millisecond)
	expect(t, "the count", ractortest.Call[uint64](shop, "Count"), 8)
	expect(t, "the timer", ractortest.Call[bool](shop, "Forget"), true)
	shop.Advance(time.Second)
	expect(t, "the count", ractortest.Call[uint64](shop, "Count"), 8)
}

func TestOtherActorsAreSentTo(t *testing.T) {
	shop := open(t)
	other := shop.Other("ledger", func(tag string, arguments []byte) (any, error) {
		if what := ractortest.Argument[string](t, arguments, 0); what != "soup" {
			return nil, errors.New("no " + what)
		}
		return uint64(3), nil
	})
	shop.Cast("Tell", "ledger", uint64(4))
	expect(t, "the receiver", shop.Casts[0].To, other.Pid)
	expect(t, "the number", ractortest.Argument[uint64](t, shop.Casts[0].Arguments, 0), 4)
	expect(t, "the log", shop.Logs[0], ractortest.Log{Level: "info", Message: "told", Fields: map[string]string{"name": "ledger", "sum.n": "4"}})
	expect(t, "the price", ractortest.Call[uint64](shop, "Price", "ledger"), 3)
	_, err := ractortest.TryCall[uint64](shop, "Price", "nobody")
	expect(t, "the error", err.Error(), "failed: unknown-actor")
}

func TestHandlersAwaitRepliesAndSleep(t *testing.T) {
	value := &Shop{}
	shop := ractortest.Start(t, value, uint64(5))
	shop.Other("ledger", func(string, []byte) (any, error) { return uint64(3), nil })
	call := shop.Ask("Prices", "ledger")
	shop.Cast("Sell", uint64(1))
	expect(t, "what it did", value.steps, []string{"asks", "heard"})
	expect(t, "the count meanwhile", value.Sold, 5)
	shop.Advance(20 * time.Millisecond)
	reply, err := ractortest.Reply[uint64](shop, call)
	expect(t, "the sum", reply, 6)
	expect(t, "the error", err, nil)
	expect(t, "the count afterwards", value.Sold, 6)
}

func TestHandlersGiveUpAndRunTasks(t *testing.T) {
	shop := open(t)
	shop.Other("mute", nil)
	patient := shop.Ask("Patient", "mute")
	shop.Advance(50 * time.Millisecond)
	reply, _ := ractortest.Reply[string](shop, patient)
	expect(t, "the error", reply, "timeout")
	both := shop.Ask("Both")
	shop.Advance(30 * time.Millisecond)
	reply, _ = ractortest.Reply[string](shop, both)
	expect(t, "the order", reply, "fast,slow")
	shop.Other("ledger", func(string, []byte) (any, error) { return uint64(3), nil })
	expect(t, "what two tasks heard", ractortest.Call[uint64](shop, "Shared", "ledger"), 6)
	late := shop.Ask("PanicLater")
	shop.Advance(time.Millisecond)
	_, err := ractortest.Reply[string](shop, late)
	expect(t, "the error", err.Error(), "failed: panic: too late")
	shop.Cast("FailLater", "enough")
	shop.Advance(time.Millisecond)
	expect(t, "the failure", shop.Failure.Error(), "enough")
	shop = open(t)
	shop.Cast("Borrowed")
	if shop.Failure == nil || !strings.Contains(shop.Failure.Error(), "Async") {
		t.Errorf("the failure is %v", shop.Failure)
	}
}

func TestStateOutlivesTheCode(t *testing.T) {
	shop := open(t)
	shop.Cast("CallIt", "corner")
	reloaded := shop.Reload().(*Shop)
	expect(t, "the count", reloaded.Sold, 5)
	expect(t, "the notes", reloaded.Notes, []string{"corner"})
	shop.Cast("Sell", uint64(1))
	expect(t, "the count", reloaded.Sold, 6)
}

func TestChildrenAndEventsAndTheEnd(t *testing.T) {
	value := &Shop{}
	shop := ractortest.Start(t, value, uint64(5))
	expect(t, "the answer", ractortest.Call[string](shop, "Hire", "joe"), "hired")
	expect(t, "the answer", ractortest.Call[string](shop, "Hire", "joe"), "name-taken")
	expect(t, "the module", shop.Spawns[0].Module, "clerk")
	shop.Send(ractor.Event{Kind: ractor.Terminated, Name: "joe", Reason: "tired"})
	expect(t, "the news", value.events, []string{"joe tired"})
	shop.Stop()
	expect(t, "what it did", value.steps, []string{"stopped"})
}

type (
	unkept    struct{ Lines chan int }
	sameNames struct {
		LastSeen  uint64
		Last_Seen uint64
	}
	noStruct  uint64
	twice     struct{}
	unsized   struct{}
	misspelt  struct{}
	elsewhere struct{}
)

func (*twice) One()             {}
func (*twice) Two()             {}
func (*unsized) Add(int)        {}
func (*misspelt) PostStart()    {}
func (*elsewhere) Add(n uint64) {}
func (*twice) Contract() ractor.Contract {
	return ractor.Contract{Messages: ractor.Messages{"One": {Tag: "Two"}}}
}
func (*elsewhere) Contract() ractor.Contract {
	return ractor.Contract{Messages: ractor.Messages{"Ad": ractor.Doc("")}}
}

func TestWhatIsNoActorIsRefusedWithAReason(t *testing.T) {
	for _, one := range []struct {
		actor any
		says  string
	}{
		{twice{}, "pointer to a struct"}, {new(noStruct), "pointer to a struct"}, {&twice{}, "the tag Two"}, {&unsized{}, "int64"},
		{&unkept{}, "ractor:\"-\""}, {&sameNames{}, "`last_seen`"}, {&misspelt{}, "PostStart"}, {&elsewhere{}, "the message Ad"},
	} {
		func() {
			defer func() {
				if said, _ := recover().(string); !strings.Contains(said, one.says) {
					t.Errorf("%T: %q", one.actor, said)
				}
			}()
			ractor.Export(one.actor)
		}()
	}
}

// Order is JSON, which leaves out what is empty.
type Order struct {
	ID    string   `json:"id,omitempty"`
	Items []string `json:"items,omitempty"`
}

// Kept has what came, as it came.
type Kept struct {
	orders []Order
	lists  [][]uint64
}

func (k *Kept) Order(order Order)            { k.orders = append(k.orders, order) }
func (k *Kept) List(list []uint64)           { k.lists = append(k.lists, list) }
func (k *Kept) Snapshot() ([]byte, error)    { return nil, nil }
func (k *Kept) Restore([]byte, uint32) error { return nil }

func TestAMessageHasNothingOfTheOneBefore(t *testing.T) {
	kept := &Kept{}
	actor := ractortest.Start(t, kept, nil)
	sent := []Order{{"a", []string{"tea", "rice"}}, {"b", []string{"salt"}}, {ID: "c"}, {Items: []string{"oil"}}}
	for _, order := range sent {
		actor.Cast("Order", order)
	}
	if !reflect.DeepEqual(kept.orders, sent) {
		t.Errorf("%v came, and %v was sent", kept.orders, sent)
	}
	lists := [][]uint64{{1, 2, 3}, {4, 5}, {6, 7, 8}}
	for _, list := range lists {
		actor.Cast("List", list)
	}
	if !reflect.DeepEqual(kept.lists, lists) {
		t.Errorf("%v came, and %v was sent", kept.lists, lists)
	}
}
