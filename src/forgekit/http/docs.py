"""The surface that describes the others: ``/openapi.json``, and Swagger UI at ``/docs`` from packaged files.

The files come from the distribution ``swagger-ui-py``, found where it is installed; its code is never imported. Without
it ``/docs`` points to the document and says what to install.
"""

from __future__ import annotations

import hashlib
import html
import importlib.util
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import attrs

from forgekit import errors
from forgekit.http.guards import Open
from forgekit.http.messages import File, Page, RequestHead
from forgekit.http.operations import Surface

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The Content-Security-Policy of ``/docs``: nothing from elsewhere, nothing inline."""

_MEDIA_TYPES = {
    "swagger-ui.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "favicon-32x32.png": "image/png",
}
# The page's address decides: it works under any mount, since "docs" is always its last segment.
_INIT = b"""\
"use strict";
window.addEventListener("load", () => {
  window.ui = SwaggerUIBundle({ url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null });
});
"""
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
<script src="docs/swagger-ui-bundle.js" defer></script>
<script src="docs/init.js" defer></script>
</head>
<body><div id="swagger-ui"></div></body>
</html>
"""
_PLAIN_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title></head>
<body>
<h1>{title}</h1>
<p>The operations are described in <a href="openapi.json">openapi.json</a>.</p>
<p>Install <code>swagger-ui-py</code> to browse them here.</p>
</body>
</html>
"""


@attrs.frozen
class AssetParams:
    """The file of the page that is asked for."""

    name: str


def docs_surface(document: Callable[[], dict[str, Any]], title: str) -> Surface:
    """Declare the operations; ``document`` gives the OpenAPI document, with paths relative to the application."""
    surface = Surface("docs", guard=Open())

    @surface.op("GET", "/openapi.json", hidden=True)
    def openapi_json(head: RequestHead) -> dict[str, Any]:
        """Give the OpenAPI document, with the place where the application is mounted."""
        return {**document(), "servers": [{"url": head.root_path or "/"}]}

    @surface.op("GET", "/docs", hidden=True)
    def docs_page() -> Page:
        """Show the operations."""
        page = _PAGE if assets() is not None else _PLAIN_PAGE
        return Page(page.format(title=html.escape(title)), headers=[("Content-Security-Policy", POLICY)])

    @surface.op("GET", "/docs/{name}", hidden=True)
    def docs_asset(params: AssetParams) -> File:
        """Give one of the page's files."""
        return asset(params.name)

    return surface


@cache
def assets() -> Path | None:
    """Find the directory of Swagger UI's files; None where they are not installed."""
    spec = importlib.util.find_spec("swagger_ui")
    for place in (spec and spec.submodule_search_locations) or ():
        if (Path(place) / "static" / "swagger-ui-bundle.js").is_file():
            return Path(place) / "static"
    return None


@cache
def asset(name: str) -> File:
    """Read one of the page's files.

    Raises:
        errors.NotFound: The page has no such file.

    """
    if name == "init.js":
        return _file(_INIT, "text/javascript; charset=utf-8")
    directory = assets()
    if directory is None or name not in _MEDIA_TYPES:
        raise errors.NotFound
    return _file((directory / name).read_bytes(), _MEDIA_TYPES[name])


def _file(content: bytes, media_type: str) -> File:
    return File(content, media_type, etag=hashlib.sha256(content).hexdigest()[:32])
