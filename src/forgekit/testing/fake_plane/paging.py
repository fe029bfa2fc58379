"""Pages, ordering, ``fields`` and ``expand``, with Plane's traps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from forgekit.testing.fake_plane.answers import BROKEN, Refusal, Row
from forgekit.testing.loopback import Answer

MAX_PER_PAGE = 1000
_PRIORITIES = ("urgent", "high", "medium", "low", "none")


def _per_page(text: str | None) -> int:
    try:
        limit = int(text) if text is not None else MAX_PER_PAGE
    except ValueError:
        raise Refusal(400, {"detail": "Invalid per_page parameter."}) from None
    if limit > MAX_PER_PAGE:
        raise Refusal(400, {"detail": f"Invalid per_page value. Cannot exceed {MAX_PER_PAGE}."})
    if limit < 1:
        raise Refusal(500, BROKEN)
    return limit


def _page_number(cursor: str | None) -> int:
    """Return the page that a cursor names; its own limit is ignored, which is what loses data without ``per_page``."""
    if cursor is None:
        return 0
    try:
        _limit, number, _is_prev = (int(part) for part in cursor.split(":"))
    except ValueError:
        raise Refusal(400, {"detail": "Invalid cursor parameter."}) from None
    if number < 0:
        raise Refusal(400, {"detail": "Error in parsing"})
    return number


def page(rows: Sequence[Row], query: Mapping[str, str], render: Callable[[Row], Row]) -> Answer:
    """Return the page of ``rows`` that the query asks for; only its own rows are rendered."""
    limit, number = _per_page(query.get("per_page")), _page_number(query.get("cursor"))
    results = [render(row) for row in rows[number * limit : (number + 1) * limit]]
    return Answer(
        200,
        {
            "grouped_by": None,
            "sub_grouped_by": None,
            "total_count": len(rows),
            "next_cursor": f"{limit}:{number + 1}:0",
            "prev_cursor": f"{limit}:{number - 1}:1",
            "next_page_results": (number + 1) * limit < len(rows),
            "prev_page_results": number > 0,
            "count": len(results),
            "total_pages": -(-len(rows) // limit),
            "total_results": len(rows),
            "extra_stats": None,
            "results": results,
        },
    )


def order(rows: Sequence[Row], by: str, groups: Mapping[str, str]) -> list[Row]:
    """Sort work items; ``groups`` is each state's group.

    Raises:
        Refusal: There is no such field, which the server takes for its own fault.

    """
    name = by.removeprefix("-")

    def key(row: Row) -> tuple[bool, Any]:
        if name == "state__group":
            return False, groups[row["state"]]
        value = row[name]
        if name == "priority":
            return False, _PRIORITIES.index(value)
        return value is None, value

    if rows and name != "state__group" and isinstance(rows[0].get(name, []), list | dict):
        raise Refusal(500, BROKEN)
    return sorted(rows, key=key, reverse=by.startswith("-"))


def trim(row: Row, query: Mapping[str, str]) -> Row:
    """Return the row with nothing but the ``fields`` asked for; all of them when none are named."""
    fields = [name for name in query.get("fields", "").split(",") if name]
    return {key: value for key, value in row.items() if key in fields} if fields else dict(row)


def expand(row: Row, query: Mapping[str, str], expansions: Mapping[str, Callable[[Any], Any]]) -> Row:
    """Replace ids by what they name, for each known name in ``expand`` that the row still has."""
    for name in query.get("expand", "").split(","):
        if name in row and name in expansions:
            row[name] = expansions[name](row[name])
    return row
