"""The HTTP machine: operations declared once, free of any framework, served over ASGI and WSGI alike.

Nothing here knows a domain, and nothing but `forgekit.errors` is imported from the rest of forgekit.
"""

from __future__ import annotations

from forgekit.http.app import App
from forgekit.http.envelopes import Bare, Envelope
from forgekit.http.fields import UNSET, Unset, cookie, given, header, named, shaped
from forgekit.http.guards import HOST_COOKIE, Caller, Guard, HostGuard, Open, host_cookie
from forgekit.http.hub import Hub
from forgekit.http.limits import Limiter, LimitState
from forgekit.http.messages import File, Page, RawRequest, Redirect, Reply, RequestHead, set_cookie
from forgekit.http.operations import Operation, Surface
from forgekit.http.problems import Problem, Problems, ProblemTable, detail_problems, rfc9457_problems
from forgekit.http.streams import EventStream, ServerEvent, Sink

__all__ = [
    "HOST_COOKIE",
    "UNSET",
    "App",
    "Bare",
    "Caller",
    "Envelope",
    "EventStream",
    "File",
    "Guard",
    "HostGuard",
    "Hub",
    "LimitState",
    "Limiter",
    "Open",
    "Operation",
    "Page",
    "Problem",
    "ProblemTable",
    "Problems",
    "RawRequest",
    "Redirect",
    "Reply",
    "RequestHead",
    "ServerEvent",
    "Sink",
    "Surface",
    "Unset",
    "cookie",
    "detail_problems",
    "given",
    "header",
    "host_cookie",
    "named",
    "rfc9457_problems",
    "set_cookie",
    "shaped",
]
