"""Pure rules of the surface."""

from __future__ import annotations

from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}
_PREFIX = "plane_api_"
_SHOWN = 4
_LONG_ENOUGH = 12


def mask(key: str) -> str:
    """Return the form in which an API key may be seen.

    The prefix ``plane_api_`` if the key has it, ``****``, and the last four characters of what is left, if that has at least
    twelve: of a shorter key four characters would be too much.
    """
    prefix = _PREFIX if key.startswith(_PREFIX) else ""
    rest = key[len(prefix) :]
    return f"{prefix}****{rest[-_SHOWN:]}" if len(rest) >= _LONG_ENOUGH else "****"


def same_server(one: str | None, other: str | None) -> bool:
    """Tell whether two base addresses are one server's, however they are written."""
    return _place(one or "") == _place(other or "")


def _place(url: str) -> tuple[str, str | None, int | None, str]:
    text = url.strip().rstrip("/").removesuffix("/api/v1").rstrip("/")
    try:
        parts = urlsplit(text)
        return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme), parts.path
    except ValueError:  # no address at all: like nothing but itself
        return "", None, None, text
