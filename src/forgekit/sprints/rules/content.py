"""What an import takes over from a tracker's item."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence

from forgekit.errors import InvalidInput
from forgekit.sprints.models import TrackerItem
from forgekit.work.rules import LONGEST_NAME

LONGEST_CYCLE_ID = 100

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")

_UNSAFE_IN_ID = set("/\\?#%")

_CRITERIA = re.compile(
    r"^(?:(?:#+\s*)?(?:acceptance criteria|ac|definition of done|dod)\s*:(?P<rest>.*)"
    r"|#+\s*(?:acceptance criteria|ac|definition of done|dod)\b.*"
    r"|(?:acceptance criteria|definition of done))$",
    re.IGNORECASE,
)
"""What follows a colon is a criterion; what follows without one belongs to a heading, or to a sentence, which is no heading."""

_HEADING = re.compile(r"^#+\s|^[^-*+•\d\s][^:]{0,60}:$")
_BOX = re.compile(r"^[-*+•]\s*\[[ xX]\]\s*(?P<text>.*)$")
_LIST = re.compile(r"^(?:[-*+•]|\d{1,4}[.)])\s+(?P<text>.*)$")
_GIVEN = re.compile(r"^(?:given|when|then)\b", re.IGNORECASE)
_AND = re.compile(r"^(?:and|but)\b", re.IGNORECASE)


def check_cycle_id(cycle_id: str) -> str:
    """Return ``cycle_id`` when it may be put into a tracker's address: 1 to 100 printable characters, none that splits one.

    Raises:
        InvalidInput: It may not.

    """
    safe = cycle_id.isprintable() and not _UNSAFE_IN_ID & set(cycle_id) and cycle_id.strip() == cycle_id
    if not (safe and len(cycle_id) <= LONGEST_CYCLE_ID and cycle_id.strip(".")):
        message = "A cycle's id is 1 to 100 printable characters without spaces around it, '/', '\\', '?', '#' or '%'."
        raise InvalidInput(message, problems=[{"pointer": "/cycle_id", "message": message}])
    return cycle_id


def clean(text: str) -> str:
    """Return ``text`` without what a database cannot hold, or a terminal obeys: halves of surrogate pairs, control characters."""
    return _CONTROLS.sub(" ", text).encode("utf-8", "replace").decode("utf-8")


def clean_line(text: str, longest: int = LONGEST_NAME) -> str:
    """Return ``text`` as one clean line of at most ``longest`` characters."""
    return " ".join(clean(text).split())[:longest].rstrip()


def content_hash(item: TrackerItem) -> str:
    """Return a hash of what an import takes over, apart from the state, which ``Link.group`` holds.

    A tracker's ``updated_at`` moves for comments, links, edits of nothing and our own writes; this does not. Order in the sprint is
    not content.
    """
    content = [item.name, item.description, item.priority, item.category, item.parent_id]
    return hashlib.sha256(json.dumps(content, separators=(",", ":")).encode()).hexdigest()


def steps(name: str, description: str) -> tuple[str, ...]:
    """Return how to see that an item is done, one line each.

    The first of these that yields something: acceptance criteria (lines below a heading "Acceptance Criteria", "AC:", "Definition
    of Done" or "DoD:", boxes, and Given/When/Then lines wherever they stand); list lines; the description; the name.
    """
    lines = [line.strip() for line in description.splitlines()]
    found = list(_criteria(lines)) or [match["text"] for line in lines if (match := _LIST.match(line)) and match["text"]]
    if not found:
        found = [description.strip() or name]
    return tuple(dict.fromkeys(found))


def _criteria(lines: Sequence[str]) -> Iterator[str]:
    inside = False
    gherkin = False
    for line in lines:
        header = _CRITERIA.match(line)
        box = _BOX.match(line)
        gherkin = bool(_GIVEN.match(line)) or (gherkin and bool(_AND.match(line)))
        if header:
            inside = True
            found = (header["rest"] or "").strip(" *:")
        elif box:
            found = box["text"]
        elif gherkin:
            found = line
        elif _HEADING.match(line):
            inside = False
            continue
        else:
            found = _without_bullet(line) if inside else ""
        if found:
            yield found


def _without_bullet(line: str) -> str:
    match = _LIST.match(line)
    return match["text"] if match else line
