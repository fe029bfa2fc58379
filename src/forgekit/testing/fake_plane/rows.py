"""The shape of each thing: every key that Plane 1.3.1 sends, in its order."""

from __future__ import annotations

from uuid import uuid4

from forgekit.testing.fake_plane.answers import Row


def new_id() -> str:
    """Return a random UUID as text."""
    return str(uuid4())


def _base(stamp: str, row_id: str | None) -> Row:
    return {"id": row_id or new_id(), "created_at": stamp, "updated_at": stamp, "deleted_at": None}


def _owner(project: Row, user_id: str | None) -> Row:
    return {"created_by": user_id, "updated_by": None, "project": project["id"], "workspace": project["workspace"]}


def user(name: str) -> Row:
    """Return a user."""
    return {
        "id": new_id(),
        "first_name": name.title(),
        "last_name": "Test",
        "email": f"{name}@example.com",
        "avatar": "",
        "avatar_url": None,
        "display_name": name,
    }


def project(*, row_id: str | None, workspace: str, name: str, identifier: str, timezone: str, stamp: str, user_id: str) -> Row:
    """Return a project as stored; what depends on the reader is added when it is read."""
    base = _base(stamp, row_id)
    return {
        "id": base.pop("id"),
        "is_deployed": False,
        "cover_image_url": None,
        **base,
        "name": name,
        "description": "",
        "description_text": None,
        "description_html": None,
        "network": 2,
        "identifier": identifier,
        "emoji": None,
        "icon_prop": None,
        "module_view": True,
        "cycle_view": True,
        "issue_views_view": False,
        "page_view": True,
        "intake_view": False,
        "is_time_tracking_enabled": False,
        "is_issue_type_enabled": False,
        "guest_view_all_features": False,
        "cover_image": None,
        "archive_in": 0,
        "close_in": 0,
        "logo_props": {},
        "archived_at": None,
        "timezone": timezone,
        "external_source": None,
        "external_id": None,
        "created_by": user_id,
        "updated_by": None,
        "workspace": workspace,
        "default_assignee": None,
        "project_lead": None,
        "cover_image_asset": None,
        "estimate": None,
        "default_state": None,
    }


def state(project: Row, name: str, group: str, *, sequence: float, stamp: str, user_id: str, default: bool = False) -> Row:
    """Return a state of work items."""
    return {
        **_base(stamp, None),
        "name": name,
        "description": "",
        "color": "#60646C",
        "slug": "",
        "sequence": sequence,
        "group": group,
        "is_triage": group == "triage",
        "default": default,
        "external_source": None,
        "external_id": None,
        **_owner(project, user_id),
    }


def label(project: Row, name: str, *, sort_order: float, stamp: str, user_id: str) -> Row:
    """Return a label."""
    return {
        **_base(stamp, None),
        "name": name,
        "description": "",
        "color": "#ff0000",
        "sort_order": sort_order,
        "external_source": None,
        "external_id": None,
        **_owner(project, user_id),
        "parent": None,
    }


def cycle(project: Row, *, row_id: str | None, name: str, sort_order: float, stamp: str, user_id: str) -> Row:
    """Return a draft cycle without its counters."""
    return {
        **_base(stamp, row_id),
        "name": name,
        "description": "",
        "start_date": None,
        "end_date": None,
        "view_props": {},
        "sort_order": sort_order,
        "external_source": None,
        "external_id": None,
        "progress_snapshot": {},
        "archived_at": None,
        "logo_props": {},
        "timezone": "UTC",  # the column's default: the server never copies the project's time zone into it
        "version": 1,
        **_owner(project, user_id),
        "owned_by": user_id,
    }


def item(project: Row, *, row_id: str | None, name: str, sequence: int, sort_order: float, state_id: str, stamp: str, user_id: str) -> Row:
    """Return a work item with nothing but a name and a state."""
    base = _base(stamp, row_id)
    return {
        "id": base.pop("id"),
        "type_id": None,
        **base,
        "point": None,
        "name": name,
        "description_html": "<p></p>",
        "description_binary": None,
        "priority": "none",
        "start_date": None,
        "target_date": None,
        "sequence_id": sequence,
        "sort_order": sort_order,
        "completed_at": None,
        "archived_at": None,
        "is_draft": False,
        "external_source": None,
        "external_id": None,
        **_owner(project, user_id),
        "parent": None,
        "state": state_id,
        "estimate_point": None,
        "type": None,
        "assignees": [],
        "labels": [],
    }


def bridge(item: Row, cycle_id: str, stamp: str) -> Row:
    """Return the tie between an item and the cycle it is in."""
    owner = {"created_by": None, "updated_by": None, "project": item["project"], "workspace": item["workspace"]}
    return {**_base(stamp, None), **owner, "issue": item["id"], "cycle": cycle_id}


def comment(item: Row, html: str, *, source: str | None, external_id: str | None, stamp: str, user_id: str) -> Row:
    """Return a comment on an item."""
    return {
        **_base(stamp, None),
        "comment_html": html,
        "attachments": [],
        "access": "INTERNAL",
        "external_source": source,
        "external_id": external_id,
        "edited_at": None,
        "created_by": user_id,
        "updated_by": user_id,
        "project": item["project"],
        "workspace": item["workspace"],
        "description": new_id(),
        "issue": item["id"],
        "actor": user_id,
        "parent": None,
    }


def link(item: Row, url: str, *, title: str | None, stamp: str) -> Row:
    """Return a link of an item."""
    owner = {"created_by": None, "updated_by": None, "project": item["project"], "workspace": item["workspace"]}
    return {**_base(stamp, None), "title": title, "url": url, "metadata": {}, **owner, "issue": item["id"]}
