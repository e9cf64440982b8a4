"""What is read of a request body before it goes on."""

import pytest
import pytest_asyncio

from tests.kit.client import until
from tests.kit.house import house, request
from tests.kit.store import ACCOUNT

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there():
    async with house(hold_body=1000, gateways={"default": {}, "cached": {"cache_ttl": 600}}) as made:
        yield made


@pytest.mark.parametrize(("path", "body", "model"), [
    ("openai/chat/completions", b'{"model":"gpt-4o","messages":[]}', "gpt-4o"),
    ("openai/v1/chat/completions", b'{"messages":[],"model":"gpt-4o"}', "gpt-4o"),
    ("openai/embeddings", b'{"model":"text-embedding-3-small","input":"x"}', "text-embedding-3-small"),
    ("anthropic/v1/messages", b'{"model":"claude-x","max_tokens":5,"messages":[]}', "claude-x"),
    ("openai/chat/completions", b'{"model":', ""),
    ("openai/chat/completions", b"", ""),
    ("openai/chat/completions", b"\xff\xfe\x00", ""),
    ("openai/chat/completions", b'{"model":{"not":"a name"}}', ""),
    ("openai/files", b'{"model":"gpt-4o"}', ""),
    ("openai/chat/completions", b'{"model":"gpt-4o","messages":[],"x":"' + b"y" * 2000 + b'"}', "gpt-4o"),
    ("openai/embeddings", b'{"model":"gpt-4o","input":[],"x":"' + b"y" * 2000 + b'"}', ""),
    ("openai/chat/completions", b'{"model":"gpt-4o","messages":[' + b"[]," * 700_000 + b"1]}", ""),
])  # fmt: skip
async def test_the_model_is_learnt_where_it_is_told_and_nothing_is_refused_for_it(there, path, body, model):
    event = f"{path}-{len(body)}-{body[:9].hex()}"
    async with there.client() as client:
        answer = await client.ask(request(path, headers={"x-mock-echo": "1"}, body=body, event=event))
        assert answer.status == 200
    row = await there.row(event)
    assert (row.model, row.request, row.request_size) == (model, body, len(body))


async def test_only_what_may_be_cached_is_held_whole_for_the_cache(there):
    """Any other large body goes on as it comes."""
    lines = f"HTTP/1.1\r\nhost: x\r\ncontent-length: {3 << 20}\r\n\r\n"
    plane, transport = there.server.app.plane, there.server.app.transport
    async with there.client() as upload, there.client() as asking:
        await asking.send(f"POST /v1/{ACCOUNT}/cached/openai/embeddings {lines}".encode() + b" " * (2 << 20))
        await until(lambda: plane.bounds.budget.used >= 2 << 20)
        assert not transport.counts()[0]
        await upload.send(f"POST /v1/{ACCOUNT}/cached/openai/files {lines}".encode() + b" " * (2 << 20))
        await until(lambda: transport.counts()[0])
    await there.quiet()
