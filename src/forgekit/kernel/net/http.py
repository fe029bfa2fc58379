"""The one way out over HTTP: timeouts, careful retries, budgets, bounded answers, and nothing secret in any error or log."""

from __future__ import annotations

import json as json_module
import logging
import random
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import attrs

from forgekit.errors import ConfigurationError, ForgeClosed, RemoteMalformed, RemoteRateLimited, RemoteUnavailable
from forgekit.kernel.clock import Clock
from forgekit.kernel.net.budgets import Budgets, BudgetTicket, MemoryBudgets
from forgekit.kernel.net.rules import backoff, check_base_url, check_header, join, retry_after
from forgekit.kernel.secrets.secret import Secret
from forgekit.kernel.storage.transaction import forbid_network

if TYPE_CHECKING:
    import httpx

_log = logging.getLogger(__name__)

MAX_BODY = 64 * 1024 * 1024
"""Bytes; a longer answer is refused while it is read."""

Param = str | int | float | bool | None
"""What may stand in a query; None leaves the parameter out."""

Haste = Callable[["Response", datetime], float | None]
"""Reads how long an answer, got at a moment, asks to wait: seconds; None where it is no refusal of too many calls."""

_ATTEMPTS = 3
_PAUSE, _LONGEST_PAUSE = 0.5, 5.0  # seconds between attempts
_DRIP = 6  # an answer that keeps trickling in is cut off after so many timeouts
_SAFE_METHODS = frozenset({"GET", "HEAD"})
_TOO_MANY_REQUESTS = 429
_SERVER_FAULTS = range(500, 600)
_PASSING_FAULTS = frozenset({502, 503, 504})  # not 500: a server that stumbles over a request stumbles again


@attrs.frozen(kw_only=True)
class Response:
    """An answer.

    Attributes:
        status: The HTTP status.
        headers: Names in lower case; several of one name are joined by commas.
        content: The body, decompressed.
        system: Who answered.

    """

    status: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    content: bytes = attrs.field(repr=False)
    system: str = ""

    def json(self) -> Any:
        """Return the body, decoded from JSON.

        Raises:
            RemoteMalformed: It is not JSON, or holds text that is not Unicode.

        """
        try:
            value = json_module.loads(self.content)
            if b"\\ud" in self.content.lower():
                json_module.dumps(value, ensure_ascii=False).encode()  # a lone surrogate would break much later, in a database
        except (ValueError, RecursionError):
            raise RemoteMalformed("The answer is not JSON.", system=self.system, status=self.status) from None
        return value


@attrs.frozen
class _Fault:
    """Why there was no answer."""

    why: str
    malformed: bool = False


