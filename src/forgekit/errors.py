"""Every error that forgekit raises on purpose, one class a cause.

::

    ForgekitError
    ├── ConfigurationError         what the program or its environment was given does not work
    │   ├── SettingsInvalid        one or more settings are wrong, all of them listed
    │   ├── SettingPinned          a stored value cannot replace one that the program fixed
    │   ├── EmptySecret            a secret was given, and it is the empty text
    │   ├── SealBroken             a sealed secret cannot be opened with the keys at hand
    │   ├── NotConfigured          a needed setting is absent
    │   ├── PluginConflict         two plugins offer one name
    │   └── UnknownPlugin          nothing offers the name that was asked for
    ├── UsageError                 the calling code broke a rule of this library
    │   ├── ForgeClosed            the forge was closed before this call
    │   ├── ForgeForked            the forge was opened in another process
    │   ├── WrongThread            a transaction was used outside the thread that opened it
    │   ├── TransactionOver        a transaction was used after its end
    │   ├── NetworkInTransaction   a call left the process while a write transaction was open
    │   └── ForeignConnection      the host's connection is not to this forge's database
    ├── StorageError               the database refused
    │   ├── SchemaStale            the schema is older than this code
    │   ├── SchemaNewer            the schema is newer than this code
    │   └── StorageBusy            the database or a queue before it has no room now
    ├── InvalidInput               a value breaks a documented rule
    ├── NotFound                   what was named does not exist, or not for this caller
    │   ├── ProjectNotFound
    │   ├── ItemNotFound
    │   └── SprintNotFound
    ├── Conflict                   the present state does not allow it
    ├── Unauthenticated            no credentials, or wrong ones
    ├── PermissionDenied           the caller is known and may not
    ├── RateLimited                a bucket of ours is empty
    ├── WebhookRejected            an incoming webhook is not to be believed or not to be read
    │   ├── SignatureMissing
    │   ├── SignatureInvalid
    │   ├── TimestampOutOfRange
    │   ├── PayloadTooLarge
    │   └── PayloadMalformed
    ├── RemoteError                an outside system
    │   ├── RemoteUnauthorized     refused our credentials
    │   ├── RemoteForbidden        knows us and refuses
    │   ├── RemoteNotFound         does not know what we named
    │   ├── RemoteConflict         has it already
    │   ├── RemoteRefused          calls our request wrong
    │   ├── RemoteRateLimited      asks us to wait
    │   ├── RemoteUnavailable      did not answer, or answered with a fault of its own
    │   └── RemoteMalformed        answered something that is not its contract
    ├── BudgetExhausted            our own limit on outgoing calls, before the outside system's
    └── GitFailed                  git could not do it

``code`` is stable and meant for programs, the message for people. No message, ``repr`` or ``data`` holds a secret.
"""

from __future__ import annotations

from typing import Any, ClassVar


class ForgekitError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str | None = None, /, *, retry_after: float | None = None, **data: Any) -> None:
        """Keep the parts as attributes.

        Args:
            message: One sentence for a person; the class's own sentence when absent.
            retry_after: Seconds after which the same call may succeed; None when unknown.
            data: What a program may want to know, JSON-able.

        """
        self.message = message if message is not None else (type(self).__doc__ or "").splitlines()[0]
        self.retry_after = retry_after
        self.data = data
        super().__init__(self.message)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by parts: ``Exception`` alone would call ``__init__`` with the message and lose the rest."""
        return _rebuild, (type(self), self.message, self.retry_after, self.data)


def _rebuild(kind: type[ForgekitError], message: str, retry_after: float | None, data: dict[str, Any]) -> ForgekitError:
    return kind(message, retry_after=retry_after, **data)


class ConfigurationError(ForgekitError):
    """The configuration does not work."""

    code = "configuration"


class SettingsInvalid(ConfigurationError):
    """One or more settings are wrong.

    ``data["problems"]`` is a list of ``{"path", "message"}``, every problem at once.
    """

    code = "settings_invalid"


class SettingPinned(ConfigurationError):
    """The program fixed this setting when it opened the forge; a stored value cannot replace it."""

    code = "setting_pinned"


class EmptySecret(ConfigurationError):
    """A secret was given, and it is empty."""

    code = "empty_secret"


class SealBroken(ConfigurationError):
    """A sealed secret cannot be opened with the keys at hand."""

    code = "seal_broken"


class NotConfigured(ConfigurationError):
    """A needed setting is absent."""

    code = "not_configured"


class PluginConflict(ConfigurationError):
    """Two plugins offer the same name."""

    code = "plugin_conflict"


class UnknownPlugin(ConfigurationError):
    """No plugin offers that name."""

    code = "unknown_plugin"


class UsageError(ForgekitError):
    """The calling code broke a rule of this library."""

    code = "usage"


class ForgeClosed(UsageError):
    """This forge is closed."""

    code = "forge_closed"


class ForgeForked(UsageError):
    """This forge was opened in another process: open one of its own after the fork."""

    code = "forge_forked"


class WrongThread(UsageError):
    """A transaction belongs to the thread that opened it."""

    code = "wrong_thread"


class TransactionOver(UsageError):
    """This transaction has ended."""

    code = "transaction_over"


class NetworkInTransaction(UsageError):
    """A write transaction is open on this thread: fetch first, then write."""

    code = "network_in_transaction"


class ForeignConnection(UsageError):
    """The connection to join is not to this forge's database."""

    code = "foreign_connection"


