from __future__ import annotations

import importlib.metadata
import types

import pluggy
import pytest

from forgekit import hookimpl
from forgekit.errors import PluginConflict
from forgekit.plugins import Plugins


class Point:
    """An entry point that loads what a test wants."""

    def __init__(self, name, load):
        self.name, self.load = name, load


@pytest.fixture
def installed(monkeypatch):
    """Lets a test choose which plugins are installed."""

    def choose(*points):
        monkeypatch.setattr("forgekit.plugins.entry_points", lambda group: points)

    return choose


def module(**hooks):
    """A plugin with these hooks."""
    made = types.ModuleType("made")
    for name, value in hooks.items():
        setattr(made, name, hookimpl(value))
    return made


def broken():
    """Fails as a half installed package does."""
    raise ImportError("half installed")


def misspelt():
    """A plugin with a hook that does not exist."""
    return module(forgekit_trakers=lambda: None)


def test_one_broken_package_does_not_take_the_others(installed):
    """A plugin that cannot be loaded is listed with its reason; the others work."""
    installed(Point("bad", broken), Point("good", lambda: module(forgekit_trackers=lambda: {"t": 1})))
    plugins = Plugins(discover=True)
    assert plugins.names == ["good"]
    assert [(found.name, found.reason) for found in plugins.broken] == [("bad", "ImportError: half installed")]
    assert plugins.offers("forgekit_trackers") == {"t": 1}


def test_a_hook_that_does_not_exist_is_the_plugins_fault(installed):
    """A misspelt hook breaks its plugin alone, instead of being ignored."""
    installed(Point("typo", misspelt), Point("good", module))
    plugins = Plugins(discover=True)
    assert (plugins.names, [found.name for found in plugins.broken]) == (["good"], ["typo"])


def test_a_given_plugin_with_a_misspelt_hook_is_refused():
    """The program's own plugin fails loudly."""
    with pytest.raises(pluggy.PluginValidationError):
        Plugins([misspelt()])


def test_a_plugin_given_twice_is_refused():
    """Twice the same plugin is a mistake."""
    made = module()
    with pytest.raises(PluginConflict):
        Plugins([made, made])


def test_a_given_plugin_that_is_installed_too_counts_once(installed):
    """Discovery leaves out what the program gave itself."""
    made = module(forgekit_trackers=lambda: {"t": 1})
    installed(Point("made", lambda: made))
    assert Plugins([made], discover=True).offers("forgekit_trackers") == {"t": 1}


def test_an_offer_of_nothing_is_nothing():
    """A hook may return None."""
    assert Plugins([module(forgekit_trackers=lambda: None)]).offers("forgekit_trackers") == {}


def test_every_distribution_of_ours_is_found():
    """The installed plugins announce themselves under the group ``forgekit``."""
    names = {point.name for point in importlib.metadata.entry_points(group="forgekit")}
    assert {"sql", "plane", "surfaces", "console"} <= names
