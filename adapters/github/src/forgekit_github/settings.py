"""What the adapter is configured with; in the environment ``GITHUB_TOKEN`` and so on."""

from __future__ import annotations

import hashlib

import attrs

from forgekit.kernel.net.budgets import BudgetPolicy
from forgekit.kernel.net.validators import base_url, fits_header
from forgekit.kernel.secrets import Secret
from forgekit.kernel.settings import setting, settings

MAX_PAGE_SIZE = 100
"""GitHub sends no more runs at once."""


@settings("github", env_prefix="GITHUB_")
class GithubSettings:
    """Access to GitHub Actions; public repositories need none of it.

    Attributes:
        token: A token that may read Actions; without one 60 calls an hour are allowed, and private repositories look absent.
        webhook_secret: What GitHub signs its webhooks with.
        api_url: Where the API is; of GitHub Enterprise Server ``https://HOST/api/v3``.
        rate_limit: Calls a minute that this program allows itself. GitHub's own limit an hour is read off its answers.
        page_size: Runs to ask for at once.

    """

    token: Secret | None = setting(
        default=None,
        secret=True,
        validator=fits_header("Authorization"),
        doc="A token that may read Actions; without it public repositories alone are seen.",
    )
    webhook_secret: Secret | None = setting(default=None, secret=True, doc="What GitHub signs its webhooks with.")
    api_url: str = setting(
        default="https://api.github.com", validator=base_url, doc="Where the API is; GitHub Enterprise: https://HOST/api/v3."
    )
    rate_limit: int = setting(
        default=600,
        validator=(attrs.validators.ge(1), attrs.validators.le(100_000)),
        doc="Calls a minute at most; GitHub takes 900 of all programs together.",
    )
    page_size: int = setting(
        default=MAX_PAGE_SIZE,
        validator=(attrs.validators.ge(1), attrs.validators.le(MAX_PAGE_SIZE)),
        doc="Runs to ask for at once; a smaller number costs more calls and is of use where answers get too large.",
    )

    @property
    def credential(self) -> str:
        """What the budget of the token is kept under: SHA-256 of the address and the token."""
        token = self.token.reveal() if self.token is not None else ""
        return hashlib.sha256(f"{self.api_url.rstrip('/')}\n{token}".encode()).hexdigest()

    @property
    def policy(self) -> BudgetPolicy:
        """How many calls the token may make."""
        return BudgetPolicy(calls=self.rate_limit)
