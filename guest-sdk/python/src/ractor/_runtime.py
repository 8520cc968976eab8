"""One living actor: what its node calls, on one side, and the methods of its class on the other."""

from __future__ import annotations

import asyncio
import inspect
import time
from asyncio.events import _get_running_loop, _set_running_loop
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from . import _replies
from ._actor import Actor
from ._contract import Declared
from ._host import Host, enter
from ._loop import Loop
from ._messages import Message
from ._replies import Reply
from ._trace import stack_of, text_of
from .errors import DecodeError, EncodeError, ExitNow, Failure, ReplyError, SendError
from .events import Event


class Failed(Exception):
    """The actor fails, with this text."""


@dataclass(slots=True)
class Replied:
    """The reply to a call is there. Not frozen: those take three times as long to make."""

    data: bytes


@dataclass(frozen=True)
class Later:
    """The reply comes later, or never."""


@dataclass(frozen=True)
class CallRefused:
    """The call failed for this reason, and the actor goes on."""

    reason: str


Outcome = Replied | Later | CallRefused
_LATER = Later()
_RAISED = (Exception, SystemExit, ExitNow)
"""What may come out of a handler."""


class Runtime:
    """An instance of an actor on a node. Methods raise `Failed` when the actor is to fail."""

    def __init__(self, declared: Declared, host: Host, clock: Callable[[], float] = time.monotonic) -> None:
        self.declared = declared
        self.host = host
        make: Any = Loop  # Whatever a loop has for sockets and processes is left out.
        self.loop: Loop = make(host, clock)
        self.loop.on_unhandled(self._log_unhandled)
        self.actor: Actor | None = None
        self._target = declared.actor.__module__
        self._mailbox: Any = "open" if declared.options.reentrant else "held"
        self._handlers: set[asyncio.Task[Any]] = set()
        self._failure: Failed | None = None

    # Callbacks of the node.

    def pre_start(self, data: bytes) -> None:
        """Starts the actor."""

        def start() -> None:
            self.actor = self.declared.actor()
            arguments = self.declared.start.decode(data)
            handler = getattr(self.actor, "pre_start", None)
            if handler is not None:
                handler(*arguments)

        self._callback("pre_start", start)

    def post_start(self) -> None:
        """Runs what follows the start."""
        self._callback("post_start", lambda: self._life("post_start", self._living.post_start()))

    def post_stop(self) -> None:
        """Ends what still waits, and runs what precedes the end."""

        def end() -> None:
            for task in list(self._handlers):
                task.cancel("the actor stopped")
            self.loop.run_ready()
            self._handlers.clear()
            self._living.post_stop()

        self._callback("post_stop", end)

    def handle_event(self, event: Event) -> None:
        """Brings news of other actors."""
        self._callback("on_event", lambda: self._life("on_event", self._living.on_event(event)))

    # Messages are frequent. What their callbacks share is written out in each, because a call of Python costs as much as most of it.

    def handle_cast(self, tag: str, args: bytes) -> None:
        """Brings a message without a reply."""
        before, outside = enter(self.host), _get_running_loop()
        _set_running_loop(self.loop)
        try:
            self._cast(self.declared.messages.get(tag), tag, args)
            if self.loop.ready or self._handlers or self._failure or _replies.abandoned:
                self._finish()
        finally:
            _set_running_loop(outside)
            enter(before)

    def handle_casts(self, data: bytes, sizes: Iterable[tuple[int, int]]) -> None:
        """Brings several at once."""
        before, outside = enter(self.host), _get_running_loop()
        _set_running_loop(self.loop)
        known, numbers, next_cast, at, is_first = self.declared.by_bytes, self.declared.numbers, self.host.next_cast, 0, True
        actor, ready, handlers, abandoned = self.actor, self.loop.ready, self._handlers, _replies.abandoned
        try:
            for tag_size, args_size in sizes:
                if is_first:
                    is_first = False
                elif not next_cast():
                    return
                args_at = at + tag_size
                tag = data[at:args_at]
                at = args_at + args_size
                number = numbers.get(tag)
                # Most have one number.
                if number and number.whole == args_size and (found := number.read(data, args_at))[0] == number.size:
                    try:
                        number.handler(actor, found[1])
                    except Failed:
                        raise
                    except _RAISED as error:
                        self._cast_failed(number.message, error)
                else:
                    message = known.get(tag)
                    self._cast(message, message.tag if message else tag.decode(), data[args_at:at])
                if ready or handlers or abandoned or self._failure:
                    self._finish()
                    if handlers:
                        return
        finally:
            _set_running_loop(outside)
            enter(before)

    def handle_call(self, tag: str, args: bytes, number: int) -> Outcome:
        """Brings a message with a reply."""
        before, outside = enter(self.host), _get_running_loop()
        _set_running_loop(self.loop)
        try:
            outcome = self._call(self.declared.messages.get(tag), tag, args, number)
            if self.loop.ready or self._handlers or self._failure or _replies.abandoned:
                self._finish()
            return outcome
        finally:
            _set_running_loop(outside)
            enter(before)

    def handle_reply(self, token: int, outcome: bytes | SendError) -> None:
        """Brings the reply to a call that a handler awaits."""
        self._callback("a reply", lambda: self.loop.handle_reply(token, outcome))

    def handle_wake(self, timer: int) -> None:
        """Brings the time that a handler awaits."""
        self._callback("a timer", lambda: self.loop.handle_wake(timer))

    def snapshot(self) -> bytes:
        """The state."""
        before = enter(self.host)
        try:
            return self._living.snapshot()
        except Exception as error:
            raise self._failed("snapshot", error) from None
        finally:
            enter(before)

    def restore(self, state: bytes, version: int) -> None:
        """Takes over a state, in place of the start."""
        before = enter(self.host)
        try:
            self.actor = self.declared.actor()
            self.actor.restore(state, version)
        except Exception as error:
            raise self._failed("restore", error) from None
        finally:
            enter(before)

    def post_reload(self) -> None:
        """Runs what follows that."""
        self._callback("post_reload", self._living.post_reload)

    # Handlers.

    @property
    def _living(self) -> Actor:
        if self.actor is None:
            raise Failed("it isn't started")
        return self.actor

    def _cast(self, message: Message | None, tag: str, args: bytes) -> None:
        if message is None or message.is_call:
            return self._warn(f"dropped the message {tag}: {self._not_understood(message, 'a call')}")
        try:
            values = message.signature.unpack(args)
        except DecodeError as error:
            return self._warn(f"dropped the message {tag}: {error}")
        try:
            if message.is_async:
                task = self._begin(message.handler(self.actor, *values))
                if task.done():
                    self._cast_done(message, task)
                else:
                    task.add_done_callback(lambda task: self._cast_done(message, task))
            else:
                message.handler(self.actor, *values)
        except Failed:
            raise
        except _RAISED as error:
            self._cast_failed(message, error)
        return None

    def _cast_done(self, message: Message, task: asyncio.Task[Any]) -> None:
        self._handlers.discard(task)
        error = _error_of(task)
        if error is not None:
            try:
                self._cast_failed(message, error)
            except Failed as failure:
                self._failure = self._failure or failure

    def _cast_failed(self, message: Message, error: BaseException) -> None:
        if isinstance(error, asyncio.CancelledError):
            return
        failure = self._failed(message.tag, error)
        if self.declared.options.on_cast_error == "fail" or isinstance(error, ExitNow):
            raise failure from None
        if isinstance(error, Failure):
            self._log("error", f"{message.tag} failed: {failure}")

    def _call(self, message: Message | None, tag: str, args: bytes, number: int) -> Outcome:
        if message is None or not message.is_call:
            return CallRefused(f"{tag}: {self._not_understood(message, 'no call')}")
        signature = message.signature
        try:
            values = signature.unpack(args)
        except DecodeError as error:
            return CallRefused(f"{tag}: {error}")
        try:
            assert signature.reply is not None
            if signature.deferred:
                values.insert(0, Reply(number, signature.reply))
            if message.is_async:
                return self._call_awaited(message, self._begin(message.handler(self.actor, *values)), number)
            value = message.handler(self.actor, *values)
            return _LATER if signature.deferred else self._encoded(message, value)
        except _RAISED as error:
            return self._call_refused(message, error)

    def _call_awaited(self, message: Message, task: asyncio.Task[Any], number: int) -> Outcome:
        if task.done():
            self._handlers.discard(task)
            return self._call_done(message, task)
        task.add_done_callback(lambda task: self._call_late(message, task, number))
        return _LATER

    def _call_done(self, message: Message, task: asyncio.Task[Any]) -> Outcome:
        """The outcome of a handler that is done."""
        error = _error_of(task)
        if error is not None:
            return self._call_refused(message, error)
        return _LATER if message.signature.deferred else self._encoded(message, task.result())

    def _encoded(self, message: Message, value: Any) -> Outcome:
        """The reply of a handler, or the failed call of one that replies what it didn't declare."""
        reply = message.signature.reply
        assert reply is not None
        try:
            return Replied(reply.encode(value))
        except EncodeError as error:
            text = f"its reply: {error}"
            self._log("error", f"{message.tag} failed a call: {text}")
            return CallRefused(text)

    def _call_late(self, message: Message, task: asyncio.Task[Any], number: int) -> None:
        """Answers a call whose handler had to wait."""
        self._handlers.discard(task)
        try:
            outcome = self._call_done(message, task)
        except Failed as failure:
            self._failure = failure
            return
        if isinstance(outcome, CallRefused):
            self.host.fail_call(number, outcome.reason)
        elif isinstance(outcome, Replied):
            try:
                self.host.reply(number, outcome.data)
            except ReplyError as error:
                # A caller that gave up needs no reply; one that gets none for another reason is told so.
                if error.reason == "too-large":
                    self.host.fail_call(number, f"{message.tag}: {error}")

    def _call_refused(self, message: Message, error: BaseException) -> CallRefused:
        """The failed call of an exception. Only `exit` fails the actor."""
        if isinstance(error, ExitNow):
            raise self._failed(message.tag, error) from None
        if isinstance(error, asyncio.CancelledError):
            return CallRefused(str(error) or "it was cancelled")
        text = text_of(error)
        if not isinstance(error, Failure):
            self._log("error", f"{message.tag} failed a call: {text}\n{stack_of(error)}")
        return CallRefused(text)

    def _begin(self, coroutine: Any) -> asyncio.Task[Any]:
        """Starts the handler, and runs it as far as it goes."""
        task = self.loop.create_task(coroutine)
        self._handlers.add(task)
        self.loop.run_ready()
        return task

    def _life(self, what: str, result: Any) -> None:
        """Goes on with a callback of the life cycle that is `async`."""
        if not inspect.iscoroutine(result):
            return
        task = self._begin(result)

        def done(task: asyncio.Task[Any]) -> None:
            self._handlers.discard(task)
            error = _error_of(task)
            if error is not None and not isinstance(error, asyncio.CancelledError):
                self._failure = self._failure or self._failed(what, error)

        if task.done():
            done(task)
        else:
            task.add_done_callback(done)

    # The frame of every callback.

    def _callback(self, what: str, work: Callable[[], None]) -> None:
        before = enter(self.host)
        try:
            try:
                self.loop.within(work)
            except Failed:
                raise
            except _RAISED as error:
                raise self._failed(what, error) from None
            self._finish()
        finally:
            enter(before)

    def _finish(self) -> None:
        """What is left to do before a callback returns."""
        self.loop.run_ready()
        while _replies.abandoned:
            self.host.drop_call(_replies.abandoned.pop())
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        if self._handlers:
            self.host.pending(self._mailbox)

    def _failed(self, what: str, error: BaseException) -> Failed:
        """The failure of the actor by an exception, which is logged with its stack unless it is a `Failure`."""
        text = text_of(error)
        if not isinstance(error, Failure | ExitNow):
            self._log("error", f"{what} failed: {text}\n{stack_of(error)}")
        return Failed(text)

    def _not_understood(self, message: Message | None, what: str) -> str:
        name = self.declared.contract.name
        return f"{name} has no such message" if message is None else f"for {name} it is {what}"

    def _warn(self, text: str) -> None:
        self._log("warn", text)

    def _log(self, level: Any, text: str) -> None:
        self.host.log(level, self._target, text, [])

    def _log_unhandled(self, context: dict[str, Any]) -> None:
        error = context.get("exception")
        stack = f"\n{stack_of(error)}" if isinstance(error, BaseException) else ""
        self._log("error", f"in a task that nobody awaits: {context.get('message', '')}{stack}")


def _error_of(task: asyncio.Task[Any]) -> BaseException | None:
    if task.cancelled():
        try:
            task.result()
        except asyncio.CancelledError as error:
            return error
    return task.exception()
