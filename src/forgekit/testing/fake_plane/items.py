"""Work items, their comments, links and relations."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from forgekit.testing.fake_plane import markup, rows
from forgekit.testing.fake_plane.answers import Refusal, Request, Row, invalid, not_found
from forgekit.testing.fake_plane.paging import expand, order, page, trim
from forgekit.testing.fake_plane.world import RELATIONS, Change, World
from forgekit.testing.loopback import Answer

PRIORITIES = ("urgent", "high", "medium", "low", "none")
_WRITABLE = ("name", "description_html", "priority", "state", "parent", "labels", "assignees", "start_date", "target_date", "point")
_EXTERNAL = ("external_source", "external_id")
_MAX_NAME = 255


def project_of(request: Request) -> Row:
    """Return the project that the path names."""
    return request.world.projects[request.ids["project"]]


def item_of(request: Request) -> Row:
    """Return the work item that the path names.

    Raises:
        Refusal: The project has no such item.

    """
    item = request.world.items.get(request.ids["item"])
    if item is None or item["project"] != request.ids["project"]:
        raise not_found()
    return item


def render(request: Request, item: Row) -> Row:
    """Return an item as the query wants it."""
    world = request.world

    def people(ids: Any) -> list[Row]:
        return [dict(user) for user in world.users.values() if user["id"] in ids]

    def user(user_id: Any) -> Row | None:
        return next(iter(people([user_id])), None)

    def short_state(state_id: str) -> Row:
        return {key: world.states[state_id][key] for key in ("id", "name", "color", "group")}

    def short_project(project_id: str) -> Row:
        keys = ("id", "identifier", "name", "cover_image", "icon_prop", "emoji", "description", "cover_image_url")
        return {key: world.projects[project_id][key] for key in keys}

    return expand(
        trim(item, request.query),
        request.query,
        {
            "state": short_state,
            "labels": lambda ids: [dict(world.labels[label]) for label in ids],
            "assignees": people,
            "project": short_project,
            "parent": lambda parent: dict(world.items[parent]) if parent else {},
            "created_by": user,
            "updated_by": user,
        },
    )


def ordered(request: Request, items: list[Row], default: str) -> list[Row]:
    """Return items in the order that the query asks for."""
    groups = {row["id"]: row["group"] for row in request.world.states.values()}
    return order(items, request.query.get("order_by") or default, groups)


def list_items(request: Request) -> Answer:
    """Return a page of the project's items, or the one with an external id; other filters are ignored."""
    world, project = request.world, project_of(request)
    source, external_id = request.query.get("external_source"), request.query.get("external_id")
    if source and external_id:
        found = world.by_external(world.items, project, source, external_id)
        if found is None:
            raise not_found()
        return Answer(200, render(request, found))
    items = ordered(request, list(world.of(project, world.items)), "-created_at")
    return page(items, request.query, lambda row: render(request, row))


def create_item(request: Request) -> Answer:
    """Make a work item."""
    world, project, data = request.world, project_of(request), request.data()
    changes = _checked(world, project, data, partial=False)
    _refuse_duplicate(world, project, data, None)
    changes.update({key: data[key] for key in _EXTERNAL if key in data})
    item = world.add_item(project, changes.pop("name"), **changes)
    return Answer(201, render(request, item))


def get_item(request: Request) -> Answer:
    """Return one item."""
    return Answer(200, render(request, item_of(request)))


def patch_item(request: Request) -> Answer:
    """Change an item; what it does not know it ignores, and its ``updated_at`` moves once more after the answer."""
    world, project, item, data = request.world, project_of(request), item_of(request), request.data()
    changes = _checked(world, project, data, partial=True)
    _refuse_duplicate(world, project, data, item)
    changes.update({key: data[key] for key in _EXTERNAL if key in data})
    world.change_item(item, changes)
    answer = Answer(200, render(request, item))
    world.restamp(item)
    return answer


def delete_item(request: Request) -> Answer:
    """Delete an item."""
    request.world.remove_item(item_of(request)["id"])
    return Answer(204)


