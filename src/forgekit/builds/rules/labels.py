"""Labels of roll-ups as text: JSON objects have text for keys, and nothing else is as quick to read, to add up and to write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from forgekit.builds.rules.tally import Measure

BETWEEN = "|"
"""What stands between labels: a character that JSON writes as it is."""

_ESCAPES = str.maketrans({"\\": "\\\\", BETWEEN: "\\u"})

_TEXT, _NUMBER = str, int
_KINDS: Mapping[Measure, tuple[type, ...]] = {
    Measure.BUILDS: (_TEXT,),
    Measure.LANGUAGES: (_TEXT,),
    Measure.DURATIONS: (_TEXT, _NUMBER),
    Measure.QUEUE: (_NUMBER,),
    Measure.TESTS: (_TEXT, _TEXT),
    Measure.MINUTES: (_TEXT,),
    Measure.HEAT: (_NUMBER, _NUMBER),
    Measure.ESTIMATED: (),
    Measure.JOBS: (_TEXT, _TEXT),
    Measure.JOB_DURATIONS: (_TEXT, _NUMBER),
    Measure.CRITICAL: (_TEXT,),
    Measure.STEPS: (_TEXT, _TEXT, _NUMBER),
    Measure.VARIANTS: (_TEXT,),
    Measure.EDGES: (_TEXT, _TEXT, _NUMBER),
    Measure.SPELLS: (_TEXT, _TEXT),
    Measure.OBSERVED: (_TEXT,),
    Measure.COMMITS: (_TEXT,),
    Measure.RUNS: (_TEXT,),
}
"""What the labels of each measure are. What is open is no roll-up: it is looked up where the builds and their timelines are."""

ROLLED_UP = frozenset(_KINDS)
"""The measures that roll-ups are made of."""


@lru_cache(maxsize=65_536)  # most labels come again and again
def to_text(labels: tuple[Any, ...]) -> str:
    """Return labels as one text; ``from_text`` gives them back."""
    whole = BETWEEN.join(map(str, labels))
    if "\\" in whole or whole.count(BETWEEN) >= len(labels):
        return BETWEEN.join(str(label).translate(_ESCAPES) for label in labels)
    return whole


def from_text(measure: Measure) -> Callable[[str], tuple[Any, ...]]:
    """Return what reads a measure's labels back."""
    kinds = _KINDS[measure]
    if not kinds:
        return lambda _: ()
    if kinds == (_NUMBER,):
        return lambda text: (int(text),)
    if kinds == (_TEXT, _NUMBER):
        return _text_and_number
    if kinds == (_TEXT, _TEXT, _NUMBER):
        return _two_texts_and_number

    def read(text: str) -> tuple[Any, ...]:
        return tuple(kind(_plain(part)) for kind, part in zip(kinds, text.split(BETWEEN), strict=True))

    return read


def _text_and_number(text: str) -> tuple[Any, ...]:
    # Durations are the most of all labels.
    label, _, number = text.rpartition(BETWEEN)
    return _plain(label), int(number)


def _two_texts_and_number(text: str) -> tuple[Any, ...]:
    # What follows what is next to that: thousands of labels, read at every question.
    one, other, number = text.split(BETWEEN)
    return _plain(one), _plain(other), int(number)


def _plain(part: str) -> str:
    if "\\" not in part:
        return part
    return "\\".join(piece.replace("\\u", BETWEEN) for piece in part.split("\\\\"))
