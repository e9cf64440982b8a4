"""How an answer reaches the client, and how it ends where it cannot."""

import asyncio
import json
from typing import Any

import pytest
import pytest_asyncio

from penstock.model.surface import Surface
from penstock.proxy import surfaces
from tests.kit.client import connected, until
from tests.kit.house import house, request
from tests.kit.provider import providing

pytestmark = pytest.mark.asyncio(loop_scope="module")

BACK = {"x-mock-echo": "body"}
CHAT = b'{"model":"m","messages":[{"role":"user","content":"hello"}]}'
STREAM = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"hello"}]}'
ASKED = STREAM[:-1] + b',"stream_options":{"include_usage":true}}'
CLAUDE = b'{"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hello"}]}'
LARGE = 60_000_000  # more than the system's own buffers hold


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there():
    async with house(write_timeout=0.5) as made:
        yield made
        await made.quiet()


def events(body):
    """The data of each event, as a client reads them."""
    told = body.decode().split("\n\n")
    return ["".join(line[6:] for line in event.split("\n") if line.startswith("data: ")) for event in told if event]


# Answers without a body


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
async def test_the_answer_to_head_has_no_body_and_the_connection_goes_on(there, framing):
    async with there.client() as client:
        for _ in range(2):
            answer = await client.ask(
                request("openai/models", method="HEAD", headers={"x-mock-framing": framing}, body=None)
            )
            assert answer.status == 200
            assert ("content-length" in answer.headers) == (framing == "length")
            assert "transfer-encoding" not in answer.headers
        assert (await client.ask(request(body=CHAT))).status == 200


async def test_a_refused_head_has_no_body_either(there):
    async with there.client() as client:
        answer = await client.ask(request("nobody/x", method="HEAD", body=None))
        assert answer.status == 400
        assert int(answer.headers["content-length"]) > 0
        assert (await client.ask(request(body=CHAT))).status == 200


@pytest.mark.parametrize("status", [204, 304])
async def test_an_answer_that_never_has_a_body_ends_at_its_head(there, status):
    async with there.client() as client:
        answer = await client.ask(request("openai/x", headers=BACK | {"x-mock-status": str(status)}, body=b""))
        assert answer.status == status
        assert "transfer-encoding" not in answer.headers
        assert status == 304 or "content-length" not in answer.headers
        assert (await client.ask(request(body=CHAT))).status == 200


@pytest.mark.parametrize("method", ["OPTIONS", "GET", "DELETE", "PATCH", "PUT", "QUERY", "PROPFIND"])
async def test_any_method_travels_with_and_without_a_body(there, method):
    async with there.client() as client:
        for body in (None, b"", b"body"):
            answer = await client.ask(request("openai/x", method=method, headers={"x-mock-echo": "1"}, body=body))
            told = json.loads(answer.body)
            assert told["method"] == method
            assert told["length"] == len(body or b"")
            lengths = [value for name, value in told["headers"] if name.lower() == "content-length"]
            assert lengths == ([] if body is None else [str(len(body))])


@pytest.mark.parametrize("status", [200, 201, 205, 299, 301, 404, 418, 429, 500, 503, 529, 599])
async def test_status_reason_and_body_of_the_provider_are_relayed(there, status):
    async with there.client() as client:
        answer = await client.ask(request("openai/x", headers=BACK | {"x-mock-status": str(status)}, body=b"body"))
        assert (answer.status, answer.body) == (status, b"body")
        assert answer.reason


# Framing


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
@pytest.mark.parametrize("pace", ["0", "5"])
async def test_a_body_arrives_whole_however_the_provider_frames_it(there, framing, pace):
    async with there.client() as client:
        for _ in range(2):
            headers = {"x-mock-framing": framing, "x-mock-frames": "4", "x-mock-pace": pace}
            answer = await client.ask(request(headers=headers, body=CHAT))
            assert answer.whole
            assert json.loads(answer.body)["object"] == "chat.completion"
            assert "connection" not in answer.headers


