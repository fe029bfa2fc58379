"""The size of things, and that each says what it is for."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONGEST_FILE = 450
LONGEST_FUNCTION = 60
LONGEST_TEST = 30
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

CODE = [*ROOT.glob("src/**/*.py"), *ROOT.glob("adapters/*/src/**/*.py")]
SOURCES = sorted(path for path in CODE if path.parent.name != "versions")  # a migration is one long list, and is not called by people
TESTS = sorted([*ROOT.glob("tests/**/test_*.py"), *ROOT.glob("adapters/*/tests/**/test_*.py")])


def _name(path):
    return path.relative_to(ROOT).as_posix()


def _is_overload(node):
    return any("overload" in ast.unparse(decorator) for decorator in node.decorator_list)


def _public(body):
    """Yield a body's public functions and classes, and those inside public classes."""
    for node in body:
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)) and not node.name.startswith("_") and not _is_overload(node):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from _public(node.body)


def _longer_than(path, limit):
    functions = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, FUNCTIONS)]
    return [f"{node.name}: {node.end_lineno - node.lineno + 1} lines" for node in functions if node.end_lineno - node.lineno >= limit]


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_a_file_fits_one_reading(path):
    """A file that outgrows its length asks for a new room."""
    assert len(path.read_text().splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_a_function_fits_one_screen(path):
    """A function that outgrows its length does two things."""
    assert not _longer_than(path, LONGEST_FUNCTION)


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_whatever_is_public_says_what_it_is(path):
    """Modules, public classes and public functions have docstrings."""
    module = ast.parse(path.read_text())
    silent = [node.name for node in _public(module.body) if not ast.get_docstring(node)]
    assert ast.get_docstring(module)
    assert not silent


@pytest.mark.parametrize("path", TESTS, ids=_name)
def test_a_test_states_its_promise(path):
    """Every test function has a docstring, and fits one screen."""
    functions = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, FUNCTIONS)]
    assert not [node.name for node in functions if node.name.startswith("test_") and not ast.get_docstring(node)]
    assert not _longer_than(path, LONGEST_TEST)


def test_test_files_have_names_of_their_own():
    """Two test files of one name would be confused in reports."""
    names = [path.name for path in TESTS]
    assert sorted(names) == sorted(set(names))
