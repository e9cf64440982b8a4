"""What lies outside the data plane, on the same connections."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

from penstock.proxy.asgi import CONTROL_BODY, HELD
from tests.kit.client import until
from tests.kit.house import house, request

pytestmark = pytest.mark.asyncio(loop_scope="module")

HEALTH = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there():
    async with house(body_timeout=0.3) as made:
        yield made
        await made.quiet()


async def test_both_planes_share_a_connection(there):
    async with there.client() as client:
        for _ in range(5):
            assert json.loads((await client.ask(HEALTH)).body) == {"status": "ok"}
            assert (await client.ask(request())).status == 200


@pytest.mark.parametrize(
    "path", ["/v1x", "/v", "/v2/x", "/V1/a/b/c/d", "//v1/a/b/c/d", "*", "/%76%31/a/b/c/d", "/health"]
)
async def test_any_other_path_is_not_found_in_the_control_planes_words(there, path):
    async with there.client() as client:
        answer = await client.ask(f"OPTIONS {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
        told = json.loads(answer.body)
        assert answer.status == 404
        assert (told["success"], told["errors"][0]["code"], told["result"]) == (False, 7003, None)
        assert (await client.ask(HEALTH)).status == 200


async def test_head_has_no_body(there):
    async with there.client() as client:
        answer = await client.ask(HEALTH.replace(b"GET", b"HEAD"))
        assert int(answer.headers["content-length"]) > 0
        assert json.loads((await client.ask(HEALTH)).body) == {"status": "ok"}


async def test_a_client_that_closes_is_closed(there):
    async with there.client() as client:
        answer = await client.ask(HEALTH.replace(b"host: x", b"host: x\r\nconnection: close"))
        assert answer.headers["connection"] == "close"
        assert await client.rest() == b""


async def test_an_old_client_is_answered_and_closed(there):
    async with there.client() as client:
        answer = await client.ask(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert json.loads(answer.body) == {"status": "ok"}
        assert await client.rest() == b""


@pytest.mark.parametrize("size", [5, 1_000_000])
async def test_a_body_that_nobody_wants_does_no_harm(there, size):
    async with there.client() as client:
        client.writer.write(b"POST /healthz HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % size + b"x" * size)
        answer = await client.answer()
        assert answer.status == 405
        assert json.loads(answer.body)["success"] is False


async def test_a_body_that_does_not_arrive_does_not_keep_its_connection(there):
    async with there.client() as client:
        await client.send(b"POST /healthz HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nabc")
        assert (await client.answer()).status == 405
        await client.rest()


async def test_a_client_that_leaves_leaves_nothing_behind(there):
    for _ in range(10):
        async with there.client() as client:
            await client.send(b"POST /metrics HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nabc" + HEALTH)
    await there.quiet()
    assert not there.server.server.server_state.tasks


async def test_the_figures_tell_what_is_open(there):
    async with there.client() as client:
        await client.send(request(headers={"x-mock-stall": "head"}))
        await there.mock.until(lambda stats: stats.requests_running == 1)
        async with there.client() as other:
            text = (await other.ask(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n")).body.decode()
        figures = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        assert float(figures["penstock_calls_in_flight"]) == 1
        assert float(figures["penstock_client_connections"]) == 2
        assert float(figures['penstock_upstream_connections{state="busy"}']) == 1
    await asyncio.sleep(0)


# With an application of the test's own: what the application and the client each see


READ = 256 * 1024  # bytes that a loop reads from a socket at once


class Application:
    """Does with a request what stands under its path; keeps what it was given and what came of it."""

    def __init__(self):
        self.go = asyncio.Event()
        self.asked = []
        self.pieces = []
        self.sent = 0
        self.ended = []  # last words of each request, in the order of their ends

    async def __call__(self, scope, receive, send):
        self.asked.append(scope)
        await getattr(self, scope["path"].strip("/"))(receive, send)

    async def whole(self, receive):
        """Reads the body to its end; returns the last message."""
        while (message := await receive())["type"] == "http.request":
            self.pieces.append(message["body"])
            if not message["more_body"]:
                break
        return message

    async def answer(self, send, body=b"done", status=200, headers=()):
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def stream(self, send, *pieces):
        await send({"type": "http.response.start", "status": 200})
        for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            self.sent += 1
        await send({"type": "http.response.body"})

    async def echo(self, receive, send):
        self.ended.append((await self.whole(receive))["type"])
        await self.answer(send, b"".join(self.pieces))

    async def late(self, receive, send):
        await self.go.wait()
        await self.echo(receive, send)

    async def deaf(self, receive, send):
        await self.answer(send)

    async def waits(self, receive, send):
        await self.go.wait()
        await self.answer(send)
        self.ended.append("answered")

    async def waits_for_the_end(self, receive, send):
        await self.whole(receive)
        self.ended.append((await receive())["type"])
        await self.answer(send)
        self.ended.append((await receive())["type"])

    async def works_on(self, receive, send):
        await self.answer(send)
        self.ended.append((await receive())["type"])
        await self.go.wait()
        self.ended.append("worked")

    async def streams(self, receive, send):
        await self.stream(send, b"one", b"", b"two")

    async def streams_much(self, receive, send):
        try:
            await self.stream(send, *[b"x" * HELD] * 1000)
        finally:
            self.ended.append((await receive())["type"])

    async def begins(self, receive, send):
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        self.ended.append((await self.whole(receive))["type"])

    async def large(self, receive, send):
        await self.answer(send, b"x" * 1_000_000)

    async def empty(self, receive, send):
        await self.answer(send, b"not to be seen", 204, [(b"content-length", b"14")])

    async def unchanged(self, receive, send):
        await self.answer(send, b"not to be seen", 304, [(b"etag", b"x")])

    async def raises(self, receive, send):
        raise LookupError("lost")

    async def raises_between(self, receive, send):
        await send({"type": "http.response.start", "status": 200})
        raise LookupError("lost")

    async def raises_amid(self, receive, send):
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        raise LookupError("lost")

    async def raises_after(self, receive, send):
        await self.answer(send)
        raise LookupError("lost")

    async def says_nothing(self, receive, send):
        pass

    async def too_short(self, receive, send):
        await self.answer(send, b"1234", headers=[(b"content-length", b"5")])

    async def too_long(self, receive, send):
        await self.answer(send, b"123456", headers=[(b"content-length", b"5")])

    async def splits(self, receive, send):
        await self.answer(send, headers=[(b"x-evil", b"a\r\nset-cookie: b")])

    async def splits_by_name(self, receive, send):
        await self.answer(send, headers=[(b"x-evil: a\r\nset-cookie", b"b")])

    async def strange(self, receive, send):
        await send({"type": "http.response.pathsend"})


class Plugged:
    """A house with that application in it."""

    def __init__(self, made):
        self.house, self.uvicorn, self.client, self.app = made, made.server.server, made.client, Application()
        self.uvicorn.config.loaded_app = self.app  # which is read when the first client comes

    @property
    def tasks(self):
        return self.uvicorn.server_state.tasks

    @property
    def connection(self):
        """The only one."""
        (only,) = self.uvicorn.server_state.connections
        return only

    async def stuck(self):
        """Returns when the client has not read for so long that the server noticed."""
        await until(lambda: self.uvicorn.server_state.connections and self.connection._unread)
        await turns()


@asynccontextmanager
async def plugged(**settings):
    async with house(**settings) as made:
        yield Plugged(made)


@pytest_asyncio.fixture(loop_scope="module")
async def own():
    async with plugged(body_timeout=0.3, write_timeout=0.3) as made:
        yield made
        made.app.go.set()
        await made.house.quiet()
        await until(lambda: not made.tasks)


def ask(path, method="GET", headers=None, body=b"", version="1.1"):
    lines = [f"{method} /{path} HTTP/{version}", "host: x", *(f"{k}: {v}" for k, v in (headers or {}).items())]
    if body:
        lines.append(f"content-length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def chunked(path, *pieces, end=b"0\r\n\r\n"):
    framed = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return ask(path, "POST", {"transfer-encoding": "chunked"}) + framed + end


def refusal(answer, status, code):
    """Checks that an answer is the control plane's; returns its message."""
    told = json.loads(answer.body)
    message = told["errors"][0]["message"]
    assert answer.status == status
    assert answer.headers["content-type"] == "application/json"
    assert told == {"success": False, "errors": [{"code": code, "message": message}], "messages": [], "result": None}
    return message


