"""Plane's webhooks, in the three dialects that are about.

The Community Edition sends ``{"event": "issue", "action": "updated", "data": {…}}``, others the verb without its ``d`` or both in one
word (``work_item.update``), commercial ones ``{"version": "v2", "event": "workitem.updated", "entity_id": …}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forgekit.webhooks.providers import JsonProvider, Reading, text
from forgekit.webhooks.signatures import SCHEMES

_KINDS = {"issue": "issue", "workitem": "issue", "work_item": "issue", "cycle": "cycle"}
_ACTIONS = {"create": "created", "update": "updated", "delete": "deleted"}
_NOTHING = Reading(kind="")
_ENUM = "webhookscope.scopechoices."
_MAX_LENGTH = 200
_NULLS = frozenset({"None", "null"})


def read_plane(body: Mapping[str, Any], _header: str) -> Reading:
    """Read a webhook; a ``Reading`` without a kind means that the body is not of Plane's shape."""
    kind, verb = _event(text(body, "event").strip().lower(), text(body, "action").strip().lower())
    data = body.get("data")
    if not kind or not isinstance(data, Mapping) or not isinstance(body.get("action", ""), str):
        return _NOTHING
    reading = Reading(
        kind=_KINDS.get(kind, kind),
        action=_ACTIONS.get(verb, verb),
        subject=_id(data, "id") or _id(body, "entity_id"),
        scope=_id(data, "project") or _id(data, "project_id") or _id(body, "project_id"),
    )
    incomplete = reading.kind in _KINDS.values() and not (reading.action and reading.subject)
    too_long = max(map(len, (reading.kind, reading.action, reading.subject, reading.scope))) > _MAX_LENGTH
    return _NOTHING if incomplete or too_long else reading


def _event(event: str, action: str) -> tuple[str, str]:
    """Return the kind and the verb, whether they come apart or in one word."""
    if event.startswith(_ENUM):  # v2's own example prints its enumeration's member: WebhookScope.ScopeChoices.WORK_ITEM_UPDATED
        kind, _, verb = event.removeprefix(_ENUM).rpartition("_")
        return kind, verb
    kind, dot, verb = event.rpartition(".")
    return (kind, verb) if dot else (event, action)


def _id(body: Mapping[str, Any], name: str) -> str:
    """Return an id, or of an expanded thing its id; v2's own example writes ``"None"`` for null."""
    found = text(body, name) or text(body, name, "id")
    return "" if found in _NULLS else found


PLANE = JsonProvider(name="plane", scheme=SCHEMES["plane"], read=read_plane)
"""The provider ``plane``."""
