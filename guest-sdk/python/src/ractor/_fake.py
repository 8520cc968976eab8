"""A node in memory, on virtual time, for tests: `ractor.testing` is the part of it for users."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
from asyncio import events as loop_events
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import errors
from ._contract import Declared
from ._host import Level, Mailbox, Restart, enter
from ._runtime import CallRefused, Failed, Later, Replied, Runtime
from .events import ActorFailed, ActorStarted, ActorTerminated, Event, GroupChanged, Pid

_MOST_RESTARTS = 5
_MOST_STEPS = 1_000_000


@dataclass
class LogLine:
    """A line that an actor logged."""

    level: Level
    actor: str | None
    target: str
    text: str
    fields: dict[str, str]


@dataclass
class Sent:
    """A message that was sent: its arguments as values, or as bytes where the receiver's type isn't known."""

    sender: str | None
    receiver: str | None
    tag: str
    arguments: tuple[Any, ...]


@dataclass
class OpenCall:
    """A call that isn't answered yet."""

    number: int
    caller: Cell
    callee: Cell
    token: int | None
    """What the caller knows it by, if it doesn't stand still."""
    outcome: bytes | errors.SendError | None = None
    is_over: bool = False


Work = Callable[[], None]


@dataclass
class Cell:
    """An actor, or what stands in for one, or the test itself."""

    pid: Pid
    name: str | None
    config: Mapping[str, str]
    declared: Declared | None = None
    runtime: Runtime | None = None
    deliver: Callable[[str, bytes, int | None], None] | None = None
    start: bytes = b""
    restart: Restart = "temporary"
    restarts: int = 0
    supervisor: Cell | None = None
    children: list[Cell] = field(default_factory=list)
    messages: deque[Work] = field(default_factory=deque)
    """What waits while a handler is pending."""
    news: deque[Work] = field(default_factory=deque)
    """What comes in nevertheless."""
    mailbox: Mailbox | None = None
    """What a pending handler says of it."""
    is_busy: bool = False
    is_alive: bool = True
    stopping: tuple[str | None] | None = None
    failure: str | None = None
    stopped: str | None = None
    groups: set[tuple[str, str | None]] = field(default_factory=set)
    monitors: set[Pid] = field(default_factory=set)
    group_monitors: set[tuple[str, str | None]] = field(default_factory=set)


