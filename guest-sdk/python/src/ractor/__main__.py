"""`python -m ractor build MODULE`: a component of a module that exports an actor. `python -m ractor runtime`: one that runs sources."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from . import _immortal

ENTRY = "ractor_entry"
_NO_COMPILER = "componentize-py is missing; `pip install 'ractor-guest[build]'` gets it"
_ACTOR = '''"""Made by `python -m ractor build`."""
import {module}
from ractor._settle import settle
from ractor._component import Actor, Batch, Calls, Contract, Reload, Replies, finish_build
finish_build("{module}")
settle(__file__ + ".objects")
'''
_RUNTIME = '''"""Made by `python -m ractor runtime`."""
from ractor._component import Actor, Batch, Calls, Contract, Reload, Replies
from ractor._settle import settle
from ractor._script import preload
preload({modules}, {wanted})
settle(__file__ + ".objects")
'''


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line. Gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m ractor", description="Components of actors in Python.")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("build", help="make a component of a module")
    command.add_argument("module", help="the module with the class that has @export, e.g. app or app.py")
    command.add_argument("-o", "--output", type=Path, help="the file to write; by default MODULE.wasm")
    command.add_argument("-p", "--path", type=Path, default=Path(), help="the folder that the module is in; by default this one")
    command = commands.add_parser("runtime", help="make a component that runs what node.toml names as `source`")
    command.add_argument("-o", "--output", type=Path, default=Path("python-runtime.wasm"), help="the file to write")
    command.add_argument("-r", "--requirements", type=Path, help="a requirements.txt, whose installed packages sources can import")
    command.add_argument("-w", "--wanted", action="append", default=[], metavar="MODULE", help="a module that sources import, if it is there")
    options = parser.parse_args(arguments)
    if options.command == "runtime":
        return build_runtime(options.requirements, options.wanted, options.output)
    module = options.module.removesuffix(".py").replace("/", ".")
    return build(module, options.path, options.output or Path(f"{module.rpartition('.')[2]}.wasm"))


def build(module: str, folder: Path, output: Path) -> int:
    """Makes a component. Gives the exit code; what went wrong is on stderr."""
    if importlib.util.find_spec("componentize_py") is None:
        return _fail(_NO_COMPILER)
    place = folder / Path(*module.split("."))
    if not place.with_suffix(".py").is_file() and not (place / "__init__.py").is_file():
        return _fail(f"there is no module {module} in {folder.resolve()}")
    checked = _python("-m", "ractor._check", module, str(folder.resolve()))
    if checked.returncode:
        return _fail(f"{module} can't be made a component: {checked.stderr.strip()}")
    return _componentize(_ACTOR.format(module=module), "complete-actor", [str(folder)], output, module)


def build_runtime(requirements: Path | None, wanted: list[str], output: Path) -> int:
    """Makes the component that runs sources. Gives the exit code; what went wrong is on stderr."""
    if importlib.util.find_spec("componentize_py") is None:
        return _fail(_NO_COMPILER)
    try:
        modules = _modules_of(requirements) if requirements else []
    except (OSError, importlib.metadata.PackageNotFoundError) as error:
        return _fail(f"{requirements} can't be used: {error}")
    return _componentize(_RUNTIME.format(modules=modules, wanted=wanted), "scripted-actor", [], output, "the runtime")


def _modules_of(requirements: Path) -> list[str]:
    """What the packages of a requirements.txt are imported as."""
    names = {_normal(found[1]) for line in requirements.read_text().splitlines() if (found := re.match(r"\s*([A-Za-z0-9][\w.-]*)", line))}
    for name in names:
        importlib.metadata.distribution(name)
    packages = importlib.metadata.packages_distributions()
    return sorted(module for module, of in packages.items() if module.isidentifier() and names & {_normal(name) for name in of})


def _normal(name: str) -> str:
    """The one name of a package that PyPI takes for several."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def _componentize(entry: str, world: str, folders: list[str], output: Path, what: str) -> int:
    with tempfile.TemporaryDirectory(prefix="ractor-") as scratch:
        (Path(scratch) / f"{ENTRY}.py").write_text(entry)
        # Its modules may be where it is, where packages are installed, and where this package is if that is elsewhere.
        folders = [scratch, *folders, sysconfig.get_path("purelib"), str(Path(__file__).parent.parent)]
        paths = [part for path in dict.fromkeys(folders) for part in ("-p", path)]
        script = "import componentize_py, sys; sys.exit(componentize_py.script())"
        made = _python("-c", script, "-q", "-w", world, "componentize", ENTRY, *paths, "-o", str(output))
        objects = Path(scratch) / f"{ENTRY}.py.objects"
        if made.returncode == 0 and objects.is_file():
            component = bytearray(output.read_bytes())
            _immortal.apply(component, objects.read_bytes())
            output.write_bytes(component)
    if made.returncode:
        return _fail(f"componentize-py can't make a component of {what}:\n{_explained(made.stdout + made.stderr)}")
    if made.stdout or made.stderr:
        print(made.stdout + made.stderr, end="", file=sys.stderr)
    return 0


def _python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs this Python, with the folders in which this one looks for modules."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False)


def _explained(text: str) -> str:
    """What a person needs of a report: the Python exception in it, or all of it."""
    start = text.rfind("Traceback (most recent call last)")
    end = text.find("\n\nCaused by", start) if start >= 0 else -1
    return text[max(start, 0) : end if end > 0 else None].strip()


def _fail(text: str) -> int:
    print(f"ractor: {text}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
