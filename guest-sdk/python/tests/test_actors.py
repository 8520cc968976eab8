"""What actors do for those who talk to them: on the node of `ractor.testing`, by the code that components run."""

import logging
from dataclasses import dataclass
from typing import Any

import pytest

import ractor
from ractor import (
    Actor,
    ActorFailed,
    ActorStarted,
    ActorTerminated,
    CallFailed,
    CallTimeout,
    DeclarationError,
    EncodeError,
    Event,
    Failure,
    GroupChanged,
    NoReply,
    NotFound,
    Pid,
    Ref,
    Reply,
    ReplyError,
    SpawnError,
    Stopped,
    Transient,
    UnknownActor,
    WouldDeadlock,
    call,
    cast,
    export,
    f64,
    find,
    u64,
)
from ractor._logging import LogStream, NodeHandler
from ractor._messages import tag_of
from ractor.testing import Node


@export
class Counter(Actor):
    """Counts."""

    count: u64 = 0
    kept: Transient[list[Reply[str]]] = []
    seen: Transient[list[Event]] = []

    def pre_start(self, start: u64) -> None:
        if start == 13:
            raise Failure("13 brings bad luck")
        self.count = start

    @cast
    def add(self, n: u64, times: u64 = 1) -> None:
        self.count += n * times

    @cast
    def fail(self, text: str) -> None:
        raise ValueError(text)

    @cast
    def give_up(self, text: str) -> None:
        ractor.exit(text)

    @call
    def give_up_in_a_call(self, text: str) -> None:
        ractor.exit(text)

    @call
    def get(self) -> u64:
        return self.count

    @call("Sum")
    def sum_of(self, numbers: list[f64]) -> f64:
        return sum(numbers)

    @call
    def refuse(self, text: str) -> u64:
        raise Failure(text)

    @call
    def divide(self, by: u64) -> u64:
        return self.count // by

    @call
    def wrong(self) -> u64:
        return -1

    @call
    def keep(self, reply: Reply[str], hint: str) -> None:
        self.kept.append(reply)

    @call
    def lose(self, reply: Reply[str]) -> None:
        """Nothing refers to the reply once this returns."""

    @cast
    def answer(self, text: str) -> None:
        for reply in self.kept:
            if text == "fail":
                reply.fail("no answer today")
            elif text == "drop":
                reply.drop()
            else:
                reply.send(text)
        self.kept.clear()

    @call
    def ask_other(self, name: str) -> u64:
        return find(name, Counter).get.blocking()

    @call
    def circle(self, name: str) -> u64:
        return find(name, Counter).circle.blocking(ractor.self_name() or "")

    @call
    def hire(self, name: str, start: u64) -> u64:
        ractor.spawn(Counter, start, module="counter", name=name, groups=["staff"])
        return len(ractor.children())

    @cast
    def tell_child(self, name: str, what: str) -> None:
        child = find(name, Counter)
        match what:
            case "stop":
                ractor.stop_child(child, "enough")
            case "kill":
                ractor.kill_child(child)
            case _:
                child.fail(what)

    @cast
    def watch(self, name: str, group: str) -> None:
        ractor.monitor(find(name, Counter))
        ractor.monitor_group(group)

    def on_event(self, event: Event) -> None:
        self.seen.append(event)


def start(number: int = 0, **options: Any) -> tuple[Node, Ref[Counter]]:
    node = Node(modules={"counter": Counter})
    return node, node.start(Counter, number, **options)


@pytest.mark.parametrize(
    ("name", "tag"), [("add", "Add"), ("add_all", "AddAll"), ("addAll", "AddAll"), ("AddAll", "AddAll"), ("echo_u8", "EchoU8"), ("_x", "X")]
)
def test_the_tag_of_a_message_is_made_of_the_name_of_its_handler(name: str, tag: str) -> None:
    assert tag_of(name) == tag


def test_casts_and_calls_reach_their_handlers() -> None:
    node, counter = start(5)
    counter.add(3)
    counter.add(2, times=10)
    counter.add(n=1)
    assert counter.get.blocking() == 29
    assert node.run(counter.get()) == 29
    assert counter.sum_of.blocking([1, 2.5]) == 3.5
    assert [(sent.tag, sent.arguments) for sent in node.sent][:3] == [("Add", (3, 1)), ("Add", (2, 10)), ("Add", (1, 1))]


