"""Laws of the data plane on real sockets: bytes pass untouched, and how they are cut makes no difference."""

import asyncio
import hashlib
import json
from itertools import pairwise

import pytest
import uvloop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.kit.client import until
from tests.kit.house import house, request
from tests.kit.provider import providing
from tests.kit.server import ACCOUNT

EXAMPLES = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])

METHODS = st.sampled_from(["POST", "PUT", "PATCH", "DELETE", "GET", "OPTIONS", "QUERY"])
KINDS = st.sampled_from(
    ["application/json", "multipart/form-data; boundary=x", "application/octet-stream", "text/plain"]
)
CODINGS = st.sampled_from([None, "identity", "gzip", "br", "zstd", "deflate", "unheard-of", "gzip, br"])
LOOKALIKE = st.sampled_from(
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"0\r\n\r\n",
        b"\r\n\r\n",
        b"\r\n0\r\n\r\nPOST /v1/",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b'--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n\x00\xff\r\n--x--\r\n',
        b"data: {}\n\n",
    ]
)
SMALL = st.one_of(st.binary(max_size=300), st.lists(LOOKALIKE, max_size=4).map(b"".join))
LARGE = st.tuples(st.binary(min_size=1, max_size=40), st.integers(1, 200_000)).map(
    lambda two: (two[0] * two[1])[:200_000]
)
BODIES = st.one_of(SMALL, SMALL, LARGE)
CUTS = st.lists(st.integers(0, 400_000), max_size=12)


def cut(data, cuts):
    """The data in pieces."""
    at = sorted({place % (len(data) + 1) for place in cuts} | {0, len(data)})
    return [data[begin:end] for begin, end in pairwise(at)]


def chunked(data, cuts, extension=b""):
    """The data as a chunked body."""
    return b"".join(b"%x%b\r\n%b\r\n" % (len(piece), extension, piece) for piece in cut(data, cuts)) + b"0\r\n\r\n"


class World:
    """A gateway before simulated providers and a scripted one, in a loop that runs while a test does."""

    def __init__(self, factory):
        self.runner = asyncio.Runner(loop_factory=factory)
        self.faults = []
        self.answer = []  # the pieces in which the scripted provider answers
        self.close = False
        self.run(self._open())

    def run(self, work):
        async def bounded():
            async with asyncio.timeout(20):
                return await work

        return self.runner.run(bounded())

    async def _open(self):
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: self.faults.append(context))
        self._providing = providing(self._serve)
        self.provider = await self._providing.__aenter__()
        self._house = house(providers={"anthropic": self.provider.url}, hold_body=1000, log_body_limit=5000)
        self.house = await self._house.__aenter__()

    async def _serve(self, peer):
        while True:
            await peer.request()
            for piece in self.answer:
                await peer.say(piece)
                await asyncio.sleep(0)
            if self.close:
                return

    def end(self):
        async def close():
            await self._house.__aexit__(None, None, None)
            await self._providing.__aexit__(None, None, None)

        self.run(close())
        self.runner.close()
        assert self.faults == []

    async def say(self, client, data, cuts):
        """Sends in pieces, each in a packet of its own, if the system likes."""
        for piece in cut(data, cuts):
            await client.send(piece)
            await asyncio.sleep(0)


@pytest.fixture(scope="module")
def world():
    made = World(uvloop.new_event_loop)
    yield made
    made.end()


@EXAMPLES
@given(METHODS, KINDS, BODIES, st.none() | CUTS, CUTS, st.sampled_from([b"", b";a=b", b';x="y z"']))
def test_a_request_arrives_as_sent(world, method, kind, body, chunks, cuts, extension):
    async def example():
        headers = {"content-type": kind, "x-mock-echo": "1"}
        if chunks is None:
            data = request("openai/x/y?a=%2F&b", method=method, headers=headers, body=body)
        else:
            headers["transfer-encoding"] = "chunked"
            data = request("openai/x/y?a=%2F&b", method=method, headers=headers, body=None)
            data += chunked(body, chunks, extension)
        async with world.house.client() as client:
            sending = asyncio.ensure_future(world.say(client, data, cuts))
            answer = await client.answer()
            await sending
        told = json.loads(answer.body)
        assert (told["method"], told["target"]) == (method, "/openai/x/y?a=%2F&b")
        assert (told["length"], told["sha256"]) == (len(body), hashlib.sha256(body).hexdigest())
        assert ["content-type", kind] in told["headers"]

    world.run(example())


