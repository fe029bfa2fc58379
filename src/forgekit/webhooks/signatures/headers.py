"""Reading headers that a stranger wrote: bounded, plain ASCII, each at most once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import attrs

from forgekit.errors import SignatureInvalid

# Ten Standard Webhooks signatures of a sender that rotates its keys take about 1 kB.
MAX_HEADER = 4096
MAX_SIGNATURES = 32

Headers: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]] | Iterable[tuple[bytes, bytes]]
"""A mapping, or pairs of text or bytes (ASGI); names in any case."""


def _by_lower_case(names: Iterable[str]) -> dict[str | bytes, str]:
    wanted: dict[str | bytes, str] = {}
    for name in names:
        wanted[name.lower()] = wanted[name.lower().encode("ascii")] = name
    return wanted


@attrs.frozen
class HeaderReader:
    """Picks the headers that a scheme reads, and only those, out of a request's.

    Attributes:
        wanted: The wanted names by their lower case, as text and as bytes.

    """

    wanted: Mapping[str | bytes, str] = attrs.field(converter=_by_lower_case)

    def read(self, headers: Headers) -> dict[str, str]:
        """Return the wanted headers, by name as it was wanted.

        Raises:
            SignatureInvalid: One of them is too long, not printable ASCII, or there twice with different values.

        """
        wanted = self.wanted
        found: dict[str, str] = {}
        for spelling, value in _pairs(headers):
            name = wanted.get(spelling.lower())
            # str.lower() makes an ASCII letter of some others: the Kelvin sign becomes "k".
            if name is None or not spelling.isascii():
                continue
            text = _plain_text(name, value)
            if found.setdefault(name, text) != text:
                raise SignatureInvalid(f"The header {name} is there twice, with different values.", header=name)
        return found


def first(found: Mapping[str, str], names: Iterable[str]) -> str | None:
    """Return the first header of these names that is there and not empty."""
    for name in names:
        value = found.get(name)
        if value:
            return value
    return None


def _pairs(headers: Headers) -> Iterable[tuple[str | bytes, str | bytes]]:
    # Lists first, as ASGI has them: to ask the abstract class takes as long as to read three headers.
    if isinstance(headers, list) or not isinstance(headers, Mapping):
        return headers
    return headers.items()


def _plain_text(name: str, value: str | bytes) -> str:
    if len(value) > MAX_HEADER:
        raise SignatureInvalid(f"The header {name} is longer than {MAX_HEADER} characters.", header=name)
    if value.isascii():
        text = value if isinstance(value, str) else value.decode("ascii")
        if text.isprintable():
            return text
    raise SignatureInvalid(f"The header {name} is not plain printable ASCII.", header=name)
