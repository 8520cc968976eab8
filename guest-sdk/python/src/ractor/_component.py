"""The component: a node by the imports of the WIT, and an actor by its exports. Only componentize-py can import this."""

from __future__ import annotations

import gc
import logging as python_logging
import os
import random as python_random
import sys
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, NoReturn

import componentize_py_types
from componentize_py_types import Err
from wit_world import exports
from wit_world.exports import actor as actor_types, batch as batch_types, calls as call_types, contract as contract_types
from wit_world.imports import (
    config,
    groups,
    identity,
    lifecycle,
    logging,
    messaging,
    random,
    registry,
    requests,
    timers,
    tracing,
    types,
)

from . import _contract, errors, events
from ._host import Level, Mailbox, Restart, enter
from ._limits import imports_are_over, load_what_is_lazy, say_what_is_missing
from ._logging import TRACE, LogStream, NodeHandler
from ._runtime import CallRefused, Failed, Later, Replied, Runtime
from ._trace import keep_source_lines
from .events import Pid

# Each cast of a batch comes with one of these. A class in C is made in a fraction of the time that a dataclass takes, and componentize-py only
# calls it, with both sizes.
setattr(batch_types, "CastSizes", slice)
_SIZES = attrgetter("start", "stop")
_LEVELS = {name: logging.Level[name.upper()] for name in ("trace", "debug", "info", "warn", "error")}
_RESTARTS = {name: lifecycle.Restart[name.upper()] for name in ("temporary", "transient", "permanent")}
_MAILBOXES = {name: requests.Mailbox[name.upper()] for name in ("held", "open")}


def _to(pid: Pid) -> Any:
    return types.Pid(pid[0], pid[1])


def _from(pid: Any) -> Pid:
    return Pid(pid.node, pid.id)


def _word(value: Any) -> str:
    """The word of the WIT for an enum's value."""
    return str(value.name).lower().replace("_", "-")


def _case(value: Any) -> str:
    """The word of the WIT for a variant's case: `CallError_NoReply` is `no-reply`."""
    name = type(value).__name__.rpartition("_")[2]
    return "".join("-" + char.lower() if char.isupper() else char for char in name).lstrip("-")


def _call_error(value: Any) -> errors.SendError:
    kind = errors.SEND_ERRORS.get(_case(value), errors.SendError)
    return kind(value.value) if kind is errors.CallFailed else kind()


def _raise_call_error(error: Any) -> NoReturn:
    raise _call_error(error.value) from None


