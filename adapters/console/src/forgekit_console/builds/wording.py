"""How an import stands, in words; moments in them are ``<time>`` elements, which the script tells in the reader's own zone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

import attrs
from markupsafe import Markup, escape

from forgekit import errors
from forgekit.builds.imports import UNFINISHED, BuildImport, ImportStatus
from forgekit.builds.rendering.wording import one_line
from forgekit_console.rendering import clock

UNTAKEN = timedelta(seconds=20)
"""After which time an import that nobody took up makes one wonder whether a worker runs."""

SOON = timedelta(seconds=30)
"""An import that waits no longer than this is watched as one that runs."""

_LIMITS = frozenset({errors.RemoteRateLimited.code, errors.BudgetExhausted.code})

_ADVICE: Mapping[str, str] = {
    errors.RemoteNotFound.code: "Is the name right? Private repositories are seen with a token alone (GITHUB_TOKEN).",
    errors.RemoteUnauthorized.code: "Set another one as GITHUB_TOKEN, start the host again, and try again here.",
    errors.RemoteForbidden.code: "May the token read Actions of this repository?",
    errors.RemoteMalformed.code: "Does GITHUB_API_URL lead to a GitHub?",
}

_TONES: Mapping[ImportStatus, str] = {
    ImportStatus.QUEUED: "off",
    ImportStatus.RUNNING: "good",
    ImportStatus.WAITING: "warn",
    ImportStatus.DONE: "good",
    ImportStatus.FAILED: "bad",
}


@attrs.frozen(kw_only=True)
class ImportView:
    """An import as the page shows it.

    Attributes:
        one: The import.
        words: How it stands; HTML.
        running: Whether it comes on, now or in a moment.

    """

    one: BuildImport
    words: Markup
    running: bool

    @property
    def name(self) -> str:
        """What is imported."""
        return one_line(self.one.project)

    @property
    def scope(self) -> str:
        """Which of its builds."""
        one = self.one
        parts = [
            one.branch and f"branch {one_line(one.branch)}",
            one.workflow and f"workflow {one_line(one.workflow)}",
            one.since and f"from {one.since:%Y-%m-%d} on",
            "with jobs" if one.jobs else "",
        ]
        return ", ".join(part for part in parts if part) or "all branches and workflows"

    @property
    def tone(self) -> str:
        """The colour of the words."""
        return "warn" if self.one.status is ImportStatus.DONE and self.one.complete is False else _TONES[self.one.status]

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.one.status in {ImportStatus.DONE, ImportStatus.FAILED}

    @property
    def since(self) -> str:
        """The day from which on it imports, as the form has it."""
        return "" if self.one.since is None else f"{self.one.since:%Y-%m-%d}"


def told(one: BuildImport, now: datetime) -> ImportView:
    """Return an import in words."""
    soon = one.retry_at is None or one.retry_at - now < SOON
    return ImportView(one=one, words=_WORDS[one.status](one, now), running=one.status in UNFINISHED and soon)


def _queued(one: BuildImport, now: datetime) -> Markup:
    late = now - one.requested_at >= UNTAKEN
    return Markup("Nobody has taken it up yet. Does a worker run?") if late else Markup("It begins in a moment.")


def _running(one: BuildImport, _now: datetime) -> Markup:
    if one.total is None and not one.fetched:
        return Markup("Asking GitHub")
    count = f"{one.fetched:,}" if one.total is None else f"{one.fetched:,} of {one.total:,}"
    return escape(f"Fetching {count}: runs, then the jobs of each" if one.jobs else f"Fetching {count} runs")


def _waiting(one: BuildImport, now: datetime) -> Markup:
    at = clock(one.retry_at or now)
    if one.code in _LIMITS:
        advice = " Without a token GitHub allows 60 calls an hour." if one.code == errors.RemoteRateLimited.code else ""
        return Markup("Limit reached until {}. The import goes on by itself then.{}").format(at, advice)
    if one.code == errors.Conflict.code:
        return Markup("The same is being imported already. This one looks again at {}.").format(at)
    return Markup("{} The next try is at {}.").format(_sentence(one.error), at)


def _done(one: BuildImport, _now: datetime) -> Markup:
    brought = f"{one.accepted:,} new, {one.updated:,} changed, {one.duplicates:,} known."
    if one.complete is False:
        brought += " GitHub counts more runs than it showed: import again for the rest."
    elif not one.fetched:
        brought = "There was nothing new."
    return escape(brought)


def _failed(one: BuildImport, _now: datetime) -> Markup:
    return escape(f"{_sentence(one.error)} {_ADVICE.get(one.code or '', '')}".strip())


def _sentence(text: str | None) -> str:
    # Parts of it are what GitHub said; the network's own errors begin with the source's name.
    plain = re.sub(r"^github\b", "GitHub", one_line(text or "Something went wrong", longest=400))
    return plain if plain.endswith((".", "!", "?")) else f"{plain}."


_WORDS = {
    ImportStatus.QUEUED: _queued,
    ImportStatus.RUNNING: _running,
    ImportStatus.WAITING: _waiting,
    ImportStatus.DONE: _done,
    ImportStatus.FAILED: _failed,
}
