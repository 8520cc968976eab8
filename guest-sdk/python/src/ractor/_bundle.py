"""The modules of a project as one text, for the runtime of sources: see `_script`.

Run as a program of its own after each change, so it imports little: with the module that has the actor, the folder with all of them, the file
to write, and folders in which packages are installed. What it prints are the modules that the runtime needs besides its own.
"""

from __future__ import annotations

import ast
import json
import os
import sys
import traceback
from collections.abc import Iterator
from importlib.util import decode_source
from pathlib import Path

MARK = "# The modules of an actor in Python, put together by ractor-host: "
"""How such a text begins. What follows is JSON."""

LIBRARY = (
    "abc annotationlib array ast asyncio base64 binascii bisect calendar cmath codecs collections collections.abc colorsys configparser "
    "contextlib contextvars copy csv dataclasses datetime decimal difflib email enum errno fnmatch fractions functools gettext graphlib "
    "hashlib heapq hmac html html.parser http inspect io ipaddress itertools json keyword linecache locale logging math numbers operator "
    "os pathlib pickle pprint queue random re reprlib secrets shlex statistics string struct sys textwrap time timeit tomllib traceback "
    "types typing unicodedata unittest urllib.parse uuid warnings weakref xml.etree.ElementTree zlib zoneinfo"
).split()
"""What of the standard library is in each runtime. Some of it may be missing from a build of Python."""

OWN = ("ractor", "ractor.errors", "ractor.events", "ractor.types")
"""What of this package is."""


def main(module: str, folder: str, output: str, *installed: str) -> int:
    """Writes the text. Gives the exit code; a mistake in a module is on stderr."""
    sources = _sources(Path(folder))
    needed: set[str] = set()
    waiting = [module]
    seen = set(waiting)
    if _file_of(module, sources) is None:
        print(f"there is no module {module} in {folder}", file=sys.stderr)
        return 1
    known = {*OWN, *(".".join(name.split(".")[:count]) for name in LIBRARY for count in range(1, name.count(".") + 2))}
    own = {file.partition("/")[0].removesuffix(".py") for file in sources}
    roots = [Path(os.__file__).parent, *map(Path, installed)]
    while waiting:
        name = waiting.pop()
        file = _file_of(name, sources)
        if file is None:
            continue
        try:
            tree = ast.parse(sources[file], f"{folder}/{file}")
            # What only shows when code is made of it, such as a `return` outside of a function.
            compile(tree, f"{folder}/{file}", "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            print("".join(traceback.format_exception_only(error)).rstrip(), file=sys.stderr)
            return 1
        for found, is_surely in _imports(tree, name, file.endswith("/__init__.py")):
            if found.partition(".")[0] in own:
                parts = found.split(".")
                found_own = {".".join(parts[:count]) for count in range(1, len(parts) + 1)} - seen
                seen |= found_own
                waiting += found_own
            elif found not in known and (is_surely or any(_has(root, found) for root in roots)):
                needed.add(found)
    Path(output).write_text(MARK + json.dumps({"module": module, "files": sources}, ensure_ascii=False), encoding="utf-8")
    print("\n".join(sorted(needed)))
    return 0


def _sources(folder: Path) -> dict[str, str]:
    """All modules, by their path in the folder."""
    found: dict[str, str] = {}
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name.isidentifier() and name != "__pycache__")
        for name in sorted(files):
            path = Path(place, name)
            if path.suffix == ".py" and path.stem.isidentifier():
                found[path.relative_to(folder).as_posix()] = decode_source(path.read_bytes())
    return found


def _file_of(module: str, sources: dict[str, str]) -> str | None:
    base = module.replace(".", "/")
    return next((file for file in (f"{base}/__init__.py", f"{base}.py") if file in sources), None)


def _imports(tree: ast.AST, module: str, is_package: bool) -> Iterator[tuple[str, bool]]:
    """What a module imports, and whether each is a module for sure and not a name in one."""
    package = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, True) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            if base:
                yield base, True
                yield from ((f"{base}.{alias.name}", False) for alias in node.names if alias.name != "*")


def _has(root: Path, module: str) -> bool:
    """Whether there is a file or a folder of this module."""
    place = root.joinpath(*module.split("."))
    return place.is_dir() or place.with_suffix(".py").is_file()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
