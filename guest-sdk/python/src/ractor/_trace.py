"""Tracebacks with source lines, in a component that has no files."""

from __future__ import annotations

import linecache
import re
import sys
import traceback
from pathlib import PurePosixPath
from typing import Any

from .errors import ExitNow, Failure

_SDK = str(PurePosixPath(__file__).parent)
_MOUNT = re.compile(r"^/[0-9]+/")
"""Where componentize-py mounts the folders of a Python path while it builds."""


def keep_source_lines() -> None:
    """Reads the source of every module of the program, while there are files. From then on nothing is looked up in files."""
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and file.endswith(".py") and _MOUNT.match(file) and not file.startswith(_SDK):
            linecache.getlines(file)

    def unchanged(filename: str | None = None) -> None:
        pass

    def unknown(filename: str, module_globals: dict[str, Any] | None = None) -> list[str]:
        return []

    linecache.checkcache = unchanged
    linecache.updatecache = unknown


def stack_of(error: BaseException) -> str:
    """The traceback of an exception, from the actor's own code on."""
    described = traceback.TracebackException.from_exception(error)
    seen: set[int] = set()
    waiting: list[traceback.TracebackException | None] = [described]
    while waiting:
        part = waiting.pop()
        if part is None or id(part) in seen:
            continue
        seen.add(id(part))
        frames = [frame for frame in part.stack if not frame.filename.startswith(_SDK)]
        part.stack = traceback.StackSummary.from_list([_shown(frame) for frame in frames or part.stack])
        waiting += [part.__cause__, part.__context__, *(part.exceptions or [])]
    return "".join(described.format()).rstrip()


def _shown(frame: traceback.FrameSummary) -> traceback.FrameSummary:
    """A frame with the file as the program's author knows it. Without columns: to underline them, Python would look for a file."""
    return traceback.FrameSummary(_MOUNT.sub("", frame.filename), frame.lineno, frame.name, lookup_line=False, line=frame.line)


def text_of(error: BaseException) -> str:
    """What others are told of an exception: its kind and its text, and of a `Failure` the text alone."""
    text = str(error)
    if isinstance(error, Failure | ExitNow):
        return text or "it failed"
    if isinstance(error, SystemExit):
        return f"the program called sys.exit({text}); an actor ends by `stop()` or `exit(reason)`"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
