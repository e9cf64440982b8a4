"""Corners of HTTP/1.1 in answers: what is understood, what is refused, and what must never reach the next call."""

import asyncio
import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.core.errors import ProviderBroke, ProviderFailure, ProviderTimeout
from tests.kit.client import until
from tests.kit.provider import OK, always, answering, providing

LINE = b"HTTP/1.1 200 OK\r\n"
CHUNKED = LINE + b"transfer-encoding: chunked\r\n\r\n"
EVIL = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"


def lines(*headers):
    return LINE + b"".join(header + b"\r\n" for header in headers) + b"\r\n"


REFUSED = {
    "folded value": lines(b"x: a", b" b", b"content-length: 2") + b"ok",
    "folded by a tab": lines(b"x: a", b"\tb", b"content-length: 2") + b"ok",
    "folded length": lines(b"content-length:", b" 2") + b"ok",
    "folded framing": lines(b"transfer-encoding:", b" chunked") + b"2\r\nok\r\n0\r\n\r\n",
    "bare line feeds": b"HTTP/1.1 200 OK\ncontent-length: 2\n\nok",
    "one bare line feed": lines(b"a: b\ncontent-length: 2") + b"ok",
    "bare carriage return": lines(b"a: b\rcontent-length: 2") + b"ok",
    "nul in a value": lines(b"a: b\0c", b"content-length: 2") + b"ok",
    "control in a value": lines(b"a: b\x01c", b"content-length: 2") + b"ok",
    "nul in a name": lines(b"a\0: b", b"content-length: 2") + b"ok",
    "nul in the reason": b"HTTP/1.1 200 O\0K\r\ncontent-length: 2\r\n\r\nok",
    "escape in the reason": b"HTTP/1.1 200 \x1b[31m\r\ncontent-length: 2\r\n\r\nok",
    "space in a name": lines(b"a b: c", b"content-length: 2") + b"ok",
    "space before the colon": lines(b"content-length : 2") + b"ok",
    "no name": lines(b": c", b"content-length: 2") + b"ok",
    "no colon": lines(b"abc", b"content-length: 2") + b"ok",
    "two lengths": lines(b"content-length: 2", b"content-length: 3") + b"ok",
    "the same length twice": lines(b"content-length: 2", b"content-length: 2") + b"ok",
    "a list of lengths": lines(b"content-length: 2, 2") + b"ok",
    "negative length": lines(b"content-length: -2") + b"ok",
    "signed length": lines(b"content-length: +2") + b"ok",
    "empty length": lines(b"content-length:") + b"ok",
    "length in hexadecimal": lines(b"content-length: 0x2") + b"ok",
    "length of Python": lines(b"content-length: 2_0") + b"ok",
    "length beyond 64 bits": lines(b"content-length: 18446744073709551618") + b"ok",
    "length beyond 63 bits": lines(b"content-length: 9223372036854775808") + b"ok",
    "length and chunks": lines(b"content-length: 2", b"transfer-encoding: chunked") + b"2\r\nok\r\n0\r\n\r\n",
    "chunks and length": lines(b"transfer-encoding: chunked", b"content-length: 2") + b"2\r\nok\r\n0\r\n\r\n",
    "compressed framing": lines(b"transfer-encoding: gzip, chunked") + b"2\r\nok\r\n0\r\n\r\n",
    "chunks not last": lines(b"transfer-encoding: chunked, gzip") + b"ok",
    "unknown framing": lines(b"transfer-encoding: xchunked") + b"ok",
    "identity": lines(b"transfer-encoding: identity") + b"ok",
    "framed twice": lines(b"transfer-encoding: chunked", b"transfer-encoding: chunked") + b"2\r\nok\r\n0\r\n\r\n",
    "chunks twice": lines(b"transfer-encoding: chunked, chunked") + b"2\r\nok\r\n0\r\n\r\n",
    "framing with an empty part": lines(b"transfer-encoding: ,chunked") + b"2\r\nok\r\n0\r\n\r\n",
    "RTSP": b"RTSP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
    "RTSP in the clothes of HTTP/1.1": b"RTSP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    "HTTP/2.0": b"HTTP/2.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
    "HTTP/0.9": b"HTTP/0.9 200 OK\r\ncontent-length: 2\r\n\r\nok",
    "HTTP/1.2": b"HTTP/1.2 200 OK\r\ncontent-length: 2\r\n\r\nok",
    "lower case": b"http/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    "two spaces": b"HTTP/1.1  200 OK\r\ncontent-length: 2\r\n\r\nok",
    "two digits": b"HTTP/1.1 20 OK\r\ncontent-length: 2\r\n\r\nok",
    "four digits": b"HTTP/1.1 2000 OK\r\ncontent-length: 2\r\n\r\nok",
    "no space after the status": b"HTTP/1.1 200OK\r\ncontent-length: 2\r\n\r\nok",
    "a request": b"GET / HTTP/1.1\r\ncontent-length: 2\r\n\r\nok",
    "a large reason": b"HTTP/1.1 200 " + b"y" * 70_000 + b"\r\ncontent-length: 2\r\n\r\nok",
    "a hundred kilobytes of early hints": b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" * 2600 + OK,
    "a switch of protocols": b"HTTP/1.1 101 Switching\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
    "a switch to nothing": b"HTTP/1.1 101 Switching\r\n\r\n" + OK,
}


