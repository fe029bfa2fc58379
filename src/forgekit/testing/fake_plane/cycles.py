"""Cycles and what is in them."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from forgekit.testing.fake_plane.answers import BROKEN, Refusal, Request, Row, invalid, not_found
from forgekit.testing.fake_plane.items import ordered, project_of, render
from forgekit.testing.fake_plane.paging import page, trim
from forgekit.testing.fake_plane.world import World
from forgekit.testing.loopback import Answer

_WRITABLE = ("name", "description", "start_date", "end_date", "external_source", "external_id", "sort_order")
_MOVED_ON = ("backlog", "unstarted", "started")
_OLD_LISTS = (0, 28)


def _cycle_of(request: Request) -> Row:
    cycle = request.world.cycles.get(request.ids["cycle"])
    if cycle is None or cycle["project"] != request.ids["project"] or cycle["archived_at"] is not None:
        raise not_found()
    return cycle


def _with_counters(world: World, cycle: Row) -> Row:
    base = dict(cycle)
    return {"id": base.pop("id"), **world.counters(cycle["id"]), **base}


def list_cycles(request: Request) -> Answer:
    """Return a page of the cycles, newest first; those of the view ``current`` as a bare list."""
    world, project = request.world, project_of(request)
    view = request.query.get("cycle_view", "all")
    cycles = [row for row in world.of(project, world.cycles) if row["archived_at"] is None and project["cycle_view"]]
    found = [row for row in reversed(cycles) if world.in_view(row, view)]
    if view == "current":
        return Answer(200, [trim(_with_counters(world, row), request.query) for row in found])
    return page(found, request.query, lambda row: trim(_with_counters(world, row), request.query))


def get_cycle(request: Request) -> Answer:
    """Return one cycle."""
    return Answer(200, trim(_with_counters(request.world, _cycle_of(request)), request.query))


def create_cycle(request: Request) -> Answer:
    """Make a cycle; the body must name the project that the path names already."""
    world, project, data = request.world, project_of(request), request.data()
    if bool(data.get("start_date")) != bool(data.get("end_date")):
        raise Refusal(400, {"error": "Both start date and end date are either required or are to be null"})
    if not data.get("project_id"):
        raise invalid("Project ID is required")
    if not project["cycle_view"]:
        raise invalid("Cycles are not enabled for this project")
    if not data.get("name"):
        raise Refusal(400, {"name": ["This field is required."]})
    found = world.by_external(world.cycles, project, data.get("external_source"), data.get("external_id"))
    if found is not None:
        raise Refusal(409, {"error": "Cycle with the same external id and external source already exists", "id": found["id"]})
    changes = _stored(world, project, data)
    return Answer(201, dict(world.add_cycle(project, changes.pop("name"), **changes)))


def patch_cycle(request: Request) -> Answer:
    """Change a cycle, unless it is over."""
    world, project, cycle, data = request.world, project_of(request), _cycle_of(request), request.data()
    if world.ended(cycle):
        raise Refusal(400, {"error": "The Cycle has already been completed so it cannot be edited"})
    world.change_cycle(cycle, _stored(world, project, data), told=data)
    return Answer(200, dict(cycle))


def delete_cycle(request: Request) -> Answer:
    """Delete a cycle."""
    request.world.remove_cycle(_cycle_of(request)["id"])
    return Answer(204)


def _stored(world: World, project: Row, data: Row) -> Row:
    """Return what of a body is known, with days turned into the instants that are stored."""
    changes = {key: data[key] for key in _WRITABLE if key in data}
    try:
        days = {key: date.fromisoformat(changes[key][:10]) for key in ("start_date", "end_date") if changes.get(key)}
    except (TypeError, ValueError):
        wrong = "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
        raise Refusal(400, {"start_date": [wrong]}) from None
    start, end = days.get("start_date"), days.get("end_date")
    if start and end and start > end:
        raise invalid("Start date cannot exceed end date")
    if start:
        changes["start_date"] = world.cycle_start(project, start)
    if end:
        changes["end_date"] = world.cycle_end(project, end)
    return changes


# What is in a cycle


def list_cycle_items(request: Request) -> Answer:
    """Return a page of a cycle's items; a cycle that does not exist looks empty."""
    world = request.world
    items = ordered(request, world.items_of(request.ids["cycle"]), "created_at")

    def shown(item: Row) -> Row:
        row = render(request, item)
        if _version(world) < _OLD_LISTS:  # these servers list a cycle's items with the wrong serialiser
            row.pop("state", None)
            row.pop("priority", None)
        return row

    return page(items, request.query, shown)