@EXAMPLES
@given(
    BODIES, CUTS, st.sampled_from(["length", "chunked", "close"]), CUTS, CODINGS, KINDS, st.booleans(), st.booleans()
)
def test_an_answer_comes_back_as_given(world, body, cuts, framing, chunks, coding, kind, stream, old):
    async def example():
        head = b"HTTP/1.1 200 OK\r\ncontent-type: " + (b"text/event-stream" if stream else kind.encode()) + b"\r\n"
        head += f"content-encoding: {coding}\r\n".encode() if coding else b""
        if framing == "chunked":
            data = head + b"transfer-encoding: chunked\r\n\r\n" + chunked(body, chunks)
        elif framing == "length":
            data = head + b"content-length: %d\r\n\r\n" % len(body) + body
        else:
            data = head + b"\r\n" + body
        world.answer, world.close = cut(data, cuts), framing == "close"
        path = "anthropic/v1/messages" if stream else "anthropic/files"
        asked = request(path, body=b'{"model":"m","stream":true}')
        async with world.house.client() as client:
            answer = await client.ask(asked.replace(b"HTTP/1.1", b"HTTP/1.0") if old else asked)
        assert answer.whole
        assert answer.body == body
        assert answer.headers.get("content-encoding") == coding
        await until(lambda: not world.house.server.app.transport.counts()[0])

    world.run(example())


@EXAMPLES
@given(BODIES, CUTS, st.none() | CUTS)
def test_a_body_passes_both_ways_at_once(world, body, cuts, chunks):
    async def example():
        headers = {"x-mock-echo": "body", "content-type": "application/octet-stream"}
        if chunks is None:
            data = request("openai/x", headers=headers, body=body)
        else:
            data = request("openai/x", headers=headers | {"transfer-encoding": "chunked"}, body=None) + chunked(
                body, chunks
            )
        async with world.house.client() as client:
            sending = asyncio.ensure_future(world.say(client, data, cuts))
            answer = await client.answer()
            await sending
        assert answer.whole
        assert answer.body == body

    world.run(example())


ONE = st.tuples(st.sampled_from(["provider", "health", "unknown", "head", "refused"]), SMALL, st.none() | CUTS)


@EXAMPLES
@given(st.lists(ONE, min_size=1, max_size=8), CUTS)
def test_pipelined_requests_are_never_misread(world, requests, cuts):
    def written(kind, body, chunks):
        path = {"unknown": "nobody/x", "head": "openai/models"}.get(kind, "openai/x")
        method = "HEAD" if kind == "head" else "POST"
        headers = {} if kind == "head" else {"x-mock-echo": "1"}
        if kind == "health":
            return b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"
        gateway = "nowhere" if kind == "refused" else "default"
        if chunks is None:
            return request(path, method=method, gateway=gateway, headers=headers, body=body)
        headers |= {"transfer-encoding": "chunked"}
        return request(path, method=method, gateway=gateway, headers=headers, body=None) + chunked(body, chunks)

    async def example():
        data = b"".join(written(*one) for one in requests)
        async with world.house.client() as client:
            sending = asyncio.ensure_future(world.say(client, data, cuts))
            for kind, body, _ in requests:
                answer = await client.answer(head_only=kind == "head")
                if kind == "provider":
                    assert json.loads(answer.body)["sha256"] == hashlib.sha256(body).hexdigest()
                elif kind == "health":
                    assert json.loads(answer.body) == {"status": "ok"}
                elif kind == "head":
                    assert answer.status == 200
                else:
                    code = {"unknown": 2008, "refused": 2001}[kind]
                    assert (answer.status, json.loads(answer.body)["internalCode"]) == (400, code)
                if answer.headers.get("connection") == "close":  # refused before the last of its body had come
                    break
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    world.run(example())


PIECES = st.sampled_from([
    b"GET ", b"POST ", b"HTTP/1.1", b"HTTP/1.0", b" ", b"\r\n", b"\n", b"\r", b":", b"host: x", b"content-length: 3",
    b"transfer-encoding: chunked", b"abc", b"0", b"3", b"\x00", b"\xff", b"/healthz",
    f"/v1/{ACCOUNT}/default/openai/x".encode(),
    b"connection: close", b"connection: upgrade", b"upgrade: h2c", b"expect: 100-continue", b"?", b"%2e%2e/", b"*",
    b"POST /v1/a/b/c/d HTTP/1.1\r\n", b"x-mock-echo: 1", b"CONNECT ", b"x" * 70_000,
])  # fmt: skip


@EXAMPLES
@given(st.lists(PIECES, max_size=20), CUTS)
def test_no_bytes_disturb_the_gateway(world, pieces, cuts):
    """Whatever comes is answered or dropped; nothing stays behind, and no fault is logged."""

    async def example():
        async with world.house.client() as client:
            try:
                await world.say(client, b"".join(pieces), cuts)
                client.half_close()
                rest = await client.rest()
            except ConnectionError:
                rest = b""
        assert rest == b"" or rest.startswith((b"HTTP/1.1 ", b"HTTP/1.0 "))
        assert b"500 Internal" not in rest
        await world.house.quiet()

    world.run(example())
    assert world.faults == []
    assert "bug" not in {row.outcome for row in world.house.sink.records}
