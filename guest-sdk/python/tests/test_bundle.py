"""The modules of a project as one text, and what its runtime needs for them."""

import json
from pathlib import Path

import pytest

from ractor._bundle import MARK, main


def bundle(folder: Path, files: dict[str, str]) -> tuple[int, Path]:
    for name, text in files.items():
        file = folder / "src" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    output = folder / "made.py"
    return main("app", str(folder / "src"), str(output)), output


def test_all_modules_are_in_it_and_what_they_import_besides_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {
        "app.py": "import math, plistlib\nfrom typing import Any\nfrom rules.prices import price\nfrom ractor import Actor\n",
        "rules/__init__.py": "BASE = 2\n",
        "rules/prices.py": "from . import BASE\nfrom xml.dom import minidom\nfrom .taxes import tax\n",
        "rules/taxes.py": "import yaml\n",
        "unused.py": "import nothing_like_this\n",
    }
    code, output = bundle(tmp_path, files)
    assert code == 0
    assert capsys.readouterr().out.split() == ["plistlib", "xml.dom", "xml.dom.minidom", "yaml"]
    text = output.read_text()
    assert text.startswith(MARK)
    assert json.loads(text[len(MARK) :]) == {"module": "app", "files": files}


@pytest.mark.parametrize(("text", "told"), [("x = (\n", "src/rules.py\", line 1"), ("\nreturn 5\n", "line 2")])
def test_a_mistake_in_any_of_them_has_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, told: str) -> None:
    code, output = bundle(tmp_path, {"app.py": "import rules\n", "rules.py": text})
    assert code == 1 and not output.exists()
    said = capsys.readouterr().err
    assert told in said and "SyntaxError" in said


def test_a_module_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _ = bundle(tmp_path, {"other.py": ""})
    assert code == 1
    assert "there is no module app" in capsys.readouterr().err