class Http:
    """The process's door to other systems; one a forge. Thread-safe; the connection pool is made on first use."""

    def __init__(
        self,
        *,
        clock: Clock,
        transport: httpx.BaseTransport | None = None,
        budgets: Budgets | None = None,
        user_agent: str = "forgekit",
        max_body: int = MAX_BODY,
        sleep: Callable[[float], object] | None = None,
        noise: Callable[[], float] = random.random,
    ) -> None:
        """Keep the parts.

        Args:
            clock: Dates in headers are measured by it.
            transport: Where requests go instead of the network, in tests.
            budgets: The limits on calls; those of this process alone by default.
            user_agent: How we introduce ourselves.
            max_body: Bytes; a longer answer is refused.
            sleep: Waits for so many seconds between attempts; by default one that ``close`` interrupts.
            noise: Returns a number from 0 to 1, for jitter.

        """
        self.clock = clock
        self.budgets = budgets if budgets is not None else Budgets(MemoryBudgets(), clock)
        self._transport = transport
        self._user_agent = user_agent
        self._max_body = max_body
        self._closing = threading.Event()
        self._sleep = sleep if sleep is not None else self._closing.wait
        self._noise = noise
        self._lock = threading.Lock()
        self._client: httpx.Client | None = None

    def session(
        self,
        *,
        system: str,
        base_url: str,
        headers: Mapping[str, str | Secret] | None = None,
        budget: BudgetTicket | None = None,
        timeout: float = 10.0,
        haste: Haste | None = None,
    ) -> Session:
        """Return a way to one system with one set of credentials. It costs nothing and opens no connection.

        Args:
            system: What errors and logs call the system, such as ``plane``.
            base_url: Where its paths begin; http or https, without credentials.
            headers: Sent with every request.
            budget: Asked before every attempt; None where the system has no limit.
            timeout: Seconds for each of connecting, sending, and the next piece of the answer.
            haste: Reads refusals of too many calls that are no 429, or that tell the time to wait in a way of their own.

        Raises:
            ConfigurationError: The address or a header cannot be used.

        """
        return Session(self, system=system, base_url=base_url, headers=headers or {}, budget=budget, timeout=timeout, haste=haste)

    def exchange(self, request: Request) -> Response | _Fault:
        """Send once and read the whole answer. For ``Session``; it neither waits nor judges.

        Raises:
            ForgeClosed: ``close`` was called.
            ConfigurationError: The address passes our rules but not those of internationalised names.

        """
        import httpx

        client = self._open()
        # The libraries' own errors carry the request with its headers, so none of them may leave this function.
        try:
            return self._read(client.send(request.build(client), stream=True), request)
        except httpx.TimeoutException:
            return _Fault("it did not answer in time")
        except httpx.DecodingError:
            return _Fault("its answer is not compressed as it says", malformed=True)
        except httpx.HTTPError as error:
            return _Fault(f"it cannot be reached ({type(error).__name__})")
        except (httpx.InvalidURL, UnicodeError):
            raise ConfigurationError(f"{request.system}: the base address names no possible host.") from None
        except RuntimeError:
            # The pool was closed by another thread between our look and our use of it.
            if self._closing.is_set():
                raise ForgeClosed from None
            raise

    def _read(self, answer: httpx.Response, request: Request) -> Response | _Fault:
        deadline = self.clock.now() + timedelta(seconds=request.timeout * _DRIP)
        content = bytearray()
        try:
            for piece in answer.iter_bytes():
                content += piece
                if len(content) > self._max_body:
                    return _Fault(f"its answer is longer than {self._max_body} bytes", malformed=True)
                if self.clock.now() > deadline:
                    return _Fault("it did not finish its answer in time")
        finally:
            answer.close()
        return Response(status=answer.status_code, headers=dict(answer.headers), content=bytes(content), system=request.system)

    def pause(self, attempt: int, wanted: float | None) -> None:
        """Wait before the next attempt.

        Args:
            attempt: How many there were.
            wanted: Seconds that the system asked for; None where it did not.

        """
        seconds = backoff(attempt, base=_PAUSE, cap=_LONGEST_PAUSE, noise=self._noise()) if wanted is None else wanted
        self._sleep(seconds)

    def close(self) -> None:
        """Close every connection and wake everybody who waits; later requests raise ``ForgeClosed``."""
        with self._lock:
            self._closing.set()
            client, self._client = self._client, None
        self.budgets.close()
        if client is not None:
            client.close()

    def _open(self) -> httpx.Client:
        with self._lock:
            if self._closing.is_set():
                raise ForgeClosed
            if self._client is None:
                from http.cookiejar import CookieJar, DefaultCookiePolicy

                import httpx

                # The pool serves many credentials: a cookie set for one must not travel with another.
                no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
                self._client = httpx.Client(transport=self._transport, cookies=no_cookies, headers={"user-agent": self._user_agent})
            return self._client


@attrs.frozen(kw_only=True)
class Request:
    """One request, ready to be sent as often as it takes."""

    system: str
    method: str
    url: str
    params: Mapping[str, str | int | float | bool] = attrs.field(repr=False)
    headers: Mapping[str, str | Secret] = attrs.field(repr=False)
    body: bytes | None = attrs.field(repr=False)
    timeout: float

    def build(self, client: httpx.Client) -> httpx.Request:
        """Return it in httpx's form, with its secrets revealed."""
        headers = {name: value.reveal() if isinstance(value, Secret) else value for name, value in self.headers.items()}
        if self.body is not None:
            headers["content-type"] = "application/json"
        return client.build_request(
            self.method, self.url, params=dict(self.params) or None, headers=headers, content=self.body, timeout=self.timeout
        )


