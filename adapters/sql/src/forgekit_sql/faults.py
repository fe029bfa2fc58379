"""From what SQLAlchemy and the drivers raise to the errors of forgekit: no other code has to know them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event, exc
from sqlalchemy.engine import ExceptionContext

from forgekit.errors import Conflict, ForgekitError, InvalidInput, StorageBusy, StorageError

RETRY_SECONDS = 1.0
"""When to try again after the database was busy; it has waited for its own timeout already."""

# https://www.sqlite.org/rescode.html: the low byte is the primary code.
_SQLITE_BUSY = frozenset({5, 6})

# https://www.postgresql.org/docs/current/errcodes-appendix.html: serialization failure, deadlock, lock not available, statement
# timeout, too many connections, shutting down, starting up.
_POSTGRESQL_BUSY = frozenset({"40001", "40P01", "55P03", "57014", "53300", "57P01", "57P03"})
_POSTGRESQL_FOREIGN_KEY = "23503"


def translate_errors(engine: Engine) -> None:
    """Make every failing statement, commit and connection attempt of an engine raise an error of forgekit."""

    @event.listens_for(engine, "handle_error")
    def _translate(context: ExceptionContext) -> Exception | None:
        original = context.original_exception
        if isinstance(original, ForgekitError):
            return original
        return _translated(original, context) if isinstance(original, Exception) else None


@contextmanager
def pool_errors() -> Iterator[None]:
    """Turn an exhausted pool, which is no statement's failure, into an error of forgekit."""
    try:
        yield
    except exc.TimeoutError as error:
        raise StorageBusy("Every connection to the database is in use.", retry_after=RETRY_SECONDS) from error


def _translated(original: Exception, context: ExceptionContext) -> ForgekitError:
    known = context.sqlalchemy_exception
    if isinstance(known, exc.IntegrityError):
        return _conflict(original)
    if isinstance(known, exc.DataError) or isinstance(original, OverflowError | UnicodeError):
        return InvalidInput("The database cannot hold this value.", problems=[])
    if _is_busy(original):
        return StorageBusy("The database is busy.", retry_after=RETRY_SECONDS)
    if context.is_disconnect:
        return StorageError("The connection to the database was lost.")
    return StorageError(f"The database refused: {_reason(original)}")


def _is_busy(original: Exception) -> bool:
    code = getattr(original, "sqlite_errorcode", None)
    return (code is not None and code & 0xFF in _SQLITE_BUSY) or getattr(original, "sqlstate", None) in _POSTGRESQL_BUSY


def _conflict(original: Exception) -> Conflict:
    name = getattr(original, "sqlite_errorname", "")
    if name == "SQLITE_CONSTRAINT_FOREIGNKEY" or getattr(original, "sqlstate", None) == _POSTGRESQL_FOREIGN_KEY:
        return Conflict("It refers to something that is not stored, or something stored refers to it.")
    return Conflict("It contradicts what is stored: the same thing exists already.")


def _reason(original: Exception) -> str:
    """Return the driver's sentence without its detail lines, which may quote values."""
    diagnosis = getattr(original, "diag", None)
    primary = getattr(diagnosis, "message_primary", None)
    lines = str(primary or original).splitlines()
    return lines[0] if lines else type(original).__name__
