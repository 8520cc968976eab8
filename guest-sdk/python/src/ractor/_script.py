"""The runtime of sources: a component that runs the module that node.toml names as `source`. Only componentize-py can import this.

What costs time happens once, when the component is built: Python starts, and the modules that a source may import are loaded. Each instance
then runs its source, which takes milliseconds.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import linecache
import sys
import traceback
from pathlib import PurePosixPath
from types import ModuleType

from wit_world.imports import source as imports

from . import _component, _export
from ._limits import imports_are_over
from ._trace import text_of
from .errors import DeclarationError

_LIBRARY = (
    "abc annotationlib array ast asyncio base64 binascii bisect calendar cmath codecs collections collections.abc colorsys configparser "
    "contextlib contextvars copy csv dataclasses datetime decimal difflib email enum errno fnmatch fractions functools gettext graphlib "
    "hashlib heapq hmac html html.parser http inspect io ipaddress itertools json keyword linecache locale logging math numbers operator "
    "os pathlib pickle pprint queue random re reprlib secrets shlex statistics string struct sys textwrap time timeit tomllib traceback "
    "types typing unicodedata unittest urllib.parse uuid warnings weakref xml.etree.ElementTree zlib zoneinfo"
).split()
"""What of the standard library a source can import. Some of it may be missing from a build of Python."""

_OWN = ("ractor", "ractor.errors", "ractor.events", "ractor.types")
"""What of this package a source can import."""


def preload(packages: list[str]) -> None:
    """Loads what a source can import, while the component is built.

    Args:
        packages: Modules that have to be there, besides the standard library.

    Raises:
        ImportError: One of them isn't, or can't be loaded in a component.
    """
    for name in _LIBRARY:
        try:
            importlib.import_module(name)
        except ImportError:
            continue
    for name in (*_OWN, *packages):
        importlib.import_module(name)
    _component.become_interpreter(run)
    imports_are_over(
        "{name} is not in this runtime, which has the most of the standard library and what requirements.txt asked for when it was built"
    )


def run() -> None:
    """Runs the source of this instance. If it is no actor, the instance is over, and the node says why."""
    source = imports.load()
    if source is None:
        imports.refuse('this component is a runtime of Python and has nothing to run: write `source = "FILE.py"` beside its `path`')
        return
    name, text = source.name, source.text
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    module = ModuleType(_module_name(name))
    module.__file__ = name
    sys.modules[module.__name__] = module
    try:
        exec(compile(text, name, "exec", dont_inherit=True), module.__dict__)
    except DeclarationError as error:
        imports.refuse(f"{name}: {error}")
    except (Exception, SystemExit) as error:
        imports.refuse(_described(error, name))
    if not _export.exported:
        imports.refuse(f"no class of {name} has @export")


def _described(error: BaseException, file: str) -> str:
    """An exception on one line, with the line of the source that it comes from."""
    if isinstance(error, SyntaxError) and error.filename == file:
        return f"{file}, line {error.lineno}: {type(error).__name__}: {error.msg}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    place = f"{file}, line {lines[-1]}" if lines else file
    return f"{place}: {text_of(error)}"


def _module_name(file: str) -> str:
    """What the module is called: by its file, unless that would hide a module that it could import."""
    stem = PurePosixPath(file).stem
    return stem if stem.isidentifier() and stem not in sys.modules else f"source_{stem}"
