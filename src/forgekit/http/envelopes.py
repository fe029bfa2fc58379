"""What stands around an operation's value in its answer."""

from __future__ import annotations

from typing import Any, Protocol

import attrs


class Envelope(Protocol):
    """Wraps every value that a surface's operations return, and says so in the OpenAPI document."""

    def wrap(self, value: Any, status: int) -> Any:
        """Give what is rendered: plain values or attrs objects."""

    def schema(self, inner: dict[str, Any]) -> dict[str, Any]:
        """Give the JSON Schema of `wrap`'s result, from the schema of the value."""


@attrs.frozen
class Bare:
    """No envelope: the value itself."""

    def wrap(self, value: Any, status: int) -> Any:  # noqa: ARG002 - the port's signature
        """Give the value."""
        return value

    def schema(self, inner: dict[str, Any]) -> dict[str, Any]:
        """Give the value's schema."""
        return inner
