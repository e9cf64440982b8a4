"""Pools, limits and failures on the way to a provider, on real sockets."""

import asyncio
import socket
import ssl
import subprocess

import pytest
import pytest_asyncio

from penstock.backends.http.connection import Limits
from penstock.backends.http.transport import HttpTransport
from penstock.core.budget import Budget
from penstock.core.deadlines import Deadlines
from penstock.core.errors import MalformedRequest, ProviderBroke, ProviderFailure, ProviderTimeout, ProviderUnreachable
from penstock.model.body import Bounds, RequestBody
from penstock.ports.transport import Origin, Outgoing
from penstock.testing.client import until
from penstock.testing.provider import providing

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Flow:
    """A client that sends when told by the test; ``paused`` as it was asked."""

    paused = False

    def pause(self):
        self.paused = True

    def resume(self):
        self.paused = False

    def proceed(self):
        pass


class Caught:
    """Takes an answer's body."""

    def __init__(self):
        self.data = b""
        self.error = None
        self.ended = asyncio.get_running_loop().create_future()

    def on_frame(self, data):
        self.data += data

    def on_end(self):
        self.ended.set_result(None)

    def on_error(self, error):
        self.error = error
        self.ended.set_result(None)


class Way:
    """A transport with short limits, and what tests do with it."""

    def __init__(self, *, between=5.0, idle=5.0, connect=5.0, pool=10):
        self.deadlines = Deadlines(asyncio.get_running_loop())
        self.transport = HttpTransport(self.deadlines, Limits(between, idle), connect, pool)

    def outgoing(self, port, *, method=b"POST", body=b"hello", stream=None, first_byte=5.0, tls=False):
        length = (
            None if stream is not None and stream.length is None else len(body) if stream is None else stream.length
        )
        framing = b"transfer-encoding: chunked\r\n" if length is None else b"content-length: %d\r\n" % length
        head = [method, b" /x HTTP/1.1\r\nhost: h\r\n", framing]
        origin = Origin(tls, "127.0.0.1", port)
        return Outgoing(origin, method, head, first_byte, b"" if stream else body, stream)

    async def ask(self, port, **outgoing):
        """The status and the body, read to its end. Raises what broke it."""
        reply = await self.transport.send(self.outgoing(port, **outgoing))
        caught = Caught()
        reply.body.send_to(caught)
        async with asyncio.timeout(5):
            await caught.ended
        if caught.error is not None:
            raise caught.error
        return reply.status, caught.data, reply.body.reused

    def stop(self):
        self.transport.close()
        self.deadlines.stop()


@pytest_asyncio.fixture
async def way():
    made = Way()
    yield made
    made.stop()
    await until(lambda: made.transport.counts() == (0, 0))


def answering(*answers):
    """Serves a connection by these answers, one a request, then closes it."""

    async def serve(peer):
        for answer in answers:
            await peer.request()
            await peer.say(answer)

    return serve


async def always(peer):
    while True:
        await peer.request()
        await peer.say(OK)


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


async def test_the_connection_used_last_is_used_next():
    used = []

    async def serve(peer):
        while True:
            await peer.request()
            used.append(peer.number)
            await peer.say(OK)

    way = Way()
    async with providing(serve) as provider:
        upstreams = [await way.transport.send(way.outgoing(provider.port)) for _ in range(3)]
        assert len(upstreams) == 3
        last = used[-1]
        used.clear()
        for _ in range(4):
            await way.ask(provider.port)
        assert len(set(used)) == 1
        assert last in (1, 2, 3)
        way.stop()


async def test_no_more_idle_connections_are_kept_than_the_pool_holds():
    way = Way(pool=2)
    async with providing(always) as provider:
        await asyncio.gather(*[way.ask(provider.port) for _ in range(6)])
        await until(lambda: way.transport.counts() == (0, 2) and provider.open == 2)
        way.stop()


async def test_an_idle_connection_is_closed_after_its_time():
    way = Way(idle=0.15)
    async with providing(always) as provider:
        await way.ask(provider.port)
        assert way.transport.counts() == (0, 1)
        await until(lambda: way.transport.counts() == (0, 0) and not provider.open)
        assert await way.ask(provider.port) == (200, b"ok", False)
        way.stop()


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


@pytest.mark.parametrize("stream", [False, True])
async def test_a_pooled_connection_that_turns_out_to_be_dead_costs_one_silent_retry(way, stream):
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
        assert await way.ask(provider.port, stream=_stream(b"hello") if stream else None) == (200, b"ok", False)
        assert len(asked) == 3
        assert asked[1] == asked[2]
        assert asked[2].endswith(b"hello")


def _stream(*chunks, length=5, complete=True):
    body = RequestBody(Flow(), Bounds(hold=1, keep=1000, limit=10_000_000, budget=Budget(10_000_000)), length)
    for chunk in chunks:
        body.feed(chunk)
    if complete:
        body.finish()
    return body


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


