"""Sending what was signed, byte by byte as it was prepared."""

from __future__ import annotations

import http.client
from collections.abc import Sequence
from typing import Protocol
from urllib.parse import urlsplit

_TIMEOUT = 30.0


class Parcel(Protocol):
    """Headers in their order, without ``Host`` and ``Content-Length``, and the exact bytes of a body."""

    @property
    def headers(self) -> Sequence[tuple[str, str]]:
        """The headers."""
        ...

    @property
    def body(self) -> bytes:
        """The bytes."""
        ...


def send(delivery: Parcel, url: str) -> int:
    """Send a delivery and return the status of the answer.

    Raises:
        OSError: There was none.

    """
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_TIMEOUT)
    try:
        connection.putrequest("POST", parts.path or "/", skip_accept_encoding=True)
        for name, value in delivery.headers:
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(delivery.body)))
        connection.endheaders(delivery.body)
        with connection.getresponse() as response:
            response.read()
            return response.status
    finally:
        connection.close()
