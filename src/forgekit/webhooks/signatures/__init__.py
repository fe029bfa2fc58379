"""Checking the signatures of incoming webhooks, sans I/O: headers, raw bytes and the time in, one verified webhook or one error out."""

from __future__ import annotations

from .any_scheme import AnyScheme
from .hmac_scheme import HmacScheme
from .keys import SigningSecret
from .scheme import Scheme
from .table import SCHEMES
from .verified import Dedup, VerifiedWebhook
from .verifier import Verifier, verifier_for

__all__ = ["SCHEMES", "AnyScheme", "Dedup", "HmacScheme", "Scheme", "SigningSecret", "VerifiedWebhook", "Verifier", "verifier_for"]
