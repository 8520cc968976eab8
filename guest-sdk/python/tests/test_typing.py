"""What a type checker catches before a node does: `mypy --strict` on this package and on what uses it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from .kitchen import GUESTS

HERE = Path(__file__).parent
SOURCE = HERE.parent / "src"
BINDINGS = SOURCE / "ractor" / "wit"


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where mypy finds modules: this package, and what componentize-py makes of its WIT, of the world with all of it."""
    bindings = tmp_path_factory.mktemp("bindings")
    command = [sys.executable, "-c", "import componentize_py, sys; sys.exit(componentize_py.script())"]
    command += ["-q", "-d", str(BINDINGS), "-w", "scripted-actor", "bindings", str(bindings)]
    subprocess.run(command, check=True)
    return f"{SOURCE}:{bindings}"


def mypy(paths: str, *files: Path | str) -> str:
    """What mypy says."""
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--config-file", "", "--follow-imports", "silent"]
    command += ["--cache-dir", str(Path(paths.split(":")[1]) / "cache")]
    done = subprocess.run([*command, *map(str, files)], env={"MYPYPATH": paths}, capture_output=True, text=True, check=False)
    assert not done.stderr, done.stderr
    return done.stdout


def test_the_package_is_fully_typed_against_the_bindings_of_its_wit(paths: str) -> None:
    assert mypy(paths, SOURCE / "ractor") == ""


def test_every_way_to_use_it_is_accepted(paths: str) -> None:
    assert mypy(paths, HERE / "typing" / "accepted.py") == ""


@pytest.mark.parametrize("guest", ["py-counter", "kitchen-py"])
def test_the_guests_are_fully_typed(paths: str, guest: str) -> None:
    assert mypy(paths, GUESTS / guest / "app.py") == ""


def test_wrong_arguments_wrong_replies_and_missing_handlers_are_refused(paths: str) -> None:
    file = HERE / "typing" / "rejected.py"
    expected = {number for number, line in enumerate(file.read_text().splitlines(), 1) if line.endswith("# refused")}
    found = {int(number) for number in re.findall(r"rejected\.py:(\d+): error", mypy(paths, file))}
    assert found == expected
    assert len(expected) > 20
