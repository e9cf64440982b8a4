"""The unified API on a real server, against simulated providers that answer in their own dialects."""

import asyncio
import ipaddress
import threading
from base64 import b64encode
from contextlib import asynccontextmanager

import openai
import pytest
import pytest_asyncio
from google import genai
from google.genai.types import HttpOptions

from penstock.core.codec import decode, encode
from penstock.providers.translating import Translation
from tests.kit.house import envelope, house, request
from tests.kit.store import ACCOUNT, SECRET

CHAT = {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}]}


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place():
    async with house(gateways={"default": {}, "cached": {"cache_ttl": 60}}) as served:
        yield served


def chat(model, path="compat/chat/completions", headers=None, event="", gateway="default", **members):
    body = encode({"model": model, **CHAT, **members})
    return request(path, body=body, headers=headers or {}, event=event, gateway=gateway)


MODELS = [
    "openai/gpt-4o-mini",
    "anthropic/claude-haiku-4-5",
    "google-ai-studio/gemini-2.5-flash",
    "google-vertex-ai/gemini-2.5-flash",
    "cohere/command-a-03-2025",
    "aws-bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0",
]


@pytest.mark.parametrize("path", ["compat/chat/completions", "compat/v1/chat/completions"])
@pytest.mark.parametrize("model", MODELS)
async def test_a_chat_is_answered_whatever_its_provider_speaks(place, model, path):
    async with place.client() as client:
        answer = await client.ask(chat(model, path))
    assert answer.status == 200
    told = decode(answer.body)
    assert told["object"] == "chat.completion"
    assert told["choices"][0]["message"]["content"]
    assert told["usage"]["total_tokens"] > 0


@pytest.mark.parametrize("model", MODELS)
async def test_a_stream_is_answered_whatever_its_provider_speaks(place, model):
    async with place.client() as client:
        answer = await client.ask(chat(model, stream=True))
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = answer.body.split(b"\n\n")
    assert events[-2:] == [b"data: [DONE]", b""]
    chunks = [decode(event.removeprefix(b"data: ")) for event in events[:-2]]
    assert "".join([chunk["choices"][0]["delta"].get("content", "") for chunk in chunks])
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", MODELS)
async def test_the_row_has_the_usage_that_the_client_was_told(place, model, stream):
    provider, _, name = model.partition("/")
    event = f"{provider}-{stream}"
    async with place.client() as client:
        members = {"stream": stream, "stream_options": {"include_usage": True}} if stream else {}
        answer = await client.ask(chat(model, event=event, **members))
    body = answer.body.split(b"\n\n")[-3].removeprefix(b"data: ") if stream else answer.body
    told, row = decode(body)["usage"], await place.row(event)
    assert (row.provider, row.model) == (provider, name)
    assert (row.tokens_in, row.tokens_out) == (told["prompt_tokens"], told["completion_tokens"])
    assert row.tokens_in
    assert row.tokens_out
    assert row.cost


async def test_the_row_tells_both_dialects_and_the_usage_of_the_provider(place):
    async with place.client() as client:
        answer = await client.ask(chat("anthropic/claude-haiku-4-5", event="both", logit_bias={"1": 1}))
    row = await place.row("both")
    detail = decode(row.detail)
    assert detail["decisions"]["translation"] == {
        "client": "openai_chat", "provider": "anthropic", "lost": ["logit_bias"]
    }  # fmt: skip
    assert row.provider == "anthropic"
    assert row.model == "claude-haiku-4-5"
    assert row.tokens_in == decode(answer.body)["usage"]["prompt_tokens"]
    assert row.cost
    assert decode(row.request)["model"] == "anthropic/claude-haiku-4-5"
    assert row.response == answer.body
    assert row.path == "v1/messages"
    assert any("logit_bias" in warning for warning in detail["warnings"])


@pytest.mark.parametrize(
    ("model", "code", "says"),
    [
        ("gpt-4o", 2019, "{provider}/{model}"),
        ("", 2019, "model is missing"),
        ("nobody/gpt-4o", 2008, "known are"),
        ("custom-nobody/gpt-4o", 2008, "no such provider"),
        ("deepgram/nova", 2008, "no chat"),
    ],
)
async def test_a_model_that_leads_nowhere_is_refused(place, model, code, says):
    async with place.client() as client:
        answer = await client.ask(chat(model))
    assert says in envelope(answer, 400, code)


async def test_an_unknown_path_is_told_what_there_is(place):
    async with place.client() as client:
        answer = await client.ask(chat("openai/gpt-4o", "compat/chat"))
    assert "chat/completions" in envelope(answer, 404, 2004)


