"""Finding plugins and asking them, once, what they offer."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import attrs
import pluggy

from forgekit.errors import PluginConflict
from forgekit.hookspecs import Hooks

_log = logging.getLogger(__name__)

GROUP = "forgekit"
"""The entry point group in which packages announce their plugins."""


@attrs.frozen(kw_only=True)
class BrokenPlugin:
    """A plugin that is installed and could not be loaded.

    Attributes:
        name: Its entry point.
        reason: Class and text of the error.

    """

    name: str
    reason: str


class Plugins:
    """The plugins of one forge; there is no global registry."""

    def __init__(self, plugins: Iterable[object] = (), *, discover: bool = False) -> None:
        """Register the plugins that were given, then, with ``discover``, those that are installed.

        Every installed one is loaded on its own: one broken package does not take the others with it.

        Raises:
            PluginConflict: A plugin was given twice, or two of one name.
            pluggy.PluginValidationError: A given plugin implements a hook that does not exist.

        """
        self._manager = pluggy.PluginManager(GROUP)
        self._manager.add_hookspecs(Hooks)
        self.broken: list[BrokenPlugin] = []
        for plugin in plugins:
            self._register(_module_of(plugin))
        if discover:
            self._discover()

    @property
    def names(self) -> list[str]:
        """The names of the registered plugins, sorted."""
        return sorted(name for name, _ in self._manager.list_name_plugin())

    def offers(self, hook: str) -> dict[str, Any]:
        """Ask every plugin for what it offers under ``hook`` and merge the answers.

        Raises:
            PluginConflict: Two plugins offer one name.

        """
        merged: dict[str, Any] = {}
        for implementation in getattr(self._manager.hook, hook).get_hookimpls():
            answer: Mapping[str, Any] = implementation.function() or {}
            for name, offer in answer.items():
                if name in merged:
                    message = f"Two plugins offer {name!r} for {hook}; the second is {implementation.plugin_name!r}."
                    raise PluginConflict(message, hook=hook, name=name)
                merged[name] = offer
        return merged

    def _register(self, plugin: object, name: str | None = None) -> None:
        # Tried out alone first: a hook that does not exist is then this plugin's fault and stays without effect on the others.
        trial = pluggy.PluginManager(GROUP)
        trial.add_hookspecs(Hooks)
        trial.register(plugin, name)
        trial.check_pending()
        try:
            self._manager.register(plugin, name)
        except ValueError as error:
            message = f"The plugin {name or plugin!r} is registered already."
            raise PluginConflict(message) from error

    def _discover(self) -> None:
        known = {id(plugin) for plugin in self._manager.get_plugins()}
        for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
            try:
                plugin = point.load()
                if id(plugin) not in known:
                    self._register(plugin, point.name)
            except Exception as error:  # noqa: BLE001 - a package may break in any way
                reason = f"{type(error).__name__}: {error}"
                _log.warning("the plugin %s could not be loaded: %s", point.name, reason, exc_info=_log.isEnabledFor(logging.DEBUG))
                self.broken.append(BrokenPlugin(name=point.name, reason=reason))


def _module_of(plugin: object) -> object:
    """Return a package's ``plugin`` module where the package itself was given: ``plugins=[forgekit_sql]``."""
    if not isinstance(plugin, ModuleType) or not hasattr(plugin, "__path__"):
        return plugin
    name = f"{plugin.__name__}.plugin"
    return import_module(name) if find_spec(name) else plugin
