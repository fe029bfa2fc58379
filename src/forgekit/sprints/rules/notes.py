"""The texts of a completed sprint: release notes, retrospective, comments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

import attrs

from forgekit.sprints.models import Sprint, SprintStatistics
from forgekit.sprints.rules.completing import summary
from forgekit.sprints.rules.content import clean_line

_SPECIAL = re.compile(r"([\\`*_{}\[\]#+!|~$@:]|(?<=www)\.)", re.IGNORECASE)


@attrs.frozen(kw_only=True)
class DoneItem:
    """A work item as the notes show it.

    Attributes:
        number: Its number.
        name: Its name, as the tracker has it.
        total: Its test runs.
        passed: How many of those passed.

    """

    number: int
    name: str
    total: int = 0
    passed: int = 0


def escape(text: str) -> str:
    """Return ``text`` as one line that Markdown shows as it stands: no markup, link, mention or HTML survives."""
    line = clean_line(text, longest=10_000).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", line)


def note_marker(sprint_id: str) -> str:
    """Return the comment by which a notes file is recognised as this sprint's."""
    return f"<!-- forgekit sprint {sprint_id} -->"


def release_notes(
    sprint: Sprint, statistics: SprintStatistics, items: Sequence[DoneItem], *, tag: str | None, change_log: str, on: date
) -> str:
    """Return the release notes in Markdown, retrospective included: the tracker may refuse to keep it."""
    dates = f"{sprint.starts_on} to {sprint.ends_on}" if sprint.starts_on and sprint.ends_on else "no dates"
    parts = [
        f"# {escape(sprint.name)}",
        note_marker(sprint.id),
        f"Completed on {on}, {dates}.{f' Tag `{tag}`.' if tag else ''}",
        "## Work items",
        "\n".join(f"- **\\#{item.number}** {escape(item.name)}" for item in items),
    ]
    if change_log:
        # An indented block is code to Markdown: a commit's subject cannot end it.
        parts += ["## Changes", "\n".join(f"    {line}" for line in change_log.splitlines())]
    parts += ["## Retrospective", summary(statistics)]
    return "\n\n".join(parts) + "\n"


def retrospective(sprint: Sprint, statistics: SprintStatistics, items: Sequence[DoneItem], *, tag: str | None, on: date) -> str:
    """Return the retrospective as plain text for the tracker."""
    troubled = [item for item in items if item.passed < item.total]
    lines = [f"Retrospective of {clean_line(sprint.name)}, completed on {on}.", summary(statistics)]
    if troubled:
        lines.append("Failed runs on the way: " + ", ".join(f"#{item.number} ({item.total - item.passed})" for item in troubled) + ".")
    if tag:
        lines.append(f"Tag: {tag}")
    return "\n".join(lines)


def comment(sprint: Sprint, item: DoneItem, *, tag: str | None) -> str:
    """Return the comment on one work item as plain text."""
    runs = f" {item.passed} of {item.total} test runs passed." if item.total else ""
    return f"{clean_line(sprint.name)} is completed: this work item passes.{runs}{f' Tag: {tag}' if tag else ''}"
