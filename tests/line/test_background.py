"""Models that run in the background, on a real server with a webhook beside it."""

import asyncio
import ipaddress
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio

from penstock.core.codec import decode, encode
from tests.kit import routes
from tests.kit.client import until
from tests.kit.house import house
from tests.kit.store import ACCOUNT, SECRET

pytestmark = pytest.mark.asyncio(loop_scope="module")

TALK = {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 100}


ROUTES = {
    "second": [
        routes.start("first"),
        routes.model("first", fallback="second", provider="nobody"),
        routes.model("second", provider="anthropic", model="claude-haiku-4-5"),
        routes.end(),
    ]
}


class Hook:
    """Takes webhooks, and answers that it could not."""

    def __init__(self):
        self.told: list[tuple[bytes, dict[str, Any]]] = []
        self.url = ""

    async def serve(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        self.told.append((head, decode(await reader.readexactly(size))))
        writer.write(b"HTTP/1.1 500 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        writer.close()


@asynccontextmanager
async def hooked():
    hook = Hook()
    server = await asyncio.start_server(hook.serve, "127.0.0.1", 0)
    hook.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook?a=1"
    async with server:
        yield hook


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place():
    networks = (ipaddress.ip_network("127.0.0.0/8"),)
    gateways = {"default": {"rate_limiting_limit": 1000}}
    async with house(allowed_networks=networks, gateways=gateways, adjust=routes.deployed(ROUTES)) as served:
        yield served
        await served.quiet()


async def run(place, model="anthropic/claude-haiku-4.5", input=TALK, headers=None, **options):  # noqa: A002
    body = encode({"model": model, "input": input, "options": options})
    lines = [f"POST /client/v4/accounts/{ACCOUNT}/ai/run HTTP/1.1", "host: x", f"content-length: {len(body)}"]
    told = {"authorization": f"Bearer {SECRET}"} | (headers or {})
    lines += [f"{name}: {value}" for name, value in told.items()]
    async with place.client() as client:
        return await client.ask("\r\n".join([*lines, "", ""]).encode() + body)


async def test_the_caller_is_answered_at_once_and_the_webhook_once(place):
    async with hooked() as hook:
        headers = {"cf-aig-event-id": "later", "x-mock-delay": "200"}
        answer = await run(place, headers=headers, background=True, webhookUrl=hook.url)
        assert answer.status == 202
        queued = decode(answer.body)["result"]
        assert (queued["state"], queued.keys()) == ("Queued", {"id", "state"})
        assert "cf-aig-log-id" not in answer.headers
        await until(lambda: hook.told)
        await place.quiet()
        ((head, told),) = hook.told
    assert head.startswith(b"POST /hook?a=1 HTTP/1.1\r\n")
    assert SECRET.encode() not in head
    assert (told["id"], told["state"], told["error"]) == (queued["id"], "Completed", None)
    assert (told["provider"], told["model"]) == ("anthropic", "claude-haiku-4-5")
    assert told["result"]["content"][0]["text"]
    row = await place.row("later")
    assert (row.status_code, row.provider, row.success) == (200, "anthropic", True)
    assert told["usage"]["output_tokens"] == row.tokens_out
    assert decode(row.response)["result"] == told["result"]


async def test_a_chat_gets_it_as_text(place):
    async with hooked() as hook:
        await run(place, "openai/gpt-4o", background=True, webhookUrl=hook.url, webhookFormat="chat")
        await until(lambda: hook.told)
    ((_, told),) = hook.told
    assert decode(told.pop("text").encode())["state"] == "Completed"
    assert told == {}


@pytest.mark.parametrize(
    ("headers", "code"),
    [({"x-mock-status": "500"}, 2005), ({"x-mock-status": "400"}, 7003), ({"x-mock-malformed": "1"}, 2005)],
)
async def test_what_fails_is_told_to_the_webhook(place, headers, code):
    async with hooked() as hook:
        answer = await run(place, headers=headers, background=True, webhookUrl=hook.url)
        assert answer.status == 202
        await until(lambda: hook.told)
    ((_, told),) = hook.told
    assert (told["state"], told["result"], told["error"]["code"]) == ("Failed", None, code)


async def test_a_run_goes_along_a_dynamic_route_and_tells_which_model_answered(place):
    async with hooked() as hook:
        await run(place, "dynamic/second", background=True, webhookUrl=hook.url)
        await until(lambda: hook.told)
    ((_, told),) = hook.told
    assert (told["state"], told["provider"], told["model"]) == ("Completed", "anthropic", "claude-haiku-4-5")
    assert told["result"]["choices"][0]["message"]["content"] == "You said: hello"
    assert told["usage"]["output_tokens"]


async def test_a_run_along_a_route_that_has_no_answer_tells_why(place):
    async with hooked() as hook:
        await run(place, "dynamic/second", headers={"x-mock-status": "503"}, background=True, webhookUrl=hook.url)
        await until(lambda: hook.told)
    ((_, told),) = hook.told
    assert (told["state"], told["error"]["code"]) == ("Failed", 2005)
    assert "element 'first': Invalid provider 'nobody'" in told["error"]["message"]
    assert "element 'second': status 503" in told["error"]["message"]


async def test_what_is_no_json_is_told_as_text(place):
    async with hooked() as hook:
        said = {"input": "hello", "voice": "alloy"}
        await run(place, "openai/gpt-4o-mini-tts", said, background=True, webhookUrl=hook.url)
        await until(lambda: hook.told)
    ((_, told),) = hook.told
    assert told["result"]["contentType"] == "audio/mpeg"
    assert told["result"]["base64"]


async def test_a_run_needs_no_webhook_and_goes_on_where_its_webhook_is_not_there(place, unused_tcp_port):
    for event, more in (("none", {}), ("away", {"webhookUrl": f"http://127.0.0.1:{unused_tcp_port}/"})):
        answer = await run(place, headers={"cf-aig-event-id": event}, background=True, **more)
        assert answer.status == 202
        assert (await place.row(event)).success


@pytest.mark.parametrize(
    ("more", "status", "says"),
    [
        ({"webhookUrl": "https://hooks.example/"}, 400, "background"),
        ({"background": True, "webhookFormat": "raw"}, 400, "webhookUrl"),
        ({"background": True, "webhookUrl": "https://hooks.example/", "webhookFormat": "xml"}, 400, "webhookFormat"),
        ({"background": True, "webhookUrl": "http://hooks.example/"}, 400, "https"),
        ({"background": True, "webhookUrl": "https://me@hooks.example/"}, 400, "https"),
        ({"background": True, "webhookUrl": "https://10.0.0.1/"}, 400, "may not be called"),
        ({"background": True, "webhookUrl": "https://169.254.169.254/"}, 400, "may not be called"),
        ({"background": True, "webhookUrl": "https://hooks.example/\r\nx: 1"}, 400, "webhookUrl"),
        ({"background": True, "input": TALK | {"stream": True}}, 400, "stream"),
        ({"background": True, "model": "nobody/x"}, 404, "Model not found"),
    ],
)
async def test_what_cannot_be_run_is_refused_at_once(place, more, status, says):
    answer = await run(place, **more)
    assert answer.status == status
    error = decode(answer.body)["errors"][0]
    assert error["code"] == 7003
    assert says in error["message"]


async def test_a_run_takes_a_place_of_its_gateway_and_ends_with_the_process():
    async with house(max_calls=2) as small:
        headers = {"x-mock-delay": "60000", "cf-aig-event-id": "long"}
        answers = [await run(small, headers=headers, background=True) for _ in range(12)]
        assert {answer.status for answer in answers} == {202, 503}
        begun = [answer.status for answer in answers].count(202)
        sink = small.sink
    rows = [row for row in sink.records if row.event_id == "long" and row.status_code == 503 and row.provider]
    assert len(rows) == begun
