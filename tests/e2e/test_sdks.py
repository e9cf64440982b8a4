"""The official SDKs, given only another base URL, against a real server; and what the log then says."""

import inspect
import itertools
import sqlite3
from contextlib import closing
from typing import Any

import anthropic
import genai_prices
import openai
import pytest
import pytest_asyncio

from penstock.core import codec, ids
from penstock.storage import sqlite, sqlite_file
from penstock.storage.log.reader import LogReader
from tests.kit.process import eventually, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

MESSAGES = [{"role": "user", "content": "Tell me of the sea."}]
ANSWER = "You said: Tell me of the sea."
_numbers = itertools.count()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory):
    async with serving(tmp_path_factory.mktemp("sdks") / "data") as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module", params=[openai.OpenAI, openai.AsyncOpenAI], ids=["sync", "async"])
async def gpt(request, server):
    client = request.param(base_url=server.url("openai"), api_key="sk-of-nobody", max_retries=0)
    yield client
    await done(client.close())


@pytest_asyncio.fixture(
    loop_scope="module", params=[anthropic.Anthropic, anthropic.AsyncAnthropic], ids=["sync", "async"]
)
async def claude(request, server):
    client = request.param(base_url=server.url("anthropic"), api_key="sk-of-nobody", max_retries=0)
    yield client
    await done(client.close())


@pytest.fixture
def event():
    """An event id for the call of this test; ``extra_headers`` of both SDKs."""
    return {"cf-aig-event-id": f"sdk-{next(_numbers)}"}


async def done(result):
    """What a client of either kind returns."""
    return await result if inspect.isawaitable(result) else result


async def items(stream):
    return [item async for item in stream] if hasattr(stream, "__aiter__") else list(stream)


async def logged(server, event) -> tuple[Any, Any, Any]:
    """The one row of that event and its two bodies, once it is there."""
    with closing(sqlite.connect_reader(server.data_dir / sqlite_file.FILE)) as connection:
        reader = LogReader(connection)
        name = event["cf-aig-event-id"]
        (row,) = await eventually(lambda: [row for row in reader.newest(1000) if row.event_id == name])
        return row, *reader.bodies(row.number, ids.parse(row.id))


def price(provider, model, used):
    """Nano-dollars, by the library whose prices ours are compiled from."""
    calculated = genai_prices.calc_price(used, model, provider_id=provider)
    return round(calculated.total_price * 10**9)


def expect(row, *, provider, model, path, kind, tokens):
    """What every row of an answered call says."""
    assert (row.outcome, row.status_code, row.success, row.cached) == ("answered", 200, True, False)
    assert (row.provider, row.model, row.path, row.request_type) == (provider, model, path, kind)
    assert (row.tokens_in, row.tokens_out) == tokens
    used = genai_prices.Usage(input_tokens=tokens[0], output_tokens=tokens[1])
    assert row.cost == price(provider, model, used)
    assert row.cost > 0
    assert row.user_agent.lower().startswith(("openai/", "asyncopenai/", "anthropic/", "asyncanthropic/"))
    detail = codec.decode(row.detail)
    assert detail["method"] == "POST"
    assert [attempt["status"] for attempt in detail["attempts"]] == [200]


async def test_chat(server, gpt, event):
    reply = await done(gpt.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, extra_headers=event))
    assert reply.choices[0].message.content == ANSWER
    row, request, response = await logged(server, event)
    tokens = (reply.usage.prompt_tokens, reply.usage.completion_tokens)
    expect(row, provider="openai", model="gpt-4o-mini", path="chat/completions", kind="chat.completions", tokens=tokens)
    assert codec.decode(request)["messages"] == MESSAGES
    assert codec.decode(response) == reply.model_dump(exclude_unset=True)
    assert codec.decode(row.detail)["usage"] == reply.usage.model_dump(exclude_unset=True)
    assert (row.request_size, row.response_size) == (len(request), len(response))
    assert row.request_content_type == row.response_content_type == "application/json"