async def test_the_clients_key_goes_where_its_provider_expects_one(place):
    async with place.client() as client:
        headers = {"authorization": "Bearer sk-of-the-client", "x-mock-echo": "1"}
        answer = await client.ask(chat("anthropic/claude-haiku-4-5", "compat/messages", headers=headers))
        told = decode(answer.body)
        sent = dict(told["headers"])
        assert told["target"] == "/anthropic/v1/messages"
        assert sent["x-api-key"] == "sk-of-the-client"
        assert "authorization" not in sent
        assert sent["anthropic-version"] == "2023-06-01"
        headers = {"x-api-key": "sk-of-the-client", "x-mock-echo": "1"}
        answer = await client.ask(chat("openai/gpt-4o", headers=headers))
    sent = dict(decode(answer.body)["headers"])
    assert sent["authorization"] == "Bearer sk-of-the-client"
    assert "x-api-key" not in sent


KEYS = {
    "authorization": "Bearer sk-openai",
    "x-api-key": "sk-anthropic",
    "api-key": "azure",
    "x-goog-api-key": "AIzaSy",
}


@pytest.mark.parametrize(
    ("model", "headers", "sent"),
    [
        ("openai/gpt-4o", KEYS, {"authorization": "Bearer sk-openai"}),
        ("azure-openai/a/b", KEYS, {"api-key": "azure"}),
        ("workers-ai/@cf/a/b", {"x-api-key": "k", "api-key": "l"}, {"authorization": "Bearer k"}),
        ("openai/gpt-4o", {"authorization": f"Bearer {SECRET}", "x-api-key": "k"}, {"authorization": "Bearer k"}),
        ("azure-openai/a/b", {"authorization": "Bearer eyJhbGc.e30"}, {"authorization": "Bearer eyJhbGc.e30"}),
    ],
)
async def test_one_key_goes_to_the_provider_and_those_of_others_stay_here(place, model, headers, sent):
    async with place.client() as client:
        answer = await client.ask(chat(model, headers={**headers, "x-mock-echo": "1"}))
    came = dict(decode(answer.body)["headers"])
    assert {name: value for name, value in came.items() if name in KEYS} == sent


async def test_a_token_of_ours_opens_the_gateway_and_is_no_key_of_the_provider(place):
    async with place.client() as client:
        headers = {"authorization": f"Bearer {SECRET}", "x-mock-echo": "1"}
        answer = await client.ask(chat("openai/gpt-4o", headers=headers))
    assert SECRET not in answer.body.decode()
    assert "authorization" not in dict(decode(answer.body)["headers"])


async def test_in_the_same_dialect_no_byte_changes_but_the_models_name(place):
    content = rb'"\u00e4 \"model\": \"openai/a/b\""'
    body = b'{ "messages": [{"role":"user","content":' + content + b'}],\n "model" : "openai/a/b", "x": 1.0 }'
    async with place.client() as client:
        answer = await client.ask(request("compat/chat/completions", body=body, headers={"x-mock-echo": "body"}))
    before, after = body.rsplit(b'"openai/a/b"', 1)
    assert answer.body == before + b'"a/b"' + after


async def test_an_error_of_the_provider_keeps_status_and_words_in_the_clients_dialect(place):
    async with place.client() as client:
        answer = await client.ask(chat("anthropic/claude-haiku-4-5", headers={"x-mock-status": "429"}, event="slow"))
    assert answer.status == 429
    error = decode(answer.body)["error"]
    assert error["type"] == "rate_limit_error"
    assert error["message"]
    row = await place.row("slow")
    assert row.status_code == 429
    assert row.response == answer.body


async def test_a_stream_that_is_cut_says_so_and_never_ends_as_if_it_were_whole(place):
    async with place.client() as client:
        headers = {"x-mock-cut-frames": "4"}
        answer = await client.ask(chat("anthropic/claude-haiku-4-5", headers=headers, stream=True, event="cut"))
    assert not answer.whole
    assert b"[DONE]" not in answer.body
    assert "broke off" in decode(answer.chunks[-1].removeprefix(b"data: "))["error"]["message"]
    assert (await place.row("cut")).success is False


async def test_a_body_that_is_no_json_object_is_told_so(place):
    async with place.client() as client:
        answer = await client.ask(request("compat/chat/completions", body=b'{"model": "openai/gpt-4o",'))
    assert "the body is no JSON object" in envelope(answer, 400, 2019)


async def test_the_memory_of_bodies_counts_what_a_translation_makes_of_one():
    body = encode({"model": "anthropic/claude", "messages": [{"role": "user", "content": "x" * 200_000}]})
    async with house(buffer_memory=1_000_000) as served:
        async with served.client() as client:
            alone = await client.ask(request("openai/chat/completions", body=body))
            both = await client.ask(request("compat/chat/completions", body=body))
        await served.quiet()
    assert alone.status == 200
    assert "holds as many request bytes as it may" in envelope(both, 503, 2010)


