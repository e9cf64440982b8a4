"""A pooled connection is closed by the provider at the very moment when a call takes it."""

import asyncio
import socket
import struct
from concurrent.futures import ThreadPoolExecutor

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


async def test_a_request_that_the_provider_may_have_read_is_not_sent_again(a_way):
    """It may have worked on it, and be paid for it."""
    way, read = a_way(unread=0.05), asyncio.Event()

    async def serve(peer):
        await peer.request()
        await peer.say(OK)
        await peer.request()
        read.set()
        await asyncio.sleep(0.2)

    async with providing(serve) as provider:
        await way.ask(provider.port)
        outgoing = way.outgoing(provider.port)
        with pytest.raises(ProviderUnreachable):
            await way.transport.send(outgoing, 5.0)
        assert (provider.connections, outgoing.stale, read.is_set()) == (1, None, True)


async def test_a_request_that_was_sent_again_says_so(way):
    async with providing(Ending("in the head")) as provider:
        await way.ask(provider.port)
        outgoing = way.outgoing(provider.port)
        reply = await way.transport.send(outgoing, 5.0)
        assert await way.read(reply) == b"ok"
        assert outgoing.stale is not None
        assert provider.connections == 2


LARGE = b"HTTP/1.1 413 Large\r\nconnection: close\r\ncontent-length: 9\r\n\r\ntoo large"


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("kind", ["held", "stream", "chunked stream"])
async def test_an_answer_that_comes_amid_the_request_is_the_answer(way, trusting, stream, kind, secure):
    """The provider reads the head alone, answers, and closes: what is still sent meets a broken pipe. All of that is
    there before the loop looks: it has only the next write to notice it by.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor(1) as elsewhere:
        body = stream(b"x" * 1000, length=None if kind == "chunked stream" else 10**7, complete=False)
        given = {"body": b"x" * 10**7} if kind == "held" else {"stream": body}
        accepted = elsewhere.submit(_accept, listening, trusting.server("127.0.0.1") if secure else None)
        port = listening.getsockname()[1]
        sending = asyncio.ensure_future(way.send(port, tls=secure, **given))
        await until(lambda: way.transport.counts()[0] and accepted.done())
        with accepted.result() as peer:
            peer.recv(20)
            peer.sendall(LARGE)
        if kind != "held":
            body.feed(b"y" * 70_000)
            body.feed(b"y" * 70_000)
        reply = await sending
        assert reply.status == 413
        assert await way.read(reply) == b"too large"
        await until(lambda: way.transport.counts() == (0, 0))


def _accept(listening, context):
    peer, _ = listening.accept()
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else the answer may not have left before the reset
    return peer if context is None else context.wrap_socket(peer, server_side=True)


async def test_a_request_that_is_refused_amid_its_body_is_not_sent_on(way, stream, flow):
    got = b""

    async def serve(peer):
        nonlocal got
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.say(b"HTTP/1.1 401 No\r\ncontent-length: 2\r\n\r\nn")
        got = await peer.reader.read()

    async with providing(serve) as provider:
        body = stream(b"x" * 10, length=10**7, complete=False)
        reply = await way.send(provider.port, stream=body)
        body.feed(b"y" * 1000)
        reply.body.close()
        await until(lambda: not provider.open)
        assert got == b"x" * 10


async def test_a_connection_with_an_unsent_rest_of_a_request_is_not_used_again(way):
    async def serve(peer):
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.say(OK)
        await asyncio.Event().wait()  # it reads no more

    async with providing(serve) as provider:
        assert await way.ask(provider.port, body=b"x" * 3 * 10**7) == (200, b"ok", False)
        await until(lambda: way.transport.counts() == (0, 0))


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
