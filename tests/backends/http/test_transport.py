"""Pools, retries and failures on the way to a provider, on real sockets."""

import asyncio
import socket
import ssl
import subprocess

import pytest

from penstock.core.errors import ProviderFailure, ProviderTimeout, ProviderUnreachable
from penstock.model.plan import Origin
from tests.kit.client import until
from tests.kit.provider import OK, always, answering, providing

# Pools


async def test_a_connection_serves_one_call_after_the_other(way):
    async with providing(always) as provider:
        assert await way.ask(provider.port) == (200, b"ok", False)
        for _ in range(10):
            assert await way.ask(provider.port) == (200, b"ok", True)
        assert provider.connections == 1
        assert way.transport.counts() == (0, 1)


async def test_calls_at_the_same_time_have_connections_of_their_own(way):
    async with providing(always) as provider:
        answers = await asyncio.gather(*[way.ask(provider.port) for _ in range(8)])
        assert answers == [(200, b"ok", False)] * 8
        assert provider.connections == 8
        assert way.transport.counts() == (0, 8)


async def test_the_connection_used_last_is_used_next(a_way):
    used = []

    async def serve(peer):
        while True:
            await peer.request()
            used.append(peer.number)
            await peer.say(OK)

    way = a_way()
    async with providing(serve) as provider:
        upstreams = [await way.send(provider.port) for _ in range(3)]
        assert len(upstreams) == 3
        last = used[-1]
        used.clear()
        for _ in range(4):
            await way.ask(provider.port)
        assert len(set(used)) == 1
        assert last in (1, 2, 3)


async def test_no_more_idle_connections_are_kept_than_the_pool_holds(a_way):
    way = a_way(pool=2)
    async with providing(always) as provider:
        await asyncio.gather(*[way.ask(provider.port) for _ in range(6)])
        await until(lambda: way.transport.counts() == (0, 2) and provider.open == 2)


async def test_an_idle_connection_is_closed_after_its_time(a_way):
    way = a_way(idle=0.15)
    async with providing(always) as provider:
        await way.ask(provider.port)
        assert way.transport.counts() == (0, 1)
        await until(lambda: way.transport.counts() == (0, 0) and not provider.open)
        assert await way.ask(provider.port) == (200, b"ok", False)


async def test_origins_do_not_share_connections(way):
    async with providing(always) as one, providing(always) as two:
        await way.ask(one.port)
        assert await way.ask(two.port) == (200, b"ok", False)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nConnection: Close\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\n\r\nok",
    ],
)
async def test_a_connection_whose_answer_ends_it_is_not_used_again(way, answer):
    async with providing(answering(answer)) as provider:
        assert await way.ask(provider.port) == (200, b"ok", False)
        assert await way.ask(provider.port) == (200, b"ok", False)


@pytest.mark.parametrize("extra", [b"x", OK, b"\r\n\r\nHTTP/1.1 500 Oh\r\n\r\n"])
@pytest.mark.parametrize("late", [False, True])
async def test_a_provider_that_says_more_than_asked_is_not_trusted_with_another_call(way, extra, late):
    async def serve(peer):
        await peer.request()
        await peer.say(OK if late else OK + extra)
        if late:
            await asyncio.sleep(0.02)
            await peer.say(extra)
        await peer.gone()

    async with providing(serve) as provider:
        assert await way.ask(provider.port) == (200, b"ok", False)
        await until(lambda: not provider.open)
        assert await way.ask(provider.port) == (200, b"ok", False)


# Dead connections


async def test_an_idle_connection_that_the_provider_closed_is_not_used(way):
    async with providing(answering(OK)) as provider:
        for _ in range(3):
            assert await way.ask(provider.port) == (200, b"ok", False)
            await until(lambda: way.transport.counts() == (0, 0))


@pytest.mark.parametrize("streams", [False, True])
async def test_a_pooled_connection_that_turns_out_to_be_dead_costs_one_silent_retry(way, stream, streams):
    asked = []

    async def serve(peer):
        asked.append(await peer.request())
        if peer.number > 1:
            await peer.say(OK)
            await peer.gone()
            return
        await peer.say(OK)
        asked.append(await peer.request())  # and closes without a word

    async with providing(serve) as provider:
        assert await way.ask(provider.port) == (200, b"ok", False)
        assert await way.ask(provider.port, stream=stream(b"hello") if streams else None) == (200, b"ok", False)
        assert len(asked) == 3
        assert asked[1] == asked[2]
        assert asked[2].endswith(b"hello")


