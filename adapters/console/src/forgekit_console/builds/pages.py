"""The page's operations."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import attrs

from forgekit.errors import UnknownPlugin
from forgekit.http import EventStream, Page, RawRequest, Redirect, RequestHead, Surface
from forgekit_console.builds.orders import MOST_BYTES, Filters, Order, read_order
from forgekit_console.builds.views import SOURCE, look, look_at_imports
from forgekit_console.live import BUILDS, Live
from forgekit_console.problems import page_problems_below
from forgekit_console.rendering import page

if TYPE_CHECKING:
    from forgekit import Forge

_UP = "../"
"""The way from the page to where the host mounted the application."""


def declare_builds(surface: Surface, live: Live) -> None:
    """Declare the page, what keeps it up to date, and its form."""

    @surface.op("GET", "/console/builds", problems=page_problems_below(_UP), hidden=True)
    def builds(forge: Forge, head: RequestHead, params: Filters) -> Page:
        """Show the builds."""
        return _page(forge, head, params)

    @surface.op("GET", "/console/builds/status", hidden=True)
    def builds_status(forge: Forge, params: Filters) -> Page:
        """Give the parts of the page that change by themselves."""
        return page("builds/status.html", view=look(forge, params))

    @surface.op("GET", "/console/builds/imports", hidden=True)
    def builds_imports(forge: Forge) -> Page:
        """Give those parts that change while an import runs: the analysis takes longer."""
        return page("builds/imports.html", imports=look_at_imports(forge))

    @surface.op("GET", "/console/builds/live", hidden=True)
    def builds_live() -> EventStream:
        """Stream that something changed."""
        return live.stream(BUILDS)

    @surface.op("POST", "/console/builds", problems=page_problems_below(_UP), max_body=MOST_BYTES, hidden=True)
    def import_builds(forge: Forge, head: RequestHead, raw: RawRequest) -> Page | Redirect:
        """Ask for an import and lead to the page; what is wrong with the form is shown in it."""
        order = read_order(raw)
        order = order if order.problems else _ordered(forge, order)
        if order.problems:
            return attrs.evolve(_page(forge, head, Filters(), order), status=400)
        return Redirect(f"builds?{urlencode({'project': order.project})}#imports")


def _ordered(forge: Forge, order: Order) -> Order:
    """Ask for the import, and return the order with what is wrong after all."""
    try:
        forge.builds.request_import(SOURCE, **order.wanted())
    except UnknownPlugin:
        return attrs.evolve(order, problems={"repository": "This host has no adapter for GitHub."})
    return order


def _page(forge: Forge, head: RequestHead, filters: Filters, order: Order | None = None) -> Page:
    return page("builds/page.html", view=look(forge, filters, order), root=head.root_path, up=_UP)