def test_a_wrong_argument_is_an_error_of_the_sender() -> None:
    _, counter = start()
    wrong: Any = counter
    with pytest.raises(EncodeError, match="argument n: -1 is no u64"):
        counter.add(-1)
    with pytest.raises(TypeError, match=r"Counter.add: missing a required argument: 'n'"):
        wrong.add()
    with pytest.raises(TypeError, match=r"Counter.add: got an unexpected keyword argument 'm'"):
        wrong.add(1, m=1)
    with pytest.raises(AttributeError, match="remove is no message of Counter, which has add, answer"):
        wrong.remove(1)
    with pytest.raises(AttributeError, match="count is no message"):
        _ = wrong.count
    with pytest.raises(AttributeError, match="can't be set"):
        wrong.count = 5
    assert counter.get.blocking() == 0


def test_an_exception_in_a_call_fails_the_call_and_not_the_actor() -> None:
    node, counter = start(6)
    for attempt, told in [
        (lambda: counter.refuse.blocking("no soup"), "no soup"),
        (lambda: counter.divide.blocking(0), "ZeroDivisionError: integer division or modulo by zero"),
        (lambda: node.run(counter.divide(0)), "ZeroDivisionError: integer division or modulo by zero"),
        (lambda: counter.wrong.blocking(), "its reply: -1 is no u64"),
    ]:
        with pytest.raises(CallFailed) as raised:
            attempt()
        assert raised.value.reason == told and raised.value.kind == "failed"
    assert counter.get.blocking() == 6
    logged = [line.text for line in node.log]
    assert "in divide\n    return self.count // by\n" in logged[0], "the stack has the line of the source"
    assert not any("no soup" in text for text in logged), "what was meant is not logged"
    assert not any("_runtime.py" in text for text in logged), "and begins with the actor's own code"


def test_an_exception_in_a_cast_fails_the_actor_by_default() -> None:
    node, counter = start()
    counter.fail("out of luck")
    assert node.failure(counter) == "ValueError: out of luck"
    assert "in fail\n    raise ValueError(text)" in node.log[0].text
    with pytest.raises(UnknownActor):
        counter.add(1)
    with pytest.raises(UnknownActor):
        counter.get.blocking()


def test_with_the_policy_log_an_exception_in_a_cast_is_logged_and_the_actor_goes_on() -> None:
    @export(on_cast_error="log")
    class Patient(Counter):
        pass

    node = Node()
    patient = node.start(Patient, 1)
    patient.fail("out of luck")
    assert node.is_alive(patient) and patient.get.blocking() == 1
    assert node.log[0].level == "error" and "out of luck" in node.log[0].text
    patient.give_up("really")
    assert node.failure(patient) == "really", "who exits is not asked"


def test_exit_fails_the_actor_with_just_its_text() -> None:
    node, counter = start()
    counter.give_up("enough")
    assert node.failure(counter) == "enough"
    other = node.start(Counter, 1)
    with pytest.raises(NoReply):
        other.give_up_in_a_call.blocking("enough")
    assert node.failure(other) == "enough"


def test_a_message_that_does_not_decode_is_dropped_and_a_call_fails_by_the_name_of_the_argument() -> None:
    node, counter = start(7)
    host, to = node._host, ractor.pid(counter)
    for tag, data in [("Add", b""), ("Add", b"\0" * 7), ("NoSuch", b""), ("Get", b""), ("", b"\xff")]:
        host.cast(to, tag, data)
    assert [(line.level, line.text) for line in node.log] == [
        ("warn", "dropped the message Add: argument n (u64) is missing"),
        ("warn", "dropped the message Add: argument n (u64) is missing in part"),
        ("warn", "dropped the message NoSuch: Counter has no such message"),
        ("warn", "dropped the message Get: for Counter it is a call"),
        ("warn", "dropped the message : Counter has no such message"),
    ]
    for tag, data, told in [
        ("Divide", b"\0" * 7 + b"\1" + b"x", "Divide: argument by (u64): 1 bytes are no u64"),
        ("Get", b"x", "Get: 1 bytes are left over behind the arguments"),
        ("NoSuch", b"", "NoSuch: Counter has no such message"),
        ("Add", b"", "Add: for Counter it is no call"),
    ]:
        with pytest.raises(CallFailed) as raised:
            host.call(to, tag, data, 1000)
        assert raised.value.reason == told
    assert counter.get.blocking() == 7


