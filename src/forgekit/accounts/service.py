"""The verbs of API keys."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Protocol

from forgekit.accounts.models import EVERYTHING, ApiKey, ApiKeyIssued, ApiKeyRevoked, IssuedKey, StoredKey
from forgekit.accounts.ports import AccountRepositories
from forgekit.accounts.rules import (
    MAX_TEXT,
    GivenKey,
    check_name,
    check_scopes,
    digest_of,
    key_id_of,
    matching_key,
    new_key_text,
    parse_given_keys,
)
from forgekit.errors import InvalidInput, NotFound
from forgekit.kernel.clock import Clock
from forgekit.kernel.events.recorder import Recorder
from forgekit.kernel.secrets import Secret
from forgekit.kernel.storage.ports import TransactionSource
from forgekit.kernel.storage.transaction import Transaction
from forgekit.kernel.storage.units import reading, writing


class AccountStorage(TransactionSource, AccountRepositories, Protocol):
    """What this service needs of a storage."""


class AccountService:
    """``forge.accounts``: API keys, issued here or given by the environment.

    Of an issued key only a hash is stored; its text is shown once. A revoked key is refused from the commit on, by every process:
    each call looks it up. Keys of the environment are taken from a snapshot at most one second old.
    """

    def __init__(self, storage: AccountStorage, recorder: Recorder, clock: Clock, *, given: Callable[[], Secret | None]) -> None:
        """Keep the parts.

        Args:
            storage: Where issued keys are.
            recorder: Takes events.
            clock: The forge's clock.
            given: Tells, from a snapshot, the text of the environment's keys (``FORGEKIT_API_KEYS``); None without any.

        """
        self._storage = storage
        self._recorder = recorder
        self._clock = clock
        self._given_text = given
        self._given: tuple[Secret | None, tuple[GivenKey, ...]] = (None, ())

    def issue_key(
        self,
        name: str,
        *,
        scopes: Collection[str] = (EVERYTHING,),
        expires_at: datetime | None = None,
        tx: Transaction | None = None,
    ) -> IssuedKey:
        """Issue a key; its secret is in the answer, and nowhere else.

        Args:
            name: For people, 1 to 100 characters.
            scopes: What it allows: words such as ``builds``, or ``*`` for everything.
            expires_at: From when on it is refused (aware, in the future); never when absent.
            tx: Commit with this transaction.

        Raises:
            InvalidInput: The name, a scope or the time breaks a rule.

        """
        check_name(name)
        allowed = check_scopes(scopes)
        now = self._clock.now()
        if expires_at is not None and (expires_at.tzinfo is None or expires_at <= now):
            raise InvalidInput(
                "A key expires in the future, at a time with an offset.",
                problems=[{"pointer": "/expires_at", "message": "must be a future time with an offset"}],
            )
        key_id, text = new_key_text()
        key = ApiKey(id=key_id, name=name, scopes=allowed, created_at=now, expires_at=expires_at)
        with writing(self._storage, tx) as unit:
            self._storage.accounts(unit).add_key(StoredKey(key=key, digest=digest_of(text).hex()))
            self._recorder.record(unit, ApiKeyIssued(key_id=key_id, key_name=name))
        return IssuedKey(key=key, secret=Secret(text))

    def revoke_key(self, key_id: str, *, tx: Transaction | None = None) -> ApiKey:
        """Refuse a key from the commit on; revoking it again changes nothing.

        Raises:
            NotFound: No issued key has this id. Keys of the environment are revoked there.

        """
        with writing(self._storage, tx) as unit:
            repository = self._storage.accounts(unit)
            changed = repository.revoke_key(key_id, self._clock.now())
            found = repository.key(key_id)
            if found is None:
                raise NotFound(f"There is no API key {key_id!r}.", id=key_id)
            if changed:
                self._recorder.record(unit, ApiKeyRevoked(key_id=key_id))
        return found.key

    def keys(self, *, tx: Transaction | None = None) -> Sequence[ApiKey]:
        """Return the issued keys, oldest first, revoked ones too; keys of the environment are not among them."""
        with reading(self._storage, tx) as unit:
            return self._storage.accounts(unit).all_keys()

    def authenticate_key(self, text: str, *, tx: Transaction | None = None) -> ApiKey | None:
        """Return the usable key with this text; None where there is none, so without any key nobody is let in.

        Looks into the storage where the text has the form of an issued key: do not call it on an event loop.
        """
        if not text or len(text) > MAX_TEXT:
            return None
        digest = digest_of(text)
        found = matching_key(digest, self._given_keys())
        key_id = key_id_of(text)
        if found is not None or key_id is None:
            return found
        with reading(self._storage, tx) as unit:
            stored = self._storage.accounts(unit).key(key_id)
        if stored is None or not hmac.compare_digest(bytes.fromhex(stored.digest), digest):
            return None
        return stored.key if stored.key.usable_at(self._clock.now()) else None

    def _given_keys(self) -> tuple[GivenKey, ...]:
        text = self._given_text()
        known, keys = self._given
        if text != known:
            keys = () if text is None else parse_given_keys(text.reveal())
            self._given = (text, keys)
        return keys
