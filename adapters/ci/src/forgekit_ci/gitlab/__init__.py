"""GitLab: what its webhooks tell, and what its REST API does."""

from forgekit_ci.gitlab.webhooks import GITLAB

__all__ = ["GITLAB"]
