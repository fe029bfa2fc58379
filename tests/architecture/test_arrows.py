"""Who may import whom."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ADAPTERS = sorted(path.parent.name for path in ROOT.glob("adapters/*/pyproject.toml"))
OUTSIDERS = sorted([*ROOT.glob("adapters/*/src/**/*.py"), *ROOT.glob("examples/**/*.py")])
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]


def _imports(path):
    """Yield (module, name) for every import of the core in a file; name is empty for a plain import."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names if alias.name.split(".")[0] == "forgekit")
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").split(".")[0] == "forgekit":
            yield from ((node.module, alias.name) for alias in node.names)


def _is_public(module, name):
    if any(part.startswith("_") for part in [*module.split("."), name]):
        return False
    exported = getattr(importlib.import_module(module), "__all__", None)
    return not name or exported is None or name in exported or importlib.util.find_spec(f"{module}.{name}") is not None


def test_the_arrows_point_one_way():
    """Every import-linter contract holds."""
    found = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout + found.stderr


def test_every_adapter_is_under_contract():
    """A new adapter cannot be forgotten: the core may not import it, nor may other adapters."""
    packages = {f"forgekit_{name}" for name in ADAPTERS}
    contracts = {contract["id"]: contract for contract in CONTRACTS["contracts"]}
    assert packages == set(CONTRACTS["root_packages"]) - {"forgekit"}
    assert packages <= set(contracts["core"]["forbidden_modules"])
    assert packages == set(contracts["adapters"]["modules"])


@pytest.mark.parametrize("path", OUTSIDERS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_outsiders_import_public_names_only(path):
    """Adapters and examples use of the core what any stranger's package may use."""
    private = [f"{module}:{name}" for module, name in _imports(path) if not _is_public(module, name)]
    assert not private
