"""Every provider through a running server: a call to each arrives at its simulated twin and comes back, and is told in
the log for what it was.
"""

import json

import pytest
import pytest_asyncio

from penstock.providers import catalog
from tests.kit.house import house, request

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROWS = catalog.load()
CHAT = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
MESSAGES = CHAT | {"max_tokens": 5}
GEMINI = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}
CONVERSE = {"messages": [{"role": "user", "content": [{"text": "hello"}]}]}
FORM = '--b\r\ncontent-disposition: form-data; name="prompt"\r\n\r\na dot\r\n--b--\r\n'
VERTEX = "google-vertex-ai/v1/projects/p/locations/us-east5/publishers/google/models/gemini-2.5-pro"
JSON, AUDIO, EVENTS = "application/json", "audio/mpeg", "text/event-stream; charset=utf-8"

CALLS = [  # path, body, kind of the answer, what is in it; of the row: request type, model, tokens
    ("openai/v1/chat/completions", CHAT, JSON, "You said: hello", "chat.completions", "m", (2, 4)),
    ("anthropic/v1/messages", MESSAGES, JSON, "You said: hello", "messages", "m", (2, 4)),
    (
        "google-ai-studio/v1beta/models/gemini:generateContent?key=x",
        GEMINI,
        JSON,
        "promptTokenCount",
        "models.generateContent",
        "gemini",
        None,
    ),
    (
        "google/v1beta/models/g:streamGenerateContent?alt=sse",
        GEMINI,
        EVENTS,
        "usageMetadata",
        "models.streamGenerateContent",
        "g",
        None,
    ),
    (
        f"{VERTEX}:streamGenerateContent",
        GEMINI,
        JSON,
        "usageMetadata",
        "models.streamGenerateContent",
        "gemini-2.5-pro",
        None,
    ),
    ("workers-ai/@cf/meta/llama", CHAT, JSON, '"success":true', "run", "@cf/meta/llama", None),
    ("workers-ai/run/@cf/meta/llama", {"prompt": "hello"}, JSON, "You said: hello", "run", "@cf/meta/llama", None),
    ("workers-ai/v1/chat/completions", CHAT, JSON, "You said: hello", "chat.completions", "m", (2, 4)),
    (
        "azure-openai/res/dep/chat/completions?api-version=1",
        CHAT,
        JSON,
        "You said: hello",
        "chat.completions",
        "dep",
        (2, 4),
    ),
    (
        "azure/res/deployments/dep/embeddings",
        {"model": "m", "input": "x"},
        JSON,
        "embedding",
        "embeddings",
        "dep",
        (1, 0),
    ),
    (
        "aws-bedrock/bedrock-runtime/us-east-1/model/a%3A0/converse",
        CONVERSE,
        JSON,
        "inputTokens",
        "converse",
        "a:0",
        None,
    ),
    (
        *("bedrock/bedrock-runtime/us-east-1/model/a%3A0/converse-stream", CONVERSE),
        *("application/vnd.amazon.eventstream", "messageStop", "converse-stream", "a:0", None),
    ),
    ("aws-bedrock/bedrock-mantle/us-east-1/anthropic/v1/messages", MESSAGES, JSON, "hello", "messages", "m", (2, 4)),
    ("replicate/predictions", {"version": "v", "input": {}}, JSON, '"status":"starting"', "predictions", "", None),
    ("huggingface/org/model", {"inputs": "hello"}, JSON, "generated_text", "models.run", "org/model", None),
    ("fal/fal-ai/fast-sdxl", {"prompt": "a dot"}, JSON, "images", "run", "fal-ai/fast-sdxl", None),
    ("elevenlabs/v1/text-to-speech/voice", {"text": "hello"}, AUDIO, "", "text-to-speech", "", None),
    ("cartesia/tts/bytes", {"transcript": "hello"}, "audio/wav", "WAVE", "tts.bytes", "", None),
    ("deepgram/v1/listen?model=nova-3", "\x00\x01", JSON, "2 bytes were heard", "listen", "", None),
    ("parallel/v1/tasks/runs", {"input": "x", "processor": "base"}, JSON, "queued", "tasks.runs", "", None),
    ("parallel/v1beta/findall/ingest", {"objective": "x"}, JSON, "objective", "findall.ingest", "", None),
    ("baseten/v1/chat/completions", CHAT, JSON, "You said: hello", "chat.completions", "m", (2, 4)),
    ("baseten/model/abc", {"a": 1}, JSON, '"output":{"a":1}', "predict", "abc", None),
    ("ideogram/v1/ideogram-v3/generate", FORM, JSON, '"prompt":"a dot"', "generate", "ideogram-v3", None),
    ("cerebras/chat/completions", CHAT, JSON, "time_info", "chat.completions", "m", (2, 4)),
    ("groq/openai/v1/chat/completions", CHAT, JSON, "x_groq", "chat.completions", "m", (2, 4)),
    ("grok/chat/completions", CHAT, JSON, "num_sources_used", "chat.completions", "m", (2, 4)),
    ("xai/v1/messages", MESSAGES, JSON, "You said: hello", "messages", "m", (2, 4)),
    ("mistral/v1/chat/completions", CHAT, JSON, "You said: hello", "chat.completions", "m", (2, 4)),
    ("cohere/v2/chat", CHAT, JSON, "billed_units", "chat", "", None),
    ("cohere/v1/chat", {"message": "hello"}, JSON, "You said: hello", "chat", "", None),
    ("deepseek/chat/completions", CHAT, JSON, "prompt_cache_miss_tokens", "chat.completions", "m", (2, 4)),
    ("perplexity/chat/completions", CHAT, JSON, "citations", "chat.completions", "m", (2, 4)),
    ("openrouter/chat/completions", CHAT, JSON, "is_byok", "chat.completions", "m", (2, 4)),
    ("fireworks/chat/completions", CHAT, JSON, "You said: hello", "chat.completions", "m", (2, 4)),
    ("adobe-firefly/v3/images/generate", {"prompt": "a dot"}, JSON, "outputs", "images.generate", "", None),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there():
    async with house() as made:
        yield made


@pytest.mark.parametrize(("path", "body", "kind", "holds", "request_type", "model", "tokens"), CALLS)
async def test_a_call_arrives_comes_back_and_is_told(there, path, body, kind, holds, request_type, model, tokens):
    sent = body.encode("latin-1") if isinstance(body, str) else json.dumps(body).encode()
    async with there.client() as client:
        answer = await client.ask(request(path, body=sent, event=path))
    assert 200 <= answer.status < 300, answer.body
    assert answer.headers["content-type"] == kind
    assert holds.encode() in answer.body
    row = await there.row(path)
    assert (row.outcome, row.provider, row.model) == ("answered", ROWS[path.partition("/")[0]].id, model)
    assert row.request_type == request_type
    assert (row.request, row.response) == (sent, answer.body)
    assert (row.tokens_in, row.tokens_out) == (tokens or (None, None))


async def test_every_provider_is_called():
    assert {ROWS[path.partition("/")[0]].id for path, *_ in CALLS} == {row.id for row in ROWS.values()}


@pytest.mark.parametrize("slug", sorted({row.id for row in ROWS.values()}))
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "PROPFIND"])
async def test_any_method_and_any_kind_of_body_pass(there, slug, method):
    before = {
        "azure-openai": "res/dep/",
        "aws-bedrock": "bedrock-runtime/us-east-1/",
        "google-vertex-ai": "v1/projects/p/locations/global/",
    }.get(slug, "")
    body = None if method == "HEAD" else b"\x00\xff" * 100
    headers = {"x-mock-echo": "1", "content-type": "application/x-own"}
    async with there.client() as client:
        sent = request(f"{slug}/{before}x%2Fy//z?a=%2F&b", method=method, headers=headers, body=body)
        answer = await client.ask(sent)
        assert answer.status == 200
        if method != "HEAD":
            told = json.loads(answer.body)
            assert (told["method"], told["length"]) == (method, 200)
            assert told["target"].endswith("x%2Fy//z?a=%2F&b")
            assert ["content-type", "application/x-own"] in told["headers"]
