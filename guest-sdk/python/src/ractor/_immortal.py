"""What is in a component when it is built lives as long as each of its instances, so nobody has to count who refers to it.

Python counts all the same, in the object: each function that an instance runs writes to a page of memory, which is then its own and no longer
that of all instances. Objects whose count is beyond a limit are left alone; Python itself does so with `None` and small numbers. So while a
component is built the places of its objects are noted, and what componentize-py made gets such counts there.
"""

from __future__ import annotations

import gc
import io
import struct
import sys
import types
from collections.abc import Iterable, Iterator
from typing import Any

IMMORTAL = 5 << 28
"""What CPython 3.14 gives to such objects where pointers have 32 bits. It leaves counts of more than 1 << 30 alone."""

_MOST_COUNTED = 1 << 20
"""A larger count is none, but what is in memory that an object has left."""

_MOST_BYTES = 64 << 20
"""Objects beyond are left as they are."""

_PLACE = struct.Struct("<II")
_FLEETING = (types.FrameType, types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType, io.IOBase.__base__)


def note(file: str) -> None:
    """Writes where all objects are, each with its type. Runs in the component that is built, where `id` is an address."""
    if sys.version_info[:2] != (3, 14) or sys.maxsize != (1 << 31) - 1:
        return
    # Those that are frozen aren't listed.
    gc.unfreeze()
    gc.collect()
    # A bit for each place, because what a set of them left behind would be in the component.
    seen = bytearray(_MOST_BYTES >> 6)
    waiting: list[Any] = []

    def add(objects: Iterable[Any]) -> None:
        for found in objects:
            bit = id(found) >> 3
            if bit >> 3 < len(seen) and not seen[bit >> 3] & 1 << (bit & 7):
                seen[bit >> 3] |= 1 << (bit & 7)
                waiting.append(found)

    with open(file, "wb") as output:
        add(gc.get_objects())
        while waiting:
            found = waiting.pop()
            add(gc.get_referents(found))
            if isinstance(found, types.CodeType):
                add((found.co_consts, found.co_names, found.co_filename, found.co_name, found.co_qualname, found.co_linetable))
                add((found.co_exceptiontable, *found.co_varnames, *found.co_cellvars, *found.co_freevars))
            if not isinstance(found, _FLEETING) and not hasattr(type(found), "__del__"):
                output.write(_PLACE.pack(id(found), id(type(found))))
    for at in range(0, len(seen), 4096):
        seen[at : at + 4096] = bytes(4096)
    gc.freeze()


def apply(component: bytearray, noted: bytes) -> int:
    """Makes the objects immortal whose places were noted. Gives how many: what has changed since is left as it is."""
    kinds = dict(_PLACE.iter_unpack(noted))
    made = 0
    for address, at, size in _segments(component):
        # What begins in one part and ends in another is left.
        words = memoryview(component)[at : at + size]
        first = -address % 4
        for offset in range(first, size - 7, 4):
            kind = kinds.get(address + offset)
            if kind is None:
                continue
            count = int.from_bytes(words[offset : offset + 4], "little")
            if 0 < count < _MOST_COUNTED and int.from_bytes(words[offset + 4 : offset + 8], "little") == kind:
                words[offset : offset + 4] = IMMORTAL.to_bytes(4, "little")
                made += 1
    return made


def _segments(binary: bytearray) -> Iterator[tuple[int, int, int]]:
    """What the memory of the component's one module with a memory begins with: address, place in the file, and size of each part."""

    def number(at: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            byte = binary[at]
            value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
            if byte < 128:
                return value, at

    def signed(at: int) -> tuple[int, int]:
        value, after = number(at)
        return value & 0xFFFFFFFF if binary[after - 1] & 64 == 0 else (value - (1 << 7 * (after - at))) & 0xFFFFFFFF, after

    def sections(at: int, end: int) -> Iterator[tuple[int, int, int]]:
        at += 8
        while at < end:
            kind = binary[at]
            size, at = number(at + 1)
            yield kind, at, at + size
            at += size

    for kind, start, end in sections(0, len(binary)):
        if kind != 1:  # a core module
            continue
        for inner, at, _ in sections(start, end):
            if inner != 11:  # its data
                continue
            count, at = number(at)
            for _ in range(count):
                flags, at = number(at)
                if flags == 2:
                    _, at = number(at)
                address = None
                if flags != 1:
                    if binary[at] != 0x41:  # i32.const
                        return
                    address, at = signed(at + 1)
                    at += 1  # end
                size, at = number(at)
                if address is not None:
                    yield address, at, size
                at += size
