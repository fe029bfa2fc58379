"""Identifiers that outsiders see: UUID version 7 (RFC 9562), whose text sorts by the time of its making."""

from __future__ import annotations

import os
import uuid
from datetime import datetime

_RANDOM_A = 0x0FFF
_RANDOM_B = (1 << 62) - 1


def uuid7(now: datetime) -> str:
    """Return a new UUIDv7 as text.

    Args:
        now: The moment that the id carries, aware; its first 48 bits are whole milliseconds since 1970.

    """
    milliseconds = int(now.timestamp() * 1000) & 0xFFFF_FFFF_FFFF
    noise = int.from_bytes(os.urandom(10), "big")
    value = milliseconds << 80 | 0x7 << 76 | (noise >> 64 & _RANDOM_A) << 64 | 0b10 << 62 | noise & _RANDOM_B
    return str(uuid.UUID(int=value))
