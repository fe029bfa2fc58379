"""What each package exports."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [ROOT / "src", *sorted(ROOT.glob("adapters/*/src"))]
PACKAGES = sorted(
    ".".join(path.parent.relative_to(source).parts)
    for source in SOURCES
    for path in source.rglob("__init__.py")
    if not any(part.startswith("_") for part in path.parent.relative_to(source).parts)
)


def _defined(package):
    """Collect the public classes and functions that a package's own file defines."""
    return {name for name, value in vars(package).items() if getattr(value, "__module__", None) == package.__name__ and name[0] != "_"}


def _imported(package):
    """Collect the public names that a package's own file imports from this project, for use or for type checkers."""
    body = ast.parse(Path(package.__file__).read_text()).body
    typing_only = [node for outer in body if isinstance(outer, ast.If) for node in outer.body]
    ours = [node for node in [*body, *typing_only] if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("forgekit")]
    names = {alias.asname or alias.name for node in ours for alias in node.names}
    return {name for name in names if not name.startswith("_")}


def _order(name):
    """Constants, classes, then functions, each by name: the order that ruff's RUF022 keeps."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


@pytest.mark.parametrize("name", PACKAGES)
def test_all_is_complete(name):
    """``__all__`` lists what a package defines; one that defines nothing is there for what it imports, and lists all of that."""
    package = importlib.import_module(name)
    defined = _defined(package)
    assert set(getattr(package, "__all__", [])) >= (defined or _imported(package))


@pytest.mark.parametrize("name", PACKAGES)
def test_all_is_sorted_and_true(name):
    """``__all__`` is sorted, and every name in it can be had."""
    package = importlib.import_module(name)
    exported = list(getattr(package, "__all__", []))
    assert exported == sorted(exported, key=_order)
    assert not [export for export in exported if not hasattr(package, export)]
