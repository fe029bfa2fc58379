"""From a path to an operation: the most specific pattern wins, segment by segment from the left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

import attrs

from forgekit import errors

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Found(Generic[T]):
    """What stands at a path: one target a method, and the values of the pattern's parameters in their order."""

    methods: Mapping[str, T]
    values: tuple[str, ...]

    @property
    def allow(self) -> str:
        """The value of the Allow header."""
        names = {*self.methods, "OPTIONS"}
        return ", ".join(sorted(names | {"HEAD"} if "GET" in names else names))


@attrs.define
class _Node(Generic[T]):
    fixed: dict[str, _Node[T]] = attrs.field(factory=dict)
    any: _Node[T] | None = None
    methods: dict[str, T] = attrs.field(factory=dict)


class Router(Generic[T]):
    """A tree of path segments. ``/projects/templates`` stands beside ``/projects/{id}`` and wins.

    Only whole segments vary, and none of them is empty: a trailing slash makes another path. Paths come decoded, so an
    encoded slash separates like any other, under ASGI as under WSGI.
    """

    def __init__(self, targets: Iterable[tuple[str, str, T]] = ()) -> None:
        """Build the tree from (method, pattern, target).

        Raises:
            errors.ConfigurationError: Two targets claim one method and pattern.

        """
        self._root: _Node[T] = _Node()
        # Patterns without parameters are found at once; a fixed segment always wins, so this changes no answer.
        self._fixed: dict[str, Found[T]] = {}
        for method, pattern, target in targets:
            self._add(method, pattern, target)

    def find(self, path: str) -> Found[T] | None:
        """Give what stands at a decoded path; None where nothing does, or where the path was not UTF-8."""
        if (fixed := self._fixed.get(path)) is not None:
            return fixed
        if "\ufffd" in path or "\0" in path or not path.startswith("/"):
            return None
        values: list[str] = []
        node = _descend(self._root, path.split("/")[1:], 0, values)
        return None if node is None else Found(methods=node.methods, values=tuple(values))

    def _add(self, method: str, pattern: str, target: T) -> None:
        node = self._root
        for segment in pattern.split("/")[1:]:
            if segment.startswith("{"):
                node.any = node.any or _Node()
                node = node.any
            else:
                node = node.fixed.setdefault(segment, _Node())
        if method in node.methods:
            raise errors.ConfigurationError(f"two operations claim {method} {pattern}")
        node.methods[method] = target
        if "{" not in pattern:
            self._fixed[pattern] = Found(methods=node.methods, values=())


def _descend(node: _Node[T], segments: list[str], depth: int, values: list[str]) -> _Node[T] | None:
    if depth == len(segments):
        return node if node.methods else None
    segment = segments[depth]
    fixed = node.fixed.get(segment)
    if fixed is not None and (end := _descend(fixed, segments, depth + 1, values)) is not None:
        return end
    if node.any is None or not segment:
        return None
    values.append(segment)
    if (end := _descend(node.any, segments, depth + 1, values)) is not None:
        return end
    values.pop()
    return None
