"""An event loop on an actor's mailbox. What is ready runs at the end of each callback; the node wakes it for timers and replies.

`sleep`, `gather`, `wait_for`, `timeout`, `TaskGroup`, locks and queues of asyncio work on it. Sockets, threads and processes don't.
"""

from __future__ import annotations

import asyncio
import contextvars
import time
from asyncio import events
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar, TypeVarTuple

from ._host import Host
from ._messages import milliseconds
from .errors import SendError
from .events import Pid

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class _Timer(asyncio.TimerHandle):
    """What a timer of the node runs."""

    __slots__ = ("number",)

    number: int


class Loop(asyncio.AbstractEventLoop):
    """The loop of one actor."""

    def __init__(self, host: Host, clock: Callable[[], float] = time.monotonic) -> None:
        self._host = host
        self._clock = clock
        self.ready: deque[asyncio.Handle] = deque()
        """What can go on."""
        self._timers: dict[int, _Timer] = {}
        self._replies: dict[int, asyncio.Future[bytes]] = {}
        self._unhandled: Callable[[dict[str, Any]], None] = lambda context: None

    def on_unhandled(self, handler: Callable[[dict[str, Any]], None]) -> None:
        """Says what to do with errors of tasks that nobody awaits."""
        self._unhandled = handler

    # Calls to other actors.

    async def ask(self, to: Pid, tag: str, args: bytes, timeout_ms: int | None) -> bytes:
        """The reply to a call. If this is cancelled, the node gives up waiting."""
        token = self._host.ask(to, tag, args, timeout_ms)
        reply: asyncio.Future[bytes] = asyncio.Future(loop=self)
        self._replies[token] = reply
        try:
            return await reply
        finally:
            if self._replies.pop(token, None) is not None:
                self._host.cancel_ask(token)

    def handle_reply(self, token: int, outcome: bytes | SendError) -> None:
        """Brings the outcome of a call. One that nobody waits for any more is left out."""
        reply = self._replies.pop(token, None)
        if reply is None or reply.done():
            return
        if isinstance(outcome, SendError):
            reply.set_exception(outcome)
        else:
            reply.set_result(outcome)

    def handle_wake(self, timer: int) -> None:
        """Brings the time of a timer."""
        handle = self._timers.pop(timer, None)
        if handle is not None and not handle.cancelled():
            self.ready.append(handle)

    # Running.

    def run_ready(self) -> None:
        """Runs everything that can go on, until nothing can."""
        before = events._get_running_loop()
        events._set_running_loop(self)
        try:
            while self.ready:
                handle = self.ready.popleft()
                if not handle.cancelled():
                    handle._run()
        finally:
            events._set_running_loop(before)

    def within(self, work: Callable[[], T]) -> T:
        """Runs code that may make tasks of this loop."""
        before = events._get_running_loop()
        events._set_running_loop(self)
        try:
            return work()
        finally:
            events._set_running_loop(before)

    # What asyncio asks of a loop.

    def time(self) -> float:
        return self._clock()

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def call_soon(self, callback: Callable[[*Ts], object], *args: *Ts, context: contextvars.Context | None = None) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self.ready.append(handle)
        return handle

    def call_later(
        self, delay: float, callback: Callable[[*Ts], object], *args: *Ts, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        number = self._host.wake_after(milliseconds(max(delay, 0.0)))
        handle = _Timer(self.time() + delay, callback, args, self, context)
        handle.number = number
        self._timers[number] = handle
        return handle

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_later(when - self.time(), callback, *args, context=context)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """What asyncio calls when a handle is cancelled."""
        if isinstance(handle, _Timer) and self._timers.pop(handle.number, None) is not None:
            self._host.cancel_timer(handle.number)

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, **options: Any) -> asyncio.Task[Any]:
        return asyncio.Task(coro, loop=self, **options)

    def get_exception_handler(self) -> None:
        return None

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self._unhandled(context)

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        self._unhandled(context)

    async def shutdown_asyncgens(self) -> None:
        pass

    def run_until_complete(self, future: Any) -> Any:
        raise RuntimeError(_NOT_RUN)

    def run_forever(self) -> None:
        raise RuntimeError(_NOT_RUN)

    def run_in_executor(self, executor: Any, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        raise RuntimeError("an actor has no threads: call the function, or spawn a child that does this work")

    def call_soon_threadsafe(self, callback: Callable[[*Ts], object], *args: *Ts, context: contextvars.Context | None = None) -> asyncio.Handle:
        return self.call_soon(callback, *args, context=context)


_NOT_RUN = "an actor's loop runs already: write `async def` handlers and `await`, instead of running a loop"


def running() -> Loop:
    """The loop of the actor whose code runs now.

    Raises:
        RuntimeError: The code runs elsewhere.
    """
    loop = asyncio.get_running_loop()
    if not isinstance(loop, Loop):
        raise RuntimeError("actors are awaited in `async` handlers; a test does so with `node.run(...)` of ractor.testing")
    return loop