def _version(world: World) -> tuple[int, ...]:
    return tuple(int(part) for part in world.version.split(".")[:2])


def add_cycle_items(request: Request) -> Answer:
    """Put items into a cycle and return the ties of all that are in it."""
    world, cycle, data = request.world, _cycle_of(request), request.data()
    ids = data.get("issues")
    if not ids:
        raise Refusal(400, {"error": "Work items are required", "code": "MISSING_WORK_ITEMS"})
    if world.ended(cycle):
        message = "The Cycle has already been completed so no new issues can be added"
        raise Refusal(400, {"code": "CYCLE_COMPLETED", "message": message})
    if not all(item_id in world.items for item_id in ids):
        raise Refusal(400, {"error": "The payload is not valid"})
    world.put_into_cycle(ids, cycle["id"])
    ties = [bridge for bridge in world.bridges.values() if bridge["cycle"] == cycle["id"]]
    return Answer(200, [{"id": tie["id"], "sub_issues_count": 0, **tie} for tie in reversed(ties)])


def _tie_of(request: Request) -> Row:
    bridge = request.world.bridges.get(request.ids["item"])
    if bridge is None or bridge["cycle"] != request.ids["cycle"]:
        raise not_found()
    return bridge


def get_cycle_item(request: Request) -> Answer:
    """Return the tie between a cycle and an item, not the item."""
    return Answer(200, dict(_tie_of(request)))


def remove_cycle_item(request: Request) -> Answer:
    """Take an item out of a cycle."""
    request.world.take_out_of_cycle(_tie_of(request)["issue"])
    return Answer(204)


def transfer(request: Request) -> Answer:
    """Move what is not finished from a cycle that is over into another; its history stays as a snapshot alone."""
    world, cycle, data = request.world, _cycle_of(request), request.data()
    target = data.get("new_cycle_id")
    if not target:
        raise Refusal(400, {"error": "New Cycle Id is required"})
    if target not in world.cycles:
        raise Refusal(500, BROKEN)
    if not world.ended(cycle):
        raise Refusal(400, {"error": "The old cycle is not completed yet"})
    if world.ended(world.cycles[target]):
        raise Refusal(400, {"error": "The cycle where the issues are transferred is already completed"})
    cycle["progress_snapshot"] = _snapshot(world, cycle)
    moved = [row["id"] for row in world.items_of(cycle["id"]) if world.states[row["state"]]["group"] in _MOVED_ON]
    world.put_into_cycle(moved, target)
    return Answer(200, {"message": "Success"})


def _snapshot(world: World, cycle: Row) -> Row:
    items = world.items_of(cycle["id"])
    names = Counter(label for item in items for label in item["labels"])
    labels: list[Any] = [
        {"label_id": label, "label_name": world.labels[label]["name"], "total_issues": count} for label, count in names.items()
    ]
    distribution = {"labels": labels, "assignees": [], "completion_chart": {}}
    return {"distribution": distribution, **world.counters(cycle["id"]), "estimate_distribution": {}}


def archive(request: Request) -> Answer:
    """Archive a cycle that is over; one without dates breaks the server."""
    world, cycle = request.world, _cycle_of(request)
    if cycle["end_date"] is None:
        raise Refusal(500, BROKEN)
    if not world.ended(cycle):
        raise Refusal(400, {"error": "Only completed cycles can be archived"})
    cycle["archived_at"] = world.stamp()
    return Answer(204)


def list_archived(request: Request) -> Answer:
    """Return a page of archived cycles."""
    world = request.world
    found = [row for row in world.of(project_of(request), world.cycles) if row["archived_at"] is not None]
    estimates = {"total_estimates": None, "completed_estimates": None, "started_estimates": None}
    return page(found, request.query, lambda row: {**_with_counters(world, row), **estimates})


def unarchive(request: Request) -> Answer:
    """Bring a cycle back from the archive."""
    cycle = request.world.cycles.get(request.ids["cycle"])
    if cycle is None or cycle["archived_at"] is None:
        raise not_found()
    cycle["archived_at"] = None
    return Answer(204)
