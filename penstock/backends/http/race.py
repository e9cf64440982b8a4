"""Happy eyeballs (RFC 8305): the first address that answers wins, and one that does not answer delays little."""

import asyncio
import errno
import os
import socket
from collections.abc import Sequence
from itertools import chain, zip_longest

SockAddress = tuple[str, int] | tuple[str, int, int, int]  # an IPv4 or IPv6 address with its port

STAGGER = 0.25  # seconds until the next address is tried beside those that have not answered
_NO_WAY = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL})
_KEEPALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))  # a peer that vanished: two minutes


def interleaved(addresses: Sequence[SockAddress]) -> list[SockAddress]:
    """The same addresses with their families taking turns, beginning with the first one's."""
    first = [address for address in addresses if len(address) == len(addresses[0])]
    other = [address for address in addresses if len(address) != len(addresses[0])]
    return [address for address in chain(*zip_longest(first, other)) if address is not None]


class Race:
    """One connect to any of ``addresses``; a new one for each connection."""

    def __init__(self, loop: asyncio.AbstractEventLoop, addresses: Sequence[SockAddress]) -> None:
        self._loop = loop
        self._left = interleaved(addresses)
        self._running: set[socket.socket] = set()
        self._errors: list[OSError] = []
        self._timer: asyncio.TimerHandle | None = None
        self._ended: asyncio.Future[socket.socket | None] = loop.create_future()

    async def winner(self) -> socket.socket:
        """A connected socket. Raises OSError where no address takes the connection."""
        try:
            self._next()
            sock = await self._ended
            if sock is None:  # of all reasons, one that tells more than that there is no way
                raise min(self._errors, key=lambda error: error.errno in _NO_WAY)
            self._running.discard(sock)
            return sock
        finally:
            if self._timer is not None:
                self._timer.cancel()
            for left in self._running:
                self._loop.remove_writer(left)
                left.close()
            self._errors.clear()  # one is on its way out and holds this frame: a circle

    def _next(self) -> None:
        """Tries the next address, and sets the clock for the one after it."""
        while self._left:
            address = self._left.pop(0)
            if self._begin(address):
                self._timer = self._loop.call_later(STAGGER, self._next)
                return
        if not self._running:
            self._end(None)

    def _begin(self, address: SockAddress) -> bool:
        try:
            sock = _socket(address)
        except OSError as error:
            self._errors.append(error)
            return False
        self._running.add(sock)
        code = sock.connect_ex(address)
        if code in {0, errno.EINPROGRESS, errno.EINTR}:
            self._loop.add_writer(sock, self._settled, sock)
            return True
        self._lost(sock, code)
        return False

    def _settled(self, sock: socket.socket) -> None:
        self._loop.remove_writer(sock)
        if code := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._lost(sock, code)
            if self._timer is not None:
                self._timer.cancel()
            self._next()
        else:
            self._end(sock)

    def _end(self, sock: socket.socket | None) -> None:
        if not self._ended.done():
            self._ended.set_result(sock)

    def _lost(self, sock: socket.socket, code: int) -> None:
        self._running.discard(sock)
        sock.close()
        self._errors.append(OSError(code, os.strerror(code)))


def _socket(address: SockAddress) -> socket.socket:
    family = socket.AF_INET if len(address) == 2 else socket.AF_INET6  # noqa: PLR2004
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setblocking(False)  # noqa: FBT003
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE:
        if (option := getattr(socket, name, None)) is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
    return sock
