"""A pooled connection is closed by the provider at the very moment when a call takes it."""

import asyncio
import socket
import struct

import pytest

from penstock.core.errors import ProviderFailure, ProviderUnreachable
from tests.kit.client import until
from tests.kit.provider import OK, always, providing

RESET = struct.pack("ii", 1, 0)


def reset(peer):
    """Ends a connection by a reset instead of an orderly close."""
    peer.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    peer.writer.transport.abort()


class Ending:
    """Serves one call on each of the first ``count`` connections and ends these when told to, or in the midst of the
    next request; later connections are well-behaved.
    """

    def __init__(self, how, count=1):
        self.how = how
        self.count = count
        self.peers = []

    async def __call__(self, peer):
        if peer.number > self.count:
            await always(peer)
        await peer.request()
        await peer.say(OK)
        self.peers.append(peer)
        if self.how == "in the head":
            await peer.reader.readexactly(5)
        elif self.how == "in the body":
            await peer.reader.readuntil(b"\r\n\r\n")
        elif self.how == "after the request":
            await peer.request()
        elif self.how == "reset after the request":
            await peer.request()
            reset(peer)
        else:
            await peer.gone()

    def end_all(self):
        """Ends them: a close is on its way when this returns, a reset soon after."""
        for peer in self.peers:
            if self.how == "reset":
                reset(peer)
            else:
                with socket.fromfd(
                    peer.writer.get_extra_info("socket").fileno(), socket.AF_INET, socket.SOCK_STREAM
                ) as own:
                    own.shutdown(socket.SHUT_WR)


MOMENTS = ["in the head", "in the body", "after the request", "reset after the request"]


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("kind", ["small", "large", "stream"])
async def test_an_end_in_the_midst_of_a_request_costs_one_silent_retry(way, stream, moment, kind):
    body = b"x" * (1_000_000 if kind == "large" else 5)
    serve = Ending(moment)
    async with providing(serve) as provider:
        await way.ask(provider.port)
        given = {"stream": stream(b"hello")} if kind == "stream" else {"body": body}
        assert await way.ask(provider.port, **given) == (200, b"ok", False)
        assert provider.connections == 2
        await until(lambda: way.transport.counts() == (0, 1))


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("turns", [0, 1, 2, 3])
async def test_an_end_around_the_moment_of_use_is_never_seen(way, how, turns):
    serve = Ending(how)
    async with providing(serve) as provider:
        for _ in range(20):
            serve.count = provider.connections + 1
            await way.ask(provider.port)
            await until(lambda: serve.peers)
            serve.end_all()
            serve.peers.clear()
            for _ in range(turns):
                await asyncio.sleep(0)
            serve.count = 0
            assert (await way.ask(provider.port, body=b"y" * 100_000))[:2] == (200, b"ok")
            way.transport.close()
            await until(lambda: way.transport.counts() == (0, 0))


@pytest.mark.parametrize("how", ["close", "reset", "after the request"])
async def test_a_provider_that_was_restarted_costs_no_call(a_way, how):
    way = a_way(pool=100)
    serve = Ending(how, count=30)
    async with providing(serve) as provider:
        await asyncio.gather(*[way.ask(provider.port) for _ in range(30)])
        assert way.transport.counts() == (0, 30)
        if how != "after the request":
            serve.end_all()
        answers = await asyncio.gather(*[way.ask(provider.port) for _ in range(40)])
        assert {answer[:2] for answer in answers} == {(200, b"ok")}
        assert [reused for *_, reused in answers] == [False] * 40


async def test_a_stream_that_is_partly_gone_is_not_sent_again(way, stream):
    serve = Ending("in the body")
    async with providing(serve) as provider:
        await way.ask(provider.port)
        body = stream(b"x" * 600, length=5000, complete=False)
        asking = asyncio.ensure_future(way.ask(provider.port, stream=body))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        body.feed(b"y" * 600)
        with pytest.raises(ProviderUnreachable):
            await asking
        assert provider.connections == 1


async def test_a_stream_that_is_still_held_goes_on_over_the_new_connection(way, stream):
    got = []

    async def serve(peer):
        if peer.number == 1:
            await peer.request()
            await peer.say(OK)
            await peer.reader.readuntil(b"\r\n\r\n")
            return
        got.append(await peer.request())
        await peer.say(OK)
        await peer.gone()

    async with providing(serve) as provider:
        await way.ask(provider.port)
        body = stream(b"abc", length=6, complete=False)
        asking = asyncio.ensure_future(way.ask(provider.port, stream=body))
        await until(lambda: provider.connections == 2)
        body.feed(b"def")
        body.finish()
        assert await asking == (200, b"ok", False)
        assert got[0].endswith(b"\r\n\r\nabcdef")


@pytest.mark.parametrize(
    "said", [b"H", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\no"]
)
async def test_nothing_is_sent_again_once_a_byte_came_back(way, said):
    async def serve(peer):
        await peer.request()
        await peer.say(OK)
        await peer.request()
        await peer.say(said)

    async with providing(serve) as provider:
        await way.ask(provider.port)
        with pytest.raises(ProviderFailure):
            await way.ask(provider.port)
        assert provider.connections == 1


async def test_a_farewell_that_came_before_the_request_is_not_its_answer(way):
    """Some servers say 408 to an idle connection before they close it."""
    peers = []

    async def serve(peer):
        await peer.request()
        await peer.say(OK)
        peers.append(peer)
        await peer.gone()

    async with providing(serve) as provider:
        await way.ask(provider.port)
        peers[0].writer.write(b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        assert await way.ask(provider.port) == (200, b"ok", False)


async def test_origins_whose_connections_are_gone_are_forgotten(way):
    for _ in range(3):
        async with providing(always) as provider:
            await way.ask(provider.port)
            assert len(way.transport._idle) == 1
        await until(lambda: not way.transport._idle and not way.transport._open)
