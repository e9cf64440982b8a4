"""The way out to a provider."""

from typing import Protocol

from penstock.model.body import RequestBody
from penstock.model.plan import Origin
from penstock.model.reply import Reply


class Outgoing:
    """One request, ready to be written. ``head`` is in pieces, complete but for the blank line at its end."""

    __slots__ = ("body", "first_byte", "head", "method", "origin", "stale", "stream")

    def __init__(
        self,
        origin: Origin,
        method: bytes,
        head: list[bytes],
        first_byte: float,
        body: bytes,
        stream: RequestBody | None = None,
    ) -> None:
        self.origin = origin
        self.method = method
        self.head = head
        self.first_byte = first_byte  # seconds to the first byte of the answer
        self.body = body  # where it is held whole
        self.stream = stream  # where it streams through
        self.stale: float | None = None  # seconds until a pooled connection turned out to be closed; None: none did


class Transport(Protocol):
    """Sends a request and returns when the head of the answer is here.

    Raises ProviderUnreachable, ProviderTimeout; after the head, failures arrive through the reply's body. Closing
    that body ends the exchange, whatever its state; a finished answer has given its connection back by itself.

    A request is sent once, with one exception: where a pooled connection turns out to have been closed before the
    provider can have read the request, it is sent again on a new one, and ``stale`` of the request says so.
    """

    async def send(self, outgoing: Outgoing) -> Reply: ...
