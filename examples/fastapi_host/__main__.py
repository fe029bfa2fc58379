"""A FastAPI application with a forge in it: ``python examples/fastapi_host --port 8000``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import uvicorn
from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse

from forgekit import Forge, ForgekitError, offload
from forgekit.hosting import admit, application, problem

PATIENCE = 4.0
"""Seconds that requests, and then the worker, have to end once the host is told to stop."""


def the_forge(request: Request) -> Forge:
    """Give a route the forge, FastAPI's way, once the host's guard has let the caller in."""
    forge: Forge = request.app.state.forge
    peer = request.client.host if request.client else None
    admit(forge, method=request.method, path=request.url.path, headers=request.headers.items(), peer=peer)
    return forge


async def answer_error(_request: Request, error: Exception) -> JSONResponse:
    """Answer the forge's errors as its surfaces do."""
    assert isinstance(error, ForgekitError)  # noqa: S101 - registered for these alone
    found = problem(error)
    return JSONResponse(found.body, status_code=found.status, headers=dict(found.headers))


def create_app(forge: Forge, surfaces: list[str], *, worker: bool) -> FastAPI:
    """Make the application: routes of its own, and everything else from the forge's surfaces."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        running = forge.worker() if worker else None
        if running:
            await offload(running.start)
        try:
            yield
        finally:
            if running:
                await offload(running.stop, PATIENCE)
            await offload(forge.close)

    app = FastAPI(lifespan=lifespan, openapi_url=None, exception_handlers={ForgekitError: answer_error})
    app.state.forge = forge

    @app.get("/example/projects/{key}/open-items")
    def open_items(key: str, forge: Annotated[Forge, Depends(the_forge)]) -> dict[str, Any]:
        """Tell what is left to do in a project: a route of this application, on the forge's data."""
        items = forge.work.items(key)
        return {"project": key, "open": [{"number": item.number, "name": item.name} for item in items if not item.passing]}

    app.mount("/", application(forge, surfaces).asgi)
    return app


def main() -> None:
    """Read the command line and serve on loopback until stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--surface", action="append", default=[], metavar="NAME", help="mount this surface (repeatable; all when absent)")
    parser.add_argument("--no-worker", action="store_true", help="run no loops and deliveries in this process")
    arguments = parser.parse_args()
    Forge.upgrade(discover=True)  # an example sets itself up; a deployment upgrades in a step of its own
    with Forge.open(discover=True) as forge:
        app = create_app(forge, arguments.surface, worker=not arguments.no_worker)
        # proxy_headers would let a caller choose the address that the guard sees.
        uvicorn.run(
            app, host="127.0.0.1", port=arguments.port, proxy_headers=False, log_level="warning", timeout_graceful_shutdown=int(PATIENCE)
        )


if __name__ == "__main__":
    try:
        main()
    except ForgekitError as error:
        sys.exit(f"error: {error.message}")
