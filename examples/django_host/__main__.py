"""A Django project, under ASGI, with a forge in it: ``python examples/django_host --port 8001``."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

import django
import uvicorn
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.management import call_command
from django.db import connections
from django.urls import Resolver404, resolve

from forgekit import Forge, ForgekitError, offload
from forgekit.hosting import application

PATIENCE = 4.0
"""Seconds that requests, and then the worker, have to end once the host is told to stop."""


class Host:
    """Gives Django's own paths to Django, and every other one to the forge's surfaces."""

    def __init__(self, forge: Forge, surfaces: list[str], *, worker: bool) -> None:
        """Take the forge; it is closed when the server ends, and its worker runs that long."""
        self._forge = forge
        self._worker = forge.worker() if worker else None
        self._surfaces = application(forge, surfaces).asgi
        self._django = get_asgi_application()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request, or the server's own beginning and end."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        mine = scope["type"] == "http" and _is_djangos(scope["path"])
        await (self._django if mine else self._surfaces)(scope, receive, send)

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        if self._worker:
            await offload(self._worker.start)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if self._worker:
            await offload(self._worker.stop, PATIENCE)
        await offload(self._forge.close)
        await send({"type": "lifespan.shutdown.complete"})


def _is_djangos(path: str) -> bool:
    try:
        resolve(path)
    except Resolver404:
        return False
    return True


def main() -> None:
    """Read the command line and serve on loopback until stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--surface", action="append", default=[], metavar="NAME", help="mount this surface (repeatable; all when absent)")
    parser.add_argument("--no-worker", action="store_true", help="run no loops and deliveries in this process")
    arguments = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
    django.setup()
    from backoffice.forge import the_forge  # Django's settings come first

    Forge.upgrade(settings.FORGE_URL, discover=True)  # an example sets itself up; a deployment upgrades in a step of its own
    with the_forge() as forge:
        call_command("migrate", verbosity=0)
        connections.close_all()  # requests open their own; this thread will serve none
        host = Host(forge, arguments.surface, worker=not arguments.no_worker)
        # proxy_headers would let a caller choose the address that the guard sees.
        uvicorn.run(
            host,
            host="127.0.0.1",
            port=arguments.port,
            proxy_headers=False,
            lifespan="on",
            log_level="warning",
            timeout_graceful_shutdown=int(PATIENCE),
        )


if __name__ == "__main__":
    try:
        main()
    except ForgekitError as error:
        sys.exit(f"error: {error.message}")