async def turns():
    """Whoever can go on, does."""
    for _ in range(20):
        await asyncio.sleep(0)


# The body of a request


async def test_a_body_is_handed_on_as_it_comes(own):
    async with own.client() as client:
        await client.send(ask("echo", "POST", {"content-length": 6}) + b"one")
        await until(lambda: own.app.pieces == [b"one"])
        await client.send(b"two")
        assert (await client.answer()).body == b"onetwo"


async def test_a_body_that_the_application_does_not_take_waits_with_the_client(own):
    body = bytes(range(256)) * (CONTROL_BODY // 256)
    async with own.client() as client:
        client.writer.write(ask("late", "POST", body=body))
        await until(lambda: own.app.asked and own.connection._paused)
        await turns()
        own.app.go.set()
        answer = await client.answer()
        assert answer.body == body
        assert max(map(len, own.app.pieces)) <= HELD + READ
        assert (await client.ask(ask("deaf"))).body == b"done"


async def test_a_body_that_waits_outlasts_the_limits_of_bodies_that_come(own):
    async with own.client() as client:
        client.writer.write(ask("late", "POST", body=b"x" * CONTROL_BODY))
        await until(lambda: own.app.asked and own.connection._paused)
        await asyncio.sleep(0.5)  # more than body_timeout: nothing must happen
        own.app.go.set()
        assert len((await client.answer()).body) == CONTROL_BODY


async def test_a_body_of_many_small_pieces_is_whole(own):
    async with own.client() as client:
        client.writer.write(chunked("echo", *[b"x"] * 9_000, b"y"))
        assert (await client.answer()).body == b"x" * 9_000 + b"y"


async def test_a_body_told_to_be_too_large_is_refused_before_it_is_read(own):
    async with own.client() as client:
        head = {"content-length": CONTROL_BODY + 1, "expect": "100-continue"}
        answer = await client.ask(ask("echo", "POST", head))
        assert "1048576" in refusal(answer, 413, 7001)
        assert answer.interim == []
        assert answer.headers["connection"] == "close"
        assert answer.headers["x-should-retry"] == "false"
        assert await client.rest() == b""
    assert own.app.asked == []


async def test_a_body_that_turns_out_too_large_is_refused(own):
    async with own.client() as client:
        client.writer.write(chunked("waits_for_the_end", *[b"x" * 1000] * 1100, end=b""))
        answer = await client.answer()
        assert "1048576" in refusal(answer, 413, 7001)
        assert answer.headers["connection"] == "close"
        assert await client.rest() == b""
    await until(lambda: own.app.ended == ["http.disconnect"] * 2)
    assert sum(map(len, own.app.pieces)) <= CONTROL_BODY


async def test_a_body_of_the_largest_size_passes(own):
    async with own.client() as client:
        client.writer.write(chunked("echo", b"x" * CONTROL_BODY))
        assert len((await client.answer()).body) == CONTROL_BODY


async def test_a_body_that_waits_its_turn_waits_with_the_client(own):
    async with own.client() as client:
        client.writer.write(ask("waits") + chunked("echo", *[b"x" * 1000] * 1000))
        await until(lambda: own.app.asked and own.connection._paused)
        await turns()
        assert own.house.server.app.plane.bounds.budget.used <= HELD + READ
        own.app.go.set()
        assert (await client.answer()).body == b"done"
        assert len((await client.answer()).body) == 1_000_000
    assert own.app.ended == ["answered", "http.request"]


async def test_a_body_that_stops_arriving_is_answered(own):
    async with own.client() as client:
        await client.send(ask("waits_for_the_end", "POST", {"content-length": 6}) + b"one")
        answer = await client.answer()
        assert "in time" in refusal(answer, 408, 7001)
        assert answer.headers["connection"] == "close"
        assert "x-should-retry" not in answer.headers
        assert await client.rest() == b""
    await until(lambda: own.app.ended == ["http.disconnect"] * 2)


@pytest.mark.parametrize("framing", ["length", "chunks"])
async def test_a_body_that_trickles_gains_no_time(own, framing):
    async with own.client() as client:
        told = {"content-length": 1000} if framing == "length" else {"transfer-encoding": "chunked"}
        await client.send(ask("echo", "POST", told))

        async def trickle():
            while True:
                await client.send(b"x" if framing == "length" else b"1\r\nx\r\n")
                await asyncio.sleep(0.02)

        task = asyncio.ensure_future(trickle())
        answer = await client.answer()
        assert not task.done()
        refusal(answer, 408, 7001)
        assert answer.headers["connection"] == "close"
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await until(lambda: own.app.ended == ["http.disconnect"])


async def test_a_pipelined_body_has_its_time_from_its_turn_on(own):
    async with own.client() as client:
        await client.send(ask("waits") + ask("echo", "POST", {"content-length": 6}) + b"one")
        await until(lambda: own.app.asked and own.connection._paused)
        await asyncio.sleep(0.5)  # more than body_timeout: nothing must happen
        own.app.go.set()
        assert (await client.answer()).body == b"done"
        await client.send(b"two")
        assert (await client.answer()).body == b"onetwo"


async def test_a_body_that_stops_arriving_amid_the_answer_cuts_it(own):
    async with own.client() as client:
        await client.send(ask("begins", "POST", {"content-length": 6}) + b"one")
        answer = await client.answer()
        assert (answer.status, answer.body, answer.whole) == (200, b"one", False)
    await until(lambda: own.app.ended == ["http.disconnect"])


async def test_a_body_that_cannot_be_read_is_answered(own):
    async with own.client() as client:
        await client.send(chunked("echo", b"one", end=b"no length\r\n"))
        assert "Malformed" in refusal(await client.answer(), 400, 7001)
        await client.rest()


async def test_a_client_that_waits_to_be_asked_is_asked_when_the_application_reads(own):
    async with own.client() as client:
        await client.send(ask("late", "POST", {"content-length": 3, "expect": "100-continue"}))
        await until(lambda: own.app.asked)
        await turns()
        own.app.go.set()
        async with asyncio.timeout(5):
            assert await client.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        await client.send(b"abc")
        answer = await client.answer()
        assert (answer.body, answer.interim) == (b"abc", [])
        assert (await client.ask(ask("deaf"))).status == 200


async def test_a_client_that_waits_to_be_asked_is_not_where_the_body_is_not_wanted(own):
    async with own.client() as client:
        answer = await client.ask(ask("deaf", "POST", {"content-length": 3, "expect": "100-continue"}))
        assert (answer.status, answer.interim, answer.headers["connection"]) == (200, [], "close")
        assert await client.rest() == b""


# The answer


async def test_an_answer_that_is_whole_tells_its_length(own):
    async with own.client() as client:
        answer = await client.ask(ask("deaf"))
        assert (answer.body, answer.headers["content-length"]) == (b"done", "4")
        assert "transfer-encoding" not in answer.headers
        assert "date" in answer.headers


async def test_an_answer_in_pieces_is_chunked(own):
    async with own.client() as client:
        answer = await client.ask(ask("streams"))
        assert answer.headers["transfer-encoding"] == "chunked"
        assert (answer.chunks, answer.whole) == ([b"one", b"two"], True)
        assert (await client.ask(ask("streams"))).body == b"onetwo"


async def test_an_old_client_gets_the_pieces_bare(own):
    async with own.client() as client:
        answer = await client.ask(ask("streams", version="1.0"))
        assert not {"transfer-encoding", "content-length"} & set(answer.headers)
        assert answer.body == b"onetwo"


@pytest.mark.parametrize(("path", "status"), [("empty", 204), ("unchanged", 304)])
async def test_an_answer_that_has_no_body_has_none(own, path, status):
    async with own.client() as client:
        answer = await client.ask(ask(path))
        assert answer.status == status
        assert "transfer-encoding" not in answer.headers
        assert status != 204 or "content-length" not in answer.headers
        assert (await client.ask(ask("deaf"))).body == b"done"


@pytest.mark.parametrize(("path", "length"), [("deaf", "4"), ("streams", None)])
async def test_an_answer_to_head_has_no_body_whatever_the_application_sends(own, path, length):
    async with own.client() as client:
        answer = await client.ask(ask(path, "HEAD"))
        assert (answer.status, answer.headers.get("content-length")) == (200, length)
        assert (await client.ask(ask("deaf"))).body == b"done"


async def test_a_refusal_of_head_has_no_body(own):
    async with own.client() as client:
        assert (await client.ask(ask("raises", "HEAD"))).status == 500
        assert (await client.ask(ask("deaf"))).body == b"done"


async def test_an_application_waits_while_its_client_does_not_read():
    async with plugged(write_timeout=30.0) as own, own.client(HELD) as client:
        client.deafen()
        client.writer.write(ask("streams_much"))
        await own.stuck()
        sent = own.app.sent
        await turns()
        assert own.app.sent == sent < 1000
        assert own.connection.transport.get_write_buffer_size() < 4 * HELD
        client.writer.transport.resume_reading()
        await client.head()
        sizes = []
        while chunk := await client.chunk():
            sizes.append(len(chunk))
        assert sizes == [HELD] * 1000


async def test_a_client_that_never_reads_is_cut_and_the_application_told(own):
    async with own.client(HELD) as client:
        client.deafen()
        client.writer.write(ask("streams_much"))
        await until(lambda: own.app.ended == ["http.disconnect"])
        assert own.app.sent == 1000  # what it sent after that went nowhere, at no cost


async def test_calls_of_a_client_that_never_reads_wait_for_one_another():
    async with plugged(write_timeout=30.0) as own, own.client(HELD) as client:
        client.deafen()
        client.writer.write(ask("large") * 100)
        await own.stuck()
        assert own.connection.transport.get_write_buffer_size() < 3_000_000
        assert len(own.app.asked) < 100
        client.writer.transport.resume_reading()
        for _ in range(100):
            assert len((await client.answer()).body) == 1_000_000


async def test_a_header_that_is_more_than_one_line_is_refused(own, caplog):
    async with own.client() as client:
        for path in ("splits", "splits_by_name"):
            answer = await client.ask(ask(path))
            assert refusal(answer, 500, 7000) == "Internal error"
            assert "set-cookie" not in answer.headers
    assert len(caplog.records) == 2


# Ends


@pytest.mark.parametrize("path", ["raises", "raises_between", "says_nothing", "too_short", "too_long", "strange"])
async def test_an_application_that_fails_before_it_answers_is_an_error_said_once(own, caplog, path):
    async with own.client() as client:
        answer = await client.ask(ask(path))
        assert refusal(answer, 500, 7000) == "Internal error"
        assert "connection" not in answer.headers
        assert (await client.ask(ask("deaf"))).body == b"done"
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert caplog.records[0].exc_info


async def test_an_application_that_fails_amid_its_answer_cuts_it(own, caplog):
    async with own.client() as client:
        answer = await client.ask(ask("raises_amid"))
        assert (answer.status, answer.body, answer.whole) == (200, b"one", False)
    assert len(caplog.records) == 1


async def test_an_application_that_fails_after_its_answer_harms_nobody(own, caplog):
    async with own.client() as client:
        for _ in range(2):
            assert (await client.ask(ask("raises_after"))).body == b"done"
    assert len(caplog.records) == 2


async def test_a_client_that_sends_no_more_is_answered(own):
    async with own.client() as client:
        await client.send(ask("waits", "POST", body=b"x"))
        client.half_close()
        await until(lambda: own.app.asked)
        await asyncio.sleep(0.15)  # longer than it takes to look once whether it is still there
        own.app.go.set()
        answer = await client.answer()
        assert (answer.status, answer.body, answer.headers["connection"]) == (200, b"done", "close")
        assert await client.rest() == b""
    assert own.app.ended == ["answered"]


async def test_all_that_a_client_sent_before_it_sends_no_more_is_answered(own):
    async with own.client() as client:
        await client.send(ask("waits") + ask("streams") + ask("echo", "POST", body=b"x" * 100_000) + ask("deaf"))
        client.half_close()
        await until(lambda: own.app.asked and own.connection._until < float("inf"))
        own.app.go.set()
        assert [len((await client.answer()).body) for _ in range(4)] == [4, 6, 100_000, 4]
        assert await client.rest() == b""


@pytest.mark.parametrize("end", [ask("echo", "POST", {"content-length": 2}) + b"x", b"FROB / HTTP/1.1\r\n\r\n"])
async def test_what_is_whole_is_answered_though_what_follows_it_never_will_be(own, end):
    async with own.client() as client:
        await client.send(ask("waits") + end)
        client.half_close()
        await until(lambda: own.app.asked)
        own.app.go.set()
        assert (await client.answer()).body == b"done"
        assert b"HTTP/1.1 200" not in await client.rest()


async def test_a_client_that_sends_no_more_amid_a_body_has_left(own):
    async with own.client() as client:
        await client.send(ask("waits_for_the_end", "POST", {"content-length": 2}) + b"x")
        await until(lambda: own.app.asked)
        client.half_close()
        assert await client.rest() == b""
    await until(lambda: own.app.ended == ["http.disconnect"] * 2)


async def test_a_reset_after_the_last_of_what_is_sent_is_noticed():
    async with plugged(write_timeout=30.0) as own, own.client() as client:
        await client.send(ask("waits_for_the_end"))
        await until(lambda: own.app.asked)
        client.half_close()
        await until(lambda: own.connection._until < float("inf"))
        client.reset()
        await until(lambda: own.app.ended == ["http.disconnect"] * 2)


async def test_a_client_that_leaves_is_told_to_the_application(own, caplog):
    async with own.client() as client:
        await client.send(ask("waits_for_the_end"))
        await until(lambda: own.app.asked)
    await until(lambda: own.app.ended == ["http.disconnect"] * 2)
    assert caplog.records == []


async def test_calls_of_one_connection_are_answered_in_order(own):
    async with own.client() as client:
        await client.send(ask("waits") + ask("streams") + ask("deaf") + HEALTH.replace(b"healthz", b"empty"))
        await until(lambda: own.app.asked)
        await turns()
        assert len(own.app.asked) == 1
        own.app.go.set()
        assert [(await client.answer()).body for _ in range(4)] == [b"done", b"onetwo", b"done", b""]


async def test_work_after_the_answer_keeps_nobody_waiting(own):
    async with own.client() as client:
        assert (await client.ask(ask("works_on"))).body == b"done"
        assert (await client.ask(ask("streams"))).body == b"onetwo"
        assert own.app.ended == ["http.disconnect"]
        own.app.go.set()
        await until(lambda: own.app.ended == ["http.disconnect", "worked"])


async def test_a_stop_waits_for_what_runs():
    async with plugged() as own, own.client() as client:
        await client.send(ask("waits"))
        await until(lambda: own.app.asked)
        own.uvicorn.should_exit = True
        await until(lambda: own.connection.closing)
        assert own.tasks
        own.app.go.set()
        answer = await client.answer()
        assert (answer.status, answer.headers["connection"]) == (200, "close")
    assert own.app.ended == ["answered"]


async def test_a_stop_that_takes_too_long_says_so():
    async with plugged(stop_timeout=0.1) as own, own.client() as client:
        await client.send(ask("waits"))
        await until(lambda: own.app.asked)
        own.uvicorn.should_exit = True
        assert "stopping" in refusal(await client.answer(), 503, 7000)
