"""Streams are asked for their usage, and nobody who did not ask sees it."""

import gzip
import json

import pytest
import pytest_asyncio

from tests.kit.client import until
from tests.kit.house import house, request

pytestmark = pytest.mark.asyncio(loop_scope="module")

PLAIN = b'{ "model" : "gpt-4o", "stream":true,"messages":[{"role":"user","content":"hello"}]}'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there():
    async with house() as made:
        yield made


async def sent(there, body, headers=None, path="openai/chat/completions"):
    """The body as it arrives at the provider."""
    async with there.client() as client:
        return (await client.ask(request(path, headers={"x-mock-echo": "body"} | (headers or {}), body=body))).body


async def test_a_stream_is_asked_and_nothing_else_of_its_body_changes(there):
    assert await sent(there, PLAIN) == PLAIN.replace(b"{", b'{"stream_options":{"include_usage":true},', 1)


PICTURE = PLAIN[:-1] + b',"picture":"' + b"A" * 2_000_000 + b'"}'


async def test_a_stream_with_a_large_body_is_asked_too(there):
    async with there.client() as client:
        assert b'"usage":{' not in (await client.ask(request(body=PICTURE, event="picture"))).body
    row = await there.row("picture")
    assert (row.tokens_in is not None, row.model, json.loads(row.detail).get("warnings", [])) == (True, "gpt-4o", [])


@pytest.mark.parametrize("how", ["no room", "no length", "dense"])
async def test_where_a_large_body_cannot_be_looked_into_the_call_goes_on_and_its_row_says_so(how):
    body = PICTURE.replace(b"A" * 1_999_998, b"[]," * 666_666) if how == "dense" else PICTURE
    sent = request(body=body, event=how)
    if how == "no length":
        head, _, body = sent.partition(b"\r\n\r\n")
        head = head.replace(b"content-length: %d" % len(body), b"transfer-encoding: chunked")
        sent = head + b"\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    async with house(buffer_memory=6_000_000 if how == "no room" else 256_000_000) as made, made.client() as client:
        assert (await client.ask(sent)).status == 200
        row = await made.row(how)
        warnings = json.loads(row.detail)["warnings"]
        assert (row.tokens_in, any(one.startswith("usage not asked") for one in warnings)) == (None, True)
        await until(lambda: not made.server.app.plane.bounds.budget.used)


@pytest.mark.parametrize("body", [
    PLAIN.replace(b"true", b"false"),
    PLAIN[:-1] + b',"stream_options":{"include_usage":true}}',
    PLAIN[:-1],
    b"[]",
    b"",
    b"\xff" + PLAIN,
])  # fmt: skip
async def test_a_body_that_need_not_or_cannot_be_asked_passes_as_it_is(there, body):
    assert await sent(there, body) == body


async def test_signed_requests_and_encoded_bodies_pass_as_they_are(there):
    signed = {"authorization": "AWS4-HMAC-SHA256 Credential=a/b, Signature=c"}
    assert await sent(there, PLAIN, signed) == PLAIN
    assert await sent(there, PLAIN, path="openai/chat/completions?X-Amz-SignedHeaders=host&X-Amz-Signature=c") == PLAIN
    encoded = gzip.compress(PLAIN)
    assert await sent(there, encoded, {"content-encoding": "gzip"}) == encoded


@pytest.mark.parametrize("path", ["openai/responses", "openai/other", "anthropic/v1/messages"])
async def test_other_dialects_have_nothing_to_ask(there, path):
    assert await sent(there, PLAIN, path=path) == PLAIN


@pytest.mark.parametrize("path", ["mistral/v1", "perplexity-ai", "openrouter", "azure-openai/resource/deployment"])
async def test_who_could_refuse_the_question_or_tells_unasked_is_not_asked(there, path):
    assert await sent(there, PLAIN, path=f"{path}/chat/completions") == PLAIN
    if path != "azure-openai/resource/deployment":
        async with there.client() as client:
            answer = await client.ask(request(f"{path}/chat/completions", body=PLAIN, event=path))
            assert b'"usage":{' in answer.body
        row = await there.row(path)
        assert (row.status_code, row.tokens_in, row.tokens_out) == (200, 2, 4)


@pytest.mark.parametrize("usage", ["", "last-text"])
@pytest.mark.parametrize("frames", ["1", "7"])
async def test_the_frame_is_counted_and_hidden(there, frames, usage):
    headers = {"x-mock-frames": frames} | ({"x-mock-usage": usage} if usage else {})
    event = f"hidden-{frames}-{usage}"
    async with there.client() as client:
        answer = await client.ask(request(headers=headers, body=PLAIN, event=event))
        chunks = [json.loads(line[6:]) for line in answer.body.decode().split("\n\n") if line.startswith("data: {")]
        assert answer.body.endswith(b"data: [DONE]\n\n")
        assert all(chunk["choices"] for chunk in chunks)
        assert "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks) == "You said: hello"
    row = await there.row(event)
    assert (row.tokens_in, row.tokens_out) == (2, 4)
    assert b'"usage"' in row.response


async def test_a_client_that_asked_sees_it(there):
    async with there.client() as client:
        answer = await client.ask(request(body=PLAIN[:-1] + b',"stream_options":{"include_usage":true}}'))
        *_, last, _ = answer.body.decode().strip().split("\n\n")
        assert json.loads(last[6:])["usage"]["completion_tokens"] == 4


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd"])
async def test_a_stream_that_comes_encoded_all_the_same_passes_byte_for_byte_frame_for_frame(there, encoding):
    async with there.client() as client:
        await client.send(
            request(headers={"x-mock-encoding": encoding, "x-mock-frames": "5", "x-mock-stall": "4"}, body=PLAIN)
        )
        answer = await client.head()
        assert answer.headers["content-encoding"] == encoding
        got = b""
        while len(got) < 40:
            got += await client.chunk()
