"""Why a request is refused before any operation sees it.

::

    ForgekitError
    ├── InvalidInput
    │   └── BodyMalformed          the body is not JSON that anyone could read
    ├── RequestRefused
    │   ├── BodyTooLarge           413
    │   ├── LengthRequired         411, a server that cannot tell where a body ends
    │   ├── MediaTypeUnsupported   415, not JSON, or compressed
    │   ├── MethodNotAllowed       405
    │   └── StreamUnsupported      501, an event stream under WSGI
    ├── AnswerLate                 503, a promised answer did not come in time
    └── InternalFault              500, what the caller is told when a bug of ours shows

A surface decides the status of each (``ProblemTable``); the numbers above are the defaults.
"""

from __future__ import annotations

from forgekit import errors


class BodyMalformed(errors.InvalidInput):
    """The body is not readable JSON."""

    code = "body_malformed"


class RequestRefused(errors.ForgekitError):
    """The request is refused for its form."""

    code = "request_refused"


class BodyTooLarge(RequestRefused):
    """The body is too large."""

    code = "body_too_large"


class LengthRequired(RequestRefused):
    """The body needs a Content-Length."""

    code = "length_required"


class MediaTypeUnsupported(RequestRefused):
    """The body must be plain, uncompressed JSON."""

    code = "media_type_unsupported"


class MethodNotAllowed(RequestRefused):
    """The path does not offer this method."""

    code = "method_not_allowed"


class StreamUnsupported(RequestRefused):
    """Event streams need an ASGI server."""

    code = "stream_unsupported"


class AnswerLate(errors.ForgekitError):
    """The work was accepted, but its answer did not come in time."""

    code = "answer_late"
    retryable = True


class InternalFault(errors.ForgekitError):
    """The server failed to answer this request."""

    code = "internal"
