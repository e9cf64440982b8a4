"""What a client may send as the head of a request, and what it is told where it may not."""

import asyncio
import json

import pytest
import pytest_asyncio

from penstock.proxy.reader import CHUNK, SMALL_CHUNKS
from tests.kit.house import envelope, house, request
from tests.kit.store import ACCOUNT

pytestmark = pytest.mark.asyncio(loop_scope="module")

ECHO = {"x-mock-echo": "1"}
HEAD_LIMIT = 64 * 1024


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there():
    async with house() as made:
        yield made
        await made.quiet()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def strict():
    """Short limits."""
    async with house(
        head_timeout=0.3,
        body_timeout=0.3,
        keepalive_timeout=0.3,
        max_body=50_000,
        hold_body=10_000,
        log_body_limit=20_000,
    ) as made:
        yield made
        await made.quiet()


# Heads


async def test_a_head_of_the_largest_size_passes(there):
    async with there.client() as client:
        plain = request("openai/x", headers=ECHO | {"x-fill": ""})
        fill = HEAD_LIMIT - plain.index(b"\r\n\r\n") - 100
        answer = await client.ask(request("openai/x", headers=ECHO | {"x-fill": "f" * fill}))
        assert answer.status == 200
        assert ["x-fill", "f" * fill] in json.loads(answer.body)["headers"]


@pytest.mark.parametrize("size", [HEAD_LIMIT + 1, 200_000, 1_000_000])
async def test_a_head_too_large_is_refused(there, size):
    async with there.client() as client:
        client.writer.write(request("openai/x", headers={"x-fill": "f" * size}))
        answer = await client.answer()
        assert "64 KiB" in envelope(answer, 431, 2019)
        assert answer.headers["connection"] == "close"
        assert await client.rest() == b""


async def test_many_small_headers_too_large_together_are_refused(there):
    async with there.client() as client:
        client.writer.write(request("openai/x", headers={f"x-{n}": "v" * 100 for n in range(700)}))
        envelope(await client.answer(), 431, 2019)


@pytest.mark.parametrize("line", ["target", "one header", "names"])
async def test_a_head_that_never_ends_is_refused_wherever_it_grows(there, line):
    async with there.client() as client:
        await client.send(
            {"target": b"GET /v1/", "one header": b"GET / HTTP/1.1\r\nx: ", "names": b"GET / HTTP/1.1\r\n"}[line]
        )
        piece = b"x: y\r\n" * 200 if line == "names" else b"a" * 1000

        async def trickle():
            while True:
                await client.send(piece)
                await asyncio.sleep(0)

        task = asyncio.ensure_future(trickle())
        envelope(await client.answer(), 431, 2019)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_request_trickled_byte_by_byte_is_understood(there):
    async with there.client() as client:
        for byte in request("openai/x", headers=ECHO, body=b"body"):
            await client.send(bytes([byte]))
            await asyncio.sleep(0)
        assert json.loads((await client.answer()).body)["length"] == 4


@pytest.mark.parametrize("begun", [b"G", b"GET /v1/", b"GET / HTTP/1.1\r\nhost: x\r\n", b"\r\n"])
async def test_a_head_that_does_not_arrive_is_refused(strict, begun):
    async with strict.client() as client:
        await client.send(begun)
        answer = await client.answer()
        envelope(answer, 408, 2007)
        assert await client.rest() == b""


async def test_a_trickling_head_gains_no_time(strict):
    async with strict.client() as client:

        async def trickle():
            for byte in b"GET / HTTP/1.1\r\nx: " + b"y" * 10_000:
                await client.send(bytes([byte]))
                await asyncio.sleep(0.02)

        task = asyncio.ensure_future(trickle())
        envelope(await client.answer(), 408, 2007)
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_second_head_that_does_not_arrive_is_refused_too(strict):
    async with strict.client() as client:
        assert (await client.ask(request(method="GET", path="openai/models", body=None))).status == 200
        await client.send(b"GET /")
        envelope(await client.answer(), 408, 2007)


async def test_a_second_head_that_begins_amid_an_answer_and_does_not_arrive_is_refused_too(strict):
    async with strict.client() as client:
        await client.send(request("openai/x", headers=ECHO | {"x-mock-delay": "60"}))
        await strict.mock.until(lambda stats: stats.requests_running == 1)
        await client.send(b"GET /")
        assert (await client.answer()).status == 200
        envelope(await client.answer(), 408, 2007)
        assert await client.rest() == b""