class Session:
    """A way to one system with one set of credentials. Thread-safe; follows no redirects, keeps no cookies."""

    def __init__(
        self,
        http: Http,
        *,
        system: str,
        base_url: str,
        headers: Mapping[str, str | Secret],
        budget: BudgetTicket | None,
        timeout: float,
        haste: Haste | None = None,
    ) -> None:
        """Check the address and the headers; use ``Http.session``."""
        for name, value in headers.items():
            check_header(name, value.reveal() if isinstance(value, Secret) else value)
        self.system = system
        self.base_url = check_base_url(base_url)
        self._http = http
        self._headers = dict(headers)
        self._budget = budget
        self._timeout = timeout
        self._haste = haste

    def __repr__(self) -> str:
        """Name the system and its address."""
        return f"Session({self.system!r}, {self.base_url!r})"

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Param] | None = None,
        json: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        retry: bool | None = None,
    ) -> Response:
        """Send a request and return whatever the system decided, 4xx included.

        Network faults and 502, 503, 504 are tried at most twice more, with jittered pauses, or after the time that the
        system asks for where that is at most 5 seconds.

        Args:
            method: The HTTP method.
            path: Below the base address, quoted (``rules.segment``), without a query.
            params: The query.
            json: The body, to be made JSON; None for no body.
            content: The body as exact bytes, where there is no ``json``; its Content-Type is among the session's headers.
            headers: Sent with this request alone, beside the session's.
            retry: Whether the request may be repeated; by default GET and HEAD may.

        Raises:
            RemoteUnavailable: No answer, or a 5xx. ``data``: system, status.
            RemoteRateLimited: A 429, or what the system's ``haste`` reads so; ``retry_after`` tells for how long, ``data["until"]`` until
                when (ISO 8601, UTC). The budget is blocked for as long.
            RemoteMalformed: The answer is too long or wrongly compressed.
            BudgetExhausted: Our own limit, before theirs.
            NetworkInTransaction: A write transaction is open on this thread.
            ForgeClosed: The forge was closed.
            UsageError: The path is not safe.
            ConfigurationError: A header cannot be sent.

        """
        forbid_network()
        request = self._request(method.upper(), path, params, content if json is None else _json_bytes(json), headers or {})
        attempts = _ATTEMPTS if (retry if retry is not None else request.method in _SAFE_METHODS) else 1
        for attempt in range(1, attempts):
            outcome = self._once(request)
            wanted = self._wanted_pause(outcome)
            if not _passes(outcome) or (wanted is not None and wanted > _LONGEST_PAUSE):
                return self._judge(outcome)
            _log.info("%s: attempt %d of %d failed: %s", self.system, attempt, attempts, _reason(outcome))
            self._http.pause(attempt, wanted)
        return self._judge(self._once(request))

    def _request(
        self, method: str, path: str, params: Mapping[str, Param] | None, body: bytes | None, headers: Mapping[str, str]
    ) -> Request:
        for name, value in headers.items():
            check_header(name, value)
        return Request(
            system=self.system,
            method=method,
            url=join(self.base_url, path),
            params={name: value for name, value in (params or {}).items() if value is not None},
            headers={**self._headers, **headers},
            body=body,
            timeout=self._timeout,
        )

    def _once(self, request: Request) -> Response | _Fault:
        if self._budget is not None:
            self._budget.take()
        return self._http.exchange(request)

    def _wanted_pause(self, outcome: Response | _Fault) -> float | None:
        if isinstance(outcome, _Fault):
            return None
        return retry_after(outcome.headers.get("retry-after"), self._http.clock.now())

    def _judge(self, outcome: Response | _Fault) -> Response:
        if isinstance(outcome, _Fault):
            kind = RemoteMalformed if outcome.malformed else RemoteUnavailable
            raise kind(f"{self.system}: {outcome.why}.", system=self.system)
        wanted = self._haste(outcome, self._http.clock.now()) if self._haste is not None else None
        if outcome.status == _TOO_MANY_REQUESTS or wanted is not None:
            raise self._limited(outcome.status, self._wanted_pause(outcome) if wanted is None else wanted)
        if outcome.status in _SERVER_FAULTS:
            raise RemoteUnavailable(
                f"{self.system} answered {_reason(outcome)}.",
                retry_after=self._wanted_pause(outcome),
                system=self.system,
                status=outcome.status,
            )
        return outcome

    def _limited(self, status: int, wanted: float | None) -> RemoteRateLimited:
        seconds = self._budget.block(wanted) if self._budget is not None else wanted
        told: dict[str, Any] = {"system": self.system, "status": status}
        if seconds is None:
            return RemoteRateLimited(f"{self.system} asks to wait.", **told)
        until = self._http.clock.now() + timedelta(seconds=seconds)
        message = f"{self.system} asks to wait until {until:%H:%M} UTC."
        return RemoteRateLimited(message, retry_after=seconds, until=until.isoformat(timespec="seconds"), **told)


def _json_bytes(value: object) -> bytes:
    return json_module.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii")


def _passes(outcome: Response | _Fault) -> bool:
    """Whether the same request may succeed a moment later."""
    if isinstance(outcome, _Fault):
        return not outcome.malformed
    return outcome.status in _PASSING_FAULTS


def _reason(outcome: Response | _Fault) -> str:
    return outcome.why if isinstance(outcome, _Fault) else f"HTTP {outcome.status}"
