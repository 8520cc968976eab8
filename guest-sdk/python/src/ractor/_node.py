"""What an actor does with its node beside messages. Each function works in handlers, and in tests with `ractor.testing.Node`."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn, TypeVar

from ._codec import Codec, codec_of
from ._host import Restart, host
from ._messages import Timer, milliseconds
from ._ref import Ref, pid, ref_of
from .errors import DeclarationError, DecodeError, EncodeError, ExitNow, NotFound
from .events import Pid

A = TypeVar("A")


class Start:
    """The start argument of an actor: what its `pre_start` takes."""

    def __init__(self, actor: type[Any]) -> None:
        self.actor = actor
        self.name = ""
        self.codec: Codec | None = None
        handler = getattr(actor, "pre_start", None)
        if handler is None:
            return
        where = f"{actor.__name__}.pre_start"
        if inspect.iscoroutinefunction(handler):
            raise DeclarationError(f"{where} can't be async: the actor doesn't live yet; use `post_start`, or `.blocking()` calls")
        parameters = list(inspect.signature(handler).parameters.values())[1:]
        if len(parameters) > 1:
            raise DeclarationError(f"{where} takes one argument or none; put several into a dataclass")
        if parameters:
            import typing

            self.name = parameters[0].name
            hints = typing.get_type_hints(handler, include_extras=True)
            if self.name not in hints:
                raise DeclarationError(f"{where}: say the type of {self.name}, e.g. `{self.name}: u64`")
            try:
                self.codec = codec_of(hints[self.name])
            except DeclarationError as error:
                raise DeclarationError(f"{where}, argument {self.name}: {error}") from None

    def encode(self, arguments: tuple[Any, ...]) -> bytes:
        """The bytes of the start argument."""
        expected = 0 if self.codec is None else 1
        if len(arguments) != expected:
            raise TypeError(f"{self.actor.__name__}.pre_start takes {expected} start arguments, and {len(arguments)} are given")
        try:
            return b"" if self.codec is None else self.codec.encode(arguments[0])
        except EncodeError as error:
            raise EncodeError(f"start argument {self.name}: {error}") from None

    def decode(self, data: bytes) -> list[Any]:
        """The start argument of these bytes, or none."""
        if self.codec is None:
            if data:
                raise DecodeError(f"{self.actor.__name__} starts without an argument, and {len(data)} bytes are given")
            return []
        try:
            return [self.codec.decode(data)]
        except DecodeError as error:
            raise DecodeError(f"start argument {self.name} ({self.codec.type}): {error}") from None


# Who is who.


def self_name() -> str | None:
    """The name of this actor, or None."""
    return host().self_name()


def node_name() -> str:
    """The full name of this node, `name@hostname`."""
    return host().node_name()


def myself(actor: type[A]) -> Ref[A]:
    """A reference to this actor, to hand on. Messages to oneself are `self.tick.after(1)`, or `myself(Clock).tick()`."""
    return ref_of(host().self_pid(), actor)


def where_is(name: str, actor: type[A]) -> Ref[A] | None:
    """The actor with this name, native or guest, here or on a connected node, or None. `name@node@host` asks that node alone."""
    found = host().where_is(name)
    return None if found is None else ref_of(found, actor)


def find(name: str, actor: type[A]) -> Ref[A]:
    """As `where_is`.

    Raises:
        NotFound: No actor has this name.
    """
    found = where_is(name, actor)
    if found is None:
        raise NotFound(f"no actor here or on a connected node is named {name!r}")
    return found


def address(actor: object) -> bytes | None:
    """An actor as bytes that mean it on every node, to send in messages. None if its node isn't connected."""
    return host().address(pid(actor))


def resolve(data: bytes, actor: type[A]) -> Ref[A] | None:
    """The actor that an address means; None if these bytes are none, or its node isn't connected or has restarted since."""
    found = host().resolve(data)
    return None if found is None else ref_of(found, actor)


def metadata() -> bytes | None:
    """The metadata that came with the present message, if any."""
    return host().metadata()


