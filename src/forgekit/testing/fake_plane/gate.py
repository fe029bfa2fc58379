"""What stands before every handler: body size, route, key, permission, rate limit, in Plane's order."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping

import attrs

from forgekit.testing.fake_plane import directory, routes
from forgekit.testing.fake_plane.answers import FORBIDDEN, Refusal, Request, Row
from forgekit.testing.fake_plane.world import World
from forgekit.testing.loopback import MAX_BODY, Answer, RawRequest

_TOO_LARGE = {"error": "REQUEST_BODY_TOO_LARGE", "detail": "The size of the request body exceeds the maximum allowed size."}
_PREFIX = "/api/v1/"


class RateLimit:
    """A sliding window a key, as Plane keeps it: what is refused is not counted."""

    def __init__(self, calls: int | None, window: float) -> None:
        """Allow ``calls`` in ``window`` seconds; None for any number."""
        self.calls = calls
        self.window = window
        self._taken: dict[str, deque[float]] = defaultdict(deque)

    def take(self, key: str, now: float) -> dict[str, str]:
        """Count a call and return the headers that tell of it.

        Raises:
            Refusal: The window is full.

        """
        if self.calls is None:
            return {}
        taken = self._taken[key]
        while taken and taken[0] <= now - self.window:
            taken.popleft()
        if len(taken) >= self.calls:
            refusal = Refusal(429, {"error_code": 5900, "error_message": "RATE_LIMIT_EXCEEDED"})
            wait = str(int(taken[0] + self.window - now))
            refusal.answer = attrs.evolve(refusal.answer, headers={"retry-after": wait})
            raise refusal
        taken.append(now)
        # The reset that Plane tells is not when a slot is free, but always a whole window from now.
        return {"x-ratelimit-remaining": str(self.calls - len(taken)), "x-ratelimit-reset": str(int(now + self.window))}

    def forget(self) -> None:
        """Open every window."""
        self._taken.clear()


@attrs.define(kw_only=True)
class Gate:
    """Decides whether a request reaches its handler, and calls it.

    Attributes:
        world: The data.
        keys: The user of each valid key.
        limit: The rate limit.
        tells_version: Whether the server tells its version.
        url: Its own address.

    """

    world: World
    keys: dict[str, Row]
    limit: RateLimit
    tells_version: bool = True
    url: str = ""

    def answer(self, raw: RawRequest) -> Answer:
        """Return the answer to a request."""
        try:
            return self._answer(raw)
        except Refusal as refusal:
            return refusal.answer

    def _answer(self, raw: RawRequest) -> Answer:
        if len(raw.body) > MAX_BODY:
            raise Refusal(413, _TOO_LARGE)
        if raw.path == "/api/instances/" and self.tells_version and raw.method == "GET":
            return directory.instance(self.world, self.url)
        try:
            route, ids = routes.find(raw.path.removeprefix(_PREFIX) if raw.path.startswith(_PREFIX) else "", self.world.version)
        except Refusal:
            return self._elsewhere(raw.path)
        try:
            key, user = self._authenticate(raw)
            self._permit(ids, user, detail=route.handlers.get("GET") is directory.get_project)
            counted = self.limit.take(key, self.world.now().timestamp())
            answer = self._handle(route, ids, user, raw)
        except Refusal as refusal:
            counted, answer = {}, refusal.answer
        return attrs.evolve(answer, headers={"allow": route.allow, **counted, **answer.headers})

    def _elsewhere(self, path: str) -> Answer:
        """Return the answer to a path without a route: a redirect where it lacks nothing but its last slash."""
        if not path.endswith("/"):
            routes.find(path.removeprefix(_PREFIX) + "/", self.world.version)
            return Answer(301, headers={"location": path + "/"})
        routes.find("", self.world.version)
        raise AssertionError  # the line above refuses

    def _authenticate(self, raw: RawRequest) -> tuple[str, Row]:
        key = raw.headers.get("x-api-key")
        if not key:
            raise Refusal(401, {"detail": "Authentication credentials were not provided."})
        if key not in self.keys:
            raise Refusal(403, {"detail": "Given API token is not valid"})
        return key, self.keys[key]

    def _permit(self, ids: Mapping[str, str], user: Row, *, detail: bool) -> None:
        """Refuse who is not in the workspace, or not in the project; a project that does not exist has no members."""
        if "slug" not in ids:
            return
        outsider = user["id"] == self.world.users["mallory"]["id"]
        if ids["slug"] != self.world.workspace or outsider:
            raise Refusal(403, FORBIDDEN)
        if "project" in ids and not detail and (user["id"] != self.world.owner_id or ids["project"] not in self.world.projects):
            raise Refusal(403, FORBIDDEN)

    def _handle(self, route: routes.Route, ids: Mapping[str, str], user: Row, raw: RawRequest) -> Answer:
        handler = route.handlers.get(raw.method)
        if handler is None:
            return Answer(405, {"detail": f'Method "{raw.method}" not allowed.'})
        kind = raw.headers.get("content-type", "").partition(";")[0].strip()
        request = Request(world=self.world, method=raw.method, ids=ids, query=raw.query, user=user, content_type=kind, body=raw.body)
        try:
            return handler(request)
        except Refusal as refusal:
            return refusal.answer
