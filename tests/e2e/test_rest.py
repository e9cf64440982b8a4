"""Inference at the API's own address, below the control plane's prefix and served by the data plane."""

import json
from typing import Any
from urllib.parse import quote

import anthropic
import openai
import pytest
import pytest_asyncio

from penstock.core.codec import decode, encode
from penstock.model.credential import StoredKey
from penstock.model.token import Scope
from tests.kit.house import house
from tests.kit.store import ACCOUNT, SECRET, a_token

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODEL = "@cf/meta/llama-3.1-8b-instruct"
PROMPT = b'{"prompt":"hi"}'
WORKERS, READER = "pst_only_for_workers_ai_1", "pst_reads_the_log_only_1"
TOKENS = [
    a_token(WORKERS, scopes=frozenset({Scope.WORKERS})),
    a_token(READER, scopes=frozenset({Scope.READ})),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there():
    async with house(gateways={"default": {}, "mine": {}}, tokens=TOKENS) as made:
        yield made
        await made.quiet()


async def ask(there, path=f"run/{MODEL}", body=PROMPT, *, token=SECRET, account=ACCOUNT, method="POST", **headers):
    lines = [f"{method} /client/v4/accounts/{account}/ai/{path} HTTP/1.1", "host: x", f"content-length: {len(body)}"]
    lines += [f"authorization: Bearer {token}"] if token else []
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    async with there.client() as client:
        return await client.ask("\r\n".join([*lines, "", ""]).encode() + body)


def told(answer):
    """The code in the envelope of the API."""
    body = json.loads(answer.body)
    assert (body["success"], body["messages"], body["result"]) == (False, [], None)
    assert set(body) == {"success", "messages", "result", "errors"}
    return answer.status, body["errors"][0]["code"]


@pytest.mark.parametrize("token", [SECRET, WORKERS])
async def test_workers_ai_is_called_through_the_gateway_that_the_header_names(there, token):
    answer = await ask(there, token=token, cf_aig_gateway_id="mine", cf_aig_event_id=f"mine-{token}", x_mock_echo="1")
    sent = json.loads(answer.body)
    assert (answer.status, sent["target"], sent["length"]) == (200, f"/workers-ai/run/{MODEL}", 15)
    assert {"authorization", "cf-aig-gateway-id"}.isdisjoint(dict(sent["headers"]))
    row = await there.row(f"mine-{token}")
    assert (row.provider, row.model, row.path) == ("workers-ai", MODEL, f"run/{MODEL}")
    await ask(there, cf_aig_event_id=f"default-{token}")
    assert row.gateway != (await there.row(f"default-{token}")).gateway


async def test_without_the_header_the_gateway_is_default_and_the_answer_is_the_providers(there):
    answer = await ask(there)
    assert answer.status == 200
    assert "cf-aig-log-id" in answer.headers
    assert "cf-aig-step" not in answer.headers


@pytest.mark.parametrize(
    ("token", "code"),
    [("", 10000), ("pst_nobody_knows_this_one", 10000), (READER, 10000)],
    ids=["none", "unknown", "scope"],
)
async def test_a_token_is_needed_though_the_gateway_asks_for_none(there, token, code):
    assert told(await ask(there, token=token)) == (401, code)


async def test_a_workers_ai_token_opens_no_other_surface(there):
    async with house(gateways={"locked": {"authentication": True}}, tokens=TOKENS) as other, other.client() as client:
        answer = await client.ask(
            f"POST /v1/{ACCOUNT}/locked/workers-ai/run/{MODEL} HTTP/1.1\r\nhost: x\r\n"
            f"cf-aig-authorization: Bearer {WORKERS}\r\ncontent-length: 2\r\n\r\n{{}}".encode()
        )
        assert answer.status == 401


async def test_what_is_not_served_is_told_in_the_envelope_of_the_api(there):
    assert told(await ask(there, "v1/completions")) == (404, 7003)
    assert told(await ask(there, "finetunes")) == (404, 7003)
    assert told(await ask(there, method="PUT")) == (405, 7001)
    assert told(await ask(there, cf_aig_gateway_id="nowhere")) == (400, 2001)
    assert told(await ask(there, account="f" * 32)) == (401, 10000)
    assert told(await ask(there, "run/@cf/../x")) == (400, 2008)


async def test_a_body_may_be_as_large_as_on_every_surface_of_the_data_plane(there):
    size = 3 << 20
    async with there.client() as client:
        head = f"POST /client/v4/accounts/{ACCOUNT}/ai/run/{MODEL} HTTP/1.1\r\nhost: x\r\nx-mock-echo: 1\r\n"
        head += f"authorization: Bearer {SECRET}\r\ncontent-length: {size}\r\n\r\n"
        answer = await client.ask(head.encode() + b"x" * size)
    assert (answer.status, json.loads(answer.body)["length"]) == (200, size)


CHATS = {
    "chat/completions": lambda told: told["choices"][0]["message"]["content"],
    "responses": lambda told: told["output"][0]["content"][0]["text"],
    "messages": lambda told: told["content"][0]["text"],
}
HELLO: Any = [{"role": "user", "content": "hello"}]


def chat(model, path="chat/completions", **members):
    said = {"input": HELLO} if path.endswith("responses") else {"messages": HELLO, "max_tokens": 100}
    return encode({"model": model, **said, **members})


@pytest.mark.parametrize("model", ["openai/gpt-4o", "anthropic/claude-haiku-4.5", "google/gemini-2.5-flash", MODEL])
@pytest.mark.parametrize("path", CHATS)
async def test_a_chat_is_answered_bare_in_its_clients_dialect_by_any_provider(there, path, model):
    answer = await ask(there, f"v1/{path}", chat(model, path))
    assert answer.status == 200
    assert CHATS[path](decode(answer.body))


async def test_embeddings_are_answered_and_a_doubled_version_counts_once(there):
    answer = await ask(there, "v1/embeddings", encode({"model": "openai/text-embedding-3-small", "input": "hello"}))
    assert decode(answer.body)["data"][0]["embedding"]
    answer = await ask(there, "v1/v1/messages", chat("anthropic/claude-haiku-4-5", "messages"))
    assert decode(answer.body)["type"] == "message"


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ("anthropic/claude-haiku-4.5", "claude-haiku-4-5"),
        ("anthropic/claude-haiku-4-5", "claude-haiku-4-5"),
        ("anthropic/claude-haiku-4.5-20251001", "claude-haiku-4-5-20251001"),
        ("openai/gpt-4-1-mini", "gpt-4.1-mini"),
        ("openai/nobody-knows-1.2", "nobody-knows-1.2"),
    ],
)
async def test_both_spellings_of_a_version_are_the_providers(there, asked, sent):
    path = "messages" if asked.startswith("anthropic") else "chat/completions"
    answer = await ask(there, f"v1/{path}", chat(asked, path), x_mock_echo="body")
    assert decode(answer.body)["model"] == sent


