"""Filters, pages and the cap of lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from forgekit.testing.fake_github.world import Run

_T = TypeVar("_T")

_SEARCHES = frozenset({"actor", "branch", "check_suite_id", "created", "event", "head_sha", "status"})
_BEGINNING, _END = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_MOST = 100
_USUAL = 30


class Refusal(Exception):
    """An answer that ends the handling of a request."""

    def __init__(self, status: int, message: str) -> None:
        """Keep the answer."""
        super().__init__(message)
        self.status = status
        self.message = message


def is_search(query: Mapping[str, str]) -> bool:
    """Tell whether a list is a search, of which no more is shown than the cap."""
    return not _SEARCHES.isdisjoint(query)


def filtered(runs: Sequence[Run], query: Mapping[str, str]) -> list[Run]:
    """Return the runs that a query asks for."""
    kept = list(runs)
    if "branch" in query:
        kept = [run for run in kept if run.branch == query["branch"]]
    if "event" in query:
        kept = [run for run in kept if run.event == query["event"]]
    if "actor" in query:
        kept = [run for run in kept if run.actor == query["actor"]]
    if "head_sha" in query:
        kept = [run for run in kept if run.sha == query["head_sha"]]
    if "status" in query:
        kept = [run for run in kept if query["status"] in (run.last.status, run.last.conclusion)]
    if "created" in query:
        low, high = _window(query["created"])
        kept = [run for run in kept if low <= run.created_at <= high]
    return kept


def _window(text: str) -> tuple[datetime, datetime]:
    """Return the first and the last moment of a window, both within it."""
    low, dots, high = text.partition("..")
    if dots:
        return _moment(low, first=True), _moment(high, first=False)
    if text.startswith(">="):
        return _moment(text[2:], first=True), _moment("*", first=False)
    if text.startswith("<="):
        return _moment("*", first=True), _moment(text[2:], first=False)
    return _moment(text, first=True), _moment(text, first=False)


def _moment(text: str, *, first: bool) -> datetime:
    if text == "*":
        return _BEGINNING if first else _END
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(422, "The listed dates cannot be read.") from None
    whole_day = "T" not in text and not first
    moment = moment.replace(hour=23, minute=59, second=59) if whole_day else moment
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def page(things: Sequence[_T], query: Mapping[str, str], *, cap: int | None) -> Sequence[_T]:
    """Return a page of things.

    Raises:
        Refusal: It is behind the cap.

    """
    size = min(_number(query.get("per_page"), _USUAL), _MOST)
    start = (_number(query.get("page"), 1) - 1) * size
    if cap is not None and start >= cap:
        raise Refusal(422, f"Only the first {cap} results of a search are available.")
    return things[start : min(start + size, len(things) if cap is None else cap)]


def _number(text: str | None, usual: int) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() and int(text) > 0 else usual