@pytest.mark.parametrize("used", [False, True])
async def test_an_idle_connection_is_closed_without_a_word(strict, used):
    async with strict.client() as client:
        if used:
            assert (await client.ask(request(method="GET", path="openai/models", body=None))).status == 200
        assert await client.rest() == b""


# Malformed

BODY = b"content-length: 5\r\n"
CHUNKED = b"transfer-encoding: chunked\r\n"
TARGET = f"/v1/{ACCOUNT}/default/openai/x".encode()
MALFORMED = {
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "unknown method": b"FROB %b HTTP/1.1\r\n\r\n" % TARGET,
    "no version": b"GET %b\r\n\r\n" % TARGET,
    "RTSP": b"POST %b RTSP/1.0\r\nhost: x\r\ncontent-length: 0\r\n\r\n" % TARGET,
    "RTSP in the clothes of HTTP/1.1": b"GET %b RTSP/1.1\r\nhost: x\r\n\r\n" % TARGET,
    "ICE": b"SOURCE %b ICE/1.0\r\nhost: x\r\n\r\n" % TARGET,
    "version 2": b"GET %b HTTP/2.0\r\n\r\n" % TARGET,
    "no path": b"GET v1/x HTTP/1.1\r\n\r\n",
    "byte beyond ASCII in the target": b"GET %b\xff HTTP/1.1\r\n\r\n" % TARGET,
    "two paths": b"GET %b /b HTTP/1.1\r\n\r\n" % TARGET,
    "no host": b"GET %b HTTP/1.1\r\nx: y\r\n\r\n" % TARGET,
    "no host of the root": b"GET /v1 HTTP/1.1\r\n\r\n",
    "no host, and a last request": b"GET %b HTTP/1.1\r\nconnection: close\r\n\r\n" % TARGET,
    "two hosts": b"GET %b HTTP/1.1\r\nhost: x\r\nHost: x\r\n\r\n" % TARGET,
    "two hosts of old": b"GET %b HTTP/1.0\r\nhost: x\r\nhost: y\r\n\r\n" % TARGET,
    "bare line feeds": b"GET %b HTTP/1.1\nhost: x\n\n" % TARGET,
    "folded header": b"POST %b HTTP/1.1\r\nx: a\r\n b\r\n%b\r\nhello" % (TARGET, BODY),
    "space before the colon": b"POST %b HTTP/1.1\r\nx : a\r\n%b\r\nhello" % (TARGET, BODY),
    "header without a name": b"POST %b HTTP/1.1\r\n: a\r\n%b\r\nhello" % (TARGET, BODY),
    "control character": b"POST %b HTTP/1.1\r\nx: \x01\r\n%b\r\nhello" % (TARGET, BODY),
    "length and chunks": b"POST %b HTTP/1.1\r\n%b%b\r\n0\r\n\r\n" % (TARGET, BODY, CHUNKED),
    "chunks and length": b"POST %b HTTP/1.1\r\n%b%b\r\n0\r\n\r\n" % (TARGET, CHUNKED, BODY),
    "two lengths": b"POST %b HTTP/1.1\r\n%bcontent-length: 6\r\n\r\nhello" % (TARGET, BODY),
    "the same length twice": b"POST %b HTTP/1.1\r\n%b%b\r\nhello" % (TARGET, BODY, BODY),
    "list of lengths": b"POST %b HTTP/1.1\r\ncontent-length: 5, 5\r\n\r\nhello" % TARGET,
    "negative length": b"POST %b HTTP/1.1\r\ncontent-length: -5\r\n\r\nhello" % TARGET,
    "signed length": b"POST %b HTTP/1.1\r\ncontent-length: +5\r\n\r\nhello" % TARGET,
    "hexadecimal length": b"POST %b HTTP/1.1\r\ncontent-length: 0x5\r\n\r\nhello" % TARGET,
    "empty length": b"POST %b HTTP/1.1\r\ncontent-length: \r\n\r\nhello" % TARGET,
    "length beyond all measure": b"POST %b HTTP/1.1\r\ncontent-length: %b\r\n\r\n" % (TARGET, b"9" * 30),
    "unknown transfer coding": b"POST %b HTTP/1.1\r\ntransfer-encoding: gzip\r\n\r\nhello" % TARGET,
    "coded chunks": b"POST %b HTTP/1.1\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n" % TARGET,
    "chunks twice": b"POST %b HTTP/1.1\r\n%b%b\r\n0\r\n\r\n" % (TARGET, CHUNKED, CHUNKED),
    "no chunk size": b"POST %b HTTP/1.1\r\n%b\r\nhello\r\n0\r\n\r\n" % (TARGET, CHUNKED),
    "chunk longer than said": b"POST %b HTTP/1.1\r\n%b\r\n3\r\nhello\r\n0\r\n\r\n" % (TARGET, CHUNKED),
    "chunk size beyond all measure": b"POST %b HTTP/1.1\r\n%b\r\n%b\r\n" % (TARGET, CHUNKED, b"f" * 30),
    "forward proxy": b"CONNECT api.openai.com:443 HTTP/1.1\r\n\r\n",
    "absolute form of no host": b"GET http:///v1/x HTTP/1.1\r\n\r\n",
}