@pytest.mark.parametrize(
    ("model", "status", "says"),
    [
        ("nobody/gpt-4o", 404, "Model not found: nobody/gpt-4o"),
        ("custom-mine/gpt-4o", 404, "Model not found: custom-mine/gpt-4o"),
        ("deepgram/nova", 404, "no chat"),
        ("gpt-4o", 400, "{provider}/{model}"),
        ("", 400, "model is missing"),
    ],
)
async def test_a_model_that_is_not_found_is_told_in_the_envelope_of_the_api(there, model, status, says):
    answer = await ask(there, "v1/chat/completions", chat(model))
    assert told(answer) == (status, 7003)
    assert says in decode(answer.body)["errors"][0]["message"]
    assert told(await ask(there, "v1/messages", b"no json")) == (400, 7003)


async def test_a_provider_s_error_is_told_bare_in_the_clients_dialect(there):
    answer = await ask(there, "v1/messages", chat("openai/gpt-4o", "messages"), x_mock_status="429")
    assert (answer.status, decode(answer.body)["type"]) == (429, "error")


async def test_the_default_key_travels_whatever_alias_is_named():
    keys = [
        StoredKey(f"key-{alias}", "openai", alias, alias == "default", f"sk-{alias}", 1) for alias in ("default", "b")
    ]
    async with house(keys=keys) as there:
        answer = await ask(there, "v1/chat/completions", chat("openai/gpt-4o"), x_mock_echo="1", cf_aig_byok_alias="b")
    assert dict(decode(answer.body)["headers"])["authorization"] == "Bearer sk-default"
    assert SECRET not in answer.body.decode()


