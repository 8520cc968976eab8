"""The types that travel in messages.

To a type checker each is Python's own type: `u64` is an `int`, `char` a `str`. The annotation says which bytes travel. docs/types.md of
the project has the same table for every language.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True)
class Wire:
    """What travels for a value, in the grammar of types that all languages share.

    Use it for types that Python has no own form of, e.g. `Annotated[bytes, Wire("pot<shop.Order>")]`: the bytes travel as they are.
    """

    type: str


@dataclass(frozen=True)
class JsonText:
    """Says that a value travels as JSON. `name` is what contracts call its type; none takes it from the Python type."""

    name: str | None = None


@dataclass(frozen=True)
class NotKept:
    """Says that a field is no part of the actor's state: see `Transient`."""


u8 = Annotated[int, Wire("u8")]
u16 = Annotated[int, Wire("u16")]
u32 = Annotated[int, Wire("u32")]
u64 = Annotated[int, Wire("u64")]
u128 = Annotated[int, Wire("u128")]
i8 = Annotated[int, Wire("i8")]
i16 = Annotated[int, Wire("i16")]
i32 = Annotated[int, Wire("i32")]
i64 = Annotated[int, Wire("i64")]
i128 = Annotated[int, Wire("i128")]
f32 = Annotated[float, Wire("f32")]
f64 = Annotated[float, Wire("f64")]
char = Annotated[str, Wire("char")]

Json = Annotated[_T, JsonText()]
"""A value that travels as JSON, e.g. `Json[dict[str, int]]` or `Json[list[str]]`. Dataclasses and TypedDicts do so without it."""

Transient = Annotated[_T, NotKept()]
"""A field of an actor that no snapshot has, e.g. `cache: Transient[dict[str, str]]`. New code makes it anew, in `post_reload`."""
