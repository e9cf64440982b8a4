"""What is read of a request body before it goes on."""

import pytest
import pytest_asyncio

from tests.kit.house import house, request

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there():
    async with house(hold_body=1000) as made:
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
