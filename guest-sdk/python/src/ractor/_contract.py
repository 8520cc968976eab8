"""What an actor understands, from its declarations."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from . import _state
from ._actor import Actor
from ._codec import Codec, Schema, layout_of
from ._messages import Message, messages_of
from ._node import Start
from .errors import DeclarationError


@dataclass(frozen=True)
class Options:
    """What `@export` is told."""

    name: str = ""
    version: str = "0.1.0"
    state_version: int = 0
    reentrant: bool = False
    on_cast_error: Literal["fail", "log"] = "fail"


@dataclass(frozen=True)
class Parameter:
    """An argument, of a message or of the start."""

    name: str
    type: str


@dataclass(frozen=True)
class MessageContract:
    """One message that an actor understands."""

    name: str
    documentation: str
    arguments: list[Parameter]
    reply: str | None


@dataclass(frozen=True)
class Contract:
    """All that is known of an actor."""

    name: str
    version: str
    state_version: int
    documentation: str
    start: Parameter | None
    messages: list[MessageContract]
    schemas: list[Schema]


@dataclass(slots=True)
class NumberCast:
    """A cast with one number, whose handler returns when it is done: what the loop over a batch has at hand."""

    message: Message
    handler: Callable[..., Any]
    read: Callable[[bytes, int], tuple[Any, ...]]
    """The length of the number, and the number, at a place of some bytes."""
    whole: int
    size: int


@dataclass(frozen=True)
class Declared:
    """The declarations of an actor, checked."""

    actor: type[Actor]
    options: Options
    start: Start
    messages: dict[str, Message]
    contract: Contract
    by_bytes: dict[bytes, Message] = field(default_factory=dict)
    numbers: dict[bytes, NumberCast] = field(default_factory=dict)


_RESERVED = {name for name in vars(Actor) if not name.startswith("__")} | {"pre_start"}


def declared(actor: Any, options: Options) -> Declared:
    """Reads and checks what a class declares.

    Raises:
        DeclarationError: Something in it can't work. The text says what.
    """
    if not isinstance(actor, type) or not issubclass(actor, Actor):
        raise DeclarationError(f"`@export` is for a class that extends Actor, and this is {actor!r}")
    for name in ("post_stop", "post_reload", "snapshot", "restore"):
        if inspect.iscoroutinefunction(getattr(actor, name)):
            raise DeclarationError(f"{actor.__name__}.{name} can't be async: nothing comes in behind it")
    messages = messages_of(actor)
    for message in messages.values():
        if message.attribute in _RESERVED:
            raise DeclarationError(
                f"{message.where} is a callback of the SDK; name the method otherwise and give its tag, as `@cast({message.tag!r})`"
            )
    start = Start(actor)
    _state.fields_of(actor)
    contract = Contract(
        name=options.name or actor.__name__,
        version=options.version,
        state_version=options.state_version,
        documentation=_documentation(actor),
        start=None if start.codec is None else Parameter(start.name, start.codec.type),
        messages=[_message(message) for message in messages.values()],
        schemas=_schemas(start, messages),
    )
    by_bytes = {tag.encode(): message for tag, message in messages.items()}
    numbers = {tag: found for tag, message in by_bytes.items() if (found := _number(message))}
    return Declared(actor, options, start, messages, contract, by_bytes, numbers)


def _number(message: Message) -> NumberCast | None:
    if message.is_call or message.is_async or len(message.signature.codecs) != 1:
        return None
    layout = layout_of(message.signature.codecs)
    return None if layout is None else NumberCast(message, message.handler, layout.unpack_from, layout.size, layout.size - 8)


def _documentation(actor: type[Actor]) -> str:
    return inspect.cleandoc(actor.__doc__) if actor.__doc__ else ""


def _message(message: Message) -> MessageContract:
    signature = message.signature
    arguments = [Parameter(name, codec.type) for name, codec in zip(signature.names, signature.codecs, strict=True)]
    reply = signature.reply.type if signature.reply else None
    return MessageContract(message.tag, message.documentation, arguments, reply)


def _schemas(start: Start, messages: dict[str, Message]) -> list[Schema]:
    found: dict[str, Schema] = {}
    for codec in _codecs(start, messages):
        schema = codec.schema
        if schema is None:
            continue
        if found.setdefault(schema.name, schema) != schema:
            raise DeclarationError(f"two types are named {schema.name} in messages; rename one")
    return list(found.values())


def _codecs(start: Start, messages: dict[str, Message]) -> Iterator[Codec]:
    if start.codec:
        yield start.codec
    for message in messages.values():
        yield from message.signature.codecs
        if message.signature.reply:
            yield message.signature.reply
