"""Answers of every kind, and time limits, on one connection."""

import asyncio

import pytest

from penstock.core.errors import ProviderBroke, ProviderTimeout
from tests.kit.client import until
from tests.kit.provider import OK, answering, providing


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\nx: "])
async def test_an_answer_that_does_not_begin_in_time_is_a_timeout(a_way, begun):
    async def serve(peer):
        await peer.request()
        await peer.say(begun)
        await peer.gone()

    way = a_way(between=0.2)
    async with providing(serve) as provider:
        with pytest.raises(ProviderTimeout) as caught:
            await way.ask(provider.port, first_byte=0.2)
        assert (caught.value.status, caught.value.code) == (504, 2005)
        assert caught.value.message == "Request timed out"
        await until(lambda: not provider.open)


async def test_the_limit_of_the_first_byte_does_not_bind_what_follows(a_way):
    async def serve(peer):
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\no")
        await asyncio.sleep(0.4)
        await peer.say(b"k")
        await peer.gone()

    way = a_way()
    async with providing(serve) as provider:
        assert await way.ask(provider.port, first_byte=0.15) == (200, b"ok", False)


async def test_an_answer_that_falls_silent_breaks(a_way):
    async def serve(peer):
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok")
        await peer.gone()

    way = a_way(between=0.2)
    async with providing(serve) as provider:
        with pytest.raises(ProviderTimeout, match=r"0\.2 seconds"):
            await way.ask(provider.port)
        await until(lambda: not provider.open)


async def test_a_pause_that_the_client_caused_is_not_held_against_the_provider(a_way):
    async def serve(peer):
        await peer.request()
        await peer.say(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nok")
        await peer.say(b"ok")
        await peer.gone()

    way = a_way(between=0.15)
    async with providing(serve) as provider:
        reply = await way.send(provider.port)
        reply.body.pause()
        await asyncio.sleep(0.4)
        assert await way.read(reply) == b"okok"


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
async def test_an_answer_to_head_ends_at_its_head(way, framing):
    async def serve(peer):
        while True:
            await peer.request()
            await peer.say(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n")

    async with providing(serve) as provider:
        assert await way.ask(provider.port, method=b"HEAD", body=b"") == (200, b"", False)
        again = await way.ask(provider.port, method=b"HEAD", body=b"")
        assert again == (200, b"", bool(framing))  # without a length it could as well be an answer that ends by closing


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x15\x03\x01\x00\x02\x02\x16",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 000 None\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 099 Low\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 099 Low\r\n\r\n",
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