def test_a_batch_is_handled_in_order_up_to_the_cast_that_fails() -> None:
    node, counter = start()
    runtime = node._of(counter).runtime
    assert runtime is not None
    one, text = (1).to_bytes(8, "big"), b"stop"
    add = (8).to_bytes(8, "big") + one + (8).to_bytes(8, "big") + one
    fail = len(text).to_bytes(8, "big") + text
    data = b"Add" + add + b"Add" + add + b"Nope" + b"Fail" + fail + b"Add" + add
    sizes = [(3, len(add)), (3, len(add)), (4, 0), (4, len(fail)), (3, len(add))]
    with pytest.raises(Exception, match="ValueError: stop"):
        runtime.handle_casts(data, sizes)
    assert node.state(counter).count == 2


def test_a_reply_may_come_later_once() -> None:
    node, counter = start()

    async def kept(how: str) -> str:
        import asyncio

        task = asyncio.create_task(counter.keep("x"))
        await asyncio.sleep(0.01)
        counter.answer(how)
        return await task

    assert node.run(kept("here")) == "here"
    with pytest.raises(CallFailed, match="no answer today"):
        node.run(kept("fail"))
    with pytest.raises(NoReply):
        node.run(kept("drop"))


def test_a_reply_that_nothing_refers_to_is_dropped() -> None:
    _, counter = start()
    with pytest.raises(NoReply):
        counter.lose.blocking()


def test_a_caller_that_gave_up_needs_no_reply() -> None:
    node, counter = start()
    with pytest.raises(CallTimeout):
        counter.keep.within(0.5).blocking("x")
    assert node.time == pytest.approx(0.5)
    (reply,) = node.state(counter).kept
    assert not reply.is_waiting
    counter.answer("late")
    assert "ReplyError" in (node.failure(counter) or "")
    assert issubclass(CallTimeout, TimeoutError) and issubclass(NotFound, LookupError) and issubclass(ReplyError, ractor.RactorError)


def test_actors_find_each_other_by_name_and_a_circle_of_calls_is_refused() -> None:
    node, one = start(1, name="one")
    node.start(Counter, 2, name="two")
    assert one.ask_other.blocking("two") == 2
    with pytest.raises(CallFailed, match="NotFound: no actor here or on a connected node is named 'three'"):
        one.ask_other.blocking("three")
    with pytest.raises(CallFailed, match=r"WouldDeadlock: The call is to this actor, or to one that waits"):
        one.circle.blocking("two")
    with pytest.raises(CallFailed, match="WouldDeadlock"):
        one.ask_other.blocking("one")
    assert issubclass(WouldDeadlock, ractor.SendError)


def test_a_start_that_fails_never_lives() -> None:
    node = Node()
    with pytest.raises(SpawnError, match="the child was not started: failed: 13 brings bad luck"):
        node.start(Counter, 13)
    with pytest.raises(TypeError, match="Counter.pre_start takes 1 start arguments, and 0 are given"):
        node.start(Counter)
    with pytest.raises(EncodeError, match="start argument start: 'x' is no u64"):
        node.start(Counter, "x")


def test_children_are_started_and_their_supervisor_hears_of_them() -> None:
    node, boss = start(0, name="boss")
    assert boss.hire.blocking("a", 1) == 1
    assert boss.hire.blocking("b", 2) == 2
    boss.hire.blocking("c", 3)
    with pytest.raises(CallFailed, match="13 brings bad luck"):
        boss.hire.blocking("d", 13)
    with pytest.raises(CallFailed, match="name-taken"):
        boss.hire.blocking("a", 1)
    assert len(ractor.members("staff", Counter)) == 3
    boss.tell_child("a", "stop")
    boss.tell_child("b", "kill")
    boss.tell_child("c", "broken")
    started = [event.name for event in node.state(boss).seen if isinstance(event, ActorStarted)]
    ended = [(event.name, event.reason) for event in node.state(boss).seen if isinstance(event, ActorTerminated)]
    failed = [(event.name, event.reason) for event in node.state(boss).seen if isinstance(event, ActorFailed)]
    assert (started, ended, failed) == (["a", "b", "c"], [("a", "enough"), ("b", "killed")], [("c", "ValueError: broken")])
    boss.hire.blocking("e", 5)
    child = find("e", Counter)
    node.stop(boss, "home time")
    assert not node.is_alive(child), "children end with their parent"