async def test_the_sdks_reach_any_provider_at_the_apis_address(there):
    base = f"http://127.0.0.1:{there.server.port}/client/v4/accounts/{ACCOUNT}/ai/v1"
    async with openai.AsyncOpenAI(api_key=SECRET, base_url=base, max_retries=0) as client:
        whole = await client.chat.completions.create(model="anthropic/claude-haiku-4.5", messages=HELLO)
        assert whole.choices[0].message.content
        stream = await client.chat.completions.create(model="anthropic/claude-haiku-4.5", messages=HELLO, stream=True)
        assert "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])
    async with anthropic.AsyncAnthropic(api_key=SECRET, base_url=base, max_retries=0) as client:
        message = await client.messages.create(model="openai/gpt-4o", messages=HELLO, max_tokens=100)
        assert message.model_dump()["content"][0]["text"]
        async with client.messages.stream(model="openai/gpt-4o", messages=HELLO, max_tokens=100) as stream:
            assert await stream.get_final_text()


def result(answer):
    """What is in the envelope of the API."""
    body = decode(answer.body)
    assert answer.status == 200
    assert (body["success"], body["errors"], body["messages"]) == (True, [], [])
    return body["result"]


TALK = {"messages": HELLO, "max_tokens": 100}


@pytest.mark.parametrize(
    ("model", "input", "reads"),
    [
        ("openai/gpt-4o", TALK, CHATS["chat/completions"]),
        ("anthropic/claude-haiku-4.5", TALK, CHATS["messages"]),
        ("google/gemini-2.5-flash", TALK, CHATS["chat/completions"]),
        ("openai/gpt-4o", {"input": "hello"}, CHATS["responses"]),
        ("google/gemini-2.5-flash", {"contents": [{"parts": [{"text": "hello"}]}]}, lambda told: told["candidates"]),
        ("openai/text-embedding-3-small", {"input": "hello"}, lambda told: told["data"][0]["embedding"]),
        ("openai/gpt-image-1", {"prompt": "a tree"}, lambda told: told["data"]),
    ],
)
async def test_run_answers_in_the_envelope_whatever_the_model_makes(there, model, input, reads):  # noqa: A002
    answer = await ask(there, "run", encode({"model": model, "input": input}), accept_encoding="gzip")
    told = result(answer)
    assert reads(told)
    assert told["gatewayMetadata"] == {"keySource": "Request"}
    assert result(await ask(there, f"run/{model}", encode(input))).keys() == told.keys()


@pytest.mark.parametrize("model", ["openai/gpt-4o", MODEL])
async def test_the_name_of_a_model_may_be_one_segment_of_the_path(there, model):
    event = f"segment-{model}"
    answer = await ask(there, f"run/{quote(model, safe='@')}", encode(TALK), cf_aig_event_id=event)
    assert answer.status == 200
    assert (await there.row(event)).model == model.removeprefix("openai/")
    assert told(await ask(there, "run/@cf%2F..%2fx")) == (400, 2008)


