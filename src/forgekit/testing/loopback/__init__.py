"""What the fakes of outside systems stand on: a real HTTP server on the loopback, and what can go wrong on purpose."""

from forgekit.testing.loopback.answers import Answer, RawRequest
from forgekit.testing.loopback.fake import Fake
from forgekit.testing.loopback.faults import Fault, Faults
from forgekit.testing.loopback.sending import send
from forgekit.testing.loopback.server import MAX_BODY, Call, Door, Server

__all__ = ["MAX_BODY", "Answer", "Call", "Door", "Fake", "Fault", "Faults", "RawRequest", "Server", "send"]
