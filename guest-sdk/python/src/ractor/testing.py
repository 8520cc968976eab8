"""Tests of actors without WebAssembly: the same classes on a node in memory, on time that passes when the test says so.

    from ractor.testing import Node

    def test_it_counts() -> None:
        node = Node()
        counter = node.start(Counter, 5)
        counter.add(3)
        assert counter.get.blocking() == 8

What a test sends is handled when the call that sends it returns. Messages are encoded and decoded on the way, as on a real node, so a
value that doesn't fit its type shows. Nothing here waits: `node.advance(seconds)` passes time, and a call with a timeout takes none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Generic, ParamSpec, TypeVar

from . import errors
from ._actor import Actor
from ._export import declared_of
from ._fake import Cell, LogLine, OutsideHost, Sent, World, use
from ._host import enter
from ._loop import Loop
from ._messages import Call
from ._node import Start
from ._ref import pid, ref_of
from ._runtime import Failed, Runtime
from .events import Pid

__all__ = ["LogLine", "Node", "Sent", "StandIn"]

A = TypeVar("A")
T = TypeVar("T")
R = TypeVar("R")
P = ParamSpec("P")


class StandIn(Generic[A]):
    """What the actor under test takes for another one. It records what it is sent, and answers as it was told.

    A call for which it has no answer is left open, so that it times out.
    """

    def __init__(self, world: World, cell: Cell, actor: type[A]) -> None:
        self._world = world
        self._cell = cell
        self._answers: dict[str, bytes | errors.SendError] = {}
        self.ref: A = ref_of(cell.pid, actor)
        """A reference to it."""
        self.received: list[tuple[str, tuple[Any, ...]]] = []
        """The messages that came, as tag and arguments."""

    def reply(self, message: Call[P, R], value: R) -> None:
        """Answers every such call with this, e.g. `peer.reply(Counter.get, 7)`."""
        codec = message.signature.reply
        assert codec is not None
        self._answers[message.tag] = codec.encode(value)

    def fail(self, message: Call[P, Any], reason: str) -> None:
        """Fails every such call for this reason."""
        self._answers[message.tag] = errors.CallFailed(reason)

    def drop(self, message: Call[P, Any]) -> None:
        """Drops every such call."""
        self._answers[message.tag] = errors.NoReply()

    def end(self) -> None:
        """Ends it: from now on, nobody is there."""
        from .events import ActorTerminated

        self._world.gone(self._cell, ActorTerminated(self._cell.pid, self._cell.name, None))
        self._world.settle()

    def _deliver(self, tag: str, args: bytes, number: int | None) -> None:
        declared = self._cell.declared
        message = declared.messages.get(tag) if declared else None
        self.received.append((tag, tuple(message.signature.unpack(args)) if message else (args,)))
        call = None if number is None else self._world.calls.get(number)
        if call is not None and tag in self._answers:
            self._world.resolve(call, self._answers[tag])


class Node:
    """A node for one test. The newest one is that of the code of the test."""

    def __init__(
        self,
        *,
        name: str = "test@localhost",
        config: Mapping[str, str] | None = None,
        modules: Mapping[str, type[Actor]] | None = None,
    ) -> None:
        """Makes one.

        Args:
            name: Its full name.
            config: The settings of its actors.
            modules: The modules that actors may spawn children of, by their names in node.toml.
        """
        self._world = World(name, dict(modules or {}), dict(config or {}))
        self._cell = self._world.add("test", {})
        self._host = OutsideHost(self._world, self._cell)
        make: Any = Loop
        self._loop: Loop = make(self._host, lambda: self.time)
        self._cell.runtime = _Outside(self._loop)
        use(self._host)

    # Actors.

    def start(
        self,
        actor: type[A],
        *start: Any,
        name: str | None = None,
        groups: Sequence[str] = (),
        config: Mapping[str, str] | None = None,
    ) -> A:
        """Starts an actor with its start argument, and gives a reference to it.

        Raises:
            SpawnError: Its `pre_start` raised.
        """
        cell = self._world.add(name, self._world.config if config is None else dict(config))
        cell.start = Start(actor).encode(start)
        with self._outside():
            try:
                self._world.begin(cell, declared_of(actor))
            except Failed as failure:
                cell.is_alive = False
                raise errors.SpawnError("failed", str(failure)) from None
            for group in groups:
                self._world.change_group(cell, group, None, joined=True)
            self._world.settle()
        return ref_of(cell.pid, actor)

    def stand_in(self, actor: type[A], *, name: str | None = None, groups: Sequence[str] = ()) -> StandIn[A]:
        """What other actors take for one of this type."""
        cell = self._world.add(name, {})
        cell.declared = declared_of(actor)
        made = StandIn(self._world, cell, actor)
        cell.deliver = made._deliver
        for group in groups:
            self._world.change_group(cell, group, None, joined=True)
        return made

    def stop(self, actor: object, reason: str | None = None) -> None:
        """Stops an actor in an orderly way."""
        self._of(actor).stopping = (reason,)
        self._world.settle()

    def is_alive(self, actor: object) -> bool:
        """Whether an actor lives."""
        return self._of(actor).is_alive

    def failure(self, actor: object) -> str | None:
        """Why an actor failed; None if it didn't."""
        return self._of(actor).failure

    def state(self, actor: A) -> A:
        """The object behind a reference, to look at its fields."""
        runtime = self._of(actor).runtime
        if runtime is None or runtime.actor is None:
            raise LookupError(f"{actor!r} has no state here")
        found: Any = runtime.actor
        made: A = found
        return made

    # Time.

    @property
    def time(self) -> float:
        """The seconds that have passed."""
        return self._world.now_ms / 1000

    def advance(self, seconds: float) -> None:
        """Lets time pass: timers come, and what they cause is handled."""
        until = self._world.now_ms + round(seconds * 1000)
        self._world.settle()
        while self._world.pass_time(until):
            self._world.settle()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Awaits something, e.g. `node.run(counter.get())`. Time passes while nothing else happens.

        Raises:
            RuntimeError: It waits for something that will never happen.
        """
        task: asyncio.Task[T] = self._loop.create_task(work)
        with self._outside():
            while True:
                self._loop.run_ready()
                self._world.settle()
                self._loop.run_ready()
                if task.done():
                    return task.result()
                if not self._loop.ready and not self._world._pass_to_next():
                    task.cancel()
                    self._loop.run_ready()
                    raise RuntimeError("this waits for something that will never happen")

    # What happened.

    @property
    def log(self) -> list[LogLine]:
        """What actors logged and printed through the SDK, and failures. Python's own `logging` is pytest's `caplog`."""
        return self._world.log

    @property
    def sent(self) -> list[Sent]:
        """Every message that was sent."""
        return self._world.sent

    # State.

    def snapshot(self, actor: object) -> bytes:
        """The state of an actor, as its next code would get it.

        Raises:
            StateError: It can't be told. The text says what to declare.
        """
        runtime = self._of(actor).runtime
        assert runtime is not None
        try:
            return runtime.snapshot()
        except Failed as failure:
            raise errors.StateError(str(failure)) from None

    def reload(self, actor: object, new: type[A]) -> A:
        """Replaces the code of an actor, with its state, as a node does.

        Raises:
            StateError: The new code doesn't take the state over. The old code goes on.
        """
        cell = self._of(actor)
        assert cell.runtime is not None and cell.declared is not None
        state, version = self.snapshot(actor), cell.declared.options.state_version
        runtime = Runtime(declared_of(new), cell.runtime.host, lambda: self.time)
        try:
            runtime.restore(state, version)
            before, cell.runtime = cell.runtime, runtime
            try:
                runtime.post_reload()
            except Failed:
                cell.runtime = before
                raise
        except Failed as failure:
            raise errors.StateError(str(failure)) from None
        cell.declared = runtime.declared
        return ref_of(cell.pid, new)

    def _of(self, actor: object) -> Cell:
        found: Pid = pid(actor)
        return self._world.cells[found]

    @contextmanager
    def _outside(self) -> Iterator[None]:
        before = enter(self._host)
        try:
            yield
        finally:
            enter(before)


class _Outside(Runtime):
    """The test as a caller: replies go to its loop."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.actor = None

    def handle_reply(self, token: int, outcome: bytes | errors.SendError) -> None:
        self.loop.handle_reply(token, outcome)

    def handle_wake(self, timer: int) -> None:
        self.loop.handle_wake(timer)


