"""Calls to providers with TLS through a proxy that really tunnels."""

import asyncio
import contextlib
import ipaddress

import pytest

from penstock.core.errors import AddressRefused, ProviderTimeout, ProviderUnreachable
from penstock.core.proxies import Proxies
from tests.kit.client import until
from tests.kit.provider import always, providing

HOST = "models.example"


class TunnelProxy:
    """Tunnels every CONNECT to this machine; ``asked`` has the requests."""

    def __init__(self):
        self.asked = []

    async def __call__(self, peer):
        head = await peer.reader.readuntil(b"\r\n\r\n")
        self.asked.append(head)
        port = int(head.split(b" ")[1].rpartition(b":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await peer.say(b"HTTP/1.1 200 Connection established\r\nvia: test\r\n\r\n")
        try:
            await asyncio.gather(_pump(peer.reader, writer), _pump(reader, peer.writer))
        finally:
            writer.close()


async def _pump(reader, writer):
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()


def through(proxy, tls=False, credentials="", none=""):
    scheme = "https" if tls else "http"
    return Proxies.read({"HTTPS_PROXY": f"{scheme}://{credentials}127.0.0.1:{proxy.port}", "NO_PROXY": none})


@pytest.fixture
def tunnel():
    return TunnelProxy()


@pytest.mark.parametrize("proxy_tls", [False, True])
async def test_a_call_goes_through_the_tunnel_and_the_name_is_the_proxys_to_resolve(
    a_way, trusting, tunnel, resolving, proxy_tls
):
    context = trusting.server("127.0.0.1") if proxy_tls else None
    async with providing(tunnel, context) as proxy, providing(always, trusting.server(HOST)) as provider:
        way = a_way(proxies=through(proxy, proxy_tls), resolve=resolving({}))
        for turn in range(3):
            answer = await way.ask(provider.port, tls=True, host=HOST, trusted=False, body=b"x" * 100_000)
            assert answer == (200, b"ok", turn > 0)
        assert (proxy.connections, provider.connections) == (1, 1)
        place = f"{HOST}:{provider.port}".encode()
        assert tunnel.asked == [b"CONNECT %b HTTP/1.1\r\nhost: %b\r\n\r\n" % (place, place)]
        way.transport.close()
        await until(lambda: not proxy.open and not provider.open)


async def test_sessions_are_taken_up_again_within_tunnels(a_way, trusting, tunnel, resolving):
    seen = []

    async def serve(peer):
        seen.append(peer.writer.get_extra_info("ssl_object").session_reused)
        await always(peer)

    async with providing(tunnel) as proxy, providing(serve, trusting.server(HOST)) as provider:
        way = a_way(proxies=through(proxy), resolve=resolving({}), pool=0)
        for _ in range(2):
            await way.ask(provider.port, tls=True, host=HOST)
    assert seen == [False, True]


async def test_a_name_that_this_side_does_not_resolve_in_time_is_left_to_the_proxy(
    a_way, trusting, tunnel, monkeypatch
):
    async def resolve(host, port):
        await asyncio.sleep(60)

    monkeypatch.setattr("penstock.backends.http.dialer.PROXIED", 0.05)
    async with providing(tunnel) as proxy, providing(always, trusting.server(HOST)) as provider:
        way = a_way(proxies=through(proxy), resolve=resolve)
        assert await way.ask(provider.port, tls=True, host=HOST, trusted=False) == (200, b"ok", False)


async def test_the_proxy_gets_its_credentials(a_way, trusting, tunnel, resolving):
    async with providing(tunnel) as proxy, providing(always, trusting.server(HOST)) as provider:
        way = a_way(proxies=through(proxy, credentials="me:secret@"), resolve=resolving({}))
        await way.ask(provider.port, tls=True, host=HOST)
    assert b"\r\nproxy-authorization: Basic bWU6c2VjcmV0\r\n" in tunnel.asked[0]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_this_machine_and_exceptions_are_called_straight(a_way, trusting, tunnel, host):
    async with providing(tunnel) as proxy, providing(always, trusting.server("127.0.0.1", "localhost")) as provider:
        way = a_way(proxies=through(proxy, none="localhost"))
        assert await way.ask(provider.port, tls=True, host=host) == (200, b"ok", False)
    assert tunnel.asked == []


@pytest.mark.parametrize(
    "host",
    [
        "10.0.0.1",
        "0xa9fea9fe",
        "::ffff:169.254.169.254",
        "metadata.google.internal",
        "inward.example",
        "mixed.example",
        "link.example",
    ],
)
async def test_what_may_not_be_called_may_not_be_called_through_a_proxy(a_way, tunnel, resolving, host):
    names = {"inward.example": "10.0.0.1", "mixed.example": "93.184.215.14 10.0.0.1", "link.example": "169.254.1.1"}
    async with providing(tunnel) as proxy:
        way = a_way(proxies=through(proxy), resolve=resolving(names))
        with pytest.raises(AddressRefused):
            await way.ask(443, tls=True, host=host, trusted=False)
        assert proxy.connections == 0


async def test_what_the_operator_allows_goes_through_the_proxy(a_way, trusting, tunnel, resolving):
    allowed = [ipaddress.ip_network("10.0.0.0/8")]
    async with providing(tunnel) as proxy, providing(always, trusting.server(HOST)) as provider:
        way = a_way(proxies=through(proxy), resolve=resolving({HOST: "10.0.0.1"}), allowed=allowed)
        assert await way.ask(provider.port, tls=True, host=HOST, trusted=False) == (200, b"ok", False)


# Faults of the proxy


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "asks for other credentials (407)"),
        (b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 3\r\n\r\nbad", "answers 502"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "answers 403"),
        (b"HTTP/1.1 301 Moved\r\nlocation: http://127.0.0.1/\r\n\r\n", "answers 301"),
        (b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "says more than it was asked"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "is not HTTP/1.1"),
        (b"HTTP/1.1 20\r\n\r\n", "is not HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000, "is larger than 64 KiB"),
        (b"", "closed the connection"),
        (b"HTTP/1.1 200", "closed the connection"),
    ],
)
async def test_a_proxy_that_opens_no_way_is_told_without_its_password(a_way, resolving, answer, sentence):
    async def serve(peer):
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.say(answer)
        if answer.endswith(b"\r\n\r\n") or len(answer) > 1000:
            await peer.gone()

    async with providing(serve) as proxy:
        way = a_way(proxies=through(proxy, credentials="me:secret@"), resolve=resolving({}))
        with pytest.raises(ProviderUnreachable) as caught:
            await way.ask(443, tls=True, host=HOST)
        await until(lambda: not proxy.open)
        assert f"the proxy 127.0.0.1:{proxy.port}" in caught.value.reason
    assert sentence in caught.value.reason
    assert "secret" not in caught.value.reason
    assert "bWU6" not in caught.value.reason


async def test_a_proxy_without_credentials_that_wants_some_is_told(a_way, resolving):
    async def serve(peer):
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.say(b"HTTP/1.1 407 No\r\n\r\n")

    async with providing(serve) as proxy:
        with pytest.raises(ProviderUnreachable, match=r"asks for credentials \(407\)"):
            await a_way(proxies=through(proxy), resolve=resolving({})).ask(443, tls=True, host=HOST)


async def test_a_proxy_that_is_not_there_is_told(a_way, resolving, unused_tcp_port):
    proxies = Proxies.read({"HTTPS_PROXY": f"http://127.0.0.1:{unused_tcp_port}"})
    with pytest.raises(ProviderUnreachable, match=r"no connection to the proxy 127\.0\.0\.1:\d+: Connection refused"):
        await a_way(proxies=proxies, resolve=resolving({})).ask(443, tls=True, host=HOST)


async def test_a_proxy_whose_name_is_unknown_is_told(a_way, resolving):
    way = a_way(proxies=Proxies.read({"HTTPS_PROXY": "http://proxy.example"}), resolve=resolving({}))
    with pytest.raises(ProviderUnreachable, match=r"the proxy proxy\.example:80: the name does not resolve"):
        await way.ask(443, tls=True, host=HOST)


async def test_a_proxy_that_nobody_vouches_for_is_told(a_way, authority, tunnel, resolving):
    async with providing(tunnel, authority.server("127.0.0.1")) as proxy:
        with pytest.raises(ProviderUnreachable, match=r"no connection to the proxy 127.* nobody this machine trusts"):
            await a_way(proxies=through(proxy, tls=True), resolve=resolving({})).ask(443, tls=True, host=HOST)


async def test_a_provider_that_nobody_vouches_for_is_told_beyond_a_proxy_as_well(a_way, trusting, tunnel, resolving):
    async with providing(tunnel) as proxy, providing(always, trusting.server("other.example")) as provider:
        way = a_way(proxies=through(proxy), resolve=resolving({}))
        with pytest.raises(ProviderUnreachable, match=r"no TLS connection to models\.example: .* another host"):
            await way.ask(provider.port, tls=True, host=HOST)
        await until(lambda: not proxy.open and not provider.open)


@pytest.mark.parametrize("stage", ["connect", "handshake"])
@pytest.mark.parametrize("given_up", [False, True])
async def test_a_tunnel_that_stalls_ends_with_the_connect_and_leaves_nothing_open(a_way, resolving, stage, given_up):
    heard = asyncio.Event()

    async def serve(peer):
        await peer.reader.readuntil(b"\r\n\r\n")
        if stage == "handshake":
            await peer.say(b"HTTP/1.1 200 OK\r\n\r\n")
            await peer.reader.read(10)
        heard.set()
        await peer.gone()

    async with providing(serve) as proxy:
        way = a_way(proxies=through(proxy), resolve=resolving({}), connect=0.3)
        task = asyncio.ensure_future(way.ask(443, tls=True, host=HOST))
        await heard.wait()
        if given_up:
            task.cancel()
        with pytest.raises(asyncio.CancelledError if given_up else ProviderTimeout):
            await task
        await until(lambda: not proxy.open)
