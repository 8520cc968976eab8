"""The kitchen in Python: an actor that uses all of its SDK. What each message does is the same in every language."""

import asyncio
import logging
import random
import time
from dataclasses import dataclass

import kitchen_pb2
from ractor import (
    TRACE,
    Actor,
    ActorFailed,
    ActorStarted,
    ActorTerminated,
    CallFailed,
    Event,
    Failure,
    GroupChanged,
    NotFound,
    Reply,
    SendError,
    SpawnError,
    Timer,
    Transient,
    address,
    call,
    cast,
    char,
    children,
    config,
    demonitor,
    exit,
    export,
    f32,
    f64,
    find,
    i8,
    i16,
    i32,
    i64,
    i128,
    join,
    kill_child,
    leave,
    members,
    monitor,
    monitor_group,
    node_name,
    resolve,
    self_name,
    spawn,
    stop,
    stop_child,
    trace_context,
    u8,
    u16,
    u32,
    u64,
    u128,
    where_is,
)

LEVELS = {"trace": TRACE, "debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}
log = logging.getLogger("kitchen")


@dataclass
class Order:
    id: str
    quantity: u64
    items: list[str]


def told(error: SendError | NotFound) -> str:
    """An error as the kitchen's callers are told it."""
    return f"error:{error.kind}:{error.reason}" if isinstance(error, CallFailed) else f"error:{error.kind}"


@export(version="1.0.0", state_version=1)
class Kitchen(Actor):
    """An actor that uses all of its SDK."""

    count: u64 = 0
    note: str = ""
    big: i128 = 0
    marks: list[u64] = []

    kept: Transient[list[Reply[str]]] = []
    timers: Transient[list[Timer]] = []
    work: Transient[list[asyncio.Task[None]]] = []
    seen: Transient[list[str]] = []
    program: Transient[str] = ""

    def pre_start(self, program: str) -> None:
        self.program = program
        if program.startswith("fail:"):
            raise Failure(program.removeprefix("fail:"))
        if program == "panic":
            raise ZeroDivisionError("the kitchen is on fire")
        if not program.startswith("fail-"):
            self.note = program

    def post_start(self) -> None:
        if self.program == "fail-post":
            raise Failure("post_start fails")

    def post_stop(self) -> None:
        if self.program == "fail-stop":
            raise Failure("post_stop fails")

    def on_event(self, event: Event) -> None:
        if self.program == "fail-event":
            raise Failure("on_event fails")
        match event:
            case ActorStarted(name=name):
                self.seen.append(f"started:{name or '?'}")
            case ActorTerminated(name=name, reason=reason):
                self.seen.append(f"terminated:{name or '?'}:{reason or ''}")
            case ActorFailed(name=name, reason=reason):
                self.seen.append(f"failed:{name or '?'}:{reason or ''}")
            case GroupChanged(group=group, change=change, actors=actors):
                self.seen.append(f"group:{group}:{change}:{len(actors)}")

    # Casts.

    @cast
    def add(self, n: u64) -> None:
        """Adds to the count."""
        self.count = (self.count + n) % 2**64

    @cast
    def add_big(self, n: i128) -> None:
        self.big += n

    @cast
    def mark(self, n: u64) -> None:
        self.marks.append(n)

    @cast
    def set_note(self, text: str) -> None:
        self.note = text

    @cast
    def throw_cast(self, text: str) -> None:
        raise RuntimeError(text)

    @cast
    def log(self, level: str, text: str) -> None:
        log.log(LEVELS[level], text)

    @cast
    def print(self, text: str) -> None:
        print(text)

    @cast
    def after(self, ms: u64, n: u64) -> None:
        self.timers.append(self.mark.after(ms / 1000, n))

    @cast
    def every(self, ms: u64, n: u64) -> None:
        self.timers.append(self.mark.every(ms / 1000, n))

    @cast
    def cancel_timers(self) -> None:
        for timer in self.timers:
            timer.cancel()
        self.timers.clear()

    @cast
    def join(self, group: str) -> None:
        join(group)

    @cast
    def leave(self, group: str) -> None:
        leave(group)

    @cast
    def monitor_group(self, group: str) -> None:
        monitor_group(group)

    @cast
    def monitor_actor(self, name: str) -> None:
        monitor(find(name, Kitchen))

    @cast
    def forget(self, name: str) -> None:
        demonitor(find(name, Kitchen))

    @cast
    def stop_self(self, reason: str) -> None:
        stop(reason)

    @cast
    def exit_now(self, reason: str) -> None:
        exit(reason)

    @cast
    def cast_other(self, name: str, n: u64) -> None:
        try:
            find(name, Kitchen).add(n)
        except (NotFound, SendError) as error:
            self.note = f"error:{error.kind}"

    @cast
    def release(self, text: str) -> None:
        for reply in self.kept:
            reply.send(text)
        self.kept.clear()

    # Echoes.

    @call
    def echo_u8(self, value: u8) -> u8:
        return value

    @call
    def echo_u16(self, value: u16) -> u16:
        return value

    @call
    def echo_u32(self, value: u32) -> u32:
        return value

    @call
    def echo_u64(self, value: u64) -> u64:
        return value

    @call
    def echo_u128(self, value: u128) -> u128:
        return value

    @call
    def echo_i8(self, value: i8) -> i8:
        return value

    @call
    def echo_i16(self, value: i16) -> i16:
        return value

    @call
    def echo_i32(self, value: i32) -> i32:
        return value

    @call
    def echo_i64(self, value: i64) -> i64:
        return value

    @call
    def echo_i128(self, value: i128) -> i128:
        return value

    @call
    def echo_f32(self, value: f32) -> f32:
        return value

    @call
    def echo_f64(self, value: f64) -> f64:
        return value

    @call
    def echo_bool(self, value: bool) -> bool:
        return value

    @call
    def echo_char(self, value: char) -> char:
        return value

    @call
    def echo_string(self, value: str) -> str:
        return value

    @call
    def echo_bytes(self, value: bytes) -> bytes:
        return value

    @call
    def echo_list_u16(self, value: list[u16]) -> list[u16]:
        return value

    @call
    def echo_list_u64(self, value: list[u64]) -> list[u64]:
        return value

    @call
    def echo_list_i64(self, value: list[i64]) -> list[i64]:
        return value

    @call
    def echo_list_i128(self, value: list[i128]) -> list[i128]:
        return value

    @call
    def echo_list_f32(self, value: list[f32]) -> list[f32]:
        return value

    @call
    def echo_list_f64(self, value: list[f64]) -> list[f64]:
        return value

    @call
    def echo_list_bool(self, value: list[bool]) -> list[bool]:
        return value

    @call
    def echo_list_char(self, value: list[char]) -> list[char]:
        return value

    @call
    def echo_proto(self, value: kitchen_pb2.Order) -> kitchen_pb2.Order:
        value.quantity += 1
        return value

    @call
    def echo_json(self, value: Order) -> Order:
        return Order(value.id, value.quantity + 1, value.items)

    # Calls.

    @call
    def two(self, number: u64, text: str) -> str:
        return f"{number}:{text}"

    @call
    def nothing(self) -> None:
        return None

    @call
    def get(self) -> u64:
        return self.count

    @call
    def get_big(self) -> i128:
        return self.big

    @call
    def get_marks(self) -> list[u64]:
        return self.marks

    @call
    def get_note(self) -> str:
        return self.note

    @call
    def later(self, reply: Reply[str], ms: u64, text: str) -> None:
        async def answer() -> None:
            await asyncio.sleep(ms / 1000)
            reply.send(text)

        self.work.append(asyncio.create_task(answer()))

    @call
    def keep(self, reply: Reply[str]) -> None:
        self.kept.append(reply)

    @call
    def drop_it(self, reply: Reply[str]) -> None:
        reply.drop()

    @call
    def fail_it(self, text: str) -> str:
        raise Failure(text)

    @call
    def fail_later(self, reply: Reply[str], text: str) -> None:
        async def answer() -> None:
            await asyncio.sleep(0.01)
            reply.fail(text)

        self.work.append(asyncio.create_task(answer()))

    @call
    def throw(self, text: str) -> str:
        raise RuntimeError(text)

    @call
    def recurse(self, depth: u32) -> u32:
        return descend(depth)

    @call
    def allocate(self, bytes: u64) -> u64:
        return len(bytearray(bytes))

    @call
    def call_other(self, name: str, what: str, ms: u64) -> str:
        try:
            other, seconds = find(name, Kitchen), ms / 1000
            match what:
                case "get":
                    return f"ok:{other.get.within(seconds).blocking()}"
                case "fail":
                    return f"ok:{other.fail_it.within(seconds).blocking('no soup')}"
                case "drop":
                    return f"ok:{other.drop_it.within(seconds).blocking()}"
                case _:
                    return f"ok:{other.keep.within(seconds).blocking()}"
        except (NotFound, SendError) as error:
            return told(error)

    @call
    async def ask_other(self, name: str, what: str, ms: u64) -> str:
        try:
            other, seconds = find(name, Kitchen), ms / 1000
            match what:
                case "get":
                    return f"ok:{await other.get.within(seconds)()}"
                case "fail":
                    return f"ok:{await other.fail_it.within(seconds)('no soup')}"
                case "drop":
                    return f"ok:{await other.drop_it.within(seconds)()}"
                case _:
                    return f"ok:{await other.keep.within(seconds)()}"
        except (NotFound, SendError) as error:
            return told(error)

    @call
    def ring(self, name: str) -> str:
        try:
            return f"ok:{find(name, Kitchen).ring.blocking(self_name() or '')}"
        except (NotFound, SendError) as error:
            return told(error)

    @call
    async def ask_ring(self, name: str) -> str:
        try:
            return f"ok:{await find(name, Kitchen).ask_ring(self_name() or '')}"
        except (NotFound, SendError) as error:
            return told(error)

    @call
    async def sleep(self, ms: u64) -> u64:
        await asyncio.sleep(ms / 1000)
        return ms

    @call
    async def gather(self, name: str, times: u32) -> u64:
        other = find(name, Kitchen)
        return sum(await asyncio.gather(*(other.get() for _ in range(times))))

    @call
    async def cancel(self, name: str) -> str:
        task = asyncio.create_task(find(name, Kitchen).keep.within(None)())
        await asyncio.sleep(0.02)
        task.cancel()
        try:
            return await task
        except asyncio.CancelledError:
            return "cancelled"

    @call
    async def timeout_await(self, name: str) -> str:
        try:
            async with asyncio.timeout(0.05):
                return await find(name, Kitchen).keep.within(None)()
        except TimeoutError:
            return "timeout"

    @call
    async def steps(self, text: str) -> str:
        self.marks.append(1)
        await asyncio.sleep(0.03)
        self.marks.append(2)
        return text

    @call
    def members(self, group: str) -> u32:
        return len(members(group, Kitchen))

    @call
    def where_is(self, name: str) -> bool:
        return where_is(name, Kitchen) is not None

    @call
    def events(self) -> str:
        return ";".join(self.seen)

    @call
    def spawn(self, module: str, name: str, argument: str) -> str:
        try:
            spawn(Kitchen, argument, module=module, name=name)
        except SpawnError as error:
            return f"error:{error.reason}" + (f":{error.text}" if error.text else "")
        return "ok"

    @call
    def children(self) -> u32:
        return len(children())

    @call
    def stop_child(self, name: str) -> bool:
        child = where_is(name, Kitchen)
        return child is not None and stop_child(child)

    @call
    def kill_child(self, name: str) -> bool:
        child = where_is(name, Kitchen)
        return child is not None and kill_child(child)

    @call
    def config(self, key: str) -> str:
        return config(key) or ""

    @call("Self")
    def who_am_i(self) -> str:
        return f"{self_name() or ''}@{node_name()}"

    @call
    def now(self) -> u64:
        return int(time.time() * 1000)

    @call
    def trace(self) -> str:
        """Replies with the `traceparent` of its span; empty if it has none."""
        context = trace_context()
        return context.traceparent if context else ""

    @call
    def random(self) -> u64:
        return random.getrandbits(53)

    @call
    def address(self, name: str) -> bytes:
        return address(find(name, Kitchen)) or b""

    @call
    def cast_address(self, address: bytes, n: u64) -> bool:
        other = resolve(address, Kitchen)
        if other is not None:
            other.add(n)
        return other is not None

    @call("Big")
    def send_big(self, bytes: u64) -> u64:
        return len(find(config("peer") or "", Kitchen).echo_bytes.blocking(b"\0" * bytes))


def descend(depth: int) -> int:
    """The depth, after a call of this for each level of it; without end for the largest."""
    return 0 if depth == 0 else 1 + descend(depth - 1 if depth != 2**32 - 1 else depth)