@pytest.mark.parametrize("framing", ["chunked", "close"])
async def test_an_old_client_reads_to_the_end_of_the_connection(there, framing):
    async with there.client() as client:
        headers = {"x-mock-framing": framing, "x-mock-frames": "4", "x-mock-pace": "5"}
        answer = await client.ask(request(headers=headers, body=CHAT).replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert "transfer-encoding" not in answer.headers
        assert answer.headers["connection"] == "close"
        assert json.loads(answer.body)["object"] == "chat.completion"


async def test_frames_are_handed_on_as_they_come(there):
    async with there.client() as client:
        await client.send(request(headers={"x-mock-frames": "6", "x-mock-stall": "3"}, body=ASKED))
        assert (await client.head()).status == 200
        got = b""
        while got.count(b"\n\n") < 3:
            got += await client.chunk()
        assert got.startswith(b"data: ")


async def test_every_answer_names_its_call(there):
    async with there.client() as client:
        answer = await client.ask(request(body=CHAT, event="mine"))
        assert answer.headers["cf-aig-event-id"] == "mine"
        row = await there.row("mine")
        from penstock.core import ids

        assert answer.headers["cf-aig-log-id"] == answer.headers["cf-aig-request-id"] == ids.text(row.id)


# Answers that break


async def test_a_broken_stream_ends_in_an_error_of_its_dialect_and_is_not_completed(there):
    async with there.client() as client:
        answer = await client.ask(
            request(headers={"x-mock-frames": "6", "x-mock-cut-frames": "3"}, body=ASKED, event="cut")
        )
        assert (answer.status, answer.whole) == (200, False)
        assert "[DONE]" not in answer.body.decode()
        *_, last = events(answer.body)
        assert json.loads(last)["error"]["message"] == "The provider broke off its answer."
        assert await client.rest() == b""
    row = await there.row("cut")
    assert (row.outcome, row.success, row.status_code) == ("broken", False, 200)


@pytest.mark.parametrize("size", [1, 30, 200, 333, 500])
@pytest.mark.parametrize("body", [ASKED, STREAM])
async def test_the_error_is_an_event_of_its_own_also_amid_another(there, size, body):
    async with there.client() as client:
        answer = await client.ask(request(headers={"x-mock-frames": "6", "x-mock-cut-bytes": str(size)}, body=body))
        assert not answer.whole
        *_, last = events(answer.body)
        assert json.loads(last)["error"]["code"] == "2005"


async def test_the_error_takes_the_dialect_of_a_surface_that_has_one(there, monkeypatch):
    monkeypatch.setattr(surfaces, "UNIVERSAL", Surface("speaks", steps="universal", dialect="anthropic"))
    step = b'[{"provider":"openai","endpoint":"chat/completions","headers":{"x-mock-frames":6,"x-mock-cut-frames":3},'
    async with there.client() as client:
        answer = await client.ask(request("", body=step + b'"query":%b}]' % ASKED))
        assert not answer.whole
        *_, last = answer.body.decode().split("event: ")
        assert last.startswith("error\n")


async def test_a_broken_stream_of_anthropic_ends_in_its_error_event(there):
    async with there.client() as client:
        headers = {"x-mock-frames": "6", "x-mock-cut-frames": "3"}
        answer = await client.ask(request("anthropic/v1/messages", headers=headers, body=CLAUDE))
        assert not answer.whole
        *_, last = answer.body.strip().split(b"\n\n")
        assert last.startswith(b"event: error\ndata: {")
        assert json.loads(last.partition(b"data: ")[2])["type"] == "error"


async def test_a_stream_that_breaks_right_after_its_head_says_so(there):
    async with there.client() as client:
        answer = await client.ask(request(headers={"x-mock-cut-frames": "0"}, body=STREAM))
        assert (answer.status, answer.whole) == (200, False)
        assert json.loads(events(answer.body)[-1])["error"]["code"] == "2005"


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd"])
async def test_an_encoded_stream_that_breaks_is_cut_without_words_nobody_could_read(there, encoding):
    async with there.client() as client:
        headers = {"x-mock-frames": "6", "x-mock-cut-frames": "3", "x-mock-encoding": encoding}
        answer = await client.ask(request(headers=headers, body=ASKED))
        assert not answer.whole
        assert b"error" not in answer.body


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("size", ["0", "1", "100"])
async def test_any_other_body_that_breaks_is_cut_short(there, framing, size):
    async with there.client() as client:
        answer = await client.ask(
            request(headers={"x-mock-framing": framing, "x-mock-cut-bytes": size}, body=CHAT, event="")
        )
        assert (answer.status, answer.whole) == (200, False)
        assert len(answer.body) == int(size)
        assert await client.rest() == b""


async def test_a_stream_with_a_length_that_breaks_is_cut_short_and_not_filled_up(there):
    async with there.client() as client:
        headers = {"x-mock-framing": "length", "x-mock-frames": "6", "x-mock-cut-frames": "3"}
        answer = await client.ask(request(headers=headers, body=ASKED, event="short"))
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert not answer.whole
        assert 0 < len(answer.body) < int(answer.headers["content-length"])
        assert len(events(answer.body)) == 3
        assert b"error" not in answer.body
        assert await client.rest() == b""
    assert (await there.row("short")).outcome == "broken"


async def test_a_provider_that_falls_silent_midway_breaks_the_answer():
    async with house(idle_timeout=0.2) as small, small.client() as client:
        headers = {"x-mock-frames": "6", "x-mock-stall": "3"}
        answer = await client.ask(request(headers=headers, body=ASKED, event="silent"))
        assert not answer.whole
        assert "0.2 seconds" in json.loads(events(answer.body)[-1])["error"]["message"]
        assert (await small.row("silent")).outcome == "broken"
        await small.mock.until(lambda stats: not stats.requests_running)


# Clients that do not read


async def test_a_client_that_reads_slowly_holds_up_its_provider_and_gets_everything(there):
    plane = there.server.app.plane
    async with connected(there.server.port, 1 << 12) as client:
        await client.send(request("openai/x", headers={"x-mock-echo": "body", "content-length": str(LARGE)}, body=None))
        pushed = 0
        piece = bytes(range(256)) * 256

        async def push():
            nonlocal pushed
            while pushed < LARGE:
                part = piece[: LARGE - pushed]
                client.writer.write(part)
                await client.writer.drain()
                pushed += len(part)

        pushing = asyncio.ensure_future(push())
        answer = await client.head()
        for _ in range(20):  # the client reads nothing: at some point nothing can be pushed either
            before = pushed
            await asyncio.sleep(0.02)
            if pushed == before:
                break
        assert pushed < LARGE
        assert plane.bounds.budget.used < 11_000_000
        got = 0
        while got < LARGE:
            data = await client.reader.read(1 << 20)
            assert data
            at = got % 256
            assert data == (piece * (len(data) // len(piece) + 2))[at : at + len(data)]
            got += len(data)
        await pushing
        assert answer.status == 200


async def test_a_client_that_does_not_read_is_dropped_and_its_provider_closed(there):
    aborted = there.mock.stats()["aborted_by_peer"]
    async with connected(there.server.port, 1 << 12) as client:
        await client.send(request(headers={"x-mock-size": str(LARGE)}, body=CHAT, event="unread"))
        assert (await client.head()).status == 200
        assert there.mock.stats()["requests_running"] == 1
        await there.mock.until(lambda stats: not stats.requests_running)
        row = await there.row("unread")
        assert row.outcome == "client_gone"
        assert there.mock.stats()["aborted_by_peer"] == aborted + 1
        assert there.server.app.plane.connections == 0


@pytest.mark.parametrize("ends", ["kept", "closed", "cut"])
async def test_an_answer_nobody_fetches_does_not_keep_its_connection_for_ever(ends):
    """Also where so few bytes are left to be sent that nothing had to be paused."""
    async with house(write_timeout=0.3, keepalive_timeout=0.3) as small:
        plane, rows = small.server.app.plane, small.sink.records
        async with connected(small.server.port, 1 << 10) as client:
            client.deafen()
            await until(lambda: plane.connections)
            watched: Any = plane.deadlines.watched
            (served,) = [one.transport for one in watched if hasattr(one, "transport")]
            headers = {"x-mock-frames": "4", "x-mock-size": "20000"}
            while not served.get_write_buffer_size():
                count = len(rows)
                await client.send(request(headers=headers, body=CHAT))
                await until(lambda count=count: len(rows) > count and not plane.calls)
            if ends != "kept":
                headers |= {"connection": "close"} if ends == "closed" else {"x-mock-cut-bytes": "100"}
                await client.send(request(headers=headers, body=CHAT))
            await until(lambda: not plane.connections)
        await small.quiet()


# Answers that come before the request is whole


async def test_an_answer_that_is_complete_before_the_upload_ends_the_connection():
    async def serve(peer):
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.say(b"HTTP/1.1 413 Too Large\r\ncontent-length: 5\r\n\r\nlarge")
        await peer.gone()

    async with providing(serve) as provider, house(providers={"openai": provider.url}) as small:
        async with small.client() as client:
            head = request("openai/x", headers={"content-length": "9000000"}, body=None, event="early")
            await client.send(head + b"x" * 2_000_000)
            answer = await client.answer()
            assert (answer.status, answer.body, answer.whole) == (413, b"large", True)
            assert answer.headers["connection"] == "close"
            await until(lambda: not provider.open)
        assert (await small.row("early")).outcome == "answered"
        await small.quiet()


async def test_an_answer_that_begins_before_the_upload_ends_says_close_and_closes(there):
    async with there.client() as client:
        await client.send(
            request("openai/x", headers=BACK | {"content-length": "2000000"}, body=None) + b"x" * 1_500_000
        )
        answer = await client.head()
        assert answer.headers["connection"] == "close"
        got = asyncio.ensure_future(client.reader.readexactly(2_000_000))
        await client.send(b"y" * 500_000)
        assert (await got).endswith(b"xy" + b"y" * 499_999)
        assert await client.rest() == b""