class _Node:
    """The imports, as the SDK uses them."""

    def self_pid(self) -> Pid:
        return _from(identity.self_pid())

    def self_name(self) -> str | None:
        name: str | None = identity.self_name()
        return name

    def node_name(self) -> str:
        return str(identity.node_name())

    def cast(self, to: Pid, tag: str, args: bytes) -> None:
        try:
            messaging.cast(_to(to), tag, args)
        except Err as error:
            raise errors.SEND_ERRORS[_word(error.value)]() from None

    def call(self, to: Pid, tag: str, args: bytes, timeout_ms: int | None) -> bytes:
        try:
            return bytes(requests.call(_to(to), tag, args, timeout_ms))
        except Err as error:
            _raise_call_error(error)

    def ask(self, to: Pid, tag: str, args: bytes, timeout_ms: int | None) -> int:
        try:
            return int(requests.ask(_to(to), tag, args, timeout_ms))
        except Err as error:
            _raise_call_error(error)

    def cancel_ask(self, token: int) -> bool:
        return bool(requests.cancel(token))

    def pending(self, mailbox: Mailbox) -> None:
        requests.pending(_MAILBOXES[mailbox])

    def reply(self, number: int, data: bytes) -> None:
        try:
            messaging.reply(number, data)
        except Err as error:
            raise errors.ReplyError(_word(error.value)) from None

    def drop_call(self, number: int) -> None:
        messaging.drop_call(number)

    def fail_call(self, number: int, reason: str) -> None:
        messaging.fail_call(number, _unicode(reason))

    def is_waiting(self, number: int) -> bool:
        return bool(messaging.is_waiting(number))

    def metadata(self) -> bytes | None:
        data: bytes | None = messaging.metadata()
        return data

    next_cast = staticmethod(messaging.next_cast)

    def where_is(self, name: str) -> Pid | None:
        pid = registry.where_is(name)
        return None if pid is None else _from(pid)

    def address(self, actor: Pid) -> bytes | None:
        data: bytes | None = registry.address(_to(actor))
        return data

    def resolve(self, address: bytes) -> Pid | None:
        pid = registry.resolve(address)
        return None if pid is None else _from(pid)

    def join(self, group: str, scope: str | None) -> None:
        groups.join(group, scope)

    def leave(self, group: str, scope: str | None) -> None:
        groups.leave(group, scope)

    def members(self, group: str, scope: str | None) -> Sequence[Pid]:
        return [_from(pid) for pid in groups.members(group, scope)]

    def local_members(self, group: str, scope: str | None) -> Sequence[Pid]:
        return [_from(pid) for pid in groups.local_members(group, scope)]

    def which_groups(self, scope: str | None) -> Sequence[str]:
        found: list[str] = groups.which_groups(scope)
        return found

    def monitor_group(self, group: str, scope: str | None) -> None:
        groups.monitor(group, scope)

    def demonitor_group(self, group: str, scope: str | None) -> None:
        groups.demonitor(group, scope)

    def send_after(self, to: Pid, tag: str, args: bytes, delay_ms: int) -> int:
        return self._timer(timers.send_after, _to(to), tag, args, delay_ms)

    def send_interval(self, to: Pid, tag: str, args: bytes, period_ms: int) -> int:
        return self._timer(timers.send_interval, _to(to), tag, args, period_ms)

    def stop_after(self, delay_ms: int) -> int:
        return self._timer(timers.stop_after, delay_ms)

    def wake_after(self, delay_ms: int) -> int:
        return self._timer(timers.wake_after, delay_ms)

    def _timer(self, start: Any, *args: Any) -> int:
        try:
            return int(start(*args))
        except Err as error:
            raise errors.TimerError(_word(error.value)) from None

    def cancel_timer(self, timer: int) -> bool:
        return bool(timers.cancel(timer))

    def log(self, level: Level, target: str, message: str, fields: list[tuple[str, str]]) -> None:
        logging.log(_LEVELS[level], _unicode(target), _unicode(message), [(_unicode(key), _unicode(value)) for key, value in fields])

    def spawn(self, module: str, name: str | None, arguments: bytes, groups: list[str], restart: Restart) -> Pid:
        child = lifecycle.Child(module, name, arguments, groups, _RESTARTS[restart])
        try:
            return _from(lifecycle.spawn(child))
        except Err as error:
            raise errors.SpawnError(_case(error.value), getattr(error.value, "value", None)) from None

    def children(self) -> Sequence[Pid]:
        return [_from(pid) for pid in lifecycle.children()]

    def supervisor(self) -> Pid | None:
        pid = lifecycle.supervisor()
        return None if pid is None else _from(pid)

    def stop(self, reason: str | None) -> None:
        lifecycle.stop(None if reason is None else _unicode(reason))

    def exit(self, reason: str) -> None:
        lifecycle.exit(_unicode(reason))

    def stop_child(self, child: Pid, reason: str | None) -> bool:
        return bool(lifecycle.stop_child(_to(child), reason))

    def kill_child(self, child: Pid) -> bool:
        return bool(lifecycle.kill_child(_to(child)))

    def monitor(self, actor: Pid) -> None:
        try:
            lifecycle.monitor(_to(actor))
        except Err as error:
            raise errors.MonitorError(_word(error.value)) from None

    def demonitor(self, actor: Pid) -> None:
        lifecycle.demonitor(_to(actor))

    def config_value(self, key: str) -> str | None:
        value: str | None = config.value(key)
        return value

    def config_entries(self) -> Sequence[tuple[str, str]]:
        entries: list[tuple[str, str]] = config.entries()
        return entries

    def random_bytes(self, count: int) -> bytes:
        return bytes(random.bytes(count))

    def trace_context(self) -> tuple[str, str] | None:
        context = tracing.current()
        return None if context is None else (context.traceparent, context.tracestate)