class World:
    """What all actors of a node share."""

    def __init__(self, name: str, modules: Mapping[str, Any], config: Mapping[str, str]) -> None:
        self.name = name
        self.modules = modules
        self.config = config
        self.now_ms = 0
        self.cells: dict[Pid, Cell] = {}
        self.log: list[LogLine] = []
        self.sent: list[Sent] = []
        self.calls: dict[int, OpenCall] = {}
        self.random = random.Random(name)
        self._numbers = itertools.count(1)
        self._timers: dict[int, tuple[Cell, Work]] = {}
        self._due: list[tuple[int, int]] = []

    def number(self) -> int:
        """One that nothing else has."""
        return next(self._numbers)

    def add(self, name: str | None, config: Mapping[str, str]) -> Cell:
        """A new cell."""
        cell = Cell(Pid(0, self.number()), name, config)
        self.cells[cell.pid] = cell
        return cell

    def living(self, pid: Pid) -> Cell | None:
        """The actor with this pid, if it lives."""
        cell = self.cells.get(pid)
        return cell if cell is not None and cell.is_alive else None

    def named(self, name: str) -> Cell | None:
        """The actor with this name, if it lives."""
        name = name.removesuffix(f"@{self.name}")
        return next((cell for cell in self.cells.values() if cell.is_alive and cell.name == name), None)

    # Time.

    def timer(self, cell: Cell, delay_ms: int, work: Work) -> int:
        """Does something for an actor after a while, unless it is gone."""
        number = self.number()
        self._timers[number] = (cell, work)
        heapq.heappush(self._due, (self.now_ms + delay_ms, number))
        return number

    def cancel(self, number: int) -> bool:
        """Ends a timer."""
        return self._timers.pop(number, None) is not None

    def next_due(self) -> int | None:
        """When the next timer is due."""
        while self._due and self._due[0][1] not in self._timers:
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else None

    def pass_time(self, until_ms: int) -> bool:
        """Goes to the next timer that is due by then and does its work, or to that time. False if there was none."""
        due = self.next_due()
        if due is None or due > until_ms:
            self.now_ms = max(self.now_ms, until_ms)
            return False
        _, number = heapq.heappop(self._due)
        self.now_ms = max(self.now_ms, due)
        cell, work = self._timers.pop(number)
        if cell.is_alive:
            work()
        return True

    # Running.

    def settle(self) -> None:
        """Runs everything that can run at this time."""
        for _ in range(_MOST_STEPS):
            if not any([self.step(cell) for cell in list(self.cells.values())]):
                return
        raise RuntimeError("the actors send each other messages without end")

    def step(self, cell: Cell) -> bool:
        """Lets one actor handle what comes next. False if there is nothing that it can handle."""
        if cell.is_busy or not cell.is_alive:
            return False
        if cell.stopping is not None:
            self.end_in_order(cell)
            return True
        if cell.news:
            work = cell.news.popleft()
        elif cell.messages and cell.mailbox != "held":
            work = cell.messages.popleft()
        else:
            return False
        self.run(cell, work)
        return True

    def run(self, cell: Cell, work: Work) -> None:
        """Runs a callback of an actor."""
        cell.is_busy = True
        # It is pending only if this callback says so.
        cell.mailbox = None
        around = _leave_task()
        try:
            work()
        except Failed as failure:
            self.fail(cell, str(failure))
        finally:
            _enter_task(around)
            cell.is_busy = False

    # Ends.

    def end_in_order(self, cell: Cell) -> None:
        """Ends an actor that was stopped."""
        (reason,) = cell.stopping or (None,)
        cell.is_busy = True
        around = _leave_task()
        try:
            if cell.runtime is not None:
                cell.runtime.post_stop()
        except Failed as failure:
            self.gone(cell, ActorFailed(cell.pid, cell.name, str(failure)))
            cell.failure = str(failure)
            return
        finally:
            _enter_task(around)
            cell.is_busy = False
        cell.stopped = reason
        self.gone(cell, ActorTerminated(cell.pid, cell.name, reason))

    def fail(self, cell: Cell, reason: str) -> None:
        """Fails an actor, and restarts it where that was asked for."""
        self.log.append(LogLine("error", cell.name, "node", f"the actor failed: {reason}", {}))
        if cell.restart != "temporary" and cell.restarts < _MOST_RESTARTS and cell.declared is not None:
            cell.restarts += 1
            self.forget_work(cell)
            self.begin(cell, cell.declared)
            return
        cell.failure = reason
        self.gone(cell, ActorFailed(cell.pid, cell.name, reason))

    def forget_work(self, cell: Cell) -> None:
        """Ends the timers of an actor, and the calls that it was to answer or waits for."""
        for number in [number for number, (owner, _) in self._timers.items() if owner is cell]:
            del self._timers[number]
        cell.mailbox = None
        for call in list(self.calls.values()):
            if call.callee is cell:
                self.resolve(call, errors.NoReply())
            elif call.caller is cell:
                call.is_over = True

    def gone(self, cell: Cell, event: Event) -> None:
        """Takes an actor out, with its children, and tells those who want to know."""
        cell.is_alive = False
        self.forget_work(cell)
        for child in list(cell.children):
            if child.is_alive:
                self.gone(child, ActorTerminated(child.pid, child.name, None))
        for group, scope in list(cell.groups):
            self.change_group(cell, group, scope, joined=False)
        watchers = [other for other in self.cells.values() if cell.pid in other.monitors or other is cell.supervisor]
        for watcher in watchers:
            self.tell(watcher, event)
        cell.messages.clear()
        cell.news.clear()

    def tell(self, cell: Cell, event: Event) -> None:
        """Brings an actor news."""
        runtime = cell.runtime
        if runtime is not None and cell.is_alive:
            cell.news.append(lambda: runtime.handle_event(event))

    def change_group(self, cell: Cell, group: str, scope: str | None, joined: bool) -> None:
        """Adds an actor to a group, or takes it out."""
        key = (group, scope)
        if (key in cell.groups) == joined:
            return
        (cell.groups.add if joined else cell.groups.discard)(key)
        event = GroupChanged(group, scope, "joined" if joined else "left", (cell.pid,))
        for watcher in self.cells.values():
            if key in watcher.group_monitors:
                self.tell(watcher, event)

    # Starts.

    def begin(self, cell: Cell, declared: Declared) -> None:
        """Starts the code of an actor.

        Raises:
            Failed: Its `pre_start` raised.
        """
        cell.declared = declared
        runtime = Runtime(declared, CellHost(self, cell), lambda: self.now_ms / 1000)
        cell.runtime = runtime
        around, busy = _leave_task(), cell.is_busy
        cell.is_busy = True
        try:
            runtime.pre_start(cell.start)
        finally:
            cell.is_busy = busy
            _enter_task(around)
        cell.news.append(runtime.post_start)

    # Messages.

    def send(self, sender: Cell, to: Pid, tag: str, args: bytes, number: int | None) -> Cell:
        """Puts a message into a mailbox.

        Raises:
            UnknownActor, Stopped: There is none.
        """
        cell = self.living(to)
        if cell is None:
            raise errors.UnknownActor()
        if cell.stopping is not None:
            raise errors.Stopped()
        self.sent.append(Sent(sender.name, cell.name, tag, self._values(cell, tag, args)))
        runtime, deliver = cell.runtime, cell.deliver

        def handle() -> None:
            if deliver is not None:
                deliver(tag, args, number)
            elif runtime is None:
                raise Failed("it has no code")
            elif number is None:
                self._living(cell).handle_cast(tag, args)
            else:
                self._handle_call(cell, tag, args, number)

        cell.messages.append(handle)
        return cell

    def _living(self, cell: Cell) -> Runtime:
        assert cell.runtime is not None
        return cell.runtime

    def _handle_call(self, cell: Cell, tag: str, args: bytes, number: int) -> None:
        outcome = self._living(cell).handle_call(tag, args, number)
        call = self.calls.get(number)
        if call is None or isinstance(outcome, Later):
            return
        if isinstance(outcome, CallRefused):
            self.resolve(call, errors.CallFailed(outcome.reason))
        elif isinstance(outcome, Replied):
            self.resolve(call, outcome.data)

    def _values(self, cell: Cell, tag: str, args: bytes) -> tuple[Any, ...]:
        message = cell.declared.messages.get(tag) if cell.declared else None
        try:
            return tuple(message.signature.unpack(args)) if message else (args,)
        except errors.DecodeError:
            return (args,)

    def open_call(self, caller: Cell, to: Pid, tag: str, args: bytes, timeout_ms: int | None, token: int | None) -> OpenCall:
        """Sends a call."""
        callee = self.living(to)
        if callee is not None and self._would_wait_for(callee, caller):
            raise errors.WouldDeadlock()
        number = self.number()
        cell = self.send(caller, to, tag, args, number)
        call = OpenCall(number, caller, cell, token)
        self.calls[number] = call
        if timeout_ms is not None:
            self.timer(caller, timeout_ms, lambda: self.resolve(call, errors.CallTimeout()))
        return call

    def _would_wait_for(self, cell: Cell, other: Cell) -> bool:
        """Whether this actor is the other one, or waits, maybe through others, for its reply."""
        seen: set[Pid] = set()
        waiting = [cell]
        while waiting:
            at = waiting.pop()
            if at is other:
                return at.deliver is None and not self._is_open(at)
            if at.pid in seen or self._is_open(at):
                continue
            seen.add(at.pid)
            waiting += [call.callee for call in self.calls.values() if call.caller is at and not call.is_over]
        return False

    def _is_open(self, cell: Cell) -> bool:
        return cell.declared is not None and cell.declared.options.reentrant and not self._stands_still(cell)

    def _stands_still(self, cell: Cell) -> bool:
        return any(call.caller is cell and call.token is None and not call.is_over for call in self.calls.values())

    def resolve(self, call: OpenCall, outcome: bytes | errors.SendError) -> None:
        """Brings a caller its reply, or why there is none."""
        self.calls.pop(call.number, None)
        if call.is_over:
            return
        call.is_over, call.outcome = True, outcome
        runtime, token = call.caller.runtime, call.token
        if token is not None and runtime is not None:
            call.caller.news.append(lambda: runtime.handle_reply(token, outcome))

    def wait_for(self, call: OpenCall) -> bytes:
        """Lets the others run until a call is answered. Time passes if nothing else happens."""
        caller_was_busy, call.caller.is_busy = call.caller.is_busy, True
        try:
            while call.outcome is None:
                self.settle()
                if call.outcome is None and not self._pass_to_next():
                    self.resolve(call, errors.CallTimeout("no reply will come: nothing is left to happen, and the call has no timeout"))
        finally:
            call.caller.is_busy = caller_was_busy
        if isinstance(call.outcome, errors.SendError):
            raise call.outcome
        assert isinstance(call.outcome, bytes)
        return call.outcome

    def _pass_to_next(self) -> bool:
        due = self.next_due()
        return due is not None and self.pass_time(due)


