"""Questions of browsers, whether a page may send a request."""

import json

import pytest
import pytest_asyncio

from tests.kit.client import until
from tests.kit.house import house, request
from tests.kit.store import ACCOUNT

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = "https://app.example.com"
HEALTH = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"
CALL = f"/v1/{ACCOUNT}/locked/openai/chat/completions"
PATHS = [
    CALL,
    f"/v1/{ACCOUNT}/nowhere/openai/x",
    "/v1",
    "/v1/x",
    f"/client/v4/accounts/{ACCOUNT}/ai-gateway/gateways",
    "/client/v4/nothing",
    "/healthz",
    "/metrics",
    "/docs",
    "*",
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there():
    locked = {"default": {}, "locked": {"authentication": True}}
    async with house(gateways=locked, cors_origins=(PAGE,)) as made:
        yield made
        await made.quiet()


def preflight(path=CALL, origin=PAGE, method="POST", more="access-control-request-headers: authorization, X-A\r\n"):
    asked = f"access-control-request-method: {method}\r\n" if method is not None else ""
    return f"OPTIONS {path} HTTP/1.1\r\nhost: x\r\norigin: {origin}\r\n{asked}{more}\r\n".encode()


def cors(answer):
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


@pytest.mark.parametrize("path", PATHS)
async def test_it_is_answered_before_anybody_is_asked_who_calls(there, path):
    begun, rows = there.mock.stats()["requests_begun"], len(there.sink.records)
    async with there.client() as client:
        answer = await client.ask(preflight(path))
        assert (answer.status, answer.body) == (204, b"")
        assert "content-length" not in answer.headers
        assert "transfer-encoding" not in answer.headers
        assert answer.headers["vary"] == "origin, access-control-request-method, access-control-request-headers"
        assert cors(answer) == {
            "access-control-allow-origin": PAGE,
            "access-control-allow-methods": "POST",
            "access-control-allow-headers": "authorization, X-A",
            "access-control-max-age": "7200",
        }
        assert (await client.ask(HEALTH)).status == 200
    assert (there.mock.stats()["requests_begun"], len(there.sink.records)) == (begun, rows)


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", "http://app.example.com"])
async def test_a_page_that_is_not_allowed_is_told_nothing(there, origin):
    begun = there.mock.stats()["requests_begun"]
    async with there.client() as client:
        answer = await client.ask(preflight(origin=origin))
        assert (answer.status, cors(answer)) == (204, {})
        assert "origin" in answer.headers["vary"]
    assert there.mock.stats()["requests_begun"] == begun


async def test_no_headers_are_named_where_none_were_asked_for(there):
    async with there.client() as client:
        answer = await client.ask(preflight(more="", method="DELETE"))
        assert answer.headers["access-control-allow-methods"] == "DELETE"
        assert "access-control-allow-headers" not in answer.headers


@pytest.mark.parametrize("method", ["P(ST", "POST, PUT", "", "\x80"])
async def test_a_method_that_is_none_is_not_allowed(there, method):
    async with there.client() as client:
        answer = await client.ask(preflight(method=method).decode().encode("latin-1"))
        assert (answer.status, cors(answer)) == (204, {})


async def test_headers_that_are_none_are_not_allowed(there):
    async with there.client() as client:
        answer = await client.ask(preflight(more="access-control-request-headers: a; b\r\n"))
        assert "access-control-allow-headers" not in answer.headers


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
async def test_only_options_ask(there, method):
    async with there.client() as client:
        data = preflight(f"/v1/{ACCOUNT}/default/openai/models").replace(b"OPTIONS", method.encode())
        answer = await client.ask(data)
        assert "cf-aig-request-id" in answer.headers


@pytest.mark.parametrize("missing", ["origin", "access-control-request-method"])
async def test_options_that_do_not_ask_go_to_the_provider(there, missing):
    headers = {"origin": PAGE, "access-control-request-method": "PUT", "x-mock-echo": "1"}
    del headers[missing]
    async with there.client() as client:
        answer = await client.ask(request("openai/x", method="OPTIONS", headers=headers, body=None))
        assert json.loads(answer.body)["method"] == "OPTIONS"


async def test_without_the_setting_it_goes_to_the_provider():
    headers = {"origin": PAGE, "access-control-request-method": "PUT", "x-mock-echo": "1"}
    async with house() as made, made.client() as client:
        answer = await client.ask(request("openai/x", method="OPTIONS", headers=headers, body=None))
        told = json.loads(answer.body)
        assert told["method"] == "OPTIONS"
        assert ["access-control-request-method", "PUT"] in told["headers"]


@pytest.mark.parametrize(
    "body", ["content-length: 5\r\n\r\nhello", "transfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"]
)
async def test_a_body_that_comes_with_it_is_dropped(there, body):
    async with there.client() as client:
        answer = await client.ask(preflight(more="")[:-2] + body.encode())
        assert answer.status == 204
        assert (await client.ask(HEALTH)).status == 200


async def test_a_body_that_does_not_come_ends_the_connection(there):
    async with there.client() as client:
        answer = await client.ask(preflight(more="content-length: 5\r\n"))
        assert (answer.status, answer.headers["connection"]) == (204, "close")
        assert await client.rest() == b""


async def test_it_waits_its_turn(there):
    slow = request("openai/x", headers={"x-mock-echo": "1", "x-mock-delay": "50"}, body=b"1")
    async with there.client() as client:
        await client.send(preflight() + slow + preflight(method="PUT") + HEALTH + preflight(method="GET"))
        assert (await client.answer()).status == 204
        assert json.loads((await client.answer()).body)["length"] == 1
        assert (await client.answer()).headers["access-control-allow-methods"] == "PUT"
        assert (await client.answer()).status == 200
        assert (await client.answer()).headers["access-control-allow-methods"] == "GET"


@pytest.mark.parametrize("ending", ["connection: close\r\n", "old"])
async def test_a_client_that_closes_is_closed(there, ending):
    data = preflight(more="").replace(b"HTTP/1.1", b"HTTP/1.0") if ending == "old" else preflight(more=ending)
    async with there.client() as client:
        answer = await client.ask(data)
        assert (answer.status, answer.headers["connection"]) == (204, "close")
        assert await client.rest() == b""


async def test_a_client_that_leaves_meanwhile_leaves_nothing_behind(there):
    for _ in range(10):
        async with there.client() as client:
            client.writer.write(preflight() * 50)
            client.reset()
    await until(lambda: not there.server.app.plane.connections)


async def test_it_is_answered_at_the_cap_of_calls():
    async with house(max_calls=1, cors_origins=("*",)) as made, made.client() as one, made.client() as two:
        await one.send(request("openai/x", headers={"x-mock-stall": "head"}))
        await made.mock.until(lambda stats: stats.requests_running == 1)
        answer = await two.ask(preflight(origin="https://any.example"))
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (204, "*")