def _unicode(text: str) -> str:
    """A text without halves of surrogate pairs, which can't be handed over."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def _event(event: Any) -> events.Event:
    value = event.value
    match _case(event):
        case "actor-started":
            return events.ActorStarted(_from(value.pid), value.name)
        case "actor-terminated":
            return events.ActorTerminated(_from(value.actor.pid), value.actor.name, value.reason)
        case "actor-failed":
            return events.ActorFailed(_from(value.actor.pid), value.actor.name, value.reason)
        case _:
            actors = tuple(_from(pid) for pid in value.actors)
            return events.GroupChanged(value.group, value.scope, "joined" if _word(value.change) == "joined" else "left", actors)


_node = _Node()
_runtime: Runtime | None = None
_run_source: Callable[[], None] | None = None
"""What runs the source of an instance, in a component that is built without an actor."""


def _living() -> Runtime:
    if _runtime is None and _run_source is not None:
        _run_source()
    if _runtime is None:
        raise Err("no class of this component is an actor: `@export` is missing")
    return _runtime


_streams: tuple[LogStream, LogStream] | None = None
_handlers: list[python_logging.Handler] = [NodeHandler(_node)]


def _prepare(target: str) -> None:
    """Makes what an instance prints by. What is made while the component is built costs no instance any memory."""
    global _streams
    _streams = LogStream(_node, "info", target), LogStream(_node, "warn", target)


def _begin() -> Runtime:
    """Sets an instance up, before its first callback but `describe`. Each function that runs here dirties three pages of memory, so few do."""
    runtime = _living()
    if _streams is None:
        _prepare(runtime.declared.actor.__module__)
    assert _streams is not None
    sys.stdout, sys.stderr = _streams
    python_logging.root.handlers = _handlers
    python_random.seed(int.from_bytes(_node.random_bytes(32)))
    imports_are_over()
    return runtime


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()


class _guarded:
    """What every callback does around its work: failures become the `Err` of the WIT, and what was printed is logged."""

    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        _flush()
        if isinstance(error, Failed):
            raise Err(_unicode(str(error))) from None


_guard = _guarded()


class Actor(exports.Actor):
    """The exports of `actor`."""

    def describe(self) -> Any:
        contract = _living().declared.contract
        messages = [
            actor_types.MessageVariant(
                message.name, [_in_rust(argument.type) for argument in message.arguments], message.reply and _in_rust(message.reply)
            )
            for message in contract.messages
        ]
        start = _in_rust(contract.start.type) if contract.start else "()"
        return actor_types.Descriptor(contract.name, contract.version, contract.state_version, start, messages)

    def pre_start(self, args: bytes) -> None:
        with _guard:
            _begin().pre_start(args)

    def post_start(self) -> None:
        with _guard:
            _living().post_start()

    def handle_cast(self, variant: str, args: bytes) -> None:
        with _guard:
            _living().handle_cast(variant, args)

    def handle_call(self, variant: str, args: bytes, reply_to: int) -> bytes | None:
        """Calls of a node that doesn't know the interface `calls`."""
        with _guard:
            outcome = _living().handle_call(variant, args, reply_to)
            if isinstance(outcome, CallRefused):
                _node.fail_call(reply_to, outcome.reason)
        return outcome.data if isinstance(outcome, Replied) else None

    def handle_supervisor_evt(self, event: Any) -> None:
        with _guard:
            _living().handle_event(_event(event))

    def post_stop(self) -> None:
        with _guard:
            _living().post_stop()