async def test_no_retry_is_made_for_a_body_that_is_no_longer_held(way):
    async def serve(peer):
        await peer.reader.readuntil(b"\r\n\r\n")
        if peer.number == 1:
            await peer.reader.readexactly(5)
            await peer.say(OK)
            await peer.reader.readuntil(b"\r\n\r\n")
            await peer.reader.readexactly(1000)

    async with providing(serve) as provider:
        await way.ask(provider.port)
        body = _stream(b"x" * 600, length=5000, complete=False)
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
    assert "127.0.0.1" in caught.value.message


async def test_a_host_without_an_address_is_a_failure_that_names_it(way):
    outgoing = way.outgoing(1)
    outgoing.origin = Origin(False, "no-such-host.invalid", 80)
    with pytest.raises(ProviderUnreachable, match=r"no-such-host\.invalid"):
        await way.transport.send(outgoing)


# Time limits


async def test_a_connection_that_does_not_open_in_time_is_a_timeout():
    way = Way(connect=0.2)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        with pytest.raises(ProviderTimeout) as caught:
            await way.ask(port)
        assert (caught.value.status, caught.value.code) == (504, 2005)
        assert "0.2 seconds" in caught.value.message
        for one in waiting:
            one.close()
    way.stop()


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\nx: "])
async def test_an_answer_that_does_not_begin_in_time_is_a_timeout(begun):
    async def serve(peer):
        await peer.request()
        await peer.say(begun)
        await peer.gone()

    way = Way(between=0.2)
    async with providing(serve) as provider:
        with pytest.raises(ProviderTimeout) as caught:
            await way.ask(provider.port, first_byte=0.2)
        assert (caught.value.status, caught.value.code) == (504, 2005)
        assert caught.value.message == "Request timed out"
        await until(lambda: not provider.open)
        way.stop()


async def test_the_limit_of_the_first_byte_does_not_bind_what_follows():
    async def serve(peer):
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no")
        await asyncio.sleep(0.4)
        await peer.say(b"k")
        await peer.gone()

    way = Way()
    async with providing(serve) as provider:
        assert await way.ask(provider.port, first_byte=0.15) == (200, b"ok", False)
        way.stop()


async def test_an_answer_that_falls_silent_breaks():
    async def serve(peer):
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok")
        await peer.gone()

    way = Way(between=0.2)
    async with providing(serve) as provider:
        with pytest.raises(ProviderTimeout, match=r"0\.2 seconds"):
            await way.ask(provider.port)
        await until(lambda: not provider.open)
        way.stop()


async def test_a_pause_that_the_client_caused_is_not_held_against_the_provider():
    async def serve(peer):
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nok")
        await peer.say(b"ok")
        await peer.gone()

    way = Way(between=0.15)
    async with providing(serve) as provider:
        reply = await way.transport.send(way.outgoing(provider.port))
        reply.body.pause()
        await asyncio.sleep(0.4)
        caught = Caught()
        reply.body.send_to(caught)
        reply.body.resume()
        await caught.ended
        assert (caught.data, caught.error) == (b"okok", None)
        way.stop()


# Answers of every kind


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, (200, b"ok")),
        (b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + OK, (200, b"ok")),
        (
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\no\r\n1;x=y\r\nk\r\n0\r\nx-t: 1\r\n\r\n",
            (200, b"ok"),
        ),
        (b"HTTP/1.1 200 \r\ncontent-length: 2\r\n\r\nok", (200, b"ok")),
        (b"HTTP/1.1 200\r\ncontent-length: 2\r\n\r\nok", (200, b"ok")),
        (b"HTTP/1.1 204 No Content\r\n\r\n", (204, b"")),
        (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n", (304, b"")),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", (200, b"")),
        (
            b"HTTP/1.1 200 OK\r\nconnection: Upgrade, Keep-Alive\r\nupgrade: h2,h2c\r\ncontent-length: 2\r\n\r\nok",
            (200, b"ok"),
        ),
    ],
)
@pytest.mark.parametrize("trickled", [False, True])
async def test_answers_are_understood_in_one_piece_and_in_many(way, answer, expected, trickled):
    async def serve(peer):
        while True:
            await peer.request()
            for at in range(0, len(answer), 1 if trickled else len(answer)):
                await peer.say(answer[at : at + (1 if trickled else len(answer))])
                await asyncio.sleep(0)

    async with providing(serve) as provider:
        assert await way.ask(provider.port) == (*expected, False)
        assert await way.ask(provider.port) == (*expected, True)


async def test_a_body_without_a_length_ends_with_its_connection(way):
    async with providing(answering(b"HTTP/1.1 200 OK\r\n\r\nall there is")) as provider:
        assert await way.ask(provider.port) == (200, b"all there is", False)


