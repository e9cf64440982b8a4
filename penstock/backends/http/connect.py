"""A connected socket to one of several addresses (happy eyeballs, RFC 8305)."""

import asyncio
import os
import socket
from collections.abc import Sequence
from typing import Any

from aiohappyeyeballs import start_connection  # pyright: ignore[reportUnknownVariableType]  it leaves addresses untyped

SockAddress = tuple[str, int] | tuple[str, int, int, int]  # an IPv4 or IPv6 address with its port

STAGGER = 0.25  # seconds until the next address is tried beside those that have not answered
_KEEPALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))  # a peer that vanished: two minutes


async def connect(loop: asyncio.AbstractEventLoop, addresses: Sequence[SockAddress]) -> socket.socket:
    """The first of ``addresses`` that answers. Raises OSError where none does."""
    infos = [
        (socket.AF_INET6 if len(address) > 2 else socket.AF_INET, socket.SOCK_STREAM, 0, "", address)  # noqa: PLR2004
        for address in addresses
    ]
    try:
        return await start_connection(infos, happy_eyeballs_delay=STAGGER, loop=loop, socket_factory=_socket)
    except (OSError, RuntimeError) as error:  # uvloop raises RuntimeError for some
        raise _named(error, len(addresses)) from None


def _named(error: OSError | RuntimeError, count: int) -> OSError:
    """The same by its system's name: the library's text names addresses, and its traceback is a circle."""
    if isinstance(error, OSError) and error.errno is not None:
        return OSError(error.errno, os.strerror(error.errno))
    return OSError(f"none of its {count} addresses takes a connection")


def _socket(info: tuple[Any, ...]) -> socket.socket:
    sock = socket.socket(*info[:3])
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE:
        if (option := getattr(socket, name, None)) is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
    return sock