@pytest.mark.parametrize("answer", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("piece", [1 << 20, 7])
async def test_an_answer_that_could_be_read_in_two_ways_is_refused(way, answer, piece):
    async def serve(peer):
        await peer.request()
        for at in range(0, len(answer), max(piece, len(answer) // 200)):
            await peer.say(answer[at : at + max(piece, len(answer) // 200)])
            await asyncio.sleep(0)
        await peer.gone()

    async with providing(serve) as provider:
        with pytest.raises(ProviderBroke) as caught:
            await way.ask(provider.port)
        assert (caught.value.status, caught.value.code) == (502, 2005)
        await until(lambda: not provider.open and way.transport.counts() == (0, 0))


BROKEN = [
    b"g\r\n",
    b"-1\r\nx",
    b"0x2\r\nok\r\n0\r\n\r\n",
    b"2\nok\r\n0\r\n\r\n",
    b"2\r\nokk\r\n0\r\n\r\n",
    b"2 \r\nok\r\n",
]
BROKEN += [
    b"F" * 17 + b"\r\nok",
    b'2;a="b\r\nok\r\n',
    b"2\r\nok\n0\r\n\r\n",
    b"\r\nok",
    b"0\r\ncontent-length: 5\r\n\r\n",
]
BROKEN += [b"0\r\n folded: x\r\n\r\n", b"0\r\na: b\n\r\n"]


@pytest.mark.parametrize("body", BROKEN)
async def test_chunks_that_could_be_read_in_two_ways_break_the_answer(way, body):
    async def serve(peer):
        await peer.request()
        await peer.say(CHUNKED + body)
        await peer.gone()

    async with providing(serve) as provider:
        with pytest.raises(ProviderBroke):
            await way.ask(provider.port)
        await until(lambda: not provider.open)


UNDERSTOOD = {  # answer, method, what it says, whether the connection serves another call
    "any number of announcements": (b"HTTP/1.1 102 Processing\r\n\r\n" * 1000 + OK, b"POST", (200, b"ok"), True),
    "announcements with a length": (b"HTTP/1.1 100 C\r\ncontent-length: 9\r\n\r\n" + OK, b"POST", (200, b"ok"), True),
    "204 with a length": (b"HTTP/1.1 204 No\r\ncontent-length: 5\r\n\r\n", b"POST", (204, b""), True),
    "304 with chunks": (b"HTTP/1.1 304 No\r\ntransfer-encoding: chunked\r\n\r\n", b"GET", (304, b""), True),
    "204 to HEAD": (b"HTTP/1.1 204 No\r\n\r\n", b"HEAD", (204, b""), True),
    "HEAD with a length": (lines(b"content-length: 500"), b"HEAD", (200, b""), True),
    "trailers": (CHUNKED + b"2\r\nok\r\n0\r\nx-a: b\r\nx-c: d\r\n\r\n", b"POST", (200, b"ok"), True),
    "trailers that frame": (CHUNKED + b"2\r\nok\r\n0\r\ntransfer-encoding: x\r\n\r\n", b"POST", (200, b"ok"), False),
    "trailers that close": (CHUNKED + b"2\r\nok\r\n0\r\nconnection: close\r\n\r\n", b"POST", (200, b"ok"), False),
    "capital letters": (lines(b"Transfer-Encoding: Chunked") + b"2\r\nok\r\n0\r\n\r\n", b"POST", (200, b"ok"), True),
    "leading zeros": (lines(b"content-length: 002") + b"ok", b"POST", (200, b"ok"), True),
    "spaces around a length": (lines(b"content-length:  2 ") + b"ok", b"POST", (200, b"ok"), True),
    "an unusual status": (b"HTTP/1.1 999 Odd\r\ncontent-length: 2\r\n\r\nok", b"POST", (999, b"ok"), True),
    "a reason of another script": (b"HTTP/1.1 200 \xe9\t!\r\ncontent-length: 2\r\n\r\nok", b"POST", (200, b"ok"), True),
    "HTTP/1.0 kept": (
        b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok",
        b"GET",
        (200, b"ok"),
        True,
    ),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", b"POST", (200, b"ok"), False),
    "HTTP/1.0 with chunks": (CHUNKED.replace(b"1.1", b"1.0") + b"2\r\nok\r\n0\r\n\r\n", b"POST", (200, b"ok"), False),
    "close": (lines(b"connection: close", b"content-length: 2") + b"ok", b"POST", (200, b"ok"), False),
    "close in a list": (lines(b"connection: x, Close", b"content-length: 2") + b"ok", b"POST", (200, b"ok"), False),
    "204 and a body": (b"HTTP/1.1 204 No\r\ncontent-length: 4\r\n\r\nevil", b"POST", (204, b""), False),
    "204 and chunks": (b"HTTP/1.1 204 No\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", b"POST", (204, b""), False),
    "304 and an answer": (b"HTTP/1.1 304 No\r\n\r\n" + EVIL, b"GET", (304, b""), False),
    "HEAD and a body": (lines(b"content-length: 4") + b"evil", b"HEAD", (200, b""), False),
    "HEAD and part of a body": (lines(b"content-length: 500") + b"evil", b"HEAD", (200, b""), False),
    "HEAD and chunks": (CHUNKED + b"4\r\nevil\r\n0\r\n\r\n", b"HEAD", (200, b""), False),
    "a second answer": (OK + EVIL, b"POST", (200, b"ok"), False),
    "half a second answer": (OK + EVIL[:9], b"POST", (200, b"ok"), False),
    "a second answer after chunks": (CHUNKED + b"2\r\nok\r\n0\r\n\r\n" + EVIL, b"POST", (200, b"ok"), False),
    "a second answer after close": (
        lines(b"connection: close", b"content-length: 2") + b"ok" + EVIL,
        b"POST",
        (200, b"ok"),
        False,
    ),
}


@pytest.mark.parametrize(("answer", "method", "said", "kept"), UNDERSTOOD.values(), ids=UNDERSTOOD)
async def test_an_answer_is_understood_and_the_next_call_gets_its_own(way, answer, method, said, kept):
    async def serve(peer):
        await peer.request()
        await peer.say(answer if peer.number == 1 else OK)
        await peer.request()
        await peer.say(OK)
        await peer.gone()

    async with providing(serve) as provider:
        assert await way.ask(provider.port, method=method) == (*said, False)
        assert await way.ask(provider.port) == (200, b"ok", kept)
        assert provider.connections == (1 if kept else 2)


async def test_what_was_said_unasked_and_is_not_read_yet_is_no_answer_to_the_next_call(way):
    peers = []

    async def serve(peer):
        await peer.request()
        await peer.say(OK)
        peers.append(peer)
        await peer.gone()

    async with providing(serve) as provider:
        await way.ask(provider.port)
        await until(lambda: peers)
        peers[0].writer.write(EVIL)  # it is in the system's buffer at once, and the loop has not looked since
        asking = asyncio.ensure_future(way.ask(provider.port))
        await until(lambda: len(peers) == 2)
        assert await asking == (200, b"ok", False)


@pytest.mark.parametrize("value", [b"timeout=1", b"timeout=0", b"max=5, timeout=1", b'Timeout="1"', b"timeout = 1"])
async def test_a_provider_that_keeps_connections_for_a_moment_only_gets_a_new_one_each_time(way, value):
    answer = lines(b"Keep-Alive: " + value, b"content-length: 2") + b"ok"
    async with providing(answering(answer, answer)) as provider:
        for _ in range(2):
            assert await way.ask(provider.port) == (200, b"ok", False)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(b"timeout=5", 4), (b"timeout=5, max=9", 4), (b"timeout=500", 60), (b"max=9", 60), (b"x", 60)],
)
async def test_an_idle_connection_is_given_up_before_the_provider_closes_it(a_way, value, seconds):
    way = a_way(idle=60)
    async with providing(answering(lines(b"keep-alive: " + value, b"content-length: 2") + b"ok", OK)) as provider:
        await way.ask(provider.port)
        (idle,) = way.transport._open
        assert seconds - 0.5 <= idle.deadline - asyncio.get_running_loop().time() <= seconds


async def test_a_head_that_trickles_has_one_limit_for_all_of_it(a_way):
    way = a_way(between=0.3)

    async def serve(peer):
        await peer.request()
        await peer.say(LINE)
        while not peer.reader.at_eof():
            await peer.say(b"x: y\r\n")
            await asyncio.sleep(0.02)

    async with providing(serve) as provider:
        async with asyncio.timeout(3):
            with pytest.raises(ProviderTimeout):
                await way.ask(provider.port)
        await until(lambda: not provider.open)


@pytest.mark.parametrize("piece", [b"x: " + b"a" * 90_000, b"x: y\r\n" * 15_000], ids=["one", "many"])
async def test_trailers_have_the_limit_of_a_head(way, piece):
    async def serve(peer):
        await peer.request()
        await peer.say(CHUNKED + b"2\r\nok\r\n0\r\n")
        with contextlib.suppress(ConnectionError):
            while True:
                await peer.say(piece)

    async with providing(serve) as provider:
        with pytest.raises(ProviderBroke, match="64 KiB"):
            await way.ask(provider.port)
        await until(lambda: not provider.open)


async def test_an_announcement_lets_the_wait_begin_anew(a_way):
    async def serve(peer):
        await peer.request()
        for _ in range(4):
            await asyncio.sleep(0.15)
            await peer.say(b"HTTP/1.1 102 Processing\r\n\r\n")
        await peer.say(OK)
        await peer.gone()

    async with providing(serve) as provider:
        assert await a_way(between=0.3).ask(provider.port, first_byte=0.3) == (200, b"ok", False)


SEEDS = [OK, OK + EVIL, EVIL, CHUNKED + b"2\r\nok\r\n0\r\n\r\n"]
SEEDS += [answer for answer in (*REFUSED.values(), *(row[0] for row in UNDERSTOOD.values())) if len(answer) < 200]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(SEEDS), st.data())
async def test_no_mutation_of_an_answer_hangs_or_reaches_the_call_after_it(way, seed, data):
    at = data.draw(st.integers(0, len(seed)))
    answer = seed[:at] + data.draw(st.binary(max_size=8)) + seed[at + data.draw(st.integers(0, 4)) :]
    pause = data.draw(st.integers(0, len(answer)))

    async def serve(peer):
        if peer.number > 1:
            await always(peer)
        await peer.request()
        await peer.say(answer[:pause])
        await asyncio.sleep(0)
        await peer.say(answer[pause:])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.02):
                await peer.request()  # the connection was kept
            await peer.say(OK)
            await peer.gone()

    async with providing(serve) as provider:
        with contextlib.suppress(ProviderFailure):
            await way.ask(provider.port)
        assert (await way.ask(provider.port))[:2] == (200, b"ok")
