"""TLS with a real server: who is believed, what is said of who is not, and sessions taken up again."""

import asyncio
import socket
import ssl
from pathlib import Path

import pytest

from penstock.backends.http import tls
from penstock.core.errors import ProviderBroke, ProviderTimeout, ProviderUnreachable
from tests.kit.client import until
from tests.kit.provider import OK, always, providing


def named(name):
    """A resolver by which that name is this machine."""

    async def resolve(host, port):
        assert host == name
        return [("127.0.0.1", port)]

    return resolve


@pytest.fixture
def seen():
    """What the server saw of each connection: its SNI, its protocol, whether a session was taken up."""
    return []


@pytest.fixture
def serve(seen):
    async def serve(peer):
        connection = peer.writer.get_extra_info("ssl_object")
        seen.append((connection.session_reused, connection.selected_alpn_protocol(), connection.version()))
        while True:
            await peer.request()
            await peer.say(OK)

    return serve


@pytest.mark.parametrize(
    ("host", "names"),
    [("models.example", ["models.example"]), ("models.example.", ["models.example"]), ("a.b.example", ["*.b.example"])],
)
async def test_a_provider_is_believed_by_its_name(a_way, trusting, host, names):
    way = a_way(resolve=named(host))
    async with providing(always, trusting.server(*names)) as provider:
        assert await way.ask(provider.port, tls=True, host=host) == (200, b"ok", False)
        assert await way.ask(provider.port, tls=True, host=host) == (200, b"ok", True)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1"])
async def test_a_provider_without_a_name_is_believed_by_its_address(way, trusting, host):
    async with providing(always, trusting.server("127.0.0.1")) as provider:
        assert await way.ask(provider.port, tls=True, host=host) == (200, b"ok", False)


@pytest.mark.parametrize(
    ("host", "names", "days", "sentence"),
    [
        ("models.example", ["other.example"], (-1, 1), "its certificate is that of another host"),
        ("models.example", ["127.0.0.1"], (-1, 1), "its certificate is that of another host"),
        ("127.0.0.1", ["models.example"], (-1, 1), "its certificate is not that of this address"),
        ("127.0.0.1", ["127.0.0.2"], (-1, 1), "its certificate is not that of this address"),
        ("models.example", ["models.example"], (-9, -8), "its certificate has expired"),
        ("models.example", ["models.example"], (8, 9), "its certificate is not valid yet"),
    ],
)
async def test_a_certificate_that_does_not_hold_is_told_with_its_fault(a_way, trusting, host, names, days, sentence):
    way = a_way(resolve=named(host))
    async with providing(always, trusting.server(*names, begins=days[0], ends=days[1])) as provider:
        with pytest.raises(ProviderUnreachable) as caught:
            await way.ask(provider.port, tls=True, host=host)
        await until(lambda: not provider.open)
    assert caught.value.reason == f"no TLS connection to {host}: {sentence}"


async def test_an_authority_that_nobody_knows_is_told_with_the_remedy(way, authority):
    async with providing(always, authority.server("127.0.0.1")) as provider:
        with pytest.raises(ProviderUnreachable, match=r"nobody this machine trusts .* see SSL_CERT_FILE"):
            await way.ask(provider.port, tls=True)


async def test_a_port_without_tls_is_told(way, trusting):
    async def serve(peer):
        await peer.reader.read(10)
        await peer.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with providing(serve) as provider:
        with pytest.raises(ProviderUnreachable, match="it does not speak TLS on this port"):
            await way.ask(provider.port, tls=True)


async def test_a_server_that_breaks_off_the_handshake_is_told(way, trusting):
    context = trusting.server("127.0.0.1")
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    way.dialer._context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with providing(always, context) as provider:
        with pytest.raises(ProviderUnreachable, match=r"no TLS connection to 127\.0\.0\.1: it closed the connection"):
            await way.ask(provider.port, tls=True)


async def test_the_name_travels_and_no_other_protocol_than_http_1_is_offered(a_way, trusting, serve, seen):
    names = []
    context = trusting.server("models.example")
    context.set_alpn_protocols(["h2", "http/1.1"])
    context.sni_callback = lambda connection, name, _: names.append(name)
    way = a_way(resolve=named("models.example."))
    async with providing(serve, context) as provider:
        await way.ask(provider.port, tls=True, host="models.example.")
    assert names == ["models.example"]
    assert [protocol for _, protocol, _ in seen] == ["http/1.1"]


