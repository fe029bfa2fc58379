"""The notebooks run from beginning to end, and are kept without what they showed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted(ROOT.glob("examples/notebooks/*.ipynb"))
RUN = Path(__file__).with_name("run_notebook.py")


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    """A notebook's path."""
    return request.param


@pytest.fixture(scope="module")
def run(notebook, tmp_path_factory):
    """What running the notebook came to, and the directory that it ran in."""
    pytest.importorskip("pandas")
    pytest.importorskip("matplotlib")
    folder = tmp_path_factory.mktemp(notebook.stem)
    (folder / "plots").mkdir()
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("COV", "FORGEKIT_"))}
    environment = {**clean, "MPLBACKEND": "agg", "MPLCONFIGDIR": str(folder / "plots"), "TMPDIR": str(folder)}
    return subprocess.run([sys.executable, RUN, notebook], cwd=folder, env=environment, capture_output=True, text=True, check=False), folder


def test_a_notebook_is_kept_without_outputs(notebook):
    """A notebook is of version 4.5, its cells have names of their own, and nothing that a machine showed is in it."""
    told = json.loads(notebook.read_text(encoding="utf-8"))
    assert (told["nbformat"], told["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in told["cells"]}) == len(told["cells"])
    code = [cell for cell in told["cells"] if cell["cell_type"] == "code"]
    assert code
    assert not [cell["id"] for cell in code if cell["outputs"] or cell["execution_count"] is not None]


def test_a_notebook_runs(run):
    """Every cell runs, analyses and figures are shown, and nothing is left behind."""
    done, folder = run
    assert done.returncode == 0, done.stderr
    shown = re.findall(r"^\[shown\] \d+ (\w+) (\w+)$", done.stdout, re.MULTILINE)
    assert ("Analysis", "html") in shown
    assert sum(kind == "Figure" for kind, _ in shown) >= 2
    assert [path.name for path in folder.iterdir()] == ["plots"]


def test_what_the_notebook_of_builds_tells(run):
    """The change that its data holds is found on its day, and the project that breaks is told."""
    told = run[0].stdout
    assert re.search(r"^2026-03-1[67]: from \d+ s to \d+ s \(\+\d+%\)$", told, re.MULTILINE)
    assert "at risk: shop/legacy" in told
    assert "## Summary" in told