def item_by_key(request: Request) -> Answer:
    """Return the item with a key such as ``SHOP-12``."""
    identifier, number = request.ids["key"].rsplit("-", 1)
    world = request.world
    for item in world.items.values():
        if world.projects[item["project"]]["identifier"] == identifier and item["sequence_id"] == int(number):
            return Answer(200, render(request, item))
    raise not_found()


def search_items(request: Request) -> Answer:
    """Return the items whose name contains a text."""
    world, text = request.world, request.query.get("search", "").lower()
    found = [row for row in world.items.values() if text and text in row["name"].lower()]
    limit = int(request.query.get("limit", "10"))
    return Answer(200, {"issues": [_hit(world, row) for row in found[:limit]]})


def _hit(world: World, row: Row) -> Row:
    return {
        "name": row["name"],
        "id": row["id"],
        "sequence_id": row["sequence_id"],
        "project__identifier": world.projects[row["project"]]["identifier"],
        "project_id": row["project"],
        "workspace__slug": world.workspace,
    }


# Rules


def _refuse_duplicate(world: World, project: Row, data: Row, itself: Row | None) -> None:
    found = world.by_external(world.items, project, data.get("external_source"), data.get("external_id"))
    if found is not None and found is not itself:
        raise Refusal(409, {"error": "Issue with the same external id and external source already exists", "id": found["id"]})


def _checked(world: World, project: Row, data: Row, *, partial: bool) -> Row:
    """Return what of a body is known and right."""
    errors: dict[str, list[str]] = {}
    changes: Row = {}
    if not partial and "name" not in data:
        errors["name"] = ["This field is required."]
    for field in _WRITABLE:
        if field in data:
            problem = _problem(world, project, field, data[field])
            changes[field] = data[field]
            errors.update({field: [problem]} if problem else {})
    if errors:
        raise Refusal(400, errors)
    return _stored(project, world, changes)


def _stored(project: Row, world: World, changes: Row) -> Row:
    if "description_html" in changes:
        changes["description_html"] = markup.rewrite(changes["description_html"])
        if changes["description_html"] is None:
            raise invalid("Invalid HTML passed")
    if "assignees" in changes:  # people outside the project are dropped without a word
        changes["assignees"] = [user for user in changes["assignees"] if user == world.owner_id]
    if "labels" in changes:
        changes["labels"] = [label for label in changes["labels"] if world.labels.get(label, {}).get("project") == project["id"]]
    return changes


def _problem(world: World, project: Row, field: str, value: Any) -> str | None:
    """Return what is wrong with a field's value, in Plane's words."""
    checks: dict[str, Callable[[Any], str | None]] = {
        "name": _name_problem,
        "priority": lambda value: None if value in PRIORITIES else f'"{value}" is not a valid choice.',
        "state": lambda value: _reference_problem(project, world.states, value),
        "parent": lambda value: None if value is None else _reference_problem(project, world.items, value),
        "labels": _list_problem,
        "assignees": _list_problem,
        "description_html": lambda value: None if isinstance(value, str) else "Not a valid string.",
        "start_date": _date_problem,
        "target_date": _date_problem,
        "point": lambda value: None if value is None or isinstance(value, int) else "A valid integer is required.",
    }
    return checks[field](value)


def _name_problem(value: Any) -> str | None:
    if not isinstance(value, str):
        return "Not a valid string."
    if not value.strip():
        return "This field may not be blank."
    return f"Ensure this field has no more than {_MAX_NAME} characters." if len(value) > _MAX_NAME else None


def _reference_problem(project: Row, table: dict[str, Row], value: Any) -> str | None:
    try:
        UUID(str(value))
    except ValueError:
        return f"\u201c{value}\u201d is not a valid UUID."
    if table.get(str(value), {}).get("project") != project["id"]:
        return f'Invalid pk "{value}" - object does not exist.'
    return None


def _list_problem(value: Any) -> str | None:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return None
    return f'Expected a list of items but got type "{type(value).__name__}".'


