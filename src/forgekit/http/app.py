"""Surfaces and a forge, made into one application that any ASGI or WSGI host can mount."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from forgekit import errors
from forgekit.http import failures
from forgekit.http.asgi import AsgiFace
from forgekit.http.calls import Call, Route, error_response, prepare
from forgekit.http.docs import docs_surface
from forgekit.http.limits import Limiter
from forgekit.http.messages import RequestHead, Response
from forgekit.http.openapi import openapi_document
from forgekit.http.operations import Surface
from forgekit.http.problems import Problems, detail_problems
from forgekit.http.routing import Router
from forgekit.http.wsgi import WsgiFace

THREADS = 40
"""Operations that the ASGI face runs at the same time, where the host says nothing."""


class App:
    """One table of operations with two faces, ``asgi`` and ``wsgi``, that answer alike."""

    def __init__(
        self,
        surfaces: Iterable[Surface],
        forge: Any,
        *,
        limiter: Limiter | None = None,
        title: str = "forgekit",
        version: str = "0",
        threads: int = THREADS,
        answer_timeout: float = 30.0,
    ) -> None:
        """Put the table together, and beside it ``/openapi.json`` and ``/docs``.

        Args:
            surfaces: The contracts to serve.
            forge: Handed to every operation and guard; opaque here.
            limiter: Counts the calls of operations that name a bucket; None counts nothing.
            title: Of the OpenAPI document.
            version: Of the OpenAPI document.
            threads: Operations that run at the same time under ASGI.
            answer_timeout: Seconds that the WSGI face waits for a promised answer.

        Raises:
            errors.ConfigurationError: Two operations claim one method and path.

        """
        self.title = title
        self.version = version
        self.surfaces = (*surfaces, docs_surface(self.openapi, title))
        self._forge = forge
        self._limiter = limiter
        self._openapi: dict[str, Any] | None = None
        self._router: Router[Route] = Router(
            (operation.method, operation.path, prepare(operation, re.findall(r"\{(\w+)\}", operation.path)))
            for surface in self.surfaces
            for operation in surface.operations
        )
        self.asgi = AsgiFace(self, threads)
        self.wsgi = WsgiFace(self, answer_timeout)

    def handles(self, path: str) -> bool:
        """Tell whether an operation stands at a path, so that a host can keep its own 404 for the rest."""
        return self._router.find(path) is not None

    def openapi(self) -> dict[str, Any]:
        """Give the OpenAPI 3.1 document of all surfaces, for the operations that are not hidden."""
        if self._openapi is None:
            self._openapi = openapi_document(self.surfaces, title=self.title, version=self.version)
        return self._openapi

    def find(self, head: RequestHead) -> Call | Response:
        """Give the call that a request makes, or the answer when it makes none (404, 405, OPTIONS)."""
        found = self._router.find(head.path)
        if found is None:
            return error_response(self._problems_at(head.path), errors.NotFound("There is nothing at this path."), head.method)
        route = found.methods.get("GET" if head.method == "HEAD" else head.method)
        if route is not None:
            return Call(route=route, head=head, values=found.values, forge=self._forge, limiter=self._limiter)
        if head.method == "OPTIONS":
            return Response(status=204, headers=[("Allow", found.allow)])
        problems = next(iter(found.methods.values())).operation.problems
        answer = error_response(problems, failures.MethodNotAllowed(), head.method)
        answer.headers.append(("Allow", found.allow))
        return answer

    def _problems_at(self, path: str) -> Problems:
        near = [surface for surface in self.surfaces if path.startswith(f"{surface.prefix}/")]
        return max(near, key=lambda surface: len(surface.prefix)).problems if near else detail_problems()
