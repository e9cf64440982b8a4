"""The simulated providers: one server that answers in every provider's own wire format and misbehaves on request."""

from penstock.mock.access import Access
from penstock.mock.server import MockServer, start

__all__ = ["Access", "MockServer", "start"]
