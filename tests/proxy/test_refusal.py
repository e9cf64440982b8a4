"""What is refused before it becomes a call is refused in the words of the plane it was addressed to."""

import asyncio
import json

import pytest
import pytest_asyncio

from penstock.core.errors import HeadTooLarge, Overloaded, RequestTimeout
from penstock.proxy import refusal
from tests.kit.client import Answer
from tests.kit.house import house

pytestmark = pytest.mark.asyncio(loop_scope="module")

TARGET = b"/client/v4/accounts/a/ai-gateway/gateways"
BOTH = b"content-length: 5\r\ntransfer-encoding: chunked\r\n"
MALFORMED = {
    "length and chunks": b"POST %b HTTP/1.1\r\nhost: x\r\n%b\r\n0\r\n\r\n" % (TARGET, BOTH),
    "byte beyond ASCII": b"POST %b\xff HTTP/1.1\r\nhost: x\r\n\r\n" % TARGET,
    "control character": b"POST %b\x01 HTTP/1.1\r\nhost: x\r\n\r\n" % TARGET,
    "unknown transfer coding": b"POST %b HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip\r\n\r\n" % TARGET,
    "unknown method": b"FROB %b HTTP/1.1\r\n\r\n" % TARGET,
    "no host": b"GET %b HTTP/1.1\r\n\r\n" % TARGET,
    "no host of the root": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET %b HTTP/1.1\r\nhost: x\r\nhost: x\r\n\r\n" % TARGET,
    "absolute form": b"POST http://x%b HTTP/1.1\r\nhost: x\r\n%b\r\n" % (TARGET, BOTH),
    "version 2": b"GET %b HTTP/2.0\r\nhost: x\r\n\r\n" % TARGET,
    "preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "two paths": b"GET /a /b HTTP/1.1\r\n\r\n",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there():
    async with house(head_timeout=0.3) as made:
        yield made
        await made.quiet()


def control(answer, status, code):
    """Checks that an answer is the control plane's; returns its message."""
    told = json.loads(answer.body)
    message = told["errors"][0]["message"]
    assert (answer.status, answer.headers["connection"]) == (status, "close")
    assert answer.headers["content-type"] == "application/json"
    assert told == {"success": False, "errors": [{"code": code, "message": message}], "messages": [], "result": None}
    return message


@pytest.mark.parametrize("cut", [0, 2, 3])
@pytest.mark.parametrize("case", MALFORMED)
async def test_what_is_malformed_is_refused_in_the_control_planes_words(there, case, cut):
    data = MALFORMED[case]
    at = len(data) // cut if cut else len(data)
    async with there.client() as client:
        for part in (data[:at], data[at:]):
            client.writer.write(part)
            await asyncio.sleep(0)
        assert control(await client.answer(), 400, 7001).startswith("Malformed HTTP request")
        assert await client.rest() == b""


async def test_a_second_request_is_told_from_the_first(there):
    async with there.client() as client:
        assert (await client.ask(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")).status == 200
        answer = await client.ask(b"\x16\x03\x01")  # nothing of it could be read
        assert (answer.status, json.loads(answer.body)["internalCode"]) == (400, 2019)


async def test_a_head_too_large_is_refused_in_the_control_planes_words(there):
    async with there.client() as client:
        client.writer.write(b"GET %b HTTP/1.1\r\nhost: x\r\nx: %b\r\n\r\n" % (TARGET, b"y" * 70_000))
        answer = await client.answer()
        assert "64 KiB" in control(answer, 431, 7001)
        assert answer.headers["x-should-retry"] == "false"


async def test_a_head_that_does_not_arrive_is_refused_in_the_control_planes_words(there):
    async with there.client() as client:
        await client.send(b"GET %b HTTP/1.1\r\nhost:" % TARGET)
        answer = await client.answer()
        control(answer, 408, 7001)
        assert "x-should-retry" not in answer.headers
        assert await client.rest() == b""


@pytest.mark.parametrize(("url", "whole", "is_control"), [
    (b"", False, False), (b"/", False, False), (b"/v1", False, False), (b"/v1/", False, False),
    (b"/v1/a", False, False),
    (b"/v2", False, True), (b"/client", False, True), (b"/", True, True), (b"/v1", True, False),
    (b"/v1?a", True, False),
    (b"/v1x", True, True), (b"http://x/v1/a", True, False), (b"http://x/client", True, True), (b"*", True, True),
    (b"a.b:443", True, False),
])  # fmt: skip
async def test_the_plane_is_that_of_the_target_as_far_as_it_was_read(url, whole, is_control):
    for error in (Overloaded(), RequestTimeout(), HeadTooLarge()):
        head, _, body = refusal.render(error, url, whole=whole).partition(b"\r\n\r\n")
        answer = Answer(head + b"\r\n\r\n")
        told = json.loads(body)
        assert int(answer.headers["content-length"]) == len(body)
        assert ("errors" in told, "internalCode" in told) == (is_control, not is_control)
        assert answer.headers.get("retry-after") == ("1" if error.status == 503 else None)
        assert not is_control or told["errors"][0]["code"] == (7000 if error.status == 503 else 7001)


@pytest.mark.parametrize(("data", "url"), [
    (b"GET /a\xff", b"/a"), (b"\r\nGET  /a HTTP/1.1", b"/a"), (b"/a\xff HTTP/1.1", b"/a"),
    (b"M-SEARCH /a?b#c d", b"/a?b#c"),
    (b"\x16\x03", b""), (b"", b""), (b"get /a", b"get"),
])  # fmt: skip
async def test_a_target_is_found_in_what_the_parser_refused(data, url):
    assert refusal.url_in(data) == url
