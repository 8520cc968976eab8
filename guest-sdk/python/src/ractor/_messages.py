"""Messages: methods of an actor that others call by sending. `@cast` expects no reply, `@call` expects one."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Coroutine
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, cast as typed, get_args, get_origin, get_type_hints, overload

from . import _replies
from ._codec import Codec, codec_of, pack, unpacker
from ._host import host
from .errors import DeclarationError
from .events import Pid

if TYPE_CHECKING:
    from ._replies import Reply

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")

DEFAULT_TIMEOUT: float | None = 5.0
"""The seconds that a call waits for its reply unless `within` says otherwise."""


def tag_of(name: str) -> str:
    """The tag of a message by the name of its handler: words joined, each with a capital letter in front."""
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))


def milliseconds(seconds: float) -> int:
    """A time in whole milliseconds, never shorter than it is.

    Raises:
        ValueError: It is negative, infinite or no number.
    """
    if not 0 <= seconds < math.inf:
        raise ValueError(f"{seconds} is no number of seconds to wait")
    # 0.01 * 1000 is a little more than 10.
    return math.ceil(round(seconds * 1000, 6))


class Signature:
    """What a method says of its message."""

    def __init__(self, handler: Callable[..., Any], is_call: bool, where: str) -> None:
        try:
            hints = get_type_hints(handler, include_extras=True)
        except NameError as error:
            raise DeclarationError(f"{where}: {error}; types of messages are at the top of their module") from None
        parameters = list(inspect.signature(handler).parameters.values())[1:]
        self.deferred = bool(parameters) and _is_reply(hints.get(parameters[0].name))
        if self.deferred and not is_call:
            raise DeclarationError(f"{where}: a cast has no reply; write `@call`")
        reply = hints.get(parameters[0].name) if self.deferred else hints.get("return", inspect.Parameter.empty)
        if self.deferred:
            parameters = parameters[1:]
        for parameter in parameters:
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                raise DeclarationError(f"{where}: *{parameter.name} doesn't travel; name each argument")
            if parameter.name not in hints:
                raise DeclarationError(f"{where}: say the type of {parameter.name}, e.g. `{parameter.name}: u64`")
        self.parameters = parameters
        self.names = [parameter.name for parameter in parameters]
        self.codecs = [self.codec(hints[name], f"{where}, argument {name}") for name in self.names]
        self.unpack = unpacker(self.names, self.codecs)
        """The arguments of some bytes."""
        self.reply = self.reply_codec(reply, where) if is_call else None

    def reply_codec(self, reply: Any, where: str) -> Codec:
        if reply is inspect.Parameter.empty:
            raise DeclarationError(f"{where}: say what it replies, e.g. `-> u64`, or `-> None`")
        if self.deferred:
            arguments = get_args(reply)
            if not arguments:
                raise DeclarationError(f"{where}: say of what it is a reply, e.g. `Reply[u64]`")
            reply = arguments[0]
        return self.codec(reply, f"{where}, its reply")

    def codec(self, annotation: Any, where: str) -> Codec:
        try:
            return codec_of(annotation)
        except DeclarationError as error:
            raise DeclarationError(f"{where}: {error}") from None

    def pack(self, args: tuple[Any, ...], kwargs: dict[str, Any], where: str) -> bytes:
        """The bytes of these arguments; those that are left out are the defaults of the handler."""
        if kwargs or len(args) != len(self.names):
            bound = inspect.Signature(self.parameters)
            try:
                arguments = bound.bind(*args, **kwargs)
            except TypeError as error:
                raise TypeError(f"{where}: {error}") from None
            arguments.apply_defaults()
            args = tuple(arguments.arguments[name] for name in self.names)
        return pack(self.names, self.codecs, args)


def _is_reply(annotation: Any) -> bool:
    return annotation is _replies.Reply or get_origin(annotation) is _replies.Reply


class Message:
    """A message that an actor declares: the part that casts and calls share."""

    is_call = False

    def __init__(self, handler: Callable[..., Any], tag: str | None) -> None:
        if not callable(handler):
            raise DeclarationError(f"`@{type(self).__name__.lower()}` is for a method, and this is {handler!r}")
        self.handler = handler
        self.attribute = handler.__name__
        self.tag = tag if tag is not None else tag_of(self.attribute)
        self.is_async = inspect.iscoroutinefunction(handler)
        self.owner = handler.__qualname__.rpartition(".")[0]
        self.__doc__ = handler.__doc__
        self.__wrapped__ = handler

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self.owner, self.attribute = owner.__name__, name

    @property
    def where(self) -> str:
        """What errors call it."""
        return f"{self.owner}.{self.attribute}"

    @cached_property
    def signature(self) -> Signature:
        """Its types, which are known once the whole module is."""
        return Signature(self.handler, self.is_call, self.where)

    @property
    def documentation(self) -> str:
        """The docstring of its handler."""
        return inspect.getdoc(self.handler) or ""

    def bind(self, target: Any, timeout: float | None = DEFAULT_TIMEOUT) -> Any:
        """The message for one actor."""
        raise NotImplementedError


class Cast(Message, Generic[P]):
    """A message without a reply. `actor.add(5)` sends it."""

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Cast[P]: ...
    @overload
    def __get__(self, instance: object, owner: type[Any]) -> BoundCast[P]: ...
    def __get__(self, instance: Any, owner: type[Any]) -> Cast[P] | BoundCast[P]:
        return self if instance is None else BoundCast(self, instance)

    def bind(self, target: Any, timeout: float | None = DEFAULT_TIMEOUT) -> BoundCast[P]:
        return BoundCast(self, target)


class Call(Message, Generic[P, R]):
    """A message with a reply. `await actor.get()` sends it and gives the reply; `actor.get.blocking()` stands still for it."""

    is_call = True

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Call[P, R]: ...
    @overload
    def __get__(self, instance: object, owner: type[Any]) -> BoundCall[P, R]: ...
    def __get__(self, instance: Any, owner: type[Any]) -> Call[P, R] | BoundCall[P, R]:
        return self if instance is None else BoundCall(self, instance, DEFAULT_TIMEOUT)

    def bind(self, target: Any, timeout: float | None = DEFAULT_TIMEOUT) -> BoundCall[P, R]:
        return BoundCall(self, target, timeout)


class Timer:
    """A timer of the node. It ends when it is cancelled, and when its actor ends or fails."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number

    def cancel(self) -> bool:
        """Ends it. If true, it sends nothing from now on; false if it has ended already."""
        return host().cancel_timer(self.number)

    @staticmethod
    def __ractor_kept__(_: tuple[Any, ...]) -> tuple[Callable[[Any], int], Callable[[int], Any]]:
        """In a state, a timer is its number, under which the node keeps it while the code changes."""
        return attrgetter("number"), Timer


