"""How a connection comes about: find the addresses, judge them, connect to one of these very addresses."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import cast

from penstock.backends.http import tls
from penstock.backends.http.connect import SockAddress, connect
from penstock.backends.http.resolver import Resolver, Unresolved
from penstock.backends.http.tunnel import Tunnel
from penstock.core.addresses import NOT_PUBLIC, Rules, literal
from penstock.core.errors import AddressRefused, ProviderFailure, ProviderTimeout, ProviderUnreachable
from penstock.core.proxies import Proxies, Proxy, authority
from penstock.model.plan import Origin

Resolve = Callable[[str, int], Awaitable[list[SockAddress]]]
PROXIED = 1.0  # seconds to resolve a name that a proxy will resolve anyway


class Dialer:
    """``limit``: seconds for a whole connect; finding the addresses may take half of them.

    What ``resolve`` says is judged and used; nothing is resolved a second time.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        limit: float,
        rules: Rules,
        proxies: Proxies,
        resolve: Resolve | None = None,
    ) -> None:
        self._loop = loop
        self._limit = limit
        self._rules = rules
        self._proxies = proxies
        self._resolve = resolve or Resolver(loop)

    def proxy(self, origin: Origin) -> Proxy | None:
        """The proxy on the way to an origin."""
        return self._proxies.of(origin.host, origin.port, tls=origin.tls)

    async def open(self, origin: Origin, protocol: asyncio.Protocol, proxy: Proxy | None) -> socket.socket:
        """Connects ``protocol``; answers the socket below it, to look at only.

        Raises ProviderUnreachable, ProviderTimeout, AddressRefused.
        """
        try:
            async with asyncio.timeout(self._limit):
                if proxy is None:
                    return await self._direct(origin, protocol)
                return await self._through(origin, protocol, proxy)
        except TimeoutError as error:
            within = f"within {self._limit:g} seconds"
            reason = f"no connection to {origin.host} {within}"
            raise ProviderTimeout(f"No connection {within}.", reason=reason) from error
        except (OSError, ValueError) as error:
            raise unreachable(origin, error) from error

    def remember(self, connection: ssl.SSLObject) -> None:
        """The session of a connection that has served a call, for the next one to that host."""
        self._context.remember(connection)

    def close(self) -> None:
        if "_context" in self.__dict__:
            self._context.forget()

    @cached_property
    def _context(self) -> tls.Context:
        return tls.Context()  # made by need: reading the trust store takes its time

    # Straight

    async def _direct(self, origin: Origin, protocol: asyncio.Protocol) -> socket.socket:
        sock = await connect(self._loop, await self._addresses(origin))
        await self._start(sock, protocol, origin.host if origin.tls else None)
        return sock

    async def _start(self, sock: socket.socket, protocol: asyncio.Protocol, tls_host: str | None) -> asyncio.Transport:
        context = None if tls_host is None else self._context
        name = None if tls_host is None else tls_name(tls_host)
        transport, _ = await self._loop.create_connection(
            lambda: protocol, sock=sock, ssl=context, server_hostname=name
        )
        return transport

    async def _addresses(self, origin: Origin) -> list[SockAddress]:
        """Where the origin may be called."""
        self._refuse(origin, self._rules.host_refusal(origin.host, trusted=origin.trusted))
        if (address := literal(origin.host)) is not None:
            return [_sock_address(str(address), origin.port)]
        limit = self._limit / 2
        try:
            async with asyncio.timeout(limit):
                found = await self._resolve(origin.host, origin.port)
        except TimeoutError as error:
            within = f"was not resolved within {limit:g} seconds"
            reason = f"the name {origin.host} {within}"
            raise ProviderTimeout(f"The provider's name {within}.", reason=reason) from error
        return self._judged(origin, found)

    def _judged(self, origin: Origin, found: list[SockAddress]) -> list[SockAddress]:
        """Those that may be called. Of an untrusted name all must: one that leads here and there has a reason to."""
        if not found:
            raise Unresolved("the name has no address")
        reasons = [self._rules.refusal(_address(one), trusted=origin.trusted) for one in found]
        good = [one for one, reason in zip(found, reasons, strict=True) if not reason]
        if not good or (len(good) < len(found) and not origin.trusted):
            self._refuse(origin, next(filter(None, reasons), ""))
        return good

    def _refuse(self, origin: Origin, reason: str) -> None:
        if reason:
            remedy = " The operator can allow its network (allowed_networks)." if reason == NOT_PUBLIC else ""
            raise AddressRefused(reason=f"{origin.host} may not be called: {reason}.{remedy}")

    # Through a proxy

    async def _through(self, origin: Origin, protocol: asyncio.Protocol, proxy: Proxy) -> socket.socket:
        await self._judge_beyond(origin)
        host = literal(origin.host) or origin.host
        tunnel = Tunnel(self._loop, proxy, authority(str(host), origin.port)) if origin.tls else None
        try:
            place = Origin(proxy.tls, proxy.host, proxy.port, trusted=True)  # the operator's own word
            sock = await connect(self._loop, await self._addresses(place))
            transport = await self._start(sock, tunnel or protocol, proxy.host if proxy.tls else None)
        except OSError as error:
            reason = f"no connection to the proxy {proxy.name}: {_reason(error)}"
            raise ProviderUnreachable(reason=reason) from error
        if tunnel is not None:
            await self._enter(origin, tunnel, transport, protocol)
        return sock

    async def _enter(
        self, origin: Origin, tunnel: Tunnel, transport: asyncio.Transport, protocol: asyncio.Protocol
    ) -> None:
        """From here on the origin is at the other end."""
        try:
            await tunnel.opened()
            inner = await self._loop.start_tls(
                transport, protocol, self._context, server_hostname=tls_name(origin.host)
            )
            protocol.connection_made(cast("asyncio.Transport", inner))
        except BaseException:
            transport.abort()
            raise

    async def _judge_beyond(self, origin: Origin) -> None:
        """The proxy resolves the name. What this side can tell is judged here; not to know the name is no fault."""
        self._refuse(origin, self._rules.host_refusal(origin.host, trusted=origin.trusted))
        if literal(origin.host) is None:
            try:
                async with asyncio.timeout(PROXIED):
                    found = await self._resolve(origin.host, origin.port)
            except (TimeoutError, Unresolved):
                return
            self._judged(origin, found)


def tls_name(host: str) -> str:
    """The name that the certificate must have."""
    address = literal(host)
    return host.rstrip(".") if address is None else str(address)


def unreachable(origin: Origin, error: Exception) -> ProviderFailure:
    kind = "TLS connection" if origin.tls else "connection"
    return ProviderUnreachable(reason=f"no {kind} to {origin.host}: {_reason(error)}")


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return tls.reason(error)
    closed = "it closed the connection" if isinstance(error, ConnectionError) else type(error).__name__
    return getattr(error, "strerror", None) or str(error) or closed


def _address(address: SockAddress) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.ip_address(address[0].partition("%")[0])


def _sock_address(host: str, port: int) -> SockAddress:
    return (host, port, 0, 0) if ":" in host else (host, port)
