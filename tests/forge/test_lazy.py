from __future__ import annotations

import sys
from types import ModuleType

import pytest

from forgekit.lazy import lazily


@pytest.fixture
def package(monkeypatch):
    """A package of three lazy names: a function of the standard library's, a module of its own, and one that its module has not."""
    made = ModuleType("made_lazy")
    monkeypatch.setitem(sys.modules, "made_lazy", made)
    monkeypatch.setitem(sys.modules, "made_lazy.room", ModuleType("made_lazy.room"))
    homes = {"dedent": "textwrap", "room": "made_lazy.room", "lost": "textwrap"}
    made.__getattr__, made.__dir__ = lazily("made_lazy", homes)
    return made


def test_a_lazy_name_is_found_in_its_home_and_kept(package):
    """The first use imports it; from then on it is an attribute like any other."""
    assert "dedent" not in vars(package)
    assert package.dedent is sys.modules["textwrap"].dedent
    assert vars(package)["dedent"] is package.dedent


def test_a_module_of_the_package_may_be_a_name_itself(package):
    """Where a name's home is called like it, that module is meant."""
    assert package.room is sys.modules["made_lazy.room"]


@pytest.mark.parametrize("name", ["nothing", "lost"])
def test_a_name_that_is_nowhere_is_an_attribute_error(package, name):
    """What does not exist fails as it does in any module."""
    with pytest.raises(AttributeError, match=name):
        getattr(package, name)


def test_all_names_are_listed_before_they_are_imported(package):
    """Completion in a shell offers what was not used yet."""
    assert {"dedent", "room", "lost", "__name__"} <= set(dir(package))
    assert "dedent" not in vars(package)
