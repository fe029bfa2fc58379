"""``POST /builds``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import attrs
from attrs import validators

from forgekit.builds.models import GREATEST, BuildRecord
from forgekit.builds.reading.strict import MAX_NAME, MAX_URL, MOST_PROBLEMS, parse_strictly
from forgekit.errors import InvalidInput
from forgekit.http import shaped
from forgekit_surfaces.builds.contract import CALLS, surface
from forgekit_surfaces.fields import text

if TYPE_CHECKING:
    from forgekit import Forge

MOST_BUILDS = 10_000
"""Builds in one batch."""

MAX_BODY = 16_000_000
"""Bytes of a batch; more is 413."""

_name = text(MAX_NAME)
_optional_name: Any = validators.optional(_name)
_optional_address = validators.optional(text(MAX_URL))
_optional_count = validators.optional(validators.and_(validators.ge(0), validators.le(GREATEST)))
_optional_ordinal: Any = validators.optional(validators.and_(validators.ge(1), validators.le(GREATEST)))


@attrs.frozen(kw_only=True)
class NewBuild:
    """One attempt of a build, as the document shows it; ``parse_strictly`` reads it, in a tenth of the codec's time.

    A time without an offset is UTC. ``started_at`` is required unless the status is ``queued``.
    """

    build_id: str = attrs.field(validator=_name)
    project: str = attrs.field(validator=_name)
    status: Literal["passed", "failed", "errored", "canceled", "cancelled", "running", "queued"]
    started_at: datetime | None = None
    duration_seconds: float | None = attrs.field(default=None, validator=_optional_count)
    branch: str | None = attrs.field(default=None, validator=_optional_name)
    commit: str | None = attrs.field(default=None, validator=_optional_name)
    workflow: str | None = attrs.field(default=None, validator=_optional_name)
    attempt: int | None = attrs.field(default=1, validator=_optional_ordinal)
    event: str | None = attrs.field(default=None, validator=_optional_name)
    actor: str | None = attrs.field(default=None, validator=_optional_name)
    queued_at: datetime | None = None
    finished_at: datetime | None = None
    language: str | None = attrs.field(default=None, validator=_optional_name)
    tests_run: int | None = attrs.field(default=None, validator=_optional_count)
    tests_failed: int | None = attrs.field(default=None, validator=_optional_count)
    url: str | None = attrs.field(default=None, validator=_optional_address)
    provider: str | None = attrs.field(default="api", validator=_optional_name)


@attrs.frozen(kw_only=True)
class Batch:
    """Builds in any order; the same build may be in it twice."""

    builds: list[Any] = attrs.field(
        validator=validators.and_(validators.min_len(1), validators.max_len(MOST_BUILDS)), metadata=shaped(list[NewBuild])
    )


@attrs.frozen
class BatchQuery:
    """Whether the good builds of a batch are stored where others are bad."""

    partial: bool = False


@attrs.frozen(kw_only=True)
class FieldError:
    """What is wrong, and where: a JSON pointer into the body."""

    pointer: str
    message: str


@attrs.frozen(kw_only=True)
class BatchAnswer:
    """What became of a batch."""

    accepted: int
    updated: int
    duplicates: int
    errors: list[FieldError]


@surface.op("POST", "/builds", status=201, errors=(400, 413), limit=CALLS.name, max_body=MAX_BODY)
def submit_builds(forge: Forge, params: BatchQuery, body: Batch) -> BatchAnswer:
    """Store a batch of builds: all of them, or none where one is wrong; with ``partial`` the good ones."""
    places, builds, problems = _read(body.builds, partial=params.partial)
    if problems and not params.partial:
        raise _refused(problems)

    def note(error: InvalidInput) -> None:
        problems.extend(_placed(places[error.data["row"] - 1], error))

    with forge.transaction() as tx:
        done = forge.builds.submit(builds, on_error=note, tx=tx)
        if problems and not params.partial:
            raise _refused(problems)
    told = [FieldError(**problem) for problem in problems]
    return BatchAnswer(accepted=done.accepted, updated=done.updated, duplicates=done.duplicates, errors=told)


def _read(rows: Sequence[Any], *, partial: bool) -> tuple[list[int], list[BuildRecord], list[dict[str, str]]]:
    """Return the places of the good builds, these builds, and what is wrong with the others.

    Beyond ``MOST_PROBLEMS`` a refusal tells no more; where the good ones are stored, it tells one thing of each other build.
    """
    places, builds, problems = list[int](), list[BuildRecord](), list[dict[str, str]]()
    for place, row in enumerate(rows):
        try:
            builds.append(parse_strictly(row))
        except InvalidInput as wrong:
            full = len(problems) >= MOST_PROBLEMS
            if full and not partial:
                break
            problems += _placed(place, wrong)[: 1 if full else None]
        else:
            places.append(place)
    return places, builds, problems


def _placed(place: int, error: InvalidInput) -> list[dict[str, str]]:
    return [{**problem, "pointer": f"/builds/{place}{problem['pointer']}"} for problem in error.data["problems"]]


def _refused(problems: list[dict[str, str]]) -> InvalidInput:
    return InvalidInput("Some builds cannot be taken; nothing was stored.", problems=problems[:MOST_PROBLEMS])
