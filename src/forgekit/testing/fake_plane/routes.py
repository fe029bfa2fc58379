"""The table of routes: which paths there are, in which version, and what answers them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import attrs

from forgekit.testing.fake_plane import cycles, directory, items
from forgekit.testing.fake_plane.answers import NO_PAGE, Refusal, Request
from forgekit.testing.loopback import Answer

Handler = Callable[[Request], Answer]

_PARTS = {"slug": "[^/]+", "key": "[A-Za-z0-9]+-[0-9]+"}
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_PROJECT = "workspaces/{slug}/projects/{project}/"


@attrs.frozen
class Route:
    """A path and what answers each method.

    Attributes:
        pattern: What the path must be, below ``/api/v1/``.
        handlers: By method.
        since: The first version that has it.

    """

    pattern: re.Pattern[str]
    handlers: Mapping[str, Handler]
    since: tuple[int, int]

    @property
    def allow(self) -> str:
        """The ``Allow`` header."""
        return ", ".join(self.handlers)


def _route(path: str, handlers: Mapping[str, Handler], since: tuple[int, int] = (0, 23)) -> Route:
    pattern = re.sub(r"\{(\w+)\}", lambda part: f"(?P<{part[1]}>{_PARTS.get(part[1], _UUID)})", path)
    return Route(re.compile(pattern), handlers, since)


def _item_routes(name: str, since: tuple[int, int]) -> list[Route]:
    base = f"{_PROJECT}{name}/"
    comment = {"GET": items.get_comment, "PATCH": items.patch_comment, "DELETE": items.delete_comment}
    return [
        _route(base, {"GET": items.list_items, "POST": items.create_item}, since),
        _route(base + "{item}/", {"GET": items.get_item, "PATCH": items.patch_item, "DELETE": items.delete_item}, since),
        _route(base + "{item}/comments/", {"GET": items.list_comments, "POST": items.create_comment}, since),
        _route(base + "{item}/comments/{comment}/", comment, since),
        _route(base + "{item}/links/", {"GET": items.list_links, "POST": items.create_link}, since),
    ]


_CYCLE = _PROJECT + "cycles/{cycle}/"
ROUTES = [
    _route("users/me/", {"GET": directory.me}),
    _route("workspaces/{slug}/members/", {"GET": directory.workspace_members}),
    _route("workspaces/{slug}/projects/", {"GET": directory.list_projects}),
    _route("workspaces/{slug}/work-items/search/", {"GET": items.search_items}, (1, 1)),
    _route("workspaces/{slug}/work-items/{key}/", {"GET": items.item_by_key}, (1, 1)),
    _route(_PROJECT, {"GET": directory.get_project}),
    _route(_PROJECT + "summary/", {"GET": directory.summary}, (1, 3)),
    _route(_PROJECT + "(?:project-)?members/", {"GET": directory.project_members}),
    _route(_PROJECT + "states/", {"GET": directory.list_states, "POST": directory.create_state}),
    _route(_PROJECT + "states/{state}/", {"GET": directory.get_state}),
    _route(_PROJECT + "labels/", {"GET": directory.list_labels, "POST": directory.create_label}),
    _route(_PROJECT + "modules/", {"GET": directory.list_modules}),
    _route(_PROJECT + "cycles/", {"GET": cycles.list_cycles, "POST": cycles.create_cycle}),
    _route(_CYCLE, {"GET": cycles.get_cycle, "PATCH": cycles.patch_cycle, "DELETE": cycles.delete_cycle}),
    _route(_CYCLE + "cycle-issues/", {"GET": cycles.list_cycle_items, "POST": cycles.add_cycle_items}),
    _route(_CYCLE + "cycle-issues/{item}/", {"GET": cycles.get_cycle_item, "DELETE": cycles.remove_cycle_item}),
    _route(_CYCLE + "transfer-issues/", {"POST": cycles.transfer}),
    _route(_CYCLE + "archive/", {"POST": cycles.archive}),
    _route(_PROJECT + "archived-cycles/", {"GET": cycles.list_archived}),
    _route(_PROJECT + "archived-cycles/{cycle}/unarchive/", {"DELETE": cycles.unarchive}),
    *_item_routes("issues", (0, 23)),
    *_item_routes("work-items", (1, 1)),
    _route(_PROJECT + "work-items/{item}/relations/", {"GET": items.get_relations, "POST": items.create_relations}, (1, 3)),
]


def find(path: str, version: str) -> tuple[Route, dict[str, str]]:
    """Return the route of a path below ``/api/v1/`` in a version of the server, and the parts that it names.

    Raises:
        Refusal: There is none; the same answer as to an id that is no UUID.

    """
    present = tuple(int(part) for part in version.split(".")[:2])
    for route in ROUTES:
        match = route.pattern.fullmatch(path)
        if match and route.since <= present:
            return route, match.groupdict()
    raise Refusal(404, NO_PAGE)
