"""What the connections of one server have in common."""

import asyncio

from penstock.mock import dispatch
from penstock.mock.access import Access
from penstock.mock.controls import NONE
from penstock.mock.pacer import Pacer
from penstock.mock.script import whole
from penstock.mock.stats import Stats


class Shared:
    """The counters, the pacer, and the answers rendered before."""

    MOST_KEPT = 256
    MOST_BYTES = 64 << 10

    def __init__(self, loop: asyncio.AbstractEventLoop, access: Access | None = None) -> None:
        self.access = access  # None: credentials are not looked at
        self.stats = Stats()
        self.pacer = Pacer(loop)
        self.time = loop.time
        self.connections: set[asyncio.WriteTransport] = set()
        self._kept: dict[tuple[str, bytes, bytes], bytes] = {}

    def plain(self, method: str, target: bytes, body: bytes) -> bytes:
        """The wire bytes of an answer without controls, rendered once: the same request has the same answer."""
        wire = self._kept.get((method, target, body))
        if wire is None:
            wire = whole(dispatch.answer(method, target, body, NONE))
            if len(wire) <= self.MOST_BYTES and len(body) <= self.MOST_BYTES:
                if len(self._kept) >= self.MOST_KEPT:
                    self._kept.clear()
                self._kept[method, target, body] = wire
        return wire
