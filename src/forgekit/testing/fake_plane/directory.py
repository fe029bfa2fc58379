"""Who and what there is: users, projects, states, labels, the instance."""

from __future__ import annotations

from forgekit.testing.fake_plane import rows
from forgekit.testing.fake_plane.answers import Refusal, Request, Row, invalid, not_found
from forgekit.testing.fake_plane.items import project_of
from forgekit.testing.fake_plane.paging import page, trim
from forgekit.testing.fake_plane.world import GROUPS, World
from forgekit.testing.loopback import Answer

_ADMIN, _MEMBER = 20, 15


def me(request: Request) -> Answer:
    """Return who the key belongs to."""
    return Answer(200, dict(request.user))


def _seen_by(world: World, project: Row, user: Row) -> Row:
    member = user["id"] == world.owner_id
    base = dict(project)
    return {
        "id": base.pop("id"),
        "total_members": 1,
        "total_cycles": sum(1 for _ in world.of(project, world.cycles)),
        "total_modules": 0,
        "is_member": member,
        "member_role": _ADMIN if member else None,
        **base,
    }


def list_projects(request: Request) -> Answer:
    """Return a page of the workspace's projects."""
    world = request.world
    projects = list(world.projects.values())
    return page(projects, request.query, lambda row: {**_seen_by(world, row, request.user), "sort_order": 65535.0})


def get_project(request: Request) -> Answer:
    """Return a project, also to one of the workspace who is not its member."""
    project = request.world.projects.get(request.ids["project"])
    if project is None:
        raise not_found()
    return Answer(200, trim(_seen_by(request.world, project, request.user), request.query))


def summary(request: Request) -> Answer:
    """Return how much there is in a project."""
    world, project = request.world, project_of(request)
    tables = {"labels": world.labels, "issues": world.items, "states": world.states, "cycles": world.cycles}
    counts = {name: sum(1 for _ in world.of(project, table)) for name, table in tables.items()}
    head = {key: project[key] for key in ("id", "name", "identifier")}
    return Answer(200, {**head, "counts": {"pages": 0, "intakes": 0, "members": 1, "modules": 0, **counts}})


def project_members(request: Request) -> Answer:
    """Return a project's members, as a bare list."""
    return Answer(200, [dict(request.world.users["alice"])])


def workspace_members(request: Request) -> Answer:
    """Return the workspace's members, as a bare list."""
    users = request.world.users
    return Answer(200, [{**users["bob"], "role": _MEMBER}, {**users["alice"], "role": _ADMIN}])


def list_states(request: Request) -> Answer:
    """Return a page of the states, without the one for triage."""
    return page(request.world.visible_states(project_of(request)), request.query, lambda row: trim(row, request.query))


def get_state(request: Request) -> Answer:
    """Return one state."""
    state = request.world.states.get(request.ids["state"])
    if state is None or state["project"] != request.ids["project"]:
        raise not_found()
    return Answer(200, dict(state))


def create_state(request: Request) -> Answer:
    """Make a state; the answer is 200 and not 201."""
    world, project, data = request.world, project_of(request), request.data()
    if data.get("group") == "triage":
        raise invalid("Cannot create triage state")
    if data.get("group") not in GROUPS:
        raise Refusal(400, {"group": [f'"{data.get("group")}" is not a valid choice.']})
    if not data.get("name"):
        raise Refusal(400, {"name": ["This field is required."]})
    taken = next((row for row in world.of(project, world.states) if row["name"] == data["name"]), None)
    if taken is not None:
        raise Refusal(409, {"error": "State with the same name already exists in the project", "id": taken["id"]})
    return Answer(200, dict(world.add_state(project, data["name"], data["group"])))


def list_labels(request: Request) -> Answer:
    """Return a page of the labels."""
    found = list(request.world.of(project_of(request), request.world.labels))
    return page(found, request.query, lambda row: trim(row, request.query))


def create_label(request: Request) -> Answer:
    """Make a label."""
    data = request.data()
    if not data.get("name"):
        raise Refusal(400, {"name": ["This field is required."]})
    return Answer(201, dict(request.world.add_label(project_of(request), data["name"])))


def list_modules(request: Request) -> Answer:
    """Return the modules: none."""
    return page([], request.query, dict)


def instance(world: World, url: str) -> Answer:
    """Return what the server tells of itself to anybody."""
    config = {"app_base_url": url, "is_self_managed": True, "file_size_limit": 5242880.0}
    stamp = world.stamp()
    described = {
        "id": rows.new_id(),
        "created_at": stamp,
        "updated_at": stamp,
        "instance_name": "Plane Community Edition",
        "current_version": world.version,
        "latest_version": world.version,
        "edition": "PLANE_COMMUNITY",
        "is_setup_done": True,
        "workspaces_exist": True,
    }
    return Answer(200, {"config": config, "instance": described})
