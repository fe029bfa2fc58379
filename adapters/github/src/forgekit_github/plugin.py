"""What the adapter offers to a forge (entry point ``github`` of the group ``forgekit``)."""

from __future__ import annotations

from collections.abc import Mapping

from forgekit.builds.ports import BuildReader, BuildSource, BuildSourceAdapter, BuildSourceContext
from forgekit.errors import UsageError
from forgekit.markers import hookimpl
from forgekit_github._client import Client
from forgekit_github.reader import GithubReader
from forgekit_github.settings import GithubSettings
from forgekit_github.source import GithubSource


def open_source(context: BuildSourceContext) -> BuildSource:
    """Return a source; makes no call."""
    if not isinstance(context.settings, GithubSettings):
        raise UsageError("GitHub's source is opened with GithubSettings.")
    return GithubSource(Client(context.settings, context.http, context.clock, context.priority))


@hookimpl
def forgekit_build_sources() -> Mapping[str, BuildSourceAdapter]:
    """Offer the source ``github``."""
    return {"github": BuildSourceAdapter(settings=GithubSettings, open=open_source)}


@hookimpl
def forgekit_build_readers() -> Mapping[str, BuildReader]:
    """Offer the reader ``github``."""
    return {"github": GithubReader()}
