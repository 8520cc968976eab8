"""The package as its users get it: a wheel, installed where nothing else of this repository is, and a component that it builds."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from .kitchen import REPOSITORY

PACKAGE = Path(__file__).parents[1]
COUNTER = '''
from ractor import Actor, call, cast, export, u64

@export
class Counter(Actor):
    count: u64 = 0

    def pre_start(self, start: u64):
        self.count = start

    @cast
    def add(self, n: u64):
        self.count += n

    @call
    async def get(self) -> u64:
        return self.count
'''


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy so that nothing is left in the sources."""
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "package"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", ".*_cache", "dist"))
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], cwd=copy, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has the wheel, and of this one the tools alone."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    site = Path(subprocess.run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], check=True, capture_output=True, text=True).stdout.strip())
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run(command, check=True)
    (site / "tools.pth").write_text(sysconfig.get_path("platlib"))
    return python


def run(python: Path, *arguments: str, within: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run([python, *arguments], cwd=within, env=environment, capture_output=True, text=True, check=False)


def test_the_wheel_has_all_that_a_component_is_made_of(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    wit = {f"ractor/wit/{file.name}" for file in (REPOSITORY / "wit").glob("*.wit")}
    assert wit and wit <= names
    assert {"ractor/py.typed", "ractor/componentize-py.toml", "ractor/testing.py"} <= names
    assert not [name for name in names if "test_" in name or "__pycache__" in name]


def test_the_wit_of_the_package_is_that_of_the_repository() -> None:
    """The tidy test of the repository says so, too; here for whoever works on Python alone."""
    ours = {file.name: file.read_text() for file in (PACKAGE / "src" / "ractor" / "wit").glob("*.wit")}
    assert ours == {file.name: file.read_text() for file in (REPOSITORY / "wit").glob("*.wit")}


def test_one_command_makes_a_component(python: Path, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(COUNTER)
    done = run(python, "-m", "ractor", "build", "app", within=tmp_path)
    assert done.returncode == 0, done.stderr
    component = (tmp_path / "app.wasm").read_bytes()
    assert component[:8] == b"\0asm\x0d\0\1\0"
    for interface in (b"ractor:actor/calls@0.1.0", b"ractor:actor/replies@0.1.0", b"ractor:actor/contract@0.1.0", b"ractor:actor/requests@0.1.0"):
        assert interface in component, interface
    assert {file.name for file in tmp_path.iterdir()} - {"__pycache__"} == {"app.py", "app.wasm"}


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("from ractor import Actor, cast, export\n@export\nclass A(Actor):\n    @cast\n    def add(self, n: int): pass\n", "A.add, argument n: `int` says no width; write e.g. `u64`"),
        ("import no_such_module\n", "No module named 'no_such_module'"),
        ("x = 1\n", "no class of app has @export"),
        ("def f():\n    raise KeyError('top')\nf()\n", "app.py\", line 2, in f\n    raise KeyError('top')"),
        ("from ractor import Actor, export\n@export\nclass A(Actor): pass\n@export\nclass B(Actor): pass\n", "one actor, and A and B have @export"),
    ],
)
def test_what_cannot_be_built_is_told_in_a_few_lines(python: Path, tmp_path: Path, source: str, told: str) -> None:
    (tmp_path / "app.py").write_text(source)
    done = run(python, "-m", "ractor", "build", "app.py", within=tmp_path)
    assert done.returncode == 1
    assert told in done.stderr
    assert len(done.stderr.splitlines()) < 10, done.stderr
    assert not (tmp_path / "app.wasm").exists()


def test_a_module_that_is_not_there_is_told(python: Path, tmp_path: Path) -> None:
    done = run(python, "-m", "ractor", "build", "nothing", within=tmp_path)
    assert (done.returncode, done.stderr) == (1, f"ractor: there is no module nothing in {tmp_path.resolve()}\n")


def test_one_command_makes_a_runtime_that_has_what_requirements_ask_for(python: Path, tmp_path: Path) -> None:
    query = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = Path(subprocess.run(query, check=True, capture_output=True, text=True).stdout.strip())
    # A package whose module has another name, as PyYAML's has.
    (site / "tariff_module.py").write_text("PRICE = 'twelve-and-a-half'\n")
    metadata = site / "Tariff_Kit-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: Tariff-Kit\nVersion: 1.0\n")
    (metadata / "top_level.txt").write_text("tariff_module\n")
    (tmp_path / "requirements.txt").write_text("# What sources import.\ntariff.kit==1.0\n")
    done = run(python, "-m", "ractor", "runtime", "-r", "requirements.txt", within=tmp_path)
    assert done.returncode == 0, done.stderr
    component = (tmp_path / "python-runtime.wasm").read_bytes()
    for part in (b"ractor:actor/source@0.1.0", b"ractor:actor/reload@0.1.0", b"twelve-and-a-half"):
        assert part in component, part
    (tmp_path / "requirements.txt").write_text("nothing-like-this\n")
    done = run(python, "-m", "ractor", "runtime", "-r", "requirements.txt", within=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("ractor: requirements.txt can't be used: ") and "nothing-like-this" in done.stderr, done.stderr
