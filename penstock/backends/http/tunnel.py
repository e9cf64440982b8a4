"""A tunnel through a proxy: CONNECT (RFC 9110, 9.3.6)."""

import asyncio
import re
from typing import cast

from penstock.core.errors import ProviderUnreachable
from penstock.core.proxies import Proxy

HEAD_LIMIT = 64 * 1024
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})[ \r]")
_CREDENTIALS = 407


class Tunnel(asyncio.Protocol):
    """Asks the proxy for a way to ``authority`` (host:port). Afterwards its transport leads there."""

    def __init__(self, loop: asyncio.AbstractEventLoop, proxy: Proxy, authority: str) -> None:
        self._proxy = proxy
        self._request = b"CONNECT %b HTTP/1.1\r\nhost: %b\r\n%b\r\n" % (
            authority.encode(),
            authority.encode(),
            proxy.credentials,
        )
        self._head = b""
        self._answered: asyncio.Future[str] = loop.create_future()  # what is wrong; empty: nothing

    async def opened(self) -> None:
        """Returns when the way is free. Raises ProviderUnreachable."""
        if wrong := await self._answered:
            raise ProviderUnreachable(reason=wrong)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).write(self._request)  # uvloop's does not inherit from asyncio's

    def data_received(self, data: bytes) -> None:
        self._head += data
        head, end, rest = self._head.partition(b"\r\n\r\n")
        if end:
            self._settle(self._judge(head + b"\r\n", rest))
        elif len(self._head) > HEAD_LIMIT:
            self._settle(f"the answer of the proxy {self._proxy.name} is larger than 64 KiB")

    def connection_lost(self, exc: Exception | None) -> None:
        self._settle(f"the proxy {self._proxy.name} closed the connection")

    def _judge(self, head: bytes, rest: bytes) -> str:
        name = self._proxy.name
        found = _STATUS.match(head)
        if found is None:
            return f"the answer of the proxy {name} is not HTTP/1.1"
        status = int(found[1])
        if status == _CREDENTIALS:
            return refused_credentials(self._proxy)
        if not 200 <= status < 300:  # noqa: PLR2004
            return f"the proxy {name} answers {status}"
        return f"the proxy {name} says more than it was asked" if rest else ""

    def _settle(self, wrong: str) -> None:
        if not self._answered.done():
            self._answered.set_result(wrong)


def refused_credentials(proxy: Proxy) -> str:
    """The sentence for a 407."""
    which = "other credentials" if proxy.credentials else "credentials"
    return f"the proxy {proxy.name} asks for {which} (407)"
