"""Clear errors for what a component can't do."""

from __future__ import annotations

import asyncio
import importlib
import subprocess
import sys
import threading
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import BuiltinImporter, FrozenImporter
from types import ModuleType
from typing import Any, NoReturn


_LAZY = (
    *(f"encodings.{name}" for name in ("ascii", "idna", "latin_1", "cp1252", "utf_8_sig", "utf_16", "utf_16_be", "utf_16_le")),
    *(f"encodings.{name}" for name in ("utf_32", "utf_32_be", "utf_32_le", "hex_codec", "base64_codec")),
    "_strptime",
    "ast",
    "textwrap",
    "tokenize",
    "tracemalloc",
    "unicodedata",
)
"""What the standard library imports only when it is needed, for encodings, dates, warnings and tracebacks."""

NOT_LOADED = "{name} is not in this component: modules are loaded when it is built, so import {name} at the top of a module"
"""What an import of another module is told."""


class _NoImports(MetaPathFinder):
    """Says why a module isn't there."""

    def __init__(self, text: str) -> None:
        self._text = text

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        """Finds nothing."""
        raise ModuleNotFoundError(self._text.format(name=name), name=name)


def _refuse(text: str) -> Any:
    def refused(*_: Any, **__: Any) -> NoReturn:
        raise RuntimeError(text)

    return refused


def load_what_is_lazy() -> None:
    """Imports what the standard library would import later, when there are no files."""
    for name in _LAZY:
        try:
            importlib.import_module(name)
        except ImportError:
            # It isn't in this build of Python.
            continue


def say_what_is_missing() -> None:
    """Replaces what would fail with an error that nobody understands."""
    no_threads = "a component has no threads; use `async` handlers, or spawn a child for the work"
    threading.Thread.start = _refuse(no_threads)  # type: ignore[method-assign]
    asyncio.to_thread = _refuse(no_threads)
    asyncio.run = _refuse("an actor's loop runs already: write `async def` handlers and `await`")
    subprocess.Popen.__init__ = _refuse("a component starts no processes; call an actor outside that does")  # type: ignore[method-assign]


def imports_are_over(text: str = NOT_LOADED) -> None:
    """From now on a module that isn't loaded can't be, and no files are looked through for it. The text says so of a `{name}`."""
    # Not `isinstance`, which of an abstract class runs much code in each instance.
    if not sys.meta_path or type(sys.meta_path[-1]) is not _NoImports:
        refuse_imports(text)


def refuse_imports(text: str) -> None:
    """As `imports_are_over`, and imports are told this from now on, whatever they were told before."""
    sys.meta_path[:] = [BuiltinImporter, FrozenImporter, _NoImports(text)]