def test_monitors_hear_of_ends_and_of_groups() -> None:
    node, one = start(1, name="one")
    two = node.start(Counter, 2, name="two")
    one.watch("two", "friends")
    three = node.start(Counter, 3, groups=["friends"])
    node.stop(three)
    node.stop(two, "bye")
    seen = node.state(one).seen
    assert seen == [
        GroupChanged("friends", None, "joined", (ractor.pid(three),)),
        GroupChanged("friends", None, "left", (ractor.pid(three),)),
        ActorTerminated(ractor.pid(two), "two", "bye"),
    ]
    assert isinstance(ractor.pid(two), Pid)


@export
class Clock(Actor):
    ticks: u64 = 0

    @cast
    def tick(self, n: u64) -> None:
        self.ticks += n

    @cast
    def begin(self) -> None:
        self.tick.after(1.5, 10)
        self.other: Any = self.tick.every(1, 1)
        ractor.stop_after(10)

    @cast
    def end(self) -> None:
        assert self.other.cancel()
        assert not self.other.cancel()

    @call
    def settings(self) -> str:
        return f"{ractor.config('a')} {ractor.config('b')} {ractor.config_entries()} {ractor.self_name()}@{ractor.node_name()}"


def test_timers_come_when_their_time_has_come() -> None:
    node = Node()
    clock = node.start(Clock)
    clock.begin()
    for seconds, ticks in [(0.999, 0), (0.001, 1), (0.5, 11), (1.5, 13)]:
        node.advance(seconds)
        assert node.state(clock).ticks == ticks, node.time
    clock.end()
    node.advance(5)
    assert node.state(clock).ticks == 13
    node.advance(2)
    assert not node.is_alive(clock) and node.failure(clock) is None
    with pytest.raises((UnknownActor, Stopped)):
        clock.tick(1)


def test_settings_and_names_are_those_of_the_node() -> None:
    node = Node(name="n@h", config={"a": "1"})
    assert node.start(Clock, name="clock").settings.blocking() == "1 None {'a': '1'} clock@n@h"


def test_an_address_means_the_same_actor() -> None:
    _, counter = start(5)
    address = ractor.address(counter)
    assert address is not None
    again = ractor.resolve(address, Counter)
    assert again == counter and hash(again) == hash(counter)
    assert ractor.resolve(b"nonsense", Counter) is None


def test_a_stand_in_records_and_answers() -> None:
    node, one = start(1, name="one")
    peer = node.stand_in(Counter, name="peer")
    peer.reply(Counter.get, 42)
    assert one.ask_other.blocking("peer") == 42
    assert peer.received == [("Get", ())]
    peer.fail(Counter.get, "closed")
    with pytest.raises(CallFailed, match="CallFailed: closed"):
        one.ask_other.blocking("peer")
    peer.drop(Counter.get)
    with pytest.raises(CallFailed, match="NoReply"):
        one.ask_other.blocking("peer")
    peer.end()
    with pytest.raises(CallFailed, match="NotFound"):
        one.ask_other.blocking("peer")


def test_python_logging_and_print_go_to_the_log_of_the_node() -> None:
    node, _ = start()
    handler, log = NodeHandler(node._host), logging.getLogger("shop.orders")
    log.addHandler(handler)
    log.setLevel(ractor.TRACE)
    try:
        log.log(ractor.TRACE, "a")
        log.debug("b")
        log.info("c %s", 1)
        log.warning("d", extra={"order": 7})
        log.error("e")
        try:
            raise KeyError("f")
        except KeyError:
            log.exception("g")
    finally:
        log.removeHandler(handler)
    lines = [(line.level, line.target, line.text) for line in node.log]
    assert lines[:5] == [(level, "shop.orders", text) for level, text in zip(["trace", "debug", "info", "warn", "error"], ["a", "b", "c 1", "d", "e"], strict=True)]
    assert node.log[3].fields == {"order": "7"}
    assert "KeyError: 'f'" in lines[5][2]

    node.log.clear()
    stream = LogStream(node._host, "info", "app")
    print("one\ntwo", file=stream)
    print("thr", end="", file=stream)
    print("ee", file=stream)
    print("rest", end="", file=stream)
    stream.flush()
    assert [line.text for line in node.log] == ["one", "two", "three", "rest"]