class CellHost:
    """One actor's view of the node. It is a `Host`."""

    def __init__(self, world: World, cell: Cell) -> None:
        self._world = world
        self._cell = cell

    def self_pid(self) -> Pid:
        return self._cell.pid

    def self_name(self) -> str | None:
        return self._cell.name

    def node_name(self) -> str:
        return self._world.name

    def cast(self, to: Pid, tag: str, args: bytes) -> None:
        self._world.send(self._cell, to, tag, args, None)

    def call(self, to: Pid, tag: str, args: bytes, timeout_ms: int | None) -> bytes:
        return self._world.wait_for(self._world.open_call(self._cell, to, tag, args, timeout_ms, None))

    def ask(self, to: Pid, tag: str, args: bytes, timeout_ms: int | None) -> int:
        token = self._world.number()
        self._world.open_call(self._cell, to, tag, args, timeout_ms, token)
        return token

    def cancel_ask(self, token: int) -> bool:
        for call in self._world.calls.values():
            if call.caller is self._cell and call.token == token and not call.is_over:
                call.is_over = True
                return True
        return False

    def pending(self, mailbox: Mailbox) -> None:
        self._cell.mailbox = "held" if self._cell.mailbox == "held" else mailbox

    def reply(self, number: int, data: bytes) -> None:
        call = self._world.calls.get(number)
        if call is None:
            raise errors.ReplyError("unknown-call")
        was_over = call.is_over
        self._world.resolve(call, data)
        if was_over:
            raise errors.ReplyError("too-late")

    def drop_call(self, number: int) -> None:
        call = self._world.calls.get(number)
        if call is not None:
            self._world.resolve(call, errors.NoReply())

    def fail_call(self, number: int, reason: str) -> None:
        call = self._world.calls.get(number)
        if call is not None:
            self._world.resolve(call, errors.CallFailed(reason))

    def is_waiting(self, number: int) -> bool:
        call = self._world.calls.get(number)
        return call is not None and not call.is_over

    def metadata(self) -> bytes | None:
        return None

    def next_cast(self) -> bool:
        return True

    def where_is(self, name: str) -> Pid | None:
        cell = self._world.named(name)
        return None if cell is None else cell.pid

    def address(self, actor: Pid) -> bytes | None:
        return b"%d.%d" % actor if self._world.living(actor) else None

    def resolve(self, address: bytes) -> Pid | None:
        return next((pid for pid in self._world.cells if self.address(pid) == address), None)

    def join(self, group: str, scope: str | None) -> None:
        self._world.change_group(self._cell, group, scope, joined=True)

    def leave(self, group: str, scope: str | None) -> None:
        self._world.change_group(self._cell, group, scope, joined=False)

    def members(self, group: str, scope: str | None) -> Sequence[Pid]:
        return [cell.pid for cell in self._world.cells.values() if (group, scope) in cell.groups]

    def local_members(self, group: str, scope: str | None) -> Sequence[Pid]:
        return self.members(group, scope)

    def which_groups(self, scope: str | None) -> Sequence[str]:
        return sorted({group for cell in self._world.cells.values() for group, its in cell.groups if its == scope})

    def monitor_group(self, group: str, scope: str | None) -> None:
        self._cell.group_monitors.add((group, scope))

    def demonitor_group(self, group: str, scope: str | None) -> None:
        self._cell.group_monitors.discard((group, scope))

    def send_after(self, to: Pid, tag: str, args: bytes, delay_ms: int) -> int:
        def send() -> None:
            self._send_if_there(to, tag, args)

        return self._world.timer(self._cell, delay_ms, send)

    def send_interval(self, to: Pid, tag: str, args: bytes, period_ms: int) -> int:
        world, cell, period_ms = self._world, self._cell, max(period_ms, 1)
        number = world.number()

        def tick() -> None:
            if self._send_if_there(to, tag, args):
                world._timers[number] = (cell, tick)
                heapq.heappush(world._due, (world.now_ms + period_ms, number))

        world._timers[number] = (cell, tick)
        heapq.heappush(world._due, (world.now_ms + period_ms, number))
        return number

    def _send_if_there(self, to: Pid, tag: str, args: bytes) -> bool:
        try:
            self.cast(to, tag, args)
        except errors.SendError:
            return False
        return True

    def stop_after(self, delay_ms: int) -> int:
        return self._world.timer(self._cell, delay_ms, lambda: self.stop(None))

    def wake_after(self, delay_ms: int) -> int:
        runtime, cell = self._cell.runtime, self._cell
        number = 0

        def wake() -> None:
            living = cell.runtime
            if living is not None and living is (runtime or living):
                cell.news.append(lambda: living.handle_wake(number))

        number = self._world.timer(self._cell, delay_ms, wake)
        return number

    def cancel_timer(self, timer: int) -> bool:
        return self._world.cancel(timer)

    def log(self, level: Level, target: str, message: str, fields: list[tuple[str, str]]) -> None:
        self._world.log.append(LogLine(level, self._cell.name, target, message, dict(fields)))

    def spawn(self, module: str, name: str | None, arguments: bytes, groups: list[str], restart: Restart) -> Pid:
        from ._export import declared_of

        world = self._world
        actor = world.modules.get(module)
        if actor is None:
            raise errors.SpawnError("unknown-module")
        if name is not None and world.named(name) is not None:
            raise errors.SpawnError("name-taken")
        child = world.add(name, world.config)
        child.start, child.restart, child.supervisor = arguments, restart, self._cell
        try:
            world.begin(child, declared_of(actor))
        except Failed as failure:
            child.is_alive = False
            raise errors.SpawnError("failed", str(failure)) from None
        for group in groups:
            world.change_group(child, group, None, joined=True)
        self._cell.children.append(child)
        world.tell(self._cell, ActorStarted(child.pid, name))
        return child.pid

    def children(self) -> Sequence[Pid]:
        return [child.pid for child in self._cell.children if child.is_alive]

    def supervisor(self) -> Pid | None:
        return self._cell.supervisor.pid if self._cell.supervisor else None

    def stop(self, reason: str | None) -> None:
        self._cell.stopping = (reason,)

    def exit(self, reason: str) -> None:
        """Nothing: the SDK raises `ExitNow`."""

    def stop_child(self, child: Pid, reason: str | None) -> bool:
        cell = self._child(child)
        if cell is not None:
            cell.stopping = (reason,)
        return cell is not None

    def kill_child(self, child: Pid) -> bool:
        cell = self._child(child)
        if cell is not None:
            self._world.gone(cell, ActorTerminated(cell.pid, cell.name, "killed"))
        return cell is not None

    def _child(self, pid: Pid) -> Cell | None:
        return next((child for child in self._cell.children if child.pid == pid and child.is_alive), None)

    def monitor(self, actor: Pid) -> None:
        if self._world.living(actor) is None:
            raise errors.MonitorError("unknown-actor")
        self._cell.monitors.add(actor)

    def demonitor(self, actor: Pid) -> None:
        self._cell.monitors.discard(actor)

    def config_value(self, key: str) -> str | None:
        return self._cell.config.get(key)

    def config_entries(self) -> Sequence[tuple[str, str]]:
        return sorted(self._cell.config.items())

    def random_bytes(self, count: int) -> bytes:
        return self._world.random.randbytes(count)

    def trace_context(self) -> tuple[str, str] | None:
        return None


class OutsideHost(CellHost):
    """The test's own view of the node: what it sends is handled when this returns."""

    def cast(self, to: Pid, tag: str, args: bytes) -> None:
        super().cast(to, tag, args)
        self._world.settle()

    def pending(self, mailbox: Mailbox) -> None:
        """The test has no mailbox."""


_Around = tuple[Any, Any, Any]


def _leave_task() -> _Around:
    """Steps out of the asyncio task that runs, so that another actor's may run in between."""
    loop = loop_events._get_running_loop()
    swap = getattr(asyncio.tasks, "_swap_current_task", None)
    task = swap(loop, None) if swap is not None and loop is not None else None
    loop_events._set_running_loop(None)
    return loop, swap, task


def _enter_task(around: _Around) -> None:
    loop, swap, task = around
    loop_events._set_running_loop(loop)
    if swap is not None and loop is not None:
        swap(loop, task)


def use(host: CellHost | None) -> None:
    """Makes this the node of the code of a test."""
    enter(host)
