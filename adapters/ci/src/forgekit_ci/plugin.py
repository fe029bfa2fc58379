"""What the adapter offers to a forge (entry point ``ci`` of the group ``forgekit``)."""

from __future__ import annotations

from collections.abc import Mapping

from forgekit.builds.ports import BuildReader, BuildSource, BuildSourceAdapter, BuildSourceContext
from forgekit.errors import UsageError
from forgekit.markers import hookimpl
from forgekit_ci.azure import AZURE
from forgekit_ci.bitbucket import BITBUCKET
from forgekit_ci.buildkite import BUILDKITE
from forgekit_ci.cdevents import CDEVENTS
from forgekit_ci.circleci import CIRCLECI
from forgekit_ci.gitlab import GITLAB, GitLabSettings, GitLabSource
from forgekit_ci.gitlab._client import Client
from forgekit_ci.jenkins import JENKINS


def open_gitlab(context: BuildSourceContext) -> BuildSource:
    """Return the source ``gitlab``; makes no call."""
    if not isinstance(context.settings, GitLabSettings):
        raise UsageError("GitLab's source is opened with GitLabSettings.")
    return GitLabSource(Client(context.settings, context.http, context.clock, context.priority))


@hookimpl
def forgekit_build_sources() -> Mapping[str, BuildSourceAdapter]:
    """Offer the source ``gitlab``."""
    return {"gitlab": BuildSourceAdapter(settings=GitLabSettings, open=open_gitlab)}


@hookimpl
def forgekit_build_readers() -> Mapping[str, BuildReader]:
    """Offer a reader for each system."""
    return {
        "azure": AZURE,
        "bitbucket": BITBUCKET,
        "buildkite": BUILDKITE,
        "cdevents": CDEVENTS,
        "circleci": CIRCLECI,
        "gitlab": GITLAB,
        "jenkins": JENKINS,
    }
