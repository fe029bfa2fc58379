"""What every reader of this package is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from forgekit.builds.models import BuildRecord
from forgekit_ci._look import Look

Payload = Mapping[str, Any]


@attrs.frozen(kw_only=True)
class Reader:
    """Reads one system's webhooks; a ``forgekit.builds.ports.BuildReader``.

    Attributes:
        system: Its name, for people.
        claims: Whether a body is this system's; told by the body alone, since events may come without a name.
        tell: What a body of its own tells.

    """

    system: str
    claims: Callable[[Payload], bool]
    tell: Callable[[Look], Sequence[BuildRecord]]

    def read(self, event: str, payload: Payload, /) -> Sequence[BuildRecord] | None:  # noqa: ARG002 - the body says it too
        """Return what a webhook tells of builds; see ``BuildReader.read``."""
        if not self.claims(payload):
            return None
        look = Look(payload, self.system)
        found = self.tell(look)
        look.check()
        return found


def object_at(payload: Payload, name: str) -> Payload:
    """Return the object that a member is; an empty one where it is anything else."""
    value = payload.get(name)
    return value if isinstance(value, Mapping) else {}


def text_at(payload: Payload, name: str) -> str:
    """Return the text that a member is; an empty one where it is anything else."""
    value = payload.get(name)
    return value if isinstance(value, str) else ""