class _Bound:
    __slots__ = ("message", "target")

    def __init__(self, message: Message, target: Any) -> None:
        self.message = message
        self.target = target

    @property
    def pid(self) -> Pid:
        """Where it goes: to the actor of a reference, or to this actor itself."""
        found = getattr(self.target, "__ractor_pid__", None)
        return found if found is not None else host().self_pid()

    @property
    def is_local(self) -> bool:
        """Whether the target is the actor object itself and no reference."""
        return not hasattr(type(self.target), "__ractor_pid__")

    def __repr__(self) -> str:
        return f"<{self.message.where} of {self.target!r}>"


class BoundCast(_Bound, Generic[P]):
    """A cast to one actor."""

    __slots__ = ()

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Sends it. It is accepted for delivery when this returns, which isn't to say that it is handled.

        On `self` it runs the handler at once instead, as an ordinary method; an `async` one as a task.

        Raises:
            SendError: It was not accepted.
            EncodeError: An argument isn't of its type.
        """
        message = self.message
        if self.is_local:
            result = message.handler(self.target, *args, **kwargs)
            if inspect.iscoroutine(result):
                _run_beside(result)
            return
        host().cast(self.pid, message.tag, message.signature.pack(args, kwargs, message.where))

    def after(self, seconds: float, /, *args: P.args, **kwargs: P.kwargs) -> Timer:
        """Sends it after a while, e.g. `self.tick.after(1.5)`. A node counts in milliseconds.

        Raises:
            TimerError: The actor has as many timers as it may have, or may not send to that one.
        """
        data = self.message.signature.pack(args, kwargs, self.message.where)
        return Timer(host().send_after(self.pid, self.message.tag, data, milliseconds(seconds)))

    def every(self, seconds: float, /, *args: P.args, **kwargs: P.kwargs) -> Timer:
        """Sends it again and again, for the first time after one period. One is left out while that before it isn't handled.

        Raises:
            TimerError: As `after`.
        """
        data = self.message.signature.pack(args, kwargs, self.message.where)
        return Timer(host().send_interval(self.pid, self.message.tag, data, milliseconds(seconds)))


class BoundCall(_Bound, Generic[P, R]):
    """A call to one actor."""

    __slots__ = ("timeout",)

    def __init__(self, message: Message, target: Any, timeout: float | None) -> None:
        super().__init__(message, target)
        self.timeout = timeout

    def within(self, seconds: float | None) -> BoundCall[P, R]:
        """The same call with another timeout than 5 seconds; None is as long as the node lets any call wait."""
        return BoundCall(self.message, self.target, seconds)

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Sends it when it is awaited, and gives the reply. Other actors run meanwhile; so does this one where it is reentrant.

        On `self` it runs the handler as an ordinary method.

        Raises:
            CallFailed: The other actor failed the call. The text is its reason.
            SendError: It was not accepted, or there is no reply.
            EncodeError: An argument isn't of its type.
        """
        message = self.message
        if self.is_local:
            result = self._run_here(args, kwargs)
            return typed(R, await result if inspect.iscoroutine(result) else result)
        data = message.signature.pack(args, kwargs, message.where)
        return self._decode(await _ask(self.pid, message.tag, data, self._ms))

    def blocking(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Sends it and stands still until the reply is there: this actor handles nothing else meanwhile.

        Raises:
            CallFailed, SendError, EncodeError: As the call with `await`.
        """
        message = self.message
        if self.is_local:
            result = self._run_here(args, kwargs)
            if inspect.iscoroutine(result):
                result.close()
                raise RuntimeError(f"{message.where} is async: await it")
            return typed(R, result)
        data = message.signature.pack(args, kwargs, message.where)
        return self._decode(host().call(self.pid, message.tag, data, self._ms))

    @property
    def _ms(self) -> int | None:
        return None if self.timeout is None else milliseconds(self.timeout)

    def _decode(self, data: bytes) -> R:
        codec = self.message.signature.reply
        assert codec is not None
        return typed(R, codec.decode(data))

    def _run_here(self, args: Any, kwargs: Any) -> Any:
        if self.message.signature.deferred:
            raise RuntimeError(f"{self.message.where} replies later, so only a call by another actor can have its reply")
        return self.message.handler(self.target, *args, **kwargs)


def _run_beside(coroutine: Coroutine[Any, Any, Any]) -> None:
    from asyncio import get_running_loop

    get_running_loop().create_task(coroutine)


async def _ask(to: Pid, tag: str, args: bytes, timeout_ms: int | None) -> bytes:
    from ._loop import running

    return await running().ask(to, tag, args, timeout_ms)


@overload
def cast(handler: Callable[Concatenate[Any, P], Coroutine[Any, Any, None]], /) -> Cast[P]: ...
@overload
def cast(handler: Callable[Concatenate[Any, P], None], /) -> Cast[P]: ...
@overload
def cast(tag: str, /) -> _CastDecorator: ...
def cast(handler: Callable[..., Any] | str, /) -> Any:
    """Declares a message that expects no reply: `@cast`, or `@cast("Tag")` if its tag isn't that of the method's name."""
    if isinstance(handler, str):
        return _CastDecorator(_valid(handler))
    return Cast[Any](handler, None)


@overload
def call(handler: Callable[Concatenate[Any, Reply[R], P], None], /) -> Call[P, R]: ...
@overload
def call(handler: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]], /) -> Call[P, R]: ...
@overload
def call(handler: Callable[Concatenate[Any, P], R], /) -> Call[P, R]: ...
@overload
def call(tag: str, /) -> _CallDecorator: ...
def call(handler: Callable[..., Any] | str, /) -> Any:
    """Declares a message with a reply: `@call`, or `@call("Tag")` if its tag isn't that of the method's name.

    What the method returns is the reply. With a first parameter `reply: Reply[T]` it returns nothing, and the reply is sent later.
    """
    if isinstance(handler, str):
        return _CallDecorator(_valid(handler))
    return Call[Any, Any](handler, None)


class _CastDecorator:
    def __init__(self, tag: str) -> None:
        self.tag = tag

    @overload
    def __call__(self, handler: Callable[Concatenate[Any, P], Coroutine[Any, Any, None]], /) -> Cast[P]: ...
    @overload
    def __call__(self, handler: Callable[Concatenate[Any, P], None], /) -> Cast[P]: ...
    def __call__(self, handler: Callable[..., Any], /) -> Any:
        return Cast[Any](handler, self.tag)


class _CallDecorator:
    def __init__(self, tag: str) -> None:
        self.tag = tag

    @overload
    def __call__(self, handler: Callable[Concatenate[Any, Reply[R], P], None], /) -> Call[P, R]: ...
    @overload
    def __call__(self, handler: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]], /) -> Call[P, R]: ...
    @overload
    def __call__(self, handler: Callable[Concatenate[Any, P], R], /) -> Call[P, R]: ...
    def __call__(self, handler: Callable[..., Any], /) -> Any:
        return Call[Any, Any](handler, self.tag)


def _valid(tag: str) -> str:
    if not re.fullmatch(r"[^\s<>]+", tag):
        raise DeclarationError(f"{tag!r} is no tag of a message")
    return tag


def messages_of(actor: type[Any]) -> dict[str, Message]:
    """The messages that a class declares or inherits, by tag, in the order of the source.

    Raises:
        DeclarationError: Two have one tag.
    """
    by_attribute: dict[str, Message] = {}
    for kind in reversed(actor.__mro__):
        for attribute, value in vars(kind).items():
            if isinstance(value, Message):
                by_attribute[attribute] = value
            else:
                by_attribute.pop(attribute, None)
    found: dict[str, Message] = {}
    for message in by_attribute.values():
        if message.tag in found:
            raise DeclarationError(f"{message.where} and {found[message.tag].where} have one tag, {message.tag}")
        found[message.tag] = message
    return found
