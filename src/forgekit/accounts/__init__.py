"""Who may call: so far the API keys of programs."""

from __future__ import annotations

from forgekit.accounts.models import EVERYTHING, ApiKey, ApiKeyIssued, ApiKeyRevoked, IssuedKey, StoredKey
from forgekit.accounts.ports import AccountRepositories, KeyRepository
from forgekit.accounts.rules import GivenKey, parse_given_keys
from forgekit.accounts.service import AccountService

__all__ = [
    "EVERYTHING",
    "AccountRepositories",
    "AccountService",
    "ApiKey",
    "ApiKeyIssued",
    "ApiKeyRevoked",
    "GivenKey",
    "IssuedKey",
    "KeyRepository",
    "StoredKey",
    "parse_given_keys",
]
