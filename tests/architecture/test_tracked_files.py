"""What the repository must not hold."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLACES = [str(ROOT), str(ROOT.parent / "shared"), str(Path.home())]
MACHINE = re.compile(
    "|".join([r"/root/", r"/home/\w+/", r"/Users/\w+/", *(re.escape(place) + r"\b" for place in PLACES if place.count("/") > 1)])
)
REGISTRY = re.compile(r"pypi\.org/simple|pythonhosted\.org|index-url")
PIN = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?==[0-9][A-Za-z0-9.]*")


@pytest.fixture(scope="module")
def texts():
    """Every tracked file's text by its path, this file's own patterns excepted."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git work tree")
    paths = [ROOT / name for name in listed.stdout.split("\0") if name and name != Path(__file__).relative_to(ROOT).as_posix()]
    return {path.relative_to(ROOT).as_posix(): path.read_text(errors="replace") for path in paths if path.is_file()}


def test_no_file_knows_this_machine(texts):
    """No tracked file names a directory of the machine it was written on."""
    assert not [name for name, text in texts.items() if MACHINE.search(text)]


def test_no_file_names_a_registry(texts):
    """Where packages come from is the reader's choice."""
    assert not [name for name, text in texts.items() if REGISTRY.search(text)]


def test_no_lock_file_is_tracked(texts):
    """Lock files name registry addresses; constraints.txt pins without them."""
    assert not [name for name in texts if Path(name).name in {"uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock"}]


def test_no_environment_file_is_tracked(texts):
    """Keys stay out of the repository."""
    assert not [name for name in texts if Path(name).name == ".env"]


def test_constraints_are_pins_only():
    """constraints.txt holds one ``name==version`` a line, sorted, each package once."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    names = [line.split("==")[0] for line in lines]
    assert not [line for line in lines if not PIN.fullmatch(line)]
    assert lines == sorted(lines)
    assert len(names) == len(set(names))
