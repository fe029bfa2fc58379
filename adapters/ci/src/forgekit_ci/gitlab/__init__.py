"""GitLab: what its webhooks tell, and what its REST API does."""

from forgekit_ci.gitlab.settings import GitLabSettings
from forgekit_ci.gitlab.source import GitLabSource
from forgekit_ci.gitlab.webhooks import GITLAB

__all__ = ["GITLAB", "GitLabSettings", "GitLabSource"]
