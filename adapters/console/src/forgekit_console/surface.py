"""The pages' operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
from attrs import validators

from forgekit.hosting import host_guard
from forgekit.http import EventStream, File, Open, Page, RequestHead, Surface
from forgekit_console.builds.pages import declare_builds
from forgekit_console.live import Live
from forgekit_console.problems import json_problems, page_problems
from forgekit_console.rendering import page, static_file
from forgekit_console.session import declare_session
from forgekit_console.views import MOST_ITEMS, TRACKER, items, list_cycles, look

if TYPE_CHECKING:
    from forgekit import Forge

_name: Any = validators.and_(validators.min_len(1), validators.max_len(100))


@attrs.frozen(kw_only=True)
class ImportOrder:
    """What the Import button sends."""

    cycle_id: str = attrs.field(validator=_name)
    project: str = attrs.field(validator=_name)


@attrs.frozen(kw_only=True)
class Toggle:
    """What the loop's switch sends."""

    enabled: bool


@attrs.frozen
class StaticName:
    """Which file."""

    name: str


@attrs.frozen(kw_only=True)
class Done:
    """What a button did: one sentence, and whether it is good news."""

    message: str
    good: bool = True


def make_surface(forge: Forge) -> Surface:
    """Make the pages of one application."""
    live = Live(forge.clock)
    live.hear(forge)
    surface = Surface("console", guard=host_guard(), problems=json_problems, description="Pages in the browser.")
    _declare_pages(surface, live)
    _declare_actions(surface, live)
    declare_builds(surface, live)
    declare_session(surface)
    return surface


def _declare_pages(surface: Surface, live: Live) -> None:
    @surface.op("GET", "/", problems=page_problems, hidden=True)
    def sprint_sync(forge: Forge, head: RequestHead) -> Page:
        """Show the sprint sync."""
        return page("sprint_sync.html", view=look(forge, live), root=head.root_path)

    @surface.op("GET", "/console/status", hidden=True)
    def status(forge: Forge) -> Page:
        """Give the parts of the page that change by themselves."""
        return page("status.html", view=look(forge, live))

    @surface.op("GET", "/console/items", hidden=True)
    def work_items(forge: Forge) -> Page:
        """Give the table of the sprint's work items."""
        found = items(forge)
        return page("items.html", items=found[:MOST_ITEMS], more=max(0, len(found) - MOST_ITEMS))

    @surface.op("GET", "/console/live", hidden=True)
    def live_stream() -> EventStream:
        """Stream progress and changes to the page."""
        return live.stream()

    @surface.op("GET", "/console/static/{name}", guard=Open(), hidden=True)
    def static(params: StaticName) -> File:
        """Serve the pages' style and script."""
        return static_file(params.name)


def _declare_actions(surface: Surface, live: Live) -> None:
    @surface.op("POST", "/console/cycles", hidden=True)
    def cycles(forge: Forge) -> Done:
        """Ask the tracker for its cycles, for every page to show."""
        found = list_cycles(forge, live).cycles
        live.tell()
        return Done(message=f"{len(found)} cycles." if len(found) != 1 else "1 cycle.")

    @surface.op("POST", "/console/check", hidden=True)
    def check(forge: Forge) -> Done:
        """Try the connection to the tracker."""
        found = forge.sprints.check(TRACKER)
        return Done(message=f"The connection works: {found.project} in {found.workspace}, Plane {found.version or 'of unknown version'}.")

    @surface.op("POST", "/console/import", hidden=True)
    def import_cycle(forge: Forge, body: ImportOrder) -> Done:
        """Import a cycle; progress goes out over the stream meanwhile."""
        outcome = live.run(body.project, lambda: forge.sprints.import_cycle(body.cycle_id, project=body.project, tracker=TRACKER))
        return Done(message=outcome.summary, good=outcome.report is not None)

    @surface.op("POST", "/console/toggle", hidden=True)
    def toggle(forge: Forge, body: Toggle) -> Done:
        """Start or stop the background loop."""
        enabled = forge.sprints.toggle(body.enabled, tracker=TRACKER).state.enabled
        live.tell()
        return Done(message="The background loop is on." if enabled else "The background loop is off.")
