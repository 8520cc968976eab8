"""What `async` handlers may await, and what happens to the mailbox meanwhile."""

import asyncio
from typing import Any

import pytest

from ractor import Actor, CallFailed, CallTimeout, Event, Failure, NoReply, Reply, Transient, UnknownActor, WouldDeadlock
from ractor import call, cast, export, find, self_name, u64
from ractor.testing import Node


class Worker(Actor):
    """Waits in every way."""

    log: list[str] = []
    lock: Transient[asyncio.Lock | None] = None
    kept: Transient[list[Reply[str]]] = []
    background: Transient[list[asyncio.Task[None]]] = []

    @cast
    def note(self, text: str) -> None:
        self.log.append(text)

    @call
    def notes(self) -> str:
        return " ".join(self.log)

    @call
    async def steps(self, text: str) -> str:
        self.log.append(f"{text}1")
        await asyncio.sleep(0.5)
        self.log.append(f"{text}2")
        return text

    @cast
    async def slow_cast(self, text: str) -> None:
        await self.steps(text)
        if text == "bad":
            raise ValueError("after a while")

    @call
    async def at_once(self) -> str:
        return "done"

    @call
    async def fails_late(self, text: str) -> str:
        await asyncio.sleep(0.1)
        raise KeyError(text)

    @call
    async def refuses_late(self, text: str) -> str:
        await asyncio.sleep(0.1)
        raise Failure(text)

    @call
    async def replies_nonsense_late(self) -> u64:
        await asyncio.sleep(0.1)
        return -1

    @call
    async def ask(self, name: str) -> str:
        return await find(name, Worker).steps("x")

    @call
    async def ask_within(self, name: str, ms: u64) -> str:
        try:
            return await find(name, Worker).keep.within(ms / 1000)()
        except CallTimeout:
            return "timeout"

    @call
    def keep(self, reply: Reply[str]) -> None:
        self.kept.append(reply)

    @call
    async def many(self, name: str, count: u64) -> u64:
        return len(await asyncio.gather(*(find(name, Worker).at_once() for _ in range(count))))

    @call
    async def group(self, name: str) -> str:
        async with asyncio.TaskGroup() as group:
            one = group.create_task(find(name, Worker).at_once())
            two = group.create_task(asyncio.sleep(0.1, "slept"))
        return f"{one.result()} {two.result()}"

    @call
    async def cancels(self, name: str) -> str:
        task = asyncio.create_task(find(name, Worker).keep.within(None)())
        await asyncio.sleep(0.02)
        task.cancel()
        try:
            return await task
        except asyncio.CancelledError:
            return "cancelled"

    @call
    async def times_out(self, name: str) -> str:
        try:
            async with asyncio.timeout(0.05):
                return await find(name, Worker).keep.within(None)()
        except TimeoutError:
            return "timeout"

    @call
    async def waits_for(self, name: str) -> str:
        try:
            return await asyncio.wait_for(find(name, Worker).keep.within(None)(), 0.05)
        except TimeoutError:
            return "timeout"

    @call
    async def queue(self) -> u64:
        queue: asyncio.Queue[int] = asyncio.Queue(1)

        async def produce() -> None:
            for number in range(5):
                await queue.put(number)

        task = asyncio.create_task(produce())
        total = sum([await queue.get() for _ in range(5)])
        await task
        return total

    @call
    async def circle(self, name: str) -> str:
        try:
            return await find(name, Worker).circle(self_name() or "")
        except WouldDeadlock:
            return f"{self_name()} would deadlock"

    @cast
    def later(self, text: str) -> None:
        async def work() -> None:
            await asyncio.sleep(1)
            self.log.append(text)
            if text == "bad":
                raise ValueError("nobody awaits this")

        self.background.append(asyncio.create_task(work()))

    @call
    async def holds(self) -> str:
        try:
            await asyncio.sleep(100)
        finally:
            self.log.append("cleaned up")
        return ""

    @call
    async def runs_a_loop(self) -> str:
        coroutine = asyncio.sleep(1)
        try:
            asyncio.run(coroutine)
        except RuntimeError:
            coroutine.close()
            return "refused"
        return "ran"

    @call
    async def threads(self) -> str:
        return await asyncio.to_thread(lambda: "ran")

    async def on_event(self, event: Event) -> None:
        await asyncio.sleep(0.1)
        self.log.append(type(event).__name__)


Held = export(Worker)


@export(reentrant=True)
class Open(Worker):
    """Handles other messages meanwhile."""


def two(kind: type[Worker] = Held) -> tuple[Node, Worker, Worker]:
    node = Node()
    return node, node.start(kind, name="one"), node.start(kind, name="two")