class Calls(exports.Calls):
    """The exports of `calls`."""

    def handle_call(self, variant: str, args: bytes, reply_to: int) -> Any:
        with _guard:
            outcome = _living().handle_call(variant, args, reply_to)
        if isinstance(outcome, Later):
            return call_types.Outcome_Later()
        if isinstance(outcome, CallRefused):
            return call_types.Outcome_Failed(_unicode(outcome.reason))
        return call_types.Outcome_Reply(outcome.data)


class Replies(exports.Replies):
    """The exports of `replies`."""

    def handle_reply(self, token: int, outcome: Any) -> None:
        failed = isinstance(outcome, componentize_py_types.Err)
        with _guard:
            _living().handle_reply(token, _call_error(outcome.value) if failed else outcome.value)

    def handle_wake(self, timer: int) -> None:
        with _guard:
            _living().handle_wake(timer)


class Batch(exports.Batch):
    """The exports of `batch`."""

    def handle_casts(self, bytes: bytes, casts: Any) -> None:
        with _guard:
            _living().handle_casts(bytes, map(_SIZES, casts))


class Reload(exports.Reload):
    """The exports of `reload`."""

    def snapshot(self) -> bytes:
        with _guard:
            return _living().snapshot()

    def restore(self, state: bytes, from_state_version: int) -> None:
        with _guard:
            _begin().restore(state, from_state_version)

    def post_reload(self) -> None:
        with _guard:
            _living().post_reload()


class Contract(exports.Contract):
    """The exports of `contract`."""

    def describe(self) -> Any:
        found = _living().declared.contract
        return contract_types.Contract(
            found.name,
            found.version,
            found.state_version,
            found.documentation,
            None if found.start is None else contract_types.Parameter(found.start.name, found.start.type),
            [
                contract_types.Message(
                    message.name,
                    message.documentation,
                    [contract_types.Parameter(argument.name, argument.type) for argument in message.arguments],
                    message.reply,
                )
                for message in found.messages
            ],
            [contract_types.Schema(schema.name, schema.format, schema.bytes) for schema in found.schemas],
        )


def _in_rust(name: str) -> str:
    """A type as `actor.describe` has it, which is older than the grammar of types."""
    if name.startswith("list<"):
        return f"Vec<{name[5:-1]}>"
    return {"string": "String", "bytes": "Vec<u8>", "unit": "()"}.get(name, name)


EXPORTS = (Actor, Calls, Replies, Batch, Reload, Contract)


def install(declared: _contract.Declared) -> None:
    """Makes this actor the component's, while the component is built.

    Raises:
        DeclarationError: It has one already.
    """
    global _runtime
    if _runtime is not None:
        other = _runtime.declared.actor.__name__
        raise errors.DeclarationError(f"a component is one actor, and both {other} and {declared.actor.__name__} have `@export`")
    _runtime = Runtime(declared, _node)
    if _run_source is not None:
        return
    module = sys.modules.get(os.environ.get("COMPONENTIZE_PY_APP_NAME", declared.actor.__module__))
    if module is not None:
        for export in EXPORTS:
            setattr(module, export.__name__, export)
    finish_build(declared.actor.__module__)


def finish_build(module: str) -> None:
    """What has to be done while there are files.

    Raises:
        DeclarationError: The module exports no actor.
    """
    if _runtime is None:
        raise errors.DeclarationError(f"no class of {module} has @export")
    _prepare(_runtime.declared.actor.__module__)
    _finish()


def become_interpreter(run: Callable[[], None]) -> None:
    """Finishes the build of a component without an actor, whose instances run their source first."""
    global _run_source
    _run_source = run
    _finish()


def _finish() -> None:
    load_what_is_lazy()
    keep_source_lines()
    say_what_is_missing()
    python_logging.getLogger().setLevel(TRACE)
    enter(None)
    # A collection writes to everything that it looks at, and so would make the memory of the component that of each instance. What is there now
    # is never garbage.
    gc.collect()
    gc.freeze()
