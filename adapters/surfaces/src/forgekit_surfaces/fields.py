"""What fields of requests hold, checked and told in the document."""

from __future__ import annotations

from typing import Any

from attrs import validators


def text(longest: int) -> Any:
    """Return what checks that a text has from 1 to ``longest`` characters."""
    return validators.and_(validators.min_len(1), validators.max_len(longest))