async def test_a_repeated_chat_comes_from_the_cache_as_the_client_got_it(place):
    async with place.client() as client:
        first = await client.ask(chat("anthropic/claude-haiku-4-5", gateway="cached"))
        again = await client.ask(chat("anthropic/claude-haiku-4-5", gateway="cached"))
    assert again.headers["cf-aig-cache-status"] == "HIT"
    assert again.body == first.body


async def test_a_step_may_name_the_unified_api(place):
    steps = [
        {"provider": "compat", "endpoint": "chat/completions", "headers": {}, "query": {"model": "nobody/x", **CHAT}},
        {
            "provider": "compat",
            "endpoint": "v1/chat/completions",
            "headers": {"authorization": "Bearer sk-of-the-client"},
            "query": {"model": "anthropic/claude-haiku-4-5", **CHAT},
        },
    ]
    async with place.client() as client:
        answer = await client.ask(request("", body=encode(steps)))
    assert answer.headers["cf-aig-step"] == "1"
    assert decode(answer.body)["object"] == "chat.completion"


async def test_an_error_with_a_status_of_success_is_a_failure(place):
    async with place.client() as client:
        answer = await client.ask(chat("anthropic/claude-haiku-4-5", headers={"x-mock-error-body": "1"}))
    assert "The provider answered with an error: " in envelope(answer, 502, 2005)


async def test_a_provider_that_answers_something_else_is_a_failure(place):
    async with place.client() as client:
        answer = await client.ask(chat("anthropic/claude-haiku-4-5", headers={"x-mock-malformed": "1"}))
    assert "could not be read" in envelope(answer, 502, 2005)


async def test_a_damaged_event_is_not_called_too_large_alone(place):
    async with place.client() as client:
        answer = await client.ask(
            chat(MODELS[-1], headers={"x-mock-malformed": "1", "x-mock-frames": "3"}, stream=True)
        )
    assert b"too large, or damaged" in answer.body
    assert b"[DONE]" not in answer.body


def respond(model, **members):
    return request("compat/responses", body=encode({"model": model, "input": "hello", **members}))


@pytest.mark.parametrize("model", MODELS)
async def test_a_client_of_openai_responses_is_answered_whatever_its_provider_speaks(place, model):
    async with place.client() as client:
        answer = await client.ask(respond(model))
        stream = await client.ask(respond(model, stream=True))
    told = decode(answer.body)
    assert (told["object"], told["status"], told["output"][-1]["type"]) == ("response", "completed", "message")
    last = stream.body.split(b"\n\n")[-2].partition(b"data: ")[2]
    assert decode(last)["type"] == "response.completed"
    assert decode(last)["response"]["output"][-1]["content"][0]["text"]


async def test_what_only_its_own_provider_can_answer_is_sent_to_no_other(place):
    async with place.client() as client:
        answer = await client.ask(respond("anthropic/claude-haiku-4-5", previous_response_id="resp_1"))
        own = await client.ask(respond("openai/gpt-4o-mini", previous_response_id="resp_1"))
    assert "previous_response_id: the provider keeps no responses" in envelope(answer, 400, 2019)
    assert own.status == 200


PDF = b"%PDF-1.4 of a test"


@asynccontextmanager
async def files(status=200):
    """A server of one document. Yields its URL."""

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 {status} OK\r\ncontent-type: application/pdf\r\ncontent-length: {len(PDF)}\r\n\r\n"
        writer.write(head.encode() + PDF)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/a.pdf"


def about(url, model="openai/gpt-4o"):
    source = {"type": "url", "url": url}
    said = [{"role": "user", "content": [{"type": "document", "source": source}, {"type": "text", "text": "what?"}]}]
    body = {"model": model, "max_tokens": 50, "messages": said}
    return request("compat/messages", body=encode(body), headers={"x-mock-echo": "body"}, event="file")


LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)


@pytest.mark.parametrize(
    ("settings", "status", "says"),
    [
        ({}, 200, "send its bytes"),
        ({"fetch_media": True}, 200, "may not be called"),
        ({"fetch_media": True, "allowed_networks": LOOPBACK}, 404, "it answered 404"),
    ],
)
async def test_a_document_that_is_not_fetched_is_refused(settings, status, says):
    async with house(**settings) as served, files(status) as url, served.client() as client:
        assert says in envelope(await client.ask(about(url)), 400, 2019)


