"""Who the client is: whoever opened the connection, or whom a trusted proxy names.

``X-Forwarded-For`` is believed from proxies of ``trusted_proxies`` alone. Each proxy appends whom it serves, so it is
read from its end: the first address there that is none of a trusted proxy is the client's.
"""

import asyncio
import ipaddress
from collections.abc import Sequence

from uvicorn.protocols.utils import is_ssl

from penstock.core.headers import Headers
from penstock.core.options import Network

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Peer = tuple[str, int]  # address and port; 0: not known

_SCHEMES = frozenset({"http", "https"})


class Direct:
    """Nobody is believed: the client is who opened the connection."""

    def client(self, transport: asyncio.Transport, headers: Headers) -> Peer | None:
        """The client's address and port; None where the connection is gone already."""
        return _peer(transport)

    def scheme(self, transport: asyncio.Transport, headers: Headers) -> str:
        """``https`` or ``http``, as the client spoke it."""
        return "https" if is_ssl(transport) else "http"

    def name(self, transport: asyncio.Transport, headers: Headers) -> str:
        """The client's address alone; empty: not known."""
        client = self.client(transport, headers)
        return client[0] if client is not None else ""


class Unnamed(Direct):
    """Nobody wants to know."""

    def name(self, transport: asyncio.Transport, headers: Headers) -> str:
        return ""


class Proxied(Direct):
    """Some proxies are believed."""

    def __init__(self, networks: Sequence[Network]) -> None:
        self._networks = tuple(networks)

    def client(self, transport: asyncio.Transport, headers: Headers) -> Peer | None:
        peer = _peer(transport)
        if peer is None or not self._trusts(_address(peer[0])):
            return peer
        for hop in reversed(_words(headers, b"x-forwarded-for")):
            address = _address(_bare(hop))
            if address is None:  # nobody before it can be told
                break
            peer = (str(address), 0)
            if not self._trusts(address):
                break
        return peer

    def scheme(self, transport: asyncio.Transport, headers: Headers) -> str:
        peer = _peer(transport)
        if peer is not None and self._trusts(_address(peer[0])):
            words = _words(headers, b"x-forwarded-proto")
            if words and words[-1].lower() in _SCHEMES:
                return words[-1].lower()
        return super().scheme(transport, headers)

    def _trusts(self, address: Address | None) -> bool:
        return address is not None and any(address in network for network in self._networks)


def clients(networks: Sequence[Network]) -> Direct:
    """What the setting ``trusted_proxies`` says."""
    return Proxied(networks) if networks else Direct()


def _peer(transport: asyncio.Transport) -> Peer | None:
    """Of IPv4 clients of an IPv6 socket, the IPv4 address."""
    name = transport.get_extra_info("peername")
    if not name:
        return None
    address = _address(name[0])
    return (str(address) if address is not None else str(name[0])), int(name[1])


def _address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _bare(hop: str) -> str:
    """Without a port, which some proxies add: ``192.0.2.1:4711``, ``[2001:db8::1]:4711``."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _words(headers: Headers, name: bytes) -> list[str]:
    """The elements of a list, over all headers of that name."""
    lines = b",".join(value for lower, _, value in headers if lower == name)
    return [word.strip().decode("latin-1") for word in lines.split(b",") if word.strip()]
