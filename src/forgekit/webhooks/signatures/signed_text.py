"""The text that a sender signs, written as a template: ``{id}.{timestamp}.{body}``."""

from __future__ import annotations

import itertools
import string

import attrs

from forgekit.errors import ConfigurationError

_PARTS = frozenset({"id", "timestamp", "body"})


@attrs.frozen
class SignedText:
    """A template of the signed text, checked.

    The body is always last, so that the rest is small text and the body is never copied.

    Attributes:
        head: The template of what stands before the body.
        parts: Which of ``id`` and ``timestamp`` are signed.
        after_id: The text that ends the id; an id that holds it would let one signed text be read in two ways.

    """

    head: str
    parts: frozenset[str]
    after_id: str = ""

    @classmethod
    def parse(cls, template: str) -> SignedText:
        """Read a template.

        Raises:
            ConfigurationError: It does not end with ``{body}``, names another part, names one twice, or does not separate the id.

        """
        pieces = _pieces(template)
        fields = [field for _, field in pieces if field is not None]
        if pieces[-1][1] != "body" or not _PARTS.issuperset(fields) or len(set(fields)) < len(fields):
            raise ConfigurationError(f"{template!r} is not a template of {{id}}, {{timestamp}} and at last {{body}}.", template=template)
        after_id = "".join(text for (_, field), (text, _) in itertools.pairwise(pieces) if field == "id")
        if "id" in fields and not after_id:
            raise ConfigurationError(f"Nothing ends the id in {template!r}.", template=template)
        return cls(template.removesuffix("{body}"), frozenset(fields) - {"body"}, after_id)

    def head_bytes(self, timestamp: str | None, delivery_id: str | None) -> bytes:
        """Return the signed bytes before the body."""
        return self.head.format(timestamp=timestamp, id=delivery_id).encode("ascii")


def _pieces(template: str) -> list[tuple[str, str | None]]:
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError as error:
        raise ConfigurationError(f"{template!r} is not a template: {error}.", template=template) from None
    if not template.isascii() or any(spec or conversion for _, _, spec, conversion in parsed):
        raise ConfigurationError(f"{template!r} is not a plain ASCII template.", template=template)
    return [(text, field) for text, field, _, _ in parsed] or [("", None)]
