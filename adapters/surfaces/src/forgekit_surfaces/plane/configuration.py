"""``/config`` and ``/test-connection``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
from attrs import validators

from forgekit import errors
from forgekit.http import UNSET, Unset, given
from forgekit_surfaces.fields import text
from forgekit_surfaces.plane.contract import TESTS, TRACKER, surface
from forgekit_surfaces.plane.rules import mask, same_server

if TYPE_CHECKING:
    from forgekit import Forge
    from forgekit.kernel.storage.transaction import Transaction

MIN_POLL_INTERVAL = 5
"""Seconds; a shorter interval would use up Plane's budget of 60 calls a minute."""

_optional_text = given(validators.optional(validators.max_len(2000)))


@attrs.frozen(kw_only=True)
class Configuration:
    """The configuration as it may be seen: no key, no secret."""

    plane_api_url: str | None
    plane_api_key_set: bool
    plane_api_key_masked: str | None
    plane_workspace_slug: str | None
    plane_project_id: str | None
    plane_sync_enabled: bool
    plane_poll_interval: int
    plane_active_cycle_id: str | None
    plane_webhook_secret_set: bool


@attrs.frozen(kw_only=True)
class ConfigurationChanges:
    """A partial update: what is absent stays as it is, null removes what was stored."""

    plane_api_url: str | Unset | None = attrs.field(default=UNSET, validator=_optional_text)
    plane_api_key: str | Unset | None = attrs.field(default=UNSET, validator=_optional_text, repr=False)
    plane_workspace_slug: str | Unset | None = attrs.field(default=UNSET, validator=_optional_text)
    plane_project_id: str | Unset | None = attrs.field(default=UNSET, validator=_optional_text)
    plane_webhook_secret: str | Unset | None = attrs.field(default=UNSET, validator=_optional_text, repr=False)
    plane_sync_enabled: bool | Unset = UNSET
    plane_poll_interval: int | Unset = attrs.field(default=UNSET, validator=given(validators.ge(MIN_POLL_INTERVAL), validators.le(86_400)))
    plane_active_cycle_id: str | Unset | None = attrs.field(default=UNSET, validator=given(validators.optional(text(100))))


@attrs.frozen(kw_only=True)
class ConnectionAnswer:
    """What became of a probe: with ``status`` ``ok`` the project, with ``error`` the reason."""

    status: str
    workspace: str | Unset | None = UNSET
    project_name: str | Unset | None = UNSET
    plane_version: str | Unset | None = UNSET
    message: str | Unset = UNSET
    details: str | Unset = UNSET


def _settings_class(forge: Forge) -> type[Any]:
    if TRACKER not in forge.trackers:
        raise errors.UnknownPlugin("This host has no adapter for Plane.")
    return forge.trackers[TRACKER].settings


@surface.op("GET", "/config")
def read_configuration(forge: Forge) -> Configuration:
    """Show the configuration, with the key masked."""
    settings = forge.settings.load(_settings_class(forge))
    state = forge.sprints.status(TRACKER).state
    return Configuration(
        plane_api_url=settings.api_url,
        plane_api_key_set=settings.api_key is not None,
        plane_api_key_masked=None if settings.api_key is None else mask(settings.api_key.reveal()),
        plane_workspace_slug=settings.workspace_slug,
        plane_project_id=settings.project_id,
        plane_sync_enabled=state.enabled,
        plane_poll_interval=settings.poll_interval,
        plane_active_cycle_id=state.active_cycle_id,
        plane_webhook_secret_set=settings.webhook_secret is not None,
    )


_STORED = ("api_url", "api_key", "workspace_slug", "project_id", "webhook_secret", "poll_interval")


@surface.op("POST", "/config", errors=(400,))
def update_configuration(forge: Forge, body: ConfigurationChanges) -> Configuration:
    """Change some of the configuration."""
    kind = _settings_class(forge)
    changes = {name: value for name in _STORED if (value := getattr(body, f"plane_{name}")) is not UNSET}
    with forge.transaction() as tx:
        if _is_other_server(forge, kind, changes, tx):
            _store_without_key(forge, kind, changes, tx)
        elif changes:
            forge.settings.store(kind, changes, tx=tx)
        if body.plane_active_cycle_id is not UNSET:
            forge.sprints.select_cycle(body.plane_active_cycle_id, tracker=TRACKER, tx=tx)
        if body.plane_sync_enabled is not UNSET:
            forge.sprints.toggle(body.plane_sync_enabled, tracker=TRACKER, tx=tx)
    return read_configuration(forge)


def _is_other_server(forge: Forge, kind: type[Any], changes: dict[str, Any], tx: Transaction) -> bool:
    """Tell whether the address changes to another server's and the key for that one is not told."""
    if "api_url" not in changes or "api_key" in changes:
        return False
    before = forge.settings.load(kind, tx=tx)
    return before.api_url is not None and before.api_key is not None and not same_server(before.api_url, changes["api_url"])


def _store_without_key(forge: Forge, kind: type[Any], changes: dict[str, Any], tx: Transaction) -> None:
    """Forget the key with the old address: it must not be sent to a server that it was not given for."""
    if forge.settings.store(kind, {**changes, "api_key": None}, tx=tx).api_key is not None:
        raise errors.InvalidInput(
            "The environment's API key is for the old address: send the new one's key in the same request.",
            problems=[{"pointer": "/plane_api_key", "message": "is needed with a new plane_api_url"}],
        )


@surface.op("POST", "/test-connection", limit=TESTS.name)
def test_connection(forge: Forge) -> ConnectionAnswer:
    """Probe the key, the workspace and the project; a failure is an answer, not an error."""
    try:
        found = forge.sprints.check(TRACKER)
    except errors.ForgekitError as error:
        status = error.data.get("status") if isinstance(error, errors.RemoteError) else None
        details = f"HTTP {status} from Plane API" if status else error.code
        return ConnectionAnswer(status="error", message=error.message, details=details)
    return ConnectionAnswer(status="ok", workspace=found.workspace, project_name=found.project, plane_version=found.version)