class StorageError(ForgekitError):
    """The database refused."""

    code = "storage"


class SchemaStale(StorageError):
    """The database schema is older than this code: run ``forgekit db upgrade``."""

    code = "schema_stale"


class SchemaNewer(StorageError):
    """The database schema is newer than this code: install the version of forgekit that made it."""

    code = "schema_newer"


class StorageBusy(StorageError):
    """The storage has no room for this now."""

    code = "storage_busy"
    retryable = True


class InvalidInput(ForgekitError):
    """A value breaks a documented rule.

    ``data["problems"]`` is a list of ``{"pointer", "message"}`` (RFC 6901 pointers into the body, or ``?name`` for a query
    parameter), every problem at once.
    """

    code = "invalid_input"


class NotFound(ForgekitError):
    """It does not exist, or not for this caller."""

    code = "not_found"


class ProjectNotFound(NotFound):
    """There is no such project."""

    code = "project_not_found"


class ItemNotFound(NotFound):
    """There is no such work item."""

    code = "item_not_found"


class SprintNotFound(NotFound):
    """There is no such sprint."""

    code = "sprint_not_found"


class Conflict(ForgekitError):
    """The present state does not allow it."""

    code = "conflict"


class Unauthenticated(ForgekitError):
    """Credentials are needed."""

    code = "unauthenticated"


class PermissionDenied(ForgekitError):
    """The caller may not do this."""

    code = "permission_denied"


class RateLimited(ForgekitError):
    """Too many requests."""

    code = "rate_limited"
    retryable = True


class WebhookRejected(ForgekitError):
    """The webhook is refused."""

    code = "webhook_rejected"


class SignatureMissing(WebhookRejected):
    """The webhook carries no signature."""

    code = "signature_missing"


class SignatureInvalid(WebhookRejected):
    """The webhook's signature does not fit its content."""

    code = "signature_invalid"


class TimestampOutOfRange(WebhookRejected):
    """The webhook's timestamp is too far from now."""

    code = "timestamp_out_of_range"


class PayloadTooLarge(WebhookRejected):
    """The webhook's body is too large."""

    code = "payload_too_large"


class PayloadMalformed(WebhookRejected):
    """The webhook's body is not what its sender documents."""

    code = "payload_malformed"


class RemoteError(ForgekitError):
    """An outside system failed us.

    ``data`` may hold ``system`` (the adapter's name) and ``status`` (its HTTP status).
    """

    code = "remote"


class RemoteUnauthorized(RemoteError):
    """The outside system refused the credentials."""

    code = "remote_unauthorized"


class RemoteForbidden(RemoteError):
    """The outside system knows the credentials and refuses the call."""

    code = "remote_forbidden"


class RemoteNotFound(RemoteError):
    """The outside system does not know what was named."""

    code = "remote_not_found"


class RemoteConflict(RemoteError):
    """The outside system has it already.

    ``data["id"]`` is the existing thing's id where the system tells.
    """

    code = "remote_conflict"


class RemoteRefused(RemoteError):
    """The outside system calls the request wrong."""

    code = "remote_refused"


class RemoteRateLimited(RemoteError):
    """The outside system asks to wait."""

    code = "remote_rate_limited"
    retryable = True


class RemoteUnavailable(RemoteError):
    """The outside system did not answer, or answered with a fault of its own."""

    code = "remote_unavailable"
    retryable = True


class RemoteMalformed(RemoteError):
    """The outside system answered something that is not its contract."""

    code = "remote_malformed"


class BudgetExhausted(ForgekitError):
    """The budget of outgoing calls is used up for now."""

    code = "budget_exhausted"
    retryable = True


class GitFailed(ForgekitError):
    """Git could not do it."""

    code = "git_failed"
