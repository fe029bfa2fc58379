"""CI systems for forgekit: readers of their webhooks, and builds imported from GitLab."""

from forgekit_ci.azure import AZURE
from forgekit_ci.bitbucket import BITBUCKET
from forgekit_ci.buildkite import BUILDKITE
from forgekit_ci.cdevents import CDEVENTS
from forgekit_ci.circleci import CIRCLECI
from forgekit_ci.gitlab import GITLAB, GitLabSettings, GitLabSource
from forgekit_ci.jenkins import JENKINS

__all__ = ["AZURE", "BITBUCKET", "BUILDKITE", "CDEVENTS", "CIRCLECI", "GITLAB", "JENKINS", "GitLabSettings", "GitLabSource"]
