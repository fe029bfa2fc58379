"""What the adapter offers to a forge (entry point ``ci`` of the group ``forgekit``)."""

from __future__ import annotations

from collections.abc import Mapping

from forgekit.builds.ports import BuildReader
from forgekit.markers import hookimpl
from forgekit_ci.azure import AZURE
from forgekit_ci.bitbucket import BITBUCKET
from forgekit_ci.buildkite import BUILDKITE
from forgekit_ci.cdevents import CDEVENTS
from forgekit_ci.circleci import CIRCLECI
from forgekit_ci.gitlab.webhooks import GITLAB
from forgekit_ci.jenkins import JENKINS


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