@pytest.mark.parametrize("case", MALFORMED)
@pytest.mark.parametrize("cut", [False, True])
async def test_malformed_requests_are_refused_and_reach_no_provider(there, case, cut):
    begun = there.mock.stats()["requests_begun"]
    async with there.client() as client:
        data = MALFORMED[case]
        for part in (data[: len(data) // 2], data[len(data) // 2 :]) if cut else (data,):
            client.writer.write(part)
            await asyncio.sleep(0)
        answer = await client.answer()
        assert envelope(answer, 400, 2019).startswith("Malformed HTTP request")
        assert answer.headers["connection"] == "close"
        assert await client.rest() == b""
    assert there.mock.stats()["requests_begun"] == begun


async def test_an_old_client_need_not_name_the_host(there):
    async with there.client() as client:
        answer = await client.ask(b"GET /v1/%b/default/openai/models HTTP/1.0\r\n\r\n" % ACCOUNT.encode())
        assert answer.status == 200


async def test_what_was_asked_before_a_malformed_request_is_answered_first(there):
    async with there.client() as client:
        await client.send(request("openai/x", headers=ECHO, body=b"one") + MALFORMED["two lengths"])
        assert json.loads((await client.answer()).body)["length"] == 3
        envelope(await client.answer(), 400, 2019)
        assert await client.rest() == b""


async def test_a_body_that_turns_out_malformed_while_it_streams_is_refused(strict):
    begun = strict.mock.stats()["answers_completed"]
    async with strict.client() as client:
        head = request("openai/x", headers=ECHO | {"transfer-encoding": "chunked"}, body=None, event="bad-late")
        await client.send(head + b"4000\r\n%b\r\n" % (b"x" * 0x4000))
        await strict.mock.until(lambda stats: stats.requests_running == 1)
        await client.send(b"nonsense\r\n")
        envelope(await client.answer(), 400, 2019)
    assert (await strict.row("bad-late")).outcome == "refused"
    assert strict.mock.stats()["answers_completed"] == begun


def in_chunks(count, piece):
    head = request("openai/x", body=None, headers={"transfer-encoding": "chunked", "x-mock-echo": "body"})
    return head + b"%x\r\n%b\r\n" % (len(piece), piece) * count + b"0\r\n\r\n"


@pytest.mark.parametrize(("count", "size"), [(SMALL_CHUNKS, 1), (SMALL_CHUNKS + 1000, 2 * CHUNK)])
async def test_a_body_may_come_in_many_chunks(there, count, size):
    async with there.client() as client:
        answer = await client.ask(in_chunks(count, b"x" * size))
        assert (answer.status, answer.body) == (200, b"x" * size * count)


@pytest.mark.parametrize("count", [SMALL_CHUNKS + 1, 200_000])
async def test_but_not_in_crumbs(there, count):
    async with there.client() as client:
        client.writer.write(in_chunks(count, b"x"))
        assert "chunks" in envelope(await client.answer(), 400, 2019)


async def test_trailers_are_dropped_and_may_not_grow_without_end(there):
    head = request("openai/x", headers=ECHO | {"transfer-encoding": "chunked"}, body=None)
    async with there.client() as client:
        answer = await client.ask(head + b"3\r\nabc\r\n0\r\nx-trailer: 1\r\n\r\n")
        told = json.loads(answer.body)
        assert told["length"] == 3
        assert "x-trailer" not in dict(told["headers"])
        await client.send(head + b"3\r\nabc\r\n0\r\nx-trailer: ")

        async def trickle():
            for _ in range(2000):
                await client.send(b"t" * 1000)

        task = asyncio.ensure_future(trickle())
        envelope(await client.answer(), 431, 2019)
        await asyncio.gather(task, return_exceptions=True)
