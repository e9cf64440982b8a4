"""Which answers may be given again."""

import gzip
import json

import pytest
import pytest_asyncio

from tests.kit.house import house, request
from tests.kit.provider import providing

STATUS = "cf-aig-cache-status"
JSON, EVENTS = "application/json", "text/event-stream"


def event(**said):
    return f"data: {json.dumps(said)}\n\n"


HELD = event(choices=[{"delta": {"content": "hi"}, "finish_reason": None}])
STOP = event(choices=[{"delta": {}, "finish_reason": "stop"}])
CHAT = json.dumps({"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]})
LARGE = json.dumps({"embeddings": [[0.5] * 150_000]})  # too large to be looked into
OPAQUE = "openai/completions"  # no dialect reads its answers


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there():
    """A gateway that caches, before a provider that answers what the test says last."""
    said: list[bytes] = []

    async def serve(peer):
        while True:
            await peer.request()
            await peer.say(said[-1])

    async with providing(serve) as provider:
        providers: dict[str, str] = dict.fromkeys(["openai", "cohere", "google-ai-studio", "workers-ai"], provider.url)
        async with house(gateways={"default": {"cache_ttl": 600}}, providers=providers) as made:
            yield made, said


async def seen(there, path, kind, body, headers="", key=None):
    """What two identical calls see of the cache, one after the other."""
    made, said = there
    data = body if isinstance(body, bytes) else body.encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n{headers}transfer-encoding: chunked\r\n\r\n"
    said.append(head.encode() + b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data) if data else head.encode() + b"0\r\n\r\n")
    own = {"cf-aig-cache-key": key} if key else {}
    asked = request(f"{path}?n={len(said)}", headers={"accept-encoding": "gzip, x-odd"} | own)
    async with made.client() as client:
        answers = [await client.ask(asked) for _ in range(2)]
    assert [answer.body for answer in answers] == [data, data]
    return [answer.headers[STATUS] for answer in answers]


@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("openai/chat/completions", JSON, CHAT),
        ("openai/chat/completions", "application/json; charset=utf-8", f"\n {CHAT}\n"),
        ("openai/chat/completions", EVENTS, f"{HELD}{STOP}data: [DONE]\n\n"),
        (OPAQUE, JSON, '{"candidates":[],"error":null}'),
        (OPAQUE, JSON, '[{"candidates":[]},{"candidates":[]}]'),
        (OPAQUE, JSON, "[]"),
        ("openai/responses", JSON, '{"id":"resp_1","status":"incomplete","error":null}'),
        ("cohere/v2/embed", JSON, "[[0.5],[0.25]]"),
        ("cohere/v2/embed", JSON, LARGE),
        ("openai/audio/speech", "audio/mpeg", b"\xff\xfb\x00"),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_whole_answer_is_kept(there, path, kind, body):
    assert await seen(there, path, kind, body) == ["MISS", "HIT"]


@pytest.mark.parametrize(
    ("kind", "status"), [("image/png", "HIT"), ("audio/mpeg", "HIT"), (JSON, "MISS"), ("text/plain", "MISS")]
)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_dialect_may_answer_with_an_image_or_speech(there, kind, status):
    assert await seen(there, "workers-ai/run/@cf/m", kind, b"\x89PNG", key=f"k-{kind}") == ["MISS", status]


@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("openai/chat/completions", EVENTS, HELD),
        ("openai/chat/completions", EVENTS, HELD + event(error={"message": "overloaded"})),
        ("openai/chat/completions", EVENTS, ""),
        ("openai/chat/completions", JSON, CHAT[:-1]),
        ("openai/chat/completions", JSON, ""),
        ("openai/chat/completions", JSON, '{"error":{"message":"overloaded"}}'),
        ("openai/responses", JSON, '{"id":"resp_1","status":"queued"}'),
        ("openai/chat/completions", "text/html", "<title>Sign in</title>"),
        ("openai/completions", EVENTS, 'data: {"choices":[]}\n\n'),  # nobody reads whether it is all
        (OPAQUE, JSON, '{"candidates":[{"content":'),
        (OPAQUE, JSON, '[{"candidates":[]},{"error":{"code":503}}]'),
        ("cohere/v2/embed", JSON, "[[0.5],]"),
        (OPAQUE, "text/html", "<title>Sign in</title>"),
        ("cohere/v2/embed", JSON, LARGE[:-1]),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_half_an_answer_or_an_error_is_not(there, path, kind, body):
    assert await seen(there, path, kind, body) == ["MISS", "MISS"]


@pytest.mark.parametrize(("body", "again"), [('{"candidates":[]}', "HIT"), ('{"candidates":[', "MISS"), (LARGE, "HIT")])
@pytest.mark.asyncio(loop_scope="module")
async def test_an_encoded_answer_is_looked_into_without_its_coding(there, body, again):
    coded = gzip.compress(body.encode())
    assert await seen(there, OPAQUE, JSON, coded, "content-encoding: gzip\r\n") == ["MISS", again]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("coding", ["gzip", "x-odd"])
async def test_a_stream_that_could_not_be_read_is_not_kept(there, coding):
    body = HELD + STOP
    assert await seen(there, "openai/chat/completions", EVENTS, body, f"content-encoding: {coding}\r\n") == ["MISS"] * 2


@pytest.mark.asyncio(loop_scope="module")
async def test_a_corrupt_coding_is_not_kept(there):
    assert await seen(there, OPAQUE, JSON, b"\x1f\x8b\x08 no", "content-encoding: gzip\r\n") == ["MISS", "MISS"]
    assert await seen(there, OPAQUE, JSON, "{}", "content-encoding: x-odd\r\n") == ["MISS", "HIT"]
