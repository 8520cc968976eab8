"""Replies that come later than their handler returns."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Generic, TypeVar

from ._codec import Codec, codec_of
from ._host import host
from .errors import DeclarationError

R = TypeVar("R")

abandoned: list[int] = []
"""The calls whose `Reply` is gone without an answer. They are dropped when the present callback is done."""


class Reply(Generic[R]):
    """The reply to one call, to be sent once, now or later. A handler that has it as its first parameter returns nothing:

        @call
        def wait(self, reply: Reply[str], name: str) -> None:
            self.waiting.append(reply)

    The caller waits until `send`, `fail` or `drop`, or until nothing refers to this any more, which drops the call. It may be a field
    of the actor's state: its caller waits on while the code changes.
    """

    __slots__ = ("_codec", "_open", "number")

    def __init__(self, number: int, codec: Codec) -> None:
        self.number = number
        self._codec = codec
        self._open = True

    def send(self, value: R) -> None:
        """Sends the reply.

        Raises:
            ReplyError: The caller has given up, or was answered, or the reply is too large.
            EncodeError: The value isn't of the reply's type. The call is still open.
        """
        data = self._codec.encode(value)
        self._open = False
        host().reply(self.number, data)

    def fail(self, reason: str) -> None:
        """Fails the call. Its caller gets `CallFailed` with this text."""
        self._open = False
        host().fail_call(self.number, reason)

    def drop(self) -> None:
        """Ends the call without a reply. Its caller gets `NoReply`."""
        self._open = False
        host().drop_call(self.number)

    @property
    def is_waiting(self) -> bool:
        """False if the caller is known to have given up, or was answered. Then a reply isn't worth computing."""
        return self._open and host().is_waiting(self.number)

    def __del__(self) -> None:
        if self._open:
            abandoned.append(self.number)

    def __copy__(self) -> Reply[R]:
        return self

    def __deepcopy__(self, _: Any) -> Reply[R]:
        return self

    @staticmethod
    def __ractor_kept__(arguments: tuple[Any, ...]) -> tuple[Callable[[Any], int], Callable[[int], Any]]:
        """In a state, a reply is its number, under which the node keeps the call while the code changes."""
        if not arguments:
            raise DeclarationError("`Reply` doesn't say of what; write e.g. `Reply[str]`")
        codec = codec_of(arguments[0])
        return attrgetter("number"), lambda number: Reply(number, codec)
