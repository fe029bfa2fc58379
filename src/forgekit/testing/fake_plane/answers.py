"""What a handler is given and what it gives back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from forgekit.testing.loopback import Answer

if TYPE_CHECKING:
    from forgekit.testing.fake_plane.world import World

Row = dict[str, Any]
"""A thing as Plane's database and JSON have it."""

NOT_FOUND = {"error": "The requested resource does not exist."}
NO_PAGE = {"error": "Page not found."}
FORBIDDEN = {"detail": "You do not have permission to perform this action."}
BROKEN = {"error": "Something went wrong please try again later"}


class Refusal(Exception):
    """An answer that ends the handling of a request."""

    def __init__(self, status: int, body: Any) -> None:
        """Keep the answer."""
        super().__init__(status)
        self.answer = Answer(status, body)


def not_found() -> Refusal:
    """Return the 404 of a thing that does not exist."""
    return Refusal(404, NOT_FOUND)


def invalid(message: str) -> Refusal:
    """Return the 400 of a rule that is about no single field."""
    return Refusal(400, {"non_field_errors": [message]})


@attrs.frozen(kw_only=True)
class Request:
    """A request that passed authentication, permission and rate limit.

    Attributes:
        world: The data.
        method: In capitals.
        ids: The parts of the path that are not fixed; ``project`` is an id that exists.
        query: The query; the last of equal names.
        user: Who asks.
        content_type: Of the body, without parameters.
        body: The exact bytes.

    """

    world: World
    method: str
    ids: Mapping[str, str]
    query: Mapping[str, str]
    user: Row
    content_type: str = ""
    body: bytes = b""

    def data(self) -> Row:
        """Return the body as an object.

        Raises:
            Refusal: It is not JSON, or not an object.

        """
        if not self.body:
            return {}
        if self.content_type != "application/json":
            raise Refusal(415, {"detail": f'Unsupported media type "{self.content_type}" in request.'})
        try:
            data = json.loads(self.body)
        except ValueError as error:
            raise Refusal(400, {"detail": f"JSON parse error - {error}"}) from None
        if not isinstance(data, dict):
            kind = type(data).__name__
            raise invalid(f"Invalid data. Expected a dictionary, but got {kind}.")
        return data
