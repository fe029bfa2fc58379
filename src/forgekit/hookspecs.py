"""What a plugin may offer. Hooks gain keyword arguments only, and none is ever removed without two minor releases of notice.

A hook returns factories or objects by name; they are merged once, when a forge opens, and from there on everything is a plain
typed call. Two plugins that offer one name are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from forgekit.accounts.ports import AccountRepositories
from forgekit.builds.ports import BuildImportRepositories, BuildReader, BuildRepositories, BuildSourceAdapter
from forgekit.kernel.clock import Clock
from forgekit.kernel.events.models import Handler
from forgekit.kernel.storage.ports import Storage
from forgekit.markers import hookspec
from forgekit.sprints.ports import CompletionRule, SprintRepositories, TrackerAdapter
from forgekit.webhooks.ports import InboxRepositories, Provider
from forgekit.work.ports import WorkRepositories

if TYPE_CHECKING:
    from forgekit.forge import Forge
    from forgekit.http import Surface

API_VERSION = 1
"""Version of this file's contract."""


class StorageEngine(
    Storage,
    AccountRepositories,
    WorkRepositories,
    SprintRepositories,
    InboxRepositories,
    BuildRepositories,
    BuildImportRepositories,
    Protocol,
):
    """A storage engine: the kernel's part and every domain's repositories."""


StorageFactory = Callable[[str, Clock], StorageEngine]
"""Opens a storage from its URL; called once a forge."""

SurfaceFactory = Callable[["Forge"], "Surface"]
"""Makes a surface for a forge; called once for each host application."""


class Hooks(Protocol):
    """The hooks, one method each; implement any of them with ``forgekit.hookimpl`` in a module or class."""

    @hookspec
    def forgekit_storages(self) -> Mapping[str, StorageFactory]:
        """Offer storage engines by URL scheme (``sqlite``, ``postgresql``)."""

    @hookspec
    def forgekit_trackers(self) -> Mapping[str, TrackerAdapter]:
        """Offer trackers, which keep sprints and work items, by name (``plane``)."""

    @hookspec
    def forgekit_webhook_providers(self) -> Mapping[str, Provider]:
        """Offer senders of webhooks by name: how they sign, and how their events read."""

    @hookspec
    def forgekit_build_sources(self) -> Mapping[str, BuildSourceAdapter]:
        """Offer systems that builds are imported from, by name (``github``)."""

    @hookspec
    def forgekit_build_readers(self) -> Mapping[str, BuildReader]:
        """Offer readers of CI systems' webhooks by name (``github``, ``jenkins``)."""

    @hookspec
    def forgekit_surfaces(self) -> Mapping[str, SurfaceFactory]:
        """Offer HTTP surfaces by name; a host chooses which it mounts."""

    @hookspec
    def forgekit_completion_rules(self) -> Mapping[str, CompletionRule]:
        """Offer rules of the Definition of Done by name; each may refuse a sprint's completion."""

    @hookspec
    def forgekit_handlers(self) -> Mapping[str, Callable[[Forge], Handler]]:
        """Offer durable handlers of events by name; each gets a row in the transaction that records the event."""
