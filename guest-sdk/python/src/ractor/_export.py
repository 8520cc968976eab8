"""`@export`: the one class that a component is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar, overload

from ._contract import Contract, Declared, Options, declared

T = TypeVar("T", bound=type[Any])

exported: list[type[Any]] = []
"""The classes with `@export` of this program."""


@overload
def export(actor: T, /) -> T: ...
@overload
def export(
    *,
    name: str = "",
    version: str = "0.1.0",
    state_version: int = 0,
    reentrant: bool = False,
    on_cast_error: Literal["fail", "log"] = "fail",
) -> Callable[[T], T]: ...
def export(actor: Any = None, /, **options: Any) -> Any:
    """Declares the class that a component is: `@export`, or with settings `@export(version="1.2.0")`.

    Args:
        name: The name of the actor's type; by default that of the class.
        version: The version of its code.
        state_version: The version of its state. Count it up whenever the code can't restore a snapshot of the version before as it is.
        reentrant: Whether other messages are handled while an `async` handler waits. By default they wait until it is done.
        on_cast_error: What an exception in the handler of a cast does: `"fail"` fails the actor, so that its supervisor restarts it or
            hears of it; `"log"` logs it, and the actor goes on. An exception in the handler of a call fails that call alone.

    Raises:
        DeclarationError: Something that the class declares can't work. The text says what to write instead.
    """

    def decorate(kind: Any) -> Any:
        found = declared(kind, Options(**options))
        kind.__ractor_declared__ = found
        kind.__ractor_state_version__ = found.options.state_version
        exported.append(kind)
        _hand_to_component(found)
        return kind

    return decorate if actor is None else decorate(actor)


def declared_of(actor: type[Any]) -> Declared:
    """The declarations of a class. One that isn't exported has the default settings."""
    found = actor.__dict__.get("__ractor_declared__")
    if found is None:
        found = declared(actor, Options())
        actor.__ractor_declared__ = found
    assert isinstance(found, Declared)
    return found


def contract_of(actor: type[Any]) -> Contract:
    """What an actor understands: its messages with their types and documentation."""
    return declared_of(actor).contract


def _hand_to_component(found: Declared) -> None:
    try:
        import wit_world  # noqa: F401
    except ImportError:
        return
    from ._component import install

    install(found)