async def test_no_name_travels_to_an_address(way, trusting):
    names = []
    context = trusting.server("127.0.0.1")
    context.sni_callback = lambda connection, name, _: names.append(name)
    async with providing(always, context) as provider:
        await way.ask(provider.port, tls=True)
    assert names in ([None], [])


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_session_is_taken_up_again_by_later_connections(a_way, trusting, serve, seen, version):
    context = trusting.server("127.0.0.1", "models.example")
    context.minimum_version = context.maximum_version = version
    way = a_way(pool=0, resolve=named("models.example"))
    async with providing(serve, context) as provider:
        for _ in range(3):
            await way.ask(provider.port, tls=True)
            await until(lambda: not provider.open)
        await way.ask(provider.port, tls=True, host="models.example")
    assert [reused for reused, _, _ in seen] == [False, True, True, False]


async def test_a_session_that_the_server_forgot_costs_nothing_but_the_handshake(a_way, trusting, serve, seen):
    way = a_way(pool=0)
    async with providing(serve, trusting.server("127.0.0.1")) as provider:
        await way.ask(provider.port, tls=True)
        port = provider.port
    async with providing(serve, trusting.server("127.0.0.1")) as provider:
        assert provider.port != port
        assert await way.ask(provider.port, tls=True) == (200, b"ok", False)
    assert [reused for reused, _, _ in seen] == [False, False]


async def test_as_many_sessions_are_kept_as_there_is_room_for_and_none_after_the_end(a_way, trusting, monkeypatch):
    monkeypatch.setattr(tls, "REMEMBERED", 2)
    way = a_way(pool=0)
    hosts = [f"127.0.0.{number}" for number in range(1, 5)]
    async with providing(always, trusting.server(*hosts)) as provider:
        del provider
    context = trusting.server(*hosts)
    for host in hosts:
        server = await asyncio.start_server(_answer, host, 0, ssl=context)
        await way.ask(server.sockets[0].getsockname()[1], tls=True, host=host)
        server.close()
    assert list(way.dialer._context._sessions) == hosts[2:]
    way.stop()
    assert not way.dialer._context._sessions


async def _answer(reader, writer):
    try:
        await reader.readuntil(b"hello")
        writer.write(OK)
        await reader.read()
    finally:
        writer.close()


@pytest.mark.parametrize("given_up", [False, True])
async def test_a_handshake_that_stalls_ends_with_the_connect_and_leaves_nothing_open(a_way, trusting, given_up):
    way = a_way(connect=0.3)

    async def serve(peer):
        await peer.gone()

    async with providing(serve) as provider:
        task = asyncio.ensure_future(way.ask(provider.port, tls=True))
        await until(lambda: provider.open)
        if given_up:
            task.cancel()
        with pytest.raises(asyncio.CancelledError if given_up else ProviderTimeout):
            await task
        await until(lambda: not provider.open)


async def test_a_body_that_ends_with_its_connection_ends_with_tls_as_well(way, trusting):
    async def serve(peer):
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\n\r\nall there is")

    async with providing(serve, trusting.server("127.0.0.1")) as provider:
        assert await way.ask(provider.port, tls=True) == (200, b"all there is", False)


async def test_a_body_that_is_cut_below_tls_is_not_taken_for_whole(way, trusting):
    async def serve(peer):
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\n\r\nnot all")
        with socket.fromfd(peer.writer.get_extra_info("socket").fileno(), socket.AF_INET, socket.SOCK_STREAM) as own:
            own.shutdown(socket.SHUT_WR)
        await peer.gone()

    async with providing(serve, trusting.server("127.0.0.1")) as provider:
        with pytest.raises(ProviderBroke):
            await way.ask(provider.port, tls=True)


async def test_a_large_request_leaves_no_descriptor_open(way, trusting):
    async with providing(always, trusting.server("127.0.0.1")) as provider:
        await way.ask(provider.port, tls=True)
        before = len(list(Path("/dev/fd").iterdir()))
        for _ in range(3):
            assert await way.ask(provider.port, tls=True, body=b"x" * 100_000) == (200, b"ok", True)
            assert len(list(Path("/dev/fd").iterdir())) == before
