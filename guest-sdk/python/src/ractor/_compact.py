"""What an instance makes lies side by side in memory, instead of wherever the build of its component freed something.

An instance has a page of memory of its own for each page that it writes to. malloc takes what was freed before it takes what was never used,
and Python keeps some objects that it has freed, for the next of their kind. So at the end of the build both are used up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

_kept: list[Any] = []
"""What fills the gaps."""

_IN_ORDER = 6
"""So many objects, each right behind the one before, are where no gaps are."""

_MOST = 20_000
"""Of one size. There are never as many gaps."""

_LARGEST, _FINE, _LEAST = 32 << 10, 512, 16
"""The sizes of gaps. Up to the second each multiple of 8 is a size of its own."""

_ADDED = 17 + 4
"""What `bytes` and malloc add."""


def fill(make: Callable[[], Any], most: int = _MOST) -> int:
    """Keeps what this makes, until it is made where no gaps are. Gives how many objects are kept."""
    made: list[Any] = []
    before = step = run = 0
    while run < _IN_ORDER and len(made) < most:
        found = make()
        made.append(found)
        run = run + 1 if id(found) - before == step > 0 else 0
        before, step = id(found), id(found) - before
    kept = len(made) - run
    _kept.extend(made[:kept])
    return kept


def _sizes() -> Iterator[int]:
    size = _LARGEST
    while size > _FINE:
        yield size
        size -= size // 8 & -8
    yield from range(_FINE, _LEAST, -8)


def _freed() -> Iterator[Callable[[], Any]]:
    """Makes what Python keeps when it is freed: tuples of each length, and others."""
    for count in range(1, 21):
        yield partial(tuple, [None] * count)
    number, text = 1 << 20, "text"
    yield lambda: number + 1
    yield lambda: number * 0.5
    yield lambda: number * 1j
    yield lambda: []
    yield lambda: [number]
    yield lambda: {}
    yield lambda: {number: number}
    yield lambda: text.join
    yield lambda: iter([])
    yield lambda: iter(())
    yield lambda: range(number)
    yield lambda: slice(number)


def compact() -> None:
    """Fills the gaps, from the large ones to the small ones, so that the rest of one is a gap of a size that is still to come."""
    for size in _sizes():
        fill(partial(bytes, size - _ADDED))
    fill(object)
    for make in _freed():
        fill(make)