async def test_run_sends_the_input_and_logs_what_the_client_got(there):
    answer = await ask(there, "run", encode({"model": "openai/gpt-4-1", "input": TALK}), x_mock_echo="body")
    assert decode(answer.body) == {"model": "gpt-4.1", **TALK}
    answer = await ask(
        there, "run", encode({"model": "anthropic/claude-haiku-4.5", "input": TALK}), cf_aig_event_id="run"
    )
    row = await there.row("run")
    assert (row.provider, row.model, row.response) == ("anthropic", "claude-haiku-4-5", answer.body)
    assert row.tokens_out == result(answer)["usage"]["output_tokens"]


async def test_run_streams_as_the_provider_does(there):
    answer = await ask(there, "run", encode({"model": "openai/gpt-4o", "input": {**TALK, "stream": True}}))
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.body.endswith(b"data: [DONE]\n\n")


async def test_speech_is_no_json_and_comes_as_it_is(there):
    said = {"input": "hello", "voice": "alloy"}
    answer = await ask(there, "run", encode({"model": "openai/gpt-4o-mini-tts", "input": said}))
    assert (answer.status, answer.headers["content-type"]) == (200, "audio/mpeg")


async def test_run_of_workers_ai_is_its_own_answer(there):
    answer = await ask(there, "run", encode({"model": MODEL, "input": {"prompt": "hi"}}), x_mock_echo="1")
    assert decode(answer.body)["target"] == f"/workers-ai/run/{MODEL}"
    busy = {"model": MODEL, "input": {"prompt": "hi"}, "options": {"rejectIfBusy": True}}
    assert decode((await ask(there, "run", encode(busy), x_mock_echo="body")).body) == busy


@pytest.mark.parametrize(("sent", "code"), [(400, 7003), (401, 2009), (500, 2005)])
@pytest.mark.parametrize("model", ["openai/gpt-4o", "anthropic/claude-haiku-4.5", "google/gemini-2.5-flash"])
async def test_run_tells_a_provider_s_error_in_the_envelope(there, model, sent, code):
    answer = await ask(there, "run", encode({"model": model, "input": TALK}), x_mock_status=str(sent))
    assert told(answer) == (sent, code)
    assert decode(answer.body)["errors"][0]["message"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"input": TALK}, "model"),
        ({"model": "openai/gpt-4o"}, "input"),
        ({"model": "openai/gpt-4o", "input": 7}, "input"),
        ({"model": "openai/gpt-4o", "input": {}}, "none of messages"),
        ({"model": "openai/gpt-4o", "input": TALK, "options": {"x": 1}}, "x"),
        ({"model": "openai/gpt-4o", "input": TALK, "options": {"rejectIfBusy": True}}, "Workers AI"),
        ({"model": "gpt-4o", "input": TALK}, "{provider}/{model}"),
    ],
)
async def test_run_refuses_what_it_cannot_do_naming_the_member(there, body, says):
    answer = await ask(there, "run", encode(body))
    assert told(answer) == (400, 7003)
    assert says in decode(answer.body)["errors"][0]["message"]


async def test_run_tells_whose_key_it_was_and_keeps_its_answers_apart():
    keys = [StoredKey("key", "openai", "default", True, "sk-stored", 1)]
    async with house(gateways={"default": {"cache_ttl": 60}}, keys=keys) as there:
        same = {"model": "openai/gpt-4o", **TALK}
        body = encode({"model": "openai/gpt-4o", "input": same})
        first, again = await ask(there, "run", body), await ask(there, "run", body)
        assert result(first)["gatewayMetadata"] == {"keySource": "BYOK"}
        assert (again.headers["cf-aig-cache-status"], again.body) == ("HIT", first.body)
        bare = await ask(there, "v1/chat/completions", encode(same), accept_encoding="identity")
        assert decode(bare.body)["object"] == "chat.completion"
        other = await ask(there, "run/openai/gpt-4o-mini", encode(TALK))
        assert other.headers["cf-aig-cache-status"] == "MISS"
