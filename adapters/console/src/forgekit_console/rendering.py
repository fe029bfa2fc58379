"""Templates and static files, from the package."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from forgekit.builds.rendering.wording import one_line
from forgekit.errors import NotFound
from forgekit.http import File, Page

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""The pages' Content-Security-Policy: everything comes from the host's own files, and forms go nowhere else."""

_TYPES = {"console.css": "text/css; charset=utf-8", "console.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml"}


def page(template: str, **values: Any) -> Page:
    """Return a template as a page; every value is escaped.

    ``up`` among the values leads from the page to where the host mounted the application; nothing where that is beside it.
    """
    return Page(_templates().get_template(template).render({"up": "", **values}), headers=[("Content-Security-Policy", POLICY)])


@cache
def static_file(name: str) -> File:
    """Return one of the package's static files.

    Raises:
        NotFound: There is no such file.

    """
    if name not in _TYPES:
        raise NotFound("There is no such file.")
    content = files("forgekit_console").joinpath("static", name).read_bytes()
    return File(content, _TYPES[name], etag=hashlib.sha256(content).hexdigest()[:32])


def moment(at: datetime) -> Markup:
    """Return a time as HTML: in UTC, which the script replaces by the reader's own zone."""
    told = at.astimezone(UTC)
    return Markup('<time datetime="{}">{} UTC</time>').format(told.isoformat(timespec="seconds"), told.strftime("%Y-%m-%d %H:%M:%S"))


def clock(at: datetime) -> Markup:
    """Return the minute of a time that is near, as HTML: likewise."""
    told = at.astimezone(UTC)
    return Markup('<time datetime="{}" data-clock>{} UTC</time>').format(told.isoformat(timespec="seconds"), told.strftime("%H:%M"))


def period(starts_on: date | None, ends_on: date | None) -> str:
    """Return the days of a sprint in words."""
    if starts_on is None or ends_on is None:
        return "no dates"
    return f"{starts_on.day} {starts_on:%b} to {ends_on.day} {ends_on:%b %Y}"


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("forgekit_console"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["moment"] = moment
    environment.filters["line"] = one_line
    environment.globals["period"] = period
    return environment
