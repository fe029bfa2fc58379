"""Every distribution is complete, and nothing of ours takes the name that a stranger owns."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = [ROOT, *sorted(path.parent for path in ROOT.glob("adapters/*/pyproject.toml"))]
ADAPTERS = FOLDERS[1:]


def _project(folder):
    return tomllib.loads((folder / "pyproject.toml").read_text())["project"]


def _requirements(folder):
    project = _project(folder)
    extras = project.get("optional-dependencies", {})
    wanted = [*project["dependencies"], *(requirement for extra in extras.values() for requirement in extra)]
    return {re.match(r"[A-Za-z0-9_.-]+", requirement).group().lower() for requirement in wanted}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name if folder != ROOT else "core")
class TestEveryDistribution:
    def test_has_its_papers(self, folder):
        """README, licence and the mark of typed code are there."""
        assert (folder / "README.md").read_text().startswith("# ")
        assert (folder / "LICENSE").read_text() == (ROOT / "LICENSE").read_text()
        assert len(list(folder.glob("src/*/py.typed"))) == 1

    def test_is_never_uploaded(self, folder):
        """The index would refuse an upload by mistake, and the licence is stated."""
        project = _project(folder)
        assert "Private :: Do Not Upload" in project["classifiers"]
        assert project["license"] == "MIT"
        assert project["requires-python"] == ">=3.11"

    def test_keeps_clear_of_the_strangers_name(self, folder):
        """No distribution of ours is called, or depends on, plain ``forgekit``."""
        assert _project(folder)["name"] != "forgekit"
        assert "forgekit" not in _requirements(folder)

    def test_moves_in_step(self, folder):
        """All distributions have one version."""
        assert _project(folder)["version"] == _project(ROOT)["version"]


@pytest.mark.parametrize("folder", ADAPTERS, ids=lambda folder: folder.name)
class TestEveryAdapter:
    def test_is_named_after_its_folder(self, folder):
        """Folder, distribution, package and entry point go by one name."""
        project = _project(folder)
        assert project["name"] == f"forgekit-{folder.name}"
        assert (folder / "src" / f"forgekit_{folder.name}" / "__init__.py").is_file()
        assert project["entry-points"]["forgekit"] == {folder.name: f"forgekit_{folder.name}.plugin"}

    def test_can_be_found(self, folder):
        """Its entry point leads to a module."""
        assert importlib.util.find_spec(f"forgekit_{folder.name}.plugin") is not None

    def test_is_tested(self, folder):
        """It brings tests of its own."""
        assert list(folder.glob("tests/**/test_*.py"))

    def test_stands_on_the_core(self, folder):
        """It depends on the core at its own version."""
        project = _project(folder)
        assert f"forgekit-core=={project['version']}" in project["dependencies"]