async def test_only_one_retry_is_made(way):
    async def serve(peer):
        await peer.request()
        if peer.number == 1:
            await peer.say(OK)
            await peer.request()

    async with providing(serve) as provider:
        await way.ask(provider.port)
        with pytest.raises(ProviderUnreachable):
            await way.ask(provider.port)
        assert provider.connections == 2


async def test_no_retry_is_made_once_a_byte_of_an_answer_came(way):
    async def serve(peer):
        await peer.request()
        await peer.say(OK)
        await peer.request()
        await peer.say(b"H")

    async with providing(serve) as provider:
        await way.ask(provider.port)
        with pytest.raises(ProviderFailure):
            await way.ask(provider.port)
        assert provider.connections == 1


async def test_no_retry_is_made_for_a_body_that_is_no_longer_held(way, stream):
    async def serve(peer):
        await peer.reader.readuntil(b"\r\n\r\n")
        if peer.number == 1:
            await peer.reader.readexactly(5)
            await peer.say(OK)
            await peer.reader.readuntil(b"\r\n\r\n")
            await peer.reader.readexactly(1000)

    async with providing(serve) as provider:
        await way.ask(provider.port)
        body = stream(b"x" * 600, length=5000, complete=False)
        sending = asyncio.ensure_future(way.ask(provider.port, stream=body))
        await asyncio.sleep(0.02)
        body.feed(b"y" * 600)
        with pytest.raises(ProviderUnreachable):
            await sending
        assert provider.connections == 1


async def test_a_new_connection_that_closes_without_a_word_is_a_failure(way):
    async def serve(peer):
        await peer.request()

    async with providing(serve) as provider:
        with pytest.raises(ProviderUnreachable) as caught:
            await way.ask(provider.port)
        assert (caught.value.status, caught.value.code) == (502, 2005)
        assert provider.connections == 1


async def test_nobody_listening_is_a_failure_that_names_the_host(way, unused_tcp_port):
    with pytest.raises(ProviderUnreachable) as caught:
        await way.ask(unused_tcp_port)
    assert (caught.value.status, caught.value.code) == (502, 2005)
    assert "127.0.0.1" in caught.value.reason


async def test_a_host_without_an_address_is_a_failure_that_names_it(way):
    outgoing = way.outgoing(1)
    outgoing.origin = Origin(False, "no-such-host.invalid", 80)
    with pytest.raises(ProviderUnreachable, match=r"no-such-host\.invalid"):
        await way.transport.send(outgoing, 5.0)


async def test_a_connection_that_does_not_open_in_time_is_a_timeout(a_way):
    way = a_way(connect=0.2)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        with pytest.raises(ProviderTimeout) as caught:
            await way.ask(port)
        assert (caught.value.status, caught.value.code) == (504, 2005)
        assert "0.2 seconds" in caught.value.reason
        for one in waiting:
            one.close()


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate that nobody signed but itself."""
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -keyout key.pem -out cert.pem"
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


async def test_a_provider_that_nobody_vouches_for_is_refused_by_name(way, certificate):
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0, ssl=certificate)
    try:
        with pytest.raises(ProviderUnreachable) as caught:
            await way.ask(server.sockets[0].getsockname()[1], tls=True)
    finally:
        server.close()
    assert (caught.value.status, caught.value.code) == (502, 2005)
    assert "no TLS connection to 127.0.0.1" in caught.value.reason
    assert "certificate" in caught.value.reason


async def test_a_provider_that_speaks_no_tls_is_refused_by_name(way):
    async def serve(peer):
        await peer.reader.read(10)
        await peer.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with providing(serve) as provider:
        with pytest.raises(ProviderUnreachable, match=r"no TLS connection to 127\.0\.0\.1"):
            await way.ask(provider.port, tls=True)


async def test_closing_the_transport_ends_every_connection(a_way):
    way = a_way()
    async with providing(always) as provider:
        await asyncio.gather(*[way.ask(provider.port) for _ in range(3)])
        way.transport.close()
        await until(lambda: not provider.open and way.transport.counts() == (0, 0))
