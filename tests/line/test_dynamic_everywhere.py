"""A dynamic route is a model wherever one is named: at every address of the unified API, and below the API's own."""

from urllib.parse import quote

import pytest
import pytest_asyncio

from penstock.core.codec import decode, encode
from tests.kit import routes
from tests.kit.house import house, request
from tests.kit.store import ACCOUNT, SECRET

pytestmark = pytest.mark.asyncio(loop_scope="module")

HELLO = [{"role": "user", "content": "hello"}]
TALK = {"messages": HELLO, "max_tokens": 99}
FORM = b'--x\r\ncontent-disposition: form-data; name="model"\r\n\r\ndynamic/words\r\n'
FORM += b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.mp3"\r\n\r\nsound\r\n--x--\r\n'


def fallback(provider, model):
    """The first model cannot be asked."""
    first = routes.model("first", fallback="second", provider="nobody", model="m")
    return [routes.start("first"), first, routes.model("second", provider=provider, model=model), routes.end()]


STREAMS = routes.conditional("stream", {"body.stream": True}, "large", "small")
ROUTES = {
    "my chat": fallback("anthropic", "claude-haiku-4-5"),
    "gpt": fallback("openai", "gpt-4o"),
    "vectors": fallback("openai", "text-embedding-3-small"),
    "words": fallback("openai", "gpt-4o-transcribe"),
    "dots": fallback("openai", "gpt-4-1"),
    "streams": [
        routes.start("stream"),
        STREAMS,
        routes.model("large", model="gpt-4o"),
        routes.model("small", provider="anthropic", model="claude-haiku-4-5"),
        routes.end(),
    ],
    "strict": [
        routes.start("quota"),
        routes.rate("quota", "m", limit=1, key="metadata.user"),
        routes.model("m"),
        routes.end(),
    ],
    "dead": [routes.start("m"), routes.model("m", provider="nobody"), routes.end()],
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place():
    async with house(adjust=routes.deployed(ROUTES)) as served:
        yield served
        await served.quiet()


async def ask(place, path, body, method="POST", **headers):
    """Below the API's own address."""
    data = body if isinstance(body, bytes) else encode(body)
    lines = [f"{method} /client/v4/accounts/{ACCOUNT}/ai/{path} HTTP/1.1", "host: x", f"authorization: Bearer {SECRET}"]
    lines += [
        f"content-length: {len(data)}",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]
    async with place.client() as client:
        return await client.ask("\r\n".join([*lines, "", ""]).encode() + data)


def second(answer):
    """Checks that the second model of ``fallback`` answered."""
    assert (answer.status, answer.headers["cf-aig-step"]) == (200, "1"), answer.body
    return answer.headers["cf-aig-provider"], answer.headers["cf-aig-model"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", ["chat/completions", "responses", "messages"])
async def test_at_the_apis_address(place, path, stream):
    said = {"input": "hello"} if path == "responses" else TALK
    answer = await ask(place, f"v1/{path}", {"model": "dynamic/my chat", "stream": stream, **said})
    assert second(answer) == ("anthropic", "claude-haiku-4-5")
    assert answer.headers["content-type"].startswith("text/event-stream" if stream else "application/json")
    assert b"hello" in answer.body


async def test_embeddings_at_the_apis_address(place):
    answer = await ask(place, "v1/embeddings", {"model": "dynamic/vectors", "input": "hello"})
    assert second(answer) == ("openai", "text-embedding-3-small")
    assert decode(answer.body)["data"][0]["embedding"]


async def test_a_model_of_gemini_in_the_path(place):
    body = encode({"contents": [{"role": "user", "parts": [{"text": "hello"}]}]})
    async with place.client() as client:
        answer = await client.ask(request("compat/v1beta/models/dynamic/gpt:generateContent", body=body))
    assert second(answer) == ("openai", "gpt-4o")
    assert decode(answer.body)["candidates"][0]["content"]["parts"][0]["text"] == "You said: hello"


async def test_a_field_of_a_form(place):
    kind = {"content-type": "multipart/form-data; boundary=x"}
    async with place.client() as client:
        answer = await client.ask(request("compat/audio/transcriptions", body=FORM, headers=kind))
        assert second(answer) == ("openai", "gpt-4o-transcribe")
        assert decode(answer.body)["text"] == "hello"
        echo = await client.ask(
            request("compat/audio/transcriptions", body=FORM, headers=kind | {"x-mock-echo": "body"})
        )
    assert echo.body == FORM.replace(b"dynamic/words", b"gpt-4o-transcribe")


async def test_a_route_leads_to_the_same_models_at_every_address(place):
    said = {"model": "dynamic/dots", **TALK}
    below = await ask(place, "v1/chat/completions", said, x_mock_echo="body")
    async with place.client() as client:
        answer = await client.ask(
            request("compat/chat/completions", body=encode(said), headers={"x-mock-echo": "body"})
        )
    assert decode(below.body) == decode(answer.body) == said | {"model": "gpt-4-1"}


def run(place, model, given, *, short, **headers):
    """``short``: the model in the path."""
    path = f"run/{quote(model)}" if short else "run"
    return ask(place, path, given if short else {"model": model, "input": given}, **headers)


both = pytest.mark.parametrize("short", [False, True], ids=["body", "path"])


@both
@pytest.mark.parametrize(("route", "provider"), [("my chat", "anthropic"), ("gpt", "openai")])
async def test_run_answers_a_chat_in_openais_dialect_in_the_envelope(place, route, provider, short):
    event = f"{route}-{short}"
    answer = await run(place, f"dynamic/{route}", TALK, short=short, accept_encoding="gzip", cf_aig_event_id=event)
    assert second(answer)[0] == provider
    body = decode(answer.body)
    assert (body["success"], body["errors"], body["messages"]) == (True, [], [])
    assert body["result"]["choices"][0]["message"]["content"] == "You said: hello"
    assert body["result"]["gatewayMetadata"] == {"keySource": "Request"}
    rows = {row.step: row for row in await place.rows(event, 2)}
    assert rows[1].response == answer.body
    assert [(rows[step].provider, rows[step].success) for step in (0, 1)] == [("nobody", False), (provider, True)]


@both
async def test_run_streams(place, short):
    answer = await run(place, "dynamic/my chat", TALK | {"stream": True}, short=short)
    assert second(answer) == ("anthropic", "claude-haiku-4-5")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.body.endswith(b"data: [DONE]\n\n")


@both
async def test_the_fields_of_a_condition_are_those_of_the_input(place, short):
    for stream, model in ((True, "gpt-4o"), (False, "claude-haiku-4-5")):
        answer = await run(place, "dynamic/streams", TALK | {"stream": stream}, short=short)
        assert (answer.status, answer.headers["cf-aig-model"]) == (200, model)


@pytest.mark.parametrize(
    ("route", "given", "reads"),
    [
        ("vectors", {"input": "hello"}, lambda told: told["data"][0]["embedding"]),
        ("gpt", {"input": "hello"}, lambda told: told["output"][0]["content"][0]["text"]),
        ("gpt", {"contents": [{"parts": [{"text": "hello"}]}]}, lambda told: told["candidates"]),
    ],
)
async def test_run_takes_each_kind_of_input(place, route, given, reads):
    answer = await run(place, f"dynamic/{route}", given, short=False)
    second(answer)
    assert reads(decode(answer.body)["result"])


async def test_what_run_sends_is_the_input(place):
    answer = await run(place, "dynamic/gpt", TALK, short=False, x_mock_echo="body")
    assert decode(answer.body) == {"model": "gpt-4o", **TALK}


@both
@pytest.mark.parametrize(
    ("route", "status", "code", "says"),
    [
        ("none", 400, 2005, "no route 'none'"),
        ("dead", 400, 2005, "element 'm': Invalid provider 'nobody'"),
        ("strict", 429, 2003, "element 'quota' of route 'strict'"),
    ],
)
async def test_run_tells_in_the_envelope_why_a_route_has_no_answer(place, route, status, code, says, short):
    user = {"cf_aig_metadata": encode({"user": f"{short}"}).decode()}
    if status == 429:
        await run(place, f"dynamic/{route}", TALK, short=short, **user)
    answer = await run(place, f"dynamic/{route}", TALK, short=short, **user)
    body = decode(answer.body)
    (error,) = body["errors"]
    assert (answer.status, error["code"], body["result"]) == (status, code, None)
    assert says in error["message"]


@pytest.mark.parametrize(("route", "success"), [("gpt", True), ("dead", False)], ids=["answered", "failed"])
async def test_a_run_in_the_background_goes_along_the_route(place, route, success):
    body = {"model": f"dynamic/{route}", "input": TALK, "options": {"background": True}}
    answer = await ask(place, "run", body, cf_aig_event_id=f"background-{route}")
    assert (answer.status, decode(answer.body)["result"]["state"]) == (202, "Queued")
    rows = {row.step: row for row in await place.rows(f"background-{route}", 1 + success)}
    assert rows[success].success is success
    assert rows[success].provider == ("openai" if success else "nobody")


async def test_a_stream_in_the_background_is_refused_whichever_model_is_first(place):
    body = {"model": "dynamic/gpt", "input": TALK | {"stream": True}, "options": {"background": True}}
    assert (await ask(place, "run", body)).status == 400


async def test_lists_of_models_have_the_routes(place):
    below = await ask(place, "v1/models", b"", method="GET")
    async with place.client() as client:
        token = {"cf-aig-authorization": f"Bearer {SECRET}"}
        answer = await client.ask(request("compat/models", method="GET", body=None, headers=token))
    for told in (below, answer):
        assert {f"dynamic/{name}" for name in ROUTES} <= {model["id"] for model in decode(told.body)["data"]}