class TraceContext(NamedTuple):
    """A place in a trace, in the texts of W3C Trace Context."""

    traceparent: str
    """Version, trace, span and flags, such as `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`."""
    tracestate: str
    """What makers of traces add; empty if there is nothing."""


def trace_context() -> TraceContext | None:
    """The span of the present handler, as the parent of spans of your own, or for the headers of a request.

    What the handler sends to actors carries it anyway. None if the node doesn't trace, or nothing that is traced has led here.
    """
    found = host().trace_context()
    return None if found is None else TraceContext(*found)


# Life.


def spawn(
    actor: type[A],
    *start: Any,
    module: str,
    name: str | None = None,
    groups: Sequence[str] = (),
    restart: Restart = "temporary",
) -> Ref[A]:
    """Starts a child: an actor of a module of node.toml, which ends when this one does. `start` is its start argument.

    With `restart="transient"` the node restarts it in place when it fails, with `"permanent"` also after it stopped itself.

    Raises:
        SpawnError: It was not started. `reason` says why.
    """
    return ref_of(host().spawn(module, name, Start(actor).encode(start), list(groups), restart), actor)


def children() -> list[Pid]:
    """The children that live, in no particular order."""
    return list(host().children())


def supervisor() -> Pid | None:
    """The supervisor of this actor, if it has one."""
    return host().supervisor()


def stop(reason: str | None = None) -> None:
    """Ends this actor once the present message is handled. Messages that wait are not handled any more."""
    host().stop(reason)


def exit(reason: str) -> NoReturn:
    """Fails this actor at once, with this text. The rest of the handler doesn't run."""
    host().exit(reason)
    raise ExitNow(reason)


def stop_after(seconds: float) -> Timer:
    """Stops this actor after a while, as `stop` does."""
    return Timer(host().stop_after(milliseconds(seconds)))


def stop_child(child: object, reason: str | None = None) -> bool:
    """Ends a child once it has handled its present message. False if this is no living child."""
    return host().stop_child(pid(child), reason)


def kill_child(child: object) -> bool:
    """Ends a child at once, even in the middle of a message. False if this is no living child."""
    return host().kill_child(pid(child))


def monitor(actor: object) -> None:
    """Asks to hear, in `on_event`, of the end of an actor. Of its children it hears without asking.

    Raises:
        MonitorError: The actor is gone, or this one monitors as many as it may.
    """
    host().monitor(pid(actor))


def demonitor(actor: object) -> None:
    """Ends what `monitor` began."""
    host().demonitor(pid(actor))


# Groups.


def join(group: str, scope: str | None = None) -> None:
    """Adds this actor to a process group. Joining twice is joining once."""
    host().join(group, scope)


def leave(group: str, scope: str | None = None) -> None:
    """Takes this actor out of a group."""
    host().leave(group, scope)


def members(group: str, actor: type[A], scope: str | None = None) -> list[Ref[A]]:
    """Every member of a group that this node knows of, wherever it lives, in no particular order."""
    return [ref_of(found, actor) for found in host().members(group, scope)]


def local_members(group: str, actor: type[A], scope: str | None = None) -> list[Ref[A]]:
    """The members of a group that live on this node."""
    return [ref_of(found, actor) for found in host().local_members(group, scope)]


def which_groups(scope: str | None = None) -> list[str]:
    """The groups that have members."""
    return list(host().which_groups(scope))


def monitor_group(group: str, scope: str | None = None) -> None:
    """Asks to hear, in `on_event`, of actors that join or leave a group."""
    host().monitor_group(group, scope)


def demonitor_group(group: str, scope: str | None = None) -> None:
    """Ends what `monitor_group` began."""
    host().demonitor_group(group, scope)


# Settings.


def config(key: str) -> str | None:
    """A setting of this actor from `[actors.config]` of node.toml, as text; None if there is no such key."""
    return host().config_value(key)


def config_entries() -> dict[str, str]:
    """Every setting of this actor."""
    return dict(host().config_entries())
