"""The way out to a provider."""

from typing import Protocol

from penstock.model.outgoing import Outgoing
from penstock.model.reply import Reply


class Transport(Protocol):
    """Sends a request and returns when the head of the answer is here.

    Raises ProviderUnreachable, ProviderTimeout; after the head, failures arrive through the reply's body. Closing
    that body ends the exchange, whatever its state; a finished answer has given its connection back by itself.

    ``first_byte``: seconds to the first byte of the answer.

    A request is sent once, with one exception: where a pooled connection turns out to have been closed before the
    provider can have read the request, it is sent again on a new one, and ``stale`` of the request says so.
    """

    async def send(self, outgoing: Outgoing, first_byte: float) -> Reply: ...