@pytest.mark.parametrize("framing", [b"content-length: 500\r\n", b"transfer-encoding: chunked\r\n", b""])
async def test_an_answer_to_head_ends_at_its_head_and_keeps_the_connection(way, framing):
    async def serve(peer):
        while True:
            await peer.request()
            await peer.say(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n")

    async with providing(serve) as provider:
        assert await way.ask(provider.port, method=b"HEAD", body=b"") == (200, b"", False)
        assert await way.ask(provider.port, method=b"HEAD", body=b"") == (200, b"", True)


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x15\x03\x01\x00\x02\x02\x16",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nx: " + b"f" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 20_000 + b"\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nx: " + b"f" * 70_000 + b"\r\n\r\n",
    ],
)
async def test_what_is_no_answer_is_a_failure(way, answer):
    async def serve(peer):
        await peer.request()
        await peer.say(answer)
        await peer.gone()

    async with providing(serve) as provider:
        with pytest.raises(ProviderBroke) as caught:
            await way.ask(provider.port)
        assert (caught.value.status, caught.value.code) == (502, 2005)
        await until(lambda: not provider.open)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\nnonsense\r\n",
    ],
)
async def test_an_answer_that_does_not_end_properly_breaks(way, answer):
    async with providing(answering(answer)) as provider:
        with pytest.raises(ProviderBroke):
            await way.ask(provider.port)


# Bodies that stream


async def test_an_answer_before_the_end_of_the_request_costs_the_connection(way):
    async def serve(peer):
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.say(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno")
        await peer.gone()

    async with providing(serve) as provider:
        body = _stream(b"x" * 50, length=5000, complete=False)
        assert await way.ask(provider.port, stream=body) == (413, b"no", False)
        await until(lambda: not provider.open)
        body.feed(b"more")
        body.finish()


async def test_a_provider_that_does_not_read_pauses_the_client(way):
    read = asyncio.Event()

    async def serve(peer):
        await peer.reader.readuntil(b"\r\n\r\n")
        peer.reader._transport.pause_reading()
        await read.wait()
        peer.reader._transport.resume_reading()
        while (await peer.reader.readuntil(b"\r\n"))[:-2] != b"0":
            pass
        await peer.reader.readexactly(2)
        await peer.say(OK)
        await peer.gone()

    async with providing(serve) as provider:
        flow = Flow()
        body = RequestBody(flow, Bounds(hold=1, keep=0, limit=10**9, budget=Budget(10**9)), None)
        body.feed(b"xx")
        asking = asyncio.ensure_future(way.ask(provider.port, stream=body))
        sent = 0
        while not flow.paused and sent < 500:
            body.feed(b"y" * 100_000)
            sent += 1
            await asyncio.sleep(0)
        assert flow.paused
        read.set()
        await until(lambda: not flow.paused)
        body.finish()
        assert await asking == (200, b"ok", False)


async def test_a_client_that_breaks_off_its_request_ends_the_call_with_its_own_error(way):
    async def serve(peer):
        await peer.gone()

    async with providing(serve) as provider:
        body = _stream(b"xx", length=None, complete=False)
        asking = asyncio.ensure_future(way.ask(provider.port, stream=body))
        await until(lambda: provider.open)
        body.fail(MalformedRequest("bad chunk"))
        with pytest.raises(MalformedRequest, match="bad chunk"):
            await asking
        await until(lambda: not provider.open)


# Ends


@pytest.mark.parametrize("stage", ["head", "body"])
async def test_closing_a_call_closes_its_connection_at_once(way, stage):
    async def serve(peer):
        await peer.request()
        if stage == "body":
            await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok")
        await peer.gone()

    async with providing(serve) as provider:
        asking = asyncio.ensure_future(way.transport.send(way.outgoing(provider.port)))
        if stage == "head":
            await until(lambda: provider.open)
            await asyncio.sleep(0.01)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        else:
            reply = await asking
            reply.body.close()
            reply.body.close()
        await until(lambda: not provider.open)
        assert way.transport.counts()[1] == 0


async def test_closing_a_call_that_is_over_leaves_its_connection_to_the_pool(way):
    async with providing(always) as provider:
        reply = await way.transport.send(way.outgoing(provider.port))
        caught = Caught()
        reply.body.send_to(caught)
        await caught.ended
        reply.body.close()
        assert way.transport.counts() == (0, 1)


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
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(ProviderUnreachable) as caught:
        await way.ask(port, tls=True)
    assert (caught.value.status, caught.value.code) == (502, 2005)
    assert "TLS" in caught.value.message
    assert "certificate" in caught.value.message
    server.close()


async def test_a_provider_that_speaks_no_tls_is_refused_by_name(way):
    async def serve(peer):
        await peer.reader.read(10)
        await peer.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with providing(serve) as provider:
        with pytest.raises(ProviderUnreachable, match="TLS"):
            await way.ask(provider.port, tls=True)


async def test_closing_the_transport_ends_every_connection():
    way = Way()
    async with providing(always) as provider:
        await asyncio.gather(*[way.ask(provider.port) for _ in range(3)])
        way.stop()
        await until(lambda: not provider.open and way.transport.counts() == (0, 0))
