"""What the source is configured with; in the environment ``GITLAB_TOKEN`` and so on."""

from __future__ import annotations

import hashlib

import attrs

from forgekit.kernel.net.budgets import BudgetPolicy
from forgekit.kernel.net.validators import base_url, fits_header
from forgekit.kernel.secrets import Secret
from forgekit.kernel.settings import setting, settings

MAX_PAGE_SIZE = 100
"""GitLab sends no more rows at once."""


@settings("gitlab", env_prefix="GITLAB_")
class GitLabSettings:
    """Access to a GitLab; public projects need no token.

    Attributes:
        token: A personal, group or project token with the scope ``read_api``.
        url: Where GitLab is, without ``/api/v4``.
        rate_limit: Calls a minute that this program allows itself; what GitLab allows is read off its answers.
        page_size: Rows to ask for at once.

    """

    token: Secret | None = setting(
        default=None,
        secret=True,
        validator=fits_header("PRIVATE-TOKEN"),
        doc="A token with the scope read_api; without it public projects alone are seen.",
    )
    url: str = setting(default="https://gitlab.com", validator=base_url, doc="Where GitLab is, without /api/v4.")
    rate_limit: int = setting(
        default=300,
        validator=(attrs.validators.ge(1), attrs.validators.le(100_000)),
        doc="Calls a minute at most; gitlab.com takes 2000 with a token, 500 without one.",
    )
    page_size: int = setting(
        default=MAX_PAGE_SIZE,
        validator=(attrs.validators.ge(1), attrs.validators.le(MAX_PAGE_SIZE)),
        doc="Rows to ask for at once; a smaller number costs more calls and is of use for slow servers.",
    )

    @property
    def base_url(self) -> str:
        """The address, whether ``/api/v4`` was given with it or not."""
        return self.url.rstrip("/").removesuffix("/api/v4")

    @property
    def credential(self) -> str:
        """What the budget of the token is kept under: SHA-256 of the address and the token."""
        token = self.token.reveal() if self.token is not None else ""
        return hashlib.sha256(f"{self.base_url}\n{token}".encode()).hexdigest()

    @property
    def policy(self) -> BudgetPolicy:
        """How many calls the token may make."""
        return BudgetPolicy(calls=self.rate_limit)