def _date_problem(value: Any) -> str | None:
    try:
        date.fromisoformat(value or "2000-01-01")
    except (TypeError, ValueError):
        return "Date has wrong format. Use one of these formats instead: YYYY-MM-DD."
    return None


# What hangs on an item


def list_comments(request: Request) -> Answer:
    """Return a page of an item's comments."""
    found = [row for row in request.world.comments.values() if row["issue"] == request.ids["item"]]
    return page(found[::-1], request.query, dict)


def create_comment(request: Request) -> Answer:
    """Write a comment, as it comes; without text it is an empty paragraph."""
    world, project, data = request.world, project_of(request), request.data()
    item = world.items.get(request.ids["item"])
    if item is None:
        raise Refusal(400, {"error": "The payload is not valid"})
    source, external_id = data.get("external_source"), data.get("external_id")
    found = world.by_external(world.comments, project, source, external_id)
    if found is not None:
        message = "Work item comment with the same external id and external source already exists"
        raise Refusal(409, {"error": message, "id": found["id"]})
    comment = world.add_comment(item, data.get("comment_html") or "<p></p>", source=source, external_id=external_id)
    return Answer(201, dict(comment))


def _comment_of(request: Request) -> Row:
    comment = request.world.comments.get(request.ids["comment"])
    if comment is None or comment["issue"] != request.ids["item"]:
        raise not_found()
    return comment


def get_comment(request: Request) -> Answer:
    """Return one comment."""
    return Answer(200, dict(_comment_of(request)))


def patch_comment(request: Request) -> Answer:
    """Change a comment's text."""
    comment, data = _comment_of(request), request.data()
    old, new = comment["comment_html"], data.get("comment_html", comment["comment_html"])
    comment["comment_html"], comment["updated_at"] = new, request.world.stamp()
    if old != new:
        change = Change(event="issue_comment", action="updated", row=comment, field="comment_html", old=old, new=new)
        request.world.tell(change)
    return Answer(200, dict(comment))


def delete_comment(request: Request) -> Answer:
    """Delete a comment; no webhook tells of it."""
    del request.world.comments[_comment_of(request)["id"]]
    return Answer(204)


def list_links(request: Request) -> Answer:
    """Return a page of an item's links."""
    found = [row for row in request.world.links.values() if row["issue"] == request.ids["item"]]
    return page(found, request.query, dict)


def create_link(request: Request) -> Answer:
    """Add a link to an item."""
    item, data = item_of(request), request.data()
    if not re.match(r"https?://", str(data.get("url", ""))):
        raise Refusal(400, {"url": ["Enter a valid URL."]})
    link = rows.link(item, data["url"], title=data.get("title"), stamp=request.world.stamp())
    request.world.links[link["id"]] = link
    item["updated_at"] = request.world.stamp()
    return Answer(201, dict(link))


def get_relations(request: Request) -> Answer:
    """Return an item's relations, one list a kind."""
    world, item = request.world, item_of(request)
    found = {kind: world.related(item["id"], kind) for kind in RELATIONS}
    return Answer(200, {kind: [{"project_id": item["project"], "issue_id": other} for other in ids] for kind, ids in found.items()})


def create_relations(request: Request) -> Answer:
    """Relate an item to others."""
    world, item, data = request.world, item_of(request), request.data()
    kind, others = data.get("relation_type"), data.get("issues") or []
    if kind not in RELATIONS:
        raise Refusal(400, {"relation_type": [f'"{kind}" is not a valid choice.']})
    if not all(other in world.items for other in others):
        raise Refusal(400, {"error": "The payload is not valid"})
    for other in others:
        world.relate(item["id"], kind, other)
    return Answer(201, [_related(kind, world.items[other]) for other in others])


def _related(kind: str, row: Row) -> Row:
    keys = ("name", "priority", "created_by", "created_at", "updated_at", "updated_by")
    return {
        "id": row["id"],
        "project_id": row["project"],
        "sequence_id": row["sequence_id"],
        "relation_type": kind,
        "state_id": row["state"],
        **{key: row[key] for key in keys},
    }
