"""A call as the stages get it, without a connection."""

import time

from penstock.core.budget import Budget
from penstock.model.body import Bounds, RequestBody
from penstock.model.exchange import Exchange
from penstock.model.request import Request
from tests.kit.server import ACCOUNT


class _Nobody:
    """A client that needs no telling."""

    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def proceed(self) -> None: ...


def an_exchange(*headers: tuple[bytes, bytes], target: bytes = b"", body: bytes = b"", **address: str) -> Exchange:
    """A POST whose body is here. ``address``: account, gateway, provider and path as the line would have read them."""
    size = 1 << 20
    incoming = RequestBody(_Nobody(), Bounds(hold=size, keep=size, limit=size, budget=Budget(size)), len(body))
    if body:
        incoming.feed(body)
    incoming.finish()
    request = Request(b"POST", target, [(name.lower(), name, value) for name, value in headers], incoming)
    request.account = address.get("account", ACCOUNT)
    request.gateway = address.get("gateway", "default")
    request.provider = address.get("provider", "openai")
    request.path = address.get("path", "").encode("latin-1")
    return Exchange(request, time.monotonic())
