"""What the faces of all fakes share: beginning and ending, the calls that were answered, and what goes wrong on purpose."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import ClassVar, Self

from forgekit.testing.loopback.faults import Fault, Faults
from forgekit.testing.loopback.server import Call, Door, Server


class Fake:
    """An outside system on the loopback; it serves between ``start`` and ``stop``, or inside ``with``. Thread-safe.

    Attributes:
        FAULT: The status and the body with which ``fail_next`` answers where it is told neither.

    """

    FAULT: ClassVar[tuple[int, bytes]]

    def __init__(self, door: Door, *, name: str) -> None:
        """Bind a free port.

        Args:
            door: What answers.
            name: The name of the thread that serves.

        """
        self._door = door
        self._faults = Faults()
        self._server = Server(door, self._faults, name=name)
        self._lock = self._server.lock

    # running

    def start(self) -> Self:
        """Begin to serve."""
        self._server.start()
        return self

    def stop(self) -> None:
        """Stop serving."""
        self._server.stop()

    def __enter__(self) -> Self:
        """Begin to serve."""
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop."""
        self.stop()

    @property
    def url(self) -> str:
        """Where it serves, e.g. ``http://127.0.0.1:40123``."""
        return self._door.url

    # calls

    @property
    def calls(self) -> list[Call]:
        """Every request that was answered, oldest first."""
        with self._lock:
            return list(self._server.calls)

    # faults

    def fail_next(
        self,
        status: int | None = None,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        after_write: bool = False,
        method: str | None = None,
        path: str = "",
        after: int = 0,
        times: int = 1,
    ) -> None:
        """Answer requests that fit with a status and a body of the caller's.

        Args:
            status: The status; by default the one with which this system fails.
            body: The bytes, by default likewise.
            headers: Further headers.
            after_write: Whether such a request takes effect before.
            method: Only requests with this method.
            path: Only requests whose path contains this.
            after: How many of them are answered truly first.
            times: How many of them are answered so.

        """
        usual_status, usual_body = self.FAULT
        fault = Fault(
            status=usual_status if status is None else status,
            body=usual_body if body is None else body,
            headers=headers or {},
            after_write=after_write,
            method=method,
            path=path,
            after=after,
            times=times,
        )
        with self._lock:
            self._faults.add(fault)

    def drop_connection(self, *, after_write: bool = False, method: str | None = None, path: str = "", times: int = 1) -> None:
        """Close the connection instead of answering the next requests that fit; see ``fail_next``."""
        with self._lock:
            self._faults.add(Fault(status=None, after_write=after_write, method=method, path=path, times=times))

    def hold(self, *, method: str | None = None, path: str = "", after: int = 0) -> None:
        """Keep requests waiting until ``heal``, or until this fake stops: they take effect and are answered only then.

        Args:
            method: Only requests with this method.
            path: What the path of such a request contains.
            after: How many of them are answered first.

        """
        self._faults.hold(method, path, after)

    @property
    def held(self) -> int:
        """How many requests are kept waiting now."""
        return self._faults.held

    def heal(self) -> None:
        """Forget all faults, be quick again and answer what is kept waiting."""
        with self._lock:
            self._faults.clear()
