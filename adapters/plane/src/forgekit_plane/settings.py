"""What the adapter is configured with; in the environment ``PLANE_API_URL`` and so on."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import attrs

from forgekit.errors import NotConfigured
from forgekit.kernel.net.budgets import BudgetPolicy
from forgekit.kernel.net.validators import base_url, fits_header
from forgekit.kernel.secrets import Secret
from forgekit.kernel.settings import setting, settings

_SEGMENT = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)
_DAY = 86_400

MAX_PAGE_SIZE = 1000
"""Plane refuses to send more rows at once."""


def _segment(_instance: object, _attribute: attrs.Attribute[Any], value: str) -> None:
    if not _SEGMENT.fullmatch(value):
        raise ValueError("must be 1 to 100 letters, digits, hyphens or underscores")


@settings("plane", env_prefix="PLANE_")
class PlaneSettings:
    """Access to one project of a Plane.

    Attributes:
        api_url: Where Plane is, e.g. ``https://plane.example.com``; ``/api/v1`` may stand behind it.
        api_key: A key of the user that forgekit acts as; best one of its own.
        workspace_slug: The workspace's name in addresses.
        project_id: The project's UUID.
        webhook_secret: What Plane signs its webhooks with.
        poll_interval: Seconds between two looks at the active cycle.
        rate_limit: Calls a minute that the server allows the key (``API_KEY_RATE_LIMIT`` there).
        page_size: Rows to ask for at once; Plane's own limit unless said otherwise.

    """

    api_url: str | None = setting(default=None, needed=True, validator=base_url, doc="Where Plane is, e.g. https://plane.example.com.")
    api_key: Secret | None = setting(
        default=None, secret=True, needed=True, validator=fits_header("X-Api-Key"), doc="An API key of the user to act as."
    )
    workspace_slug: str | None = setting(default=None, needed=True, validator=_segment, doc="The workspace's name in addresses.")
    project_id: str | None = setting(default=None, needed=True, validator=_segment, doc="The project's UUID.")
    webhook_secret: Secret | None = setting(default=None, secret=True, doc="What Plane signs its webhooks with.")
    poll_interval: int = setting(
        default=30,
        validator=(attrs.validators.ge(5), attrs.validators.le(_DAY)),
        doc="Seconds between two looks at the active cycle, at least 5.",
    )
    rate_limit: int = setting(
        default=60,
        validator=(attrs.validators.ge(1), attrs.validators.le(100_000)),
        doc="Calls a minute that the server allows the key.",
    )
    page_size: int = setting(
        default=MAX_PAGE_SIZE,
        validator=(attrs.validators.ge(1), attrs.validators.le(MAX_PAGE_SIZE)),
        doc="Rows to ask for at once; a smaller number costs more calls and is of use for slow servers.",
    )


@attrs.frozen(kw_only=True)
class Access:
    """Settings that are complete.

    Attributes:
        base_url: Where Plane is, without ``/api/v1``.
        api_key: The key.
        workspace: The workspace's slug.
        project: The project's UUID.
        policy: How many calls the key may make.
        page_size: Rows to ask for at once.

    """

    base_url: str
    api_key: Secret
    workspace: str
    project: str
    policy: BudgetPolicy
    page_size: int

    @property
    def credential(self) -> str:
        """What the budget of the key is kept under: SHA-256 of the address and the key."""
        return hashlib.sha256(f"{self.base_url}\n{self.api_key.reveal()}".encode()).hexdigest()


def access(settings: PlaneSettings) -> Access:
    """Return what the settings give access to.

    Raises:
        NotConfigured: One of them is absent; ``data["missing"]`` names all that are.

    """
    url, key, workspace, project = settings.api_url, settings.api_key, settings.workspace_slug, settings.project_id
    if url is None or key is None or workspace is None or project is None:
        given = {"api_url": url, "api_key": key, "workspace_slug": workspace, "project_id": project}
        missing = [name for name, value in given.items() if value is None]
        raise NotConfigured(f"Plane is not configured: {', '.join(missing)} missing.", missing=missing)
    return Access(
        base_url=url.rstrip("/").removesuffix("/api/v1"),
        api_key=key,
        workspace=workspace,
        project=project,
        policy=BudgetPolicy(calls=settings.rate_limit),
        page_size=settings.page_size,
    )