def test_the_contract_is_what_the_source_says() -> None:
    @dataclass
    class Order:
        id: str
        amount: u64

    class Shop(Actor):
        """Sells tea.

        And coffee.
        """

        def pre_start(self, stock: u64) -> None:
            """Opens."""

        @cast
        def sell(self, order: Order, to: str) -> None:
            """Sells something."""

        @call("Price")
        async def price_of(self, reply: Reply[f64], name: str) -> None: ...

    Shop.sell.handler.__annotations__["order"] = Order
    export(name="TeaShop", version="1.2.0", state_version=3)(Shop)
    contract = ractor.contract_of(Shop)
    assert (contract.name, contract.version, contract.state_version) == ("TeaShop", "1.2.0", 3)
    assert contract.documentation == "Sells tea.\n\nAnd coffee."
    assert contract.start is not None and (contract.start.name, contract.start.type) == ("stock", "u64")
    sell, price = contract.messages
    assert (sell.name, sell.documentation, sell.reply) == ("Sell", "Sells something.", None)
    assert [(argument.name, argument.type) for argument in sell.arguments] == [("order", "json<Order>"), ("to", "string")]
    assert (price.name, price.reply) == ("Price", "f64")
    assert [argument.name for argument in price.arguments] == ["name"], "the reply is no argument"
    (schema,) = contract.schemas
    assert (schema.name, schema.format) == ("Order", "json-schema")
    assert b'"required":["id","amount"]' in schema.bytes


def bad_reply(self: Any) -> None: ...


def wrong_declarations() -> list[Any]:
    class NoType(Actor):
        @cast
        def add(self, n) -> None:  # type: ignore[no-untyped-def]
            pass

    class NoReplyType(Actor):
        @call
        def get(self):  # type: ignore[no-untyped-def]
            pass

    class NoWidth(Actor):
        @cast
        def add(self, n: int) -> None:
            pass

    class Several(Actor):
        @cast
        def add(self, *n: u64) -> None:
            pass

    class Twice(Actor):
        @cast
        def add(self, n: u64) -> None:
            pass

        @cast("Add")
        def add_again(self, n: u64) -> None:
            pass

    class Callback(Actor):
        @cast  # type: ignore[misc, arg-type]
        def on_event(self, n: u64) -> None:
            pass

    class AsyncStart(Actor):
        async def pre_start(self) -> None:
            pass

    class AsyncStop(Actor):
        async def post_stop(self) -> None:  # type: ignore[override]
            pass

    class TwoStarts(Actor):
        def pre_start(self, a: u64, b: u64) -> None:
            pass

    class CastWithReply(Actor):
        @cast
        def add(self, reply: Reply[str]) -> None:
            pass

    return [
        (NoType, r"NoType.add: say the type of n, e.g. `n: u64`"),
        (NoReplyType, r"NoReplyType.get: say what it replies"),
        (NoWidth, r"NoWidth.add, argument n: `int` says no width"),
        (Several, r"Several.add: \*n doesn't travel"),
        (Twice, r"Twice.add_again and Twice.add have one tag, Add"),
        (Callback, r"Callback.on_event is a callback of the SDK"),
        (AsyncStart, r"AsyncStart.pre_start can't be async"),
        (AsyncStop, r"AsyncStop.post_stop can't be async"),
        (TwoStarts, r"TwoStarts.pre_start takes one argument or none"),
        (CastWithReply, r"CastWithReply.add: a cast has no reply"),
        (bad_reply, r"`@export` is for a class that extends Actor"),
    ]


@pytest.mark.parametrize(("kind", "told"), wrong_declarations())
def test_a_declaration_that_cannot_work_is_refused_when_the_component_is_built(kind: Any, told: str) -> None:
    with pytest.raises(DeclarationError, match=told):
        export(kind)


def test_outside_of_a_node_the_error_says_where_it_works() -> None:
    from ractor._host import enter

    before = enter(None)
    try:
        with pytest.raises(RuntimeError, match="there is no node here: this works in the handlers of an actor"):
            find("x", Counter)
    finally:
        enter(before)
