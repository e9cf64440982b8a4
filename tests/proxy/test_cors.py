"""Answers to web pages of other origins."""

import asyncio
import json

import pytest
import pytest_asyncio

from tests.kit.house import house, request
from tests.kit.provider import providing

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = "https://app.example.com"
STRANGER = "https://elsewhere.example"
STREAM = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"hello"}]}'
ALLOW, EXPOSE = "access-control-allow-origin", "access-control-expose-headers"

# Provider's headers that would say who may read the answer.
LOOSE = (
    b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\naccess-control-allow-origin: *\r\nAccess-Control-Allow-Credentials: true"
    b"\r\naccess-control-expose-headers: x\r\nvary: accept-encoding\r\n\r\nok"
)


async def loose(peer):
    while True:
        await peer.request()
        await peer.say(LOOSE)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there():
    async with providing(loose) as provider:
        settings = {"cors_origins": (PAGE, "http://localhost:3000"), "max_body": 50_000, "head_timeout": 0.3}
        async with house(providers={"anthropic": provider.url}, **settings) as made:
            yield made
            await made.quiet()


def cors(answer):
    """What an answer says of who may read it."""
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


def is_readable(answer):
    assert cors(answer).keys() == {ALLOW, EXPOSE}
    assert answer.headers[ALLOW] == PAGE
    assert "origin" in answer.headers["vary"]
    exposed = answer.headers[EXPOSE].split(", ")
    assert {name for name in answer.headers if name.startswith("cf-aig-")} <= set(exposed)
    assert {"*", "retry-after"} <= set(exposed)


@pytest.mark.parametrize(
    ("case", "status"),
    [
        ("provider", 200),
        ("stream", 200),
        ("unknown gateway", 400),
        ("unknown provider", 400),
        ("no list of steps", 400),
        ("too large", 413),
        ("control plane", 400),
        ("health", 200),
        ("no such address", 404),
        ("malformed", 400),
        ("head too large", 431),
        ("head too slow", 408),
        ("body malformed", 400),
    ],
)
async def test_every_answer_may_be_read_by_an_allowed_page(there, case, status):
    headers = {"origin": PAGE}
    data = {
        "provider": lambda: request(headers=headers),
        "stream": lambda: request(headers=headers | {"x-mock-pace": "5"}, body=STREAM),
        "unknown gateway": lambda: request("openai/x", gateway="nowhere", headers=headers),
        "unknown provider": lambda: request("nobody/x", headers=headers),
        "no list of steps": lambda: request("", headers=headers),
        "too large": lambda: request("openai/x", headers=headers | {"content-length": "50001"}, body=None),
        "control plane": lambda: b"GET /client/v4/user/tokens/verify HTTP/1.1\r\nhost: x\r\norigin: %b\r\n\r\n",
        "health": lambda: b"GET /healthz HTTP/1.1\r\nhost: x\r\norigin: %b\r\n\r\n",
        "no such address": lambda: b"GET /nothing HTTP/1.1\r\nhost: x\r\norigin: %b\r\n\r\n",
        "malformed": lambda: b"POST /v1/x HTTP/1.1\r\nhost: x\r\norigin: %b\r\ncontent-length: -1\r\n\r\n",
        "head too large": lambda: request("openai/x", headers=headers | {"x-fill": "f" * 70_000}),
        "head too slow": lambda: b"POST /v1/x HTTP/1.1\r\nhost: x\r\norigin: %b\r\nx-",
        "body malformed": lambda: (
            request("openai/x", headers=headers | {"transfer-encoding": "chunked"}, body=None) + b"nonsense\r\n"
        ),
    }[case]()
    async with there.client() as client:
        answer = await client.ask(data.replace(b"%b", PAGE.encode()))
    assert answer.status == status
    is_readable(answer)


async def test_what_the_provider_says_of_it_is_replaced(there):
    async with there.client() as client:
        for origin in (PAGE, STRANGER, None):
            answer = await client.ask(request("anthropic/x", headers={"origin": origin} if origin else {}))
            assert "accept-encoding" in answer.headers["vary"]
            assert "origin" in answer.headers["vary"]
            if origin == PAGE:
                is_readable(answer)
            else:
                assert cors(answer) == {}


@pytest.mark.parametrize(
    "origin",
    [STRANGER, "null", "https://app.example.com.elsewhere.example", "http://app.example.com", PAGE + ":8443", ""],
)
@pytest.mark.parametrize("path", ["openai/x", "nobody/x"])
async def test_a_page_that_is_not_allowed_learns_nothing(there, origin, path):
    async with there.client() as client:
        answer = await client.ask(request(path, headers={"origin": origin}))
        assert cors(answer) == {}
        assert answer.headers["vary"] == "origin"  # or a cache could give it the answer for another page


async def test_an_origin_that_came_twice_is_none(there):
    async with there.client() as client:
        data = b"GET /healthz HTTP/1.1\r\nhost: x\r\norigin: %b\r\norigin: %b\r\n\r\n"
        assert cors(await client.ask(data % (PAGE.encode(), PAGE.encode()))) == {}


async def test_the_provider_is_told_the_origin(there):
    async with there.client() as client:
        answer = await client.ask(request("openai/x", headers={"origin": PAGE, "x-mock-echo": "1"}))
        assert ["origin", PAGE] in json.loads(answer.body)["headers"]


async def test_every_page_may_read_where_all_are_allowed():
    async with house(cors_origins=("*",)) as made, made.client() as client:
        for origin in (PAGE, STRANGER, "null"):
            answer = await client.ask(request("openai/x", headers={"origin": origin}))
            assert cors(answer).keys() == {ALLOW, EXPOSE}
            assert answer.headers[ALLOW] == "*"
        assert cors(await client.ask(request("openai/x"))) == {}


async def test_without_the_setting_nothing_is_said_and_the_provider_speaks_for_itself():
    async with (
        providing(loose) as provider,
        house(providers={"anthropic": provider.url}) as made,
        made.client() as client,
    ):
        answer = await client.ask(request("anthropic/x", headers={"origin": PAGE}))
        assert answer.headers[ALLOW] == "*"
        assert answer.headers["vary"] == "accept-encoding"
        answer = await client.ask(request("openai/x", gateway="nowhere", headers={"origin": PAGE}))
        assert (cors(answer), answer.headers.get("vary")) == ({}, None)
        answer = await client.ask(b"GET /healthz HTTP/1.1\r\nhost: x\r\norigin: %b\r\n\r\n" % PAGE.encode())
        assert (cors(answer), answer.headers.get("vary")) == ({}, None)


async def test_a_page_may_read_that_there_is_no_room():
    async with house(max_calls=1, cors_origins=(PAGE,)) as made, made.client() as one, made.client() as two:
        await one.send(request("openai/x", headers={"x-mock-stall": "head"}))
        await made.mock.until(lambda stats: stats.requests_running == 1)
        answer = await two.ask(request("openai/x", headers={"origin": PAGE}))
        assert answer.status == 503
        is_readable(answer)
        await asyncio.sleep(0)
