"""The simulated providers: one server that answers in every provider's own wire format and misbehaves on request."""

from penstock.mock.server import MockServer, start

__all__ = ["MockServer", "start"]