async def test_chat_stream_that_did_not_ask_for_usage_does_not_see_it(server, gpt, event):
    asked = {"model": "gpt-4o-mini", "messages": MESSAGES}
    whole = await done(gpt.chat.completions.create(**asked))
    chunks = await items(await done(gpt.chat.completions.create(**asked, stream=True, extra_headers=event)))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == ANSWER
    assert all(chunk.choices and chunk.usage is None for chunk in chunks)
    row, request, response = await logged(server, event)
    tokens = (whole.usage.prompt_tokens, whole.usage.completion_tokens)
    expect(row, provider="openai", model="gpt-4o-mini", path="chat/completions", kind="chat.completions", tokens=tokens)
    assert "stream_options" not in codec.decode(request)  # the log has what the client sent
    assert response.endswith(b"data: [DONE]\n\n")
    assert row.response_content_type.startswith("text/event-stream")


async def test_chat_stream_that_asked_for_usage_sees_it(server, gpt, event):
    stream = gpt.chat.completions.create(
        model="gpt-4o", messages=MESSAGES, stream=True, stream_options={"include_usage": True}, extra_headers=event
    )
    *chunks, last = await items(await done(stream))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == ANSWER
    assert last.choices == []
    row, request, _ = await logged(server, event)
    tokens = (last.usage.prompt_tokens, last.usage.completion_tokens)
    expect(row, provider="openai", model="gpt-4o", path="chat/completions", kind="chat.completions", tokens=tokens)
    assert codec.decode(request)["stream_options"] == {"include_usage": True}


async def test_cached_and_reasoning_tokens_are_priced_apart(server, gpt, event):
    controls = {"x-mock-cached-tokens": "1000", "x-mock-reasoning-tokens": "200"}
    reply = await done(gpt.chat.completions.create(model="gpt-4o", messages=MESSAGES, extra_headers=event | controls))
    row, _, _ = await logged(server, event)
    used = genai_prices.Usage(
        input_tokens=reply.usage.prompt_tokens, output_tokens=reply.usage.completion_tokens, cache_read_tokens=1000
    )
    assert (row.tokens_in, row.tokens_out) == (used.input_tokens, used.output_tokens)
    assert row.cost == price("openai", "gpt-4o", used)


async def test_responses(server, gpt, event):
    reply = await done(gpt.responses.create(model="gpt-4o-mini", input="Tell me of the sea.", extra_headers=event))
    assert reply.output_text == ANSWER
    row, request, response = await logged(server, event)
    tokens = (reply.usage.input_tokens, reply.usage.output_tokens)
    expect(row, provider="openai", model="gpt-4o-mini", path="responses", kind="responses", tokens=tokens)
    assert codec.decode(request)["input"] == "Tell me of the sea."
    assert codec.decode(response)["id"] == reply.id


async def test_responses_stream(server, gpt, event):
    asked = {"model": "gpt-4o-mini", "input": "Tell me of the sea.", "stream": True}
    events = await items(await done(gpt.responses.create(**asked, extra_headers=event)))
    assert "".join(one.delta for one in events if one.type == "response.output_text.delta") == ANSWER
    assert events[-1].type == "response.completed"
    row, _, response = await logged(server, event)
    used = events[-1].response.usage
    tokens = (used.input_tokens, used.output_tokens)
    expect(row, provider="openai", model="gpt-4o-mini", path="responses", kind="responses", tokens=tokens)
    assert response.count(b"\n\n") == len(events)


async def test_embeddings(server, gpt, event):
    model = "text-embedding-3-small"
    reply = await done(gpt.embeddings.create(model=model, input=["one", "another"], extra_headers=event))
    assert [len(one.embedding) for one in reply.data] == [1536, 1536]
    row, _, _ = await logged(server, event)
    tokens = (reply.usage.prompt_tokens, 0)
    expect(row, provider="openai", model=model, path="embeddings", kind="embeddings", tokens=tokens)


async def test_models(server, gpt, event):
    models = await items((await done(gpt.models.list(extra_headers=event))).data)
    assert models
    row, request, _ = await logged(server, event)
    assert (row.path, row.request_type, row.status_code, row.outcome) == ("models", "models", 200, "answered")
    assert (row.tokens_in, row.tokens_out, row.cost) == (None, None, None)  # not known, and not 0
    assert not request
    assert codec.decode(row.detail)["method"] == "GET"


async def test_an_error_of_the_provider_reaches_the_client_as_it_is(server, gpt, event):
    refused = event | {"x-mock-status": "429", "x-mock-retry-after": "7"}
    with pytest.raises(openai.RateLimitError) as caught:
        await done(gpt.chat.completions.create(model="gpt-4o", messages=MESSAGES, extra_headers=refused))
    assert caught.value.response.headers["retry-after"] == "7"
    row, _, response = await logged(server, event)
    assert (row.outcome, row.status_code, row.success, row.cost) == ("answered", 429, False, None)
    assert codec.decode(response)["error"] == caught.value.body


