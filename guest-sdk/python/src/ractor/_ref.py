"""References to actors, wherever they live."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

from ._messages import Message
from .events import Pid

A = TypeVar("A")

if TYPE_CHECKING:
    # A type checker takes a reference for the actor: its messages are there with their types. What isn't a message is not.
    Ref = Annotated[A, "a reference"]
else:

    class Ref(Generic[A]):
        """An actor, wherever it lives: `ref.add(5)` casts, `await ref.get()` calls. To type checkers, `Ref[Counter]` is a `Counter`.

        Functions of `ractor` take it where an actor is meant, e.g. `monitor(ref)`; `pid(ref)` is its number.
        """

        __slots__ = ("__ractor_pid__", "__ractor_actor__")

        def __init__(self, pid: Pid, actor: type[A]) -> None:
            object.__setattr__(self, "__ractor_pid__", pid)
            object.__setattr__(self, "__ractor_actor__", actor)

        def __getattr__(self, name: str) -> Any:
            actor = self.__ractor_actor__
            message = getattr(actor, name, None)
            if isinstance(message, Message):
                return message.bind(self)
            known = [found for found in dir(actor) if isinstance(getattr(actor, found, None), Message)]
            raise AttributeError(f"{name} is no message of {actor.__name__}, which has {', '.join(known) or 'none'}", name=name, obj=self)

        def __setattr__(self, name: str, value: Any) -> None:
            raise AttributeError(f"the state of another actor can't be set; send it a message instead of setting {name}")

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Ref) and self.__ractor_pid__ == other.__ractor_pid__

        def __hash__(self) -> int:
            return hash(self.__ractor_pid__)

        def __repr__(self) -> str:
            node, number = self.__ractor_pid__
            return f"<{self.__ractor_actor__.__name__} {node}.{number}>"

        def __copy__(self) -> Ref[A]:
            return self

        def __deepcopy__(self, _: Any) -> Ref[A]:
            return self


def ref_of(pid: Pid, actor: type[A]) -> Ref[A]:
    """The actor with this pid, e.g. of an event, as one of this type. Nothing checks the type: it says what you will send."""
    made: Any = Ref
    reference: A = made(pid, actor)
    return reference


def pid(reference: object) -> Pid:
    """The pid of a reference, or of the actor itself that is given as `self`."""
    found: Pid | None = getattr(reference, "__ractor_pid__", None)
    if found is not None:
        return found
    if isinstance(reference, Pid):
        return reference
    from ._actor import Actor
    from ._host import host

    if isinstance(reference, Actor):
        return host().self_pid()
    raise TypeError(f"{reference!r} is no actor")