def test_while_a_handler_waits_other_messages_wait_too() -> None:
    node, worker, _ = two()

    async def work() -> str:
        steps = asyncio.create_task(worker.steps("a"))
        await asyncio.sleep(0.1)
        worker.note("meanwhile")
        await steps
        return await worker.notes()

    assert node.run(work()) == "a1 a2 meanwhile"


def test_in_a_reentrant_actor_they_do_not() -> None:
    node, worker, _ = two(Open)

    async def work() -> str:
        steps = asyncio.create_task(worker.steps("a"))
        await asyncio.sleep(0.1)
        worker.note("meanwhile")
        await steps
        return await worker.notes()

    assert node.run(work()) == "a1 meanwhile a2"


def test_a_cast_that_waits_holds_the_mailbox_and_ends_its_batch() -> None:
    node, worker, _ = two()
    runtime = node._of(worker).runtime
    assert runtime is not None
    argument = (1).to_bytes(8, "big") + b"a"
    runtime.handle_casts(b"SlowCast" + argument + b"Note" + argument, [(8, 9), (4, 9)])
    assert node._of(worker).mailbox == "held"
    node.advance(1)
    assert node.state(worker).log == ["a1", "a2"], "the second cast is given to it again by the node"


def test_a_cast_that_fails_after_it_waited_fails_the_actor() -> None:
    node, worker, _ = two()
    worker.slow_cast("bad")
    node.advance(0.4)
    assert node.is_alive(worker)
    node.advance(0.2)
    assert node.failure(worker) == "ValueError: after a while"


@pytest.mark.parametrize(
    ("what", "told"), [("fails_late", "KeyError: 'x'"), ("refuses_late", "x"), ("replies_nonsense_late", "its reply: -1 is no u64")]
)
def test_a_call_that_fails_after_it_waited_fails_alone(what: str, told: str) -> None:
    node, worker, _ = two()
    bound: Any = getattr(worker, what)
    with pytest.raises(CallFailed) as raised:
        bound.blocking(*(["x"] if "nonsense" not in what else []))
    assert raised.value.reason == told
    assert worker.at_once.blocking() == "done"


def test_a_handler_may_await_calls_and_whatever_asyncio_has() -> None:
    node, worker, _ = two()
    assert worker.at_once.blocking() == "done"
    assert worker.ask.blocking("two") == "x"
    assert worker.many.blocking("two", 100) == 100
    assert worker.group.blocking("two") == "done slept"
    assert worker.cancels.blocking("two") == "cancelled"
    assert worker.times_out.blocking("two") == "timeout"
    assert worker.waits_for.blocking("two") == "timeout"
    assert worker.ask_within.blocking("two", 50) == "timeout"
    assert worker.queue.blocking() == 10
    assert not node._world.calls or all(call.is_over for call in node._world.calls.values()), "nothing is waited for any more"


def test_a_circle_of_awaited_calls_is_refused_where_it_could_never_be_answered() -> None:
    node, worker, _ = two()
    assert worker.circle.blocking("two") == "two would deadlock"


def test_work_beside_the_handlers_holds_nothing_and_its_errors_are_logged() -> None:
    node, worker, _ = two()
    worker.later("fine")
    worker.later("bad")
    assert worker.at_once.blocking() == "done"
    node.advance(2)
    node.state(worker).background.clear()
    import gc

    gc.collect()
    assert node.state(worker).log == ["fine", "bad"]
    assert any("nobody awaits" in line.text and "ValueError" in line.text for line in node.log)


def test_a_stop_ends_what_waits_and_lets_it_clean_up() -> None:
    node, worker, _ = two()

    async def work() -> str:
        holds = asyncio.create_task(worker.holds())
        await asyncio.sleep(0.1)
        state = node.state(worker)
        node.stop(worker)
        with pytest.raises((CallFailed, NoReply)):
            await holds
        return " ".join(state.log)

    assert node.run(work()) == "cleaned up"
    with pytest.raises(UnknownActor):
        worker.note("x")


def test_an_event_may_be_awaited_over() -> None:
    node, worker, other = two()
    import ractor

    node._of(worker).monitors.add(ractor.pid(other))
    node.stop(other)
    assert node.state(worker).log == []
    node.advance(0.1)
    assert node.state(worker).log == ["ActorTerminated"]


def test_loops_and_threads_are_refused_in_words() -> None:
    _, worker, _ = two()
    assert worker.runs_a_loop.blocking() == "refused"
    with pytest.raises(CallFailed, match="an actor has no threads"):
        worker.threads.blocking()


def test_a_test_that_waits_for_nothing_is_told_so() -> None:
    node, _, _ = two()
    with pytest.raises(RuntimeError, match="something that will never happen"):
        node.run(asyncio.Event().wait())
