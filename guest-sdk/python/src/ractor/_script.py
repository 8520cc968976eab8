"""The runtime of sources: a component that runs the module that node.toml names as `source`. Only componentize-py can import this.

What costs time happens once, when the component is built: Python starts, and the modules that a source may import are loaded. Each instance
then runs its source, which takes milliseconds. `ractor-host dev` gives it all modules of a project as one text: see `_bundle`.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import linecache
import sys
import traceback
from collections.abc import Container, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import PurePosixPath
from types import ModuleType

from wit_world.imports import source as imports

from . import _component, _export
from ._bundle import LIBRARY, MARK, OWN
from ._limits import NOT_LOADED, imports_are_over, refuse_imports
from ._trace import text_of
from .errors import DeclarationError

_NOT_THERE = "{name} is not in this runtime, which has the most of the standard library and what requirements.txt asked for when it was built"
_NOT_INSTALLED = "{name} is no module of this project, and neither in the standard library of a component nor installed by requirements.txt"


def preload(packages: list[str], wanted: list[str]) -> None:
    """Loads what a source can import, while the component is built.

    Args:
        packages: Modules that have to be there, besides the standard library.
        wanted: Modules that a project imports. It may do without one, so what is missing is said where it is imported.

    Raises:
        ImportError: One of the packages isn't there, or can't be loaded in a component.
    """
    for name in LIBRARY:
        try:
            importlib.import_module(name)
        except ImportError:
            continue
    for name in (*OWN, *packages):
        importlib.import_module(name)
    for name in wanted:
        try:
            importlib.import_module(name)
        except Exception:
            continue
    _component.become_interpreter(run)
    imports_are_over(_NOT_THERE)


def run() -> None:
    """Runs the source of this instance. If it is no actor, the instance is over, and the node says why."""
    source = imports.load()
    if source is None:
        imports.refuse('this component is a runtime of Python and has nothing to run: write `source = "FILE.py"` beside its `path`')
        return
    name, text = source.name, source.text
    if text.startswith(MARK):
        project = json.loads(text[len(MARK) :])
        module = project["module"]
        modules = {_module_of(file): (file, text) for file, text in project["files"].items()}
        name = modules[module][0]
        refuse_imports(_NOT_INSTALLED)
        _import(module, _Sources(modules), name)
        refuse_imports(NOT_LOADED)
    else:
        module = _module_name(name)
        _import(module, _Sources({module: (name, text)}), name)
    if not _export.exported:
        imports.refuse(f"no class of {name} has @export")


class _Sources(MetaPathFinder, Loader):
    """The modules of the source, which are in memory."""

    def __init__(self, modules: dict[str, tuple[str, str]]) -> None:
        self._modules = modules
        self.files = {file for file, _ in modules.values()}

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Finds one of them, or a folder of some."""
        if name in self._modules:
            file, _ = self._modules[name]
            return ModuleSpec(name, self, origin=file, is_package=file.endswith("/__init__.py"))
        if any(module.startswith(f"{name}.") for module in self._modules):
            return ModuleSpec(name, None, is_package=True)
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Runs it."""
        file, text = self._modules[module.__name__]
        # Tracebacks show its lines.
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        module.__file__ = file
        exec(compile(text, file, "exec", dont_inherit=True), module.__dict__)


def _import(module: str, sources: _Sources, name: str) -> None:
    sys.meta_path.insert(0, sources)
    try:
        importlib.import_module(module)
    except DeclarationError as error:
        imports.refuse(f"{name}: {error}")
    except (Exception, SystemExit) as error:
        imports.refuse(_described(error, name, sources.files))
    sys.meta_path.remove(sources)


def _described(error: BaseException, name: str, files: Container[str]) -> str:
    """An exception on one line, with the line of the source that it comes from."""
    if isinstance(error, SyntaxError) and error.filename in files:
        return f"{error.filename}, line {error.lineno}: {type(error).__name__}: {error.msg}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in files]
    place = f"{frames[-1].filename}, line {frames[-1].lineno}" if frames else name
    return f"{place}: {text_of(error)}"


def _module_of(file: str) -> str:
    """What a file of a project is imported as."""
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _module_name(file: str) -> str:
    """What the module is called: by its file, unless that would hide a module that it could import."""
    stem = PurePosixPath(file).stem
    return stem if stem.isidentifier() and stem not in sys.modules else f"source_{stem}"
