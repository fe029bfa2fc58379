"""When a sprint is done, and what its mark in git is called."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime

from forgekit.sprints.models import Completion, Sprint, SprintStatistics
from forgekit.sprints.ports import CompletionRule, SprintFacts

LONGEST_SLUG = 60
MOST_LINES = 50
"""Lines of a change log."""

_NAMED = 5
"""So many work items are named in a refusal."""

_OTHER = re.compile(r"[^a-z0-9]+")


def refusal(facts: SprintFacts) -> str | None:
    """Return why the sprint is not done by the Definition of Done that always holds: there are work items, and each one passes."""
    failing = [item for item in facts.items if not item.passing]
    if not facts.items:
        return "The sprint has no work items."
    if not failing:
        return None
    names = ", ".join(f"#{item.number} {item.name}" for item in failing[:_NAMED])
    more = f" and {len(failing) - _NAMED} more" if len(failing) > _NAMED else ""
    return f"{len(failing)} of {len(facts.items)} work items do not pass: {names}{more}."


def refusals(facts: SprintFacts, rules: Mapping[str, CompletionRule]) -> list[str]:
    """Return every reason against completing the sprint, the built-in rule's first, then by the rules' names."""
    reasons = [refusal(facts), *(rules[name](facts) for name in sorted(rules))]
    return [reason for reason in reasons if reason]


def slug(text: str) -> str:
    """Return ``text`` as lower-case ASCII letters, digits and single hyphens; empty where nothing is left.

    That is less than ``git check-ref-format`` allows, and safe as a file's name everywhere.
    """
    plain = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode().lower()
    return _OTHER.sub("-", plain).strip("-")[:LONGEST_SLUG].strip("-")


def slugs(sprint: Sprint) -> list[str]:
    """Return what a sprint's tag and notes may be called, best first: an empty or taken slug gets the cycle's id, then our own."""
    name = slug(sprint.name)
    ids = [found for found in (slug(sprint.external_id or ""), slug(sprint.id)) if found]
    joined = [f"{name}-{found}" for found in ids] if name else ids
    return list(dict.fromkeys([name, *joined] if name else joined))


def is_free(completion: Completion, owner: str, now: datetime) -> bool:
    """Tell whether ``owner`` may work on the completion: nobody else does, or whoever did is not believed to be alive."""
    return completion.owner in {"", owner} or completion.lease_until is None or completion.lease_until <= now


def summary(statistics: SprintStatistics) -> str:
    """Return a sprint in numbers, as one sentence or two."""
    items = f"{statistics.passing} of {statistics.total} work items pass."
    if not statistics.test_runs:
        return f"{items} No test runs were recorded."
    return f"{items} {statistics.passed_runs} of {statistics.test_runs} test runs passed ({statistics.pass_rate} %)."
