"""What every instance would write to memory at its start is written while the component is built.

An instance shares the memory of its component page by page, until it writes to one. Python writes much: it replaces the instructions of a
function by faster ones once that has run a few times, counts in them how often a branch was taken, and remembers where it found attributes.
So an actor of this module lives through a few messages during the build.
"""

from __future__ import annotations

import gc
import logging
import random
import struct
import sys
from types import CodeType, FrameType, FunctionType
from typing import Any

from wit_world.imports import random as random_imports

from . import _component
from ._actor import Actor
from ._contract import Options, declared
from ._messages import call, cast
from ._runtime import Runtime
from .types import u64

_TIMES = 8
"""Python looks for a faster instruction at the second run, and a few runs later once more if it found none."""


class _Counter(Actor):
    count: u64

    def pre_start(self, start: u64) -> None:
        self.count = start

    @cast
    def add(self, number: u64) -> None:
        self.count += number

    @call
    def get(self) -> u64:
        return self.count


_declared = declared(_Counter, Options())


def warm_up() -> None:
    """Has an actor live and end several times. It reaches no node, and leaves all as it was."""
    streams, handlers, generator = (sys.stdout, sys.stderr), logging.root.handlers, random.getstate()
    runtime, prints = _component._runtime, _component._streams
    paths, random_bytes = list(sys.meta_path), random_imports.bytes
    setattr(random_imports, "bytes", bytes)
    try:
        for _ in range(_TIMES):
            _component._runtime = Runtime(_declared, _component._node)
            _live()
    finally:
        setattr(random_imports, "bytes", random_bytes)
        # A component without an actor has none of these, and each of its instances makes its own.
        _component._runtime, _component._streams, sys.meta_path[:] = runtime, prints, paths
        (sys.stdout, sys.stderr), logging.root.handlers = streams, handlers
        random.setstate(generator)


def _live() -> None:
    actor, number = _component.Actor(), struct.pack(">QQ", 8, 1)
    actor.pre_start(number[8:])
    actor.post_start()
    actor.handle_cast("Add", number)
    _component.Batch().handle_casts(b"Add" + number, [slice(3, len(number))])
    _component.Calls().handle_call("Get", b"", 1)
    actor.post_stop()


def move_together(actor: type[Actor] | None) -> None:
    """Moves the instructions of what every instance runs behind all else: they are written to, and so should share as few pages as they can.

    Args:
        actor: That of the component, if it is built for one. Its methods are moved too.
    """
    ran: set[CodeType] = set()

    def seen(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            ran.add(frame.f_code)

    sys.setprofile(seen)
    try:
        warm_up()
    finally:
        sys.setprofile(None)
    own = (actor.__module__, f"{actor.__qualname__}.") if actor else ("", "no name")
    for found in gc.get_objects():
        if not isinstance(found, FunctionType):
            continue
        if found.__code__ in ran or (found.__module__ == own[0] and found.__qualname__.startswith(own[1])):
            found.__code__ = _moved(found.__code__)


def _moved(code: CodeType) -> CodeType:
    """The same in another place, with the functions that it makes."""
    parts = tuple(_moved(part) if isinstance(part, CodeType) else part for part in code.co_consts)
    return code.replace(co_consts=parts)
