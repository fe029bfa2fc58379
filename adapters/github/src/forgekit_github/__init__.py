"""GitHub Actions for forgekit: runs, attempts and jobs over the REST API, and what its webhooks tell of them."""

from forgekit_github.reader import GithubReader
from forgekit_github.settings import GithubSettings
from forgekit_github.source import GithubSource

__all__ = ["GithubReader", "GithubSettings", "GithubSource"]