async def test_a_stream_that_breaks_is_never_taken_for_whole(server, gpt, event):
    with pytest.raises(openai.APIError) as caught:
        cut = event | {"x-mock-cut-frames": "3"}
        stream = gpt.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True, extra_headers=cut)
        await items(await done(stream))
    assert "broke off" in str(caught.value)
    row, _, response = await logged(server, event)
    assert (row.outcome, row.status_code, row.success) == ("broken", 200, False)
    assert b"[DONE]" not in response


async def test_messages(server, claude, event):
    asked = {"model": "claude-haiku-4-5", "max_tokens": 100, "messages": MESSAGES}
    reply = await done(claude.messages.create(**asked, extra_headers=event))
    assert reply.content[0].text == ANSWER
    row, request, response = await logged(server, event)
    tokens = (reply.usage.input_tokens, reply.usage.output_tokens)
    expect(row, provider="anthropic", model=asked["model"], path="v1/messages", kind="messages", tokens=tokens)
    assert codec.decode(request) == asked
    assert codec.decode(response)["id"] == reply.id


async def test_messages_stream(server, claude, event):
    asked = {"model": "claude-haiku-4-5", "max_tokens": 100, "messages": MESSAGES}
    events = await items(await done(claude.messages.create(**asked, stream=True, extra_headers=event)))
    assert "".join(one.delta.text for one in events if one.type == "content_block_delta") == ANSWER
    row, _, _ = await logged(server, event)
    (start,) = [one for one in events if one.type == "message_start"]
    (delta,) = [one for one in events if one.type == "message_delta"]
    tokens = (start.message.usage.input_tokens, delta.usage.output_tokens)
    expect(row, provider="anthropic", model=asked["model"], path="v1/messages", kind="messages", tokens=tokens)


async def test_the_stream_helper(server, claude, event):
    asked = {"model": "claude-haiku-4-5", "max_tokens": 100, "messages": MESSAGES}
    manager = claude.messages.stream(**asked, extra_headers=event)
    if hasattr(manager, "__aenter__"):
        async with manager as stream:
            final = await stream.get_final_message()
    else:
        with manager as stream:
            final = stream.get_final_message()
    assert final.content[0].text == ANSWER
    row, _, _ = await logged(server, event)
    assert (row.tokens_in, row.tokens_out) == (final.usage.input_tokens, final.usage.output_tokens)


async def test_count_tokens(server, claude, event):
    counted = await done(claude.messages.count_tokens(model="claude-haiku-4-5", messages=MESSAGES, extra_headers=event))
    assert counted.input_tokens > 0
    row, _, _ = await logged(server, event)
    assert (row.path, row.request_type) == ("v1/messages/count_tokens", "messages.count_tokens")
    assert (row.outcome, row.tokens_in, row.cost) == ("answered", None, None)


async def test_logs_tail_says_what_the_store_says(server, gpt, event):
    reply = await done(gpt.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, extra_headers=event))
    row, _, _ = await logged(server, event)
    (shown,) = [one for one in await server.rows() if one["event_id"] == event["cf-aig-event-id"]]
    assert shown["id"] == row.id
    assert (shown["tokens_in"], shown["tokens_out"]) == (reply.usage.prompt_tokens, reply.usage.completion_tokens)
    assert round(shown["cost"] * 10**9) == row.cost
    assert (shown["model"], shown["status_code"], shown["path"]) == ("gpt-4o-mini", 200, "chat/completions")
    assert (shown["account"], shown["gateway"], shown["provider"]) == (server.account, "default", "openai")
    assert shown["usage"] == reply.usage.model_dump(exclude_unset=True)


async def test_no_key_of_a_client_is_anywhere_in_the_store(server, gpt, event):
    await done(gpt.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, extra_headers=event))
    await logged(server, event)
    assert not [file for file in server.data_dir.iterdir() if b"sk-of-nobody" in file.read_bytes()]
    with closing(sqlite3.connect(server.data_dir / sqlite_file.FILE)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert "sk-of-nobody" not in server.said
