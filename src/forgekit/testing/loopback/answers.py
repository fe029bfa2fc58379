"""A request as it came in, and the answer that goes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs


@attrs.frozen
class Answer:
    """A status and a JSON body; None for an empty one."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = attrs.field(factory=dict, kw_only=True)


@attrs.frozen(kw_only=True)
class RawRequest:
    """A request as it came in.

    Attributes:
        method: In capitals.
        path: Without the query.
        query: The last of equal names.
        headers: By lower-case name.
        body: The exact bytes.

    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