@pytest.mark.parametrize(
    ("model", "read"),
    [
        ("openai/gpt-4o", lambda part: part["file"]["file_data"].removeprefix("data:application/pdf;base64,")),
        ("aws-bedrock/amazon.nova-pro-v1:0", lambda part: part["document"]["source"]["bytes"]),
    ],
)
async def test_a_document_by_url_is_fetched_where_the_operator_allows_it(model, read):
    bodies = []

    async def answer(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        (length,) = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
        bodies.append(await reader.readexactly(int(length.split(b":")[1])))
        writer.write(b"HTTP/1.1 429 Slow\r\ncontent-length: 2\r\n\r\n{}")
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    at = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    allowed = {"fetch_media": True, "allowed_networks": LOOPBACK, "providers": {model.partition("/")[0]: at}}
    async with listening, house(**allowed) as served, files() as url, served.client() as client:
        assert (await client.ask(about(url, model))).status == 429
    (part, _) = decode(bodies[0])["messages"][0]["content"]
    assert read(part) == b64encode(PDF).decode()


@pytest.mark.parametrize("model", MODELS)
async def test_clients_of_gemini_name_model_and_stream_in_the_path(place, model):
    base = HttpOptions(base_url=f"http://127.0.0.1:{place.server.port}/v1/{ACCOUNT}/default/compat")
    client = genai.Client(api_key=SECRET, http_options=base).aio
    whole = await client.models.generate_content(model=model, contents="hello")
    assert whole.text
    assert whole.usage_metadata is not None
    stream = await client.models.generate_content_stream(model=model, contents="hello")
    assert "".join([chunk.text or "" async for chunk in stream])
    await client.aclose()


async def test_a_model_in_the_path_keeps_cached_answers_apart(place):
    body = encode({"contents": [{"role": "user", "parts": [{"text": "hello"}]}]})

    async def ask(model, operation="generateContent"):
        async with place.client() as client:
            path = f"compat/v1beta/models/{model}:{operation}"
            return await client.ask(request(path, body=body, gateway="cached"))

    first = await ask("openai/gpt-4o")
    assert (await ask("openai/gpt-4o")).body == first.body
    assert (await ask("openai/gpt-4o-mini")).headers["cf-aig-cache-status"] == "MISS"
    stream = await ask("openai/gpt-4o", "streamGenerateContent?alt=sse")
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert "alt=sse" in envelope(await ask("openai/gpt-4o", "streamGenerateContent"), 400, 2019)
    assert "chat/completions" in envelope(await ask("openai/gpt-4o", "countTokens"), 404, 2004)


@pytest.mark.parametrize("path", ["audio/transcriptions", "audio/translations", "images/edits"])
async def test_the_model_of_a_form_is_renamed_and_no_other_byte(place, path):
    file = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n\x00name="model"\r\n\r\nx\r\n'
    model = b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\n%b\r\n--b--\r\n'
    kind = {"content-type": "multipart/form-data; boundary=b"}
    async with place.client() as client:
        body = file + model % b"openai/whisper-1"
        told = {"body": body, "headers": kind | {"x-mock-echo": "body"}, "event": path}
        answer = await client.ask(request(f"compat/{path}", **told))
        assert answer.body == file + model % b"whisper-1"
        row = await place.row(path)
        assert (row.provider, row.model, row.path) == ("openai", "whisper-1", path)
        answer = await client.ask(request(f"compat/{path}", body=file + b"--b--\r\n", headers=kind))
    assert "model is missing" in envelope(answer, 400, 2019)


@pytest.mark.parametrize("slug", ["openai", "groq"])
async def test_the_sdk_transcribes(place, slug):
    base = f"http://127.0.0.1:{place.server.port}/v1/{ACCOUNT}/default/compat"
    async with openai.AsyncOpenAI(api_key=SECRET, base_url=base, max_retries=0) as client:
        file = ("a.wav", b"RIFF" + bytes(4000))
        assert (await client.audio.transcriptions.create(file=file, model=f"{slug}/whisper-large-v3")).text


async def test_speech_is_charged_by_its_characters(place):
    body = encode({"model": "openai/tts-1", "input": "hello", "voice": "alloy"})
    async with place.client() as client:
        await client.ask(request("compat/audio/speech", body=body, event="speech"))
        await client.ask(request("openai/audio/speech", body=body.replace(b"openai/", b""), event="native speech"))
    one, other = await place.row("speech"), await place.row("native speech")
    assert one.cost
    assert one.cost == other.cost


@pytest.mark.parametrize(("turns", "aside"), [(1, False), (10_001, True)])
async def test_a_long_conversation_is_translated_beside_the_loop(place, monkeypatch, turns, aside):
    read, threads = Translation.read, set()

    def recording(translation, body):
        threads.add(threading.get_ident())
        return read(translation, body)

    monkeypatch.setattr(Translation, "read", recording)
    said = [{"role": ("user", "assistant")[number % 2], "content": "hello"} for number in range(turns)]
    body = encode({"model": "anthropic/claude-haiku-4-5", "messages": said})
    async with place.client() as client:
        assert (await client.ask(request("compat/chat/completions", body=body))).status == 200
    assert (threads == {threading.get_ident()}) is not aside
