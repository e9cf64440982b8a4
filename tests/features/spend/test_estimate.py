"""What a call may cost, before it is made: in the row of each call that a rule holds for."""

import json
from types import SimpleNamespace as Some
from typing import Any

import pytest
import pytest_asyncio

from penstock.features.spend import estimate
from penstock.model.money import NANO
from penstock.providers.prices import PriceBook
from tests.kit.house import house, request

pytestmark = pytest.mark.asyncio(loop_scope="module")
RULE = {"limit": 10**6, "limitType": "cost", "window": 10**6}
IN, OUT = 2_500, 10_000  # nano-dollars a token of gpt-4o


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there():
    async with house(hold_body=100_000, gateways={"default": {"spend_limits": {"rules": [RULE]}}}) as made:
        yield made


async def reserved(there, path, body, event, **headers):
    """Nano-dollars."""
    async with there.client() as client:
        assert (await client.ask(request(path, body=body, headers=headers, event=event))).status == 200
    return round(json.loads((await there.row(event)).detail)["decisions"]["spend"]["reserved"] * NANO)


def chat(**members):
    return json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]} | members).encode()


@pytest.mark.parametrize(
    ("path", "members", "tokens"),
    [
        ("openai/chat/completions", {"max_tokens": 7}, 7),
        ("openai/chat/completions", {"max_completion_tokens": 9, "n": 3}, 27),
        ("openai/chat/completions", {"max_tokens": None, "max_completion_tokens": 9}, 9),
        ("openai/responses", {"input": "hello", "max_output_tokens": 16}, 16),
        ("compat/chat/completions", {"model": "openai/gpt-4o", "max_tokens": 8}, 8),
    ],
)
async def test_the_answer_is_as_long_as_the_request_allows(there, path, members, tokens):
    body = chat(**members)
    sent = body.replace(b"openai/", b"")
    assert await reserved(there, path, body, f"{path}{tokens}") == tokens * OUT + len(sent) // 4 * IN


SAID = [{"role": "user", "content": "x"}]
PARTS = [{"role": "user", "parts": [{"text": "x"}]}]
GEMINI = "v1beta/models/{}:generateContent"


@pytest.mark.parametrize(
    ("path", "members", "tokens"),
    [
        ("anthropic/v1/messages", {"model": "claude-sonnet-4-5", "messages": SAID, "max_tokens": "?"}, 1),
        ("cohere/v2/chat", {"model": "command-a-03-2025", "messages": SAID, "max_tokens": "?"}, 1),
        (
            f"google-ai-studio/{GEMINI.format('gemini-2.5-flash')}",
            {"contents": PARTS, "generationConfig": {"maxOutputTokens": "?", "candidateCount": 2}},
            2,
        ),
        (
            f"compat/{GEMINI.format('anthropic/claude-sonnet-4-5')}",
            {"contents": PARTS, "generationConfig": {"maxOutputTokens": "?"}},
            1,
        ),
    ],
)
async def test_each_dialect_has_its_own_word_for_that(there, path, members, tokens):
    bodies = [json.dumps(members).replace('"?"', str(most)).encode() for most in (100, 200, 300)]
    first, second, third = [await reserved(there, path, body, f"{path}-{at}") for at, body in enumerate(bodies)]
    assert third - second == second - first > 0
    assert (second - first) % (100 * tokens) == 0


async def test_a_model_that_names_no_length_has_its_usual_one(there):
    body = chat(model="gpt-4o-mini")
    first = await reserved(there, "openai/chat/completions", body, "usual-1")
    assert first == pytest.approx((estimate.USUAL + 1) * 600 + len(body) // 4 * 150)
    usual = (await there.row("usual-1")).tokens_out
    second = await reserved(there, "openai/chat/completions", body, "usual-2")
    assert second == (usual + 1) * 600 + len(body) // 4 * 150


async def test_a_picture_counts_as_one_however_long_it_is(there):
    url = "data:image/png;base64," + "A" * 40_000
    parts = [{"type": "text", "text": "what?"}, {"type": "image_url", "image_url": {"url": url}}]
    body = chat(messages=[{"role": "user", "content": parts}], max_tokens=1)
    expected = OUT + ((len(body) - 40_000) // 4 + estimate.MEDIUM) * IN
    assert await reserved(there, "openai/chat/completions", body, "picture") == expected


async def test_a_body_that_streams_counts_by_its_declared_length(there):
    body = json.dumps({"model": "text-embedding-3-small", "input": "x" * 200_000}).encode()
    assert (
        await reserved(there, "compat/embeddings", body.replace(b"text", b"openai/text"), "held") == len(body) // 4 * 20
    )
    streamed = "openai/embeddings"  # nobody sees its model
    assert await reserved(there, streamed, body, "streamed") == 0
    path = f"google-ai-studio/{GEMINI.format('gemini-2.0-flash')}"
    body = json.dumps({"contents": [{"role": "user", "parts": [{"text": "x" * 200_000}]}]}).encode()
    assert await reserved(there, path, body, "gemini") == len(body) // 4 * 100 + (estimate.USUAL + 1) * 400


async def test_the_caller_s_own_prices_are_taken(there):
    cost = {"cf-aig-custom-cost": '{"per_token_in":0.001,"per_token_out":0.01}'}
    body = chat(max_tokens=10)
    expected = len(body) // 4 * NANO // 1000 + 10 * NANO // 100
    assert await reserved(there, "openai/chat/completions", body, "custom", **cost) == expected


@pytest.mark.parametrize(
    ("path", "body"),
    [("openai/chat/completions", chat(model="nobody-knows")), ("openai/v1/batches", b"{}"), ("openai/v1/models", None)],
)
async def test_what_has_no_price_is_estimated_at_nothing(there, path, body):
    event = f"none-{path}"
    method = "GET" if body is None else "POST"
    async with there.client() as client:
        await client.ask(request(path, method=method, body=body, event=event))
    assert json.loads((await there.row(event)).detail)["decisions"]["spend"]["reserved"] == 0


async def test_what_is_remembered_of_models_is_bounded():
    estimates = estimate.Estimates(PriceBook({}))
    for number in range(estimate.SEEN + 10):
        asked, usage = Some(model=str(number), choices=1), Some(tokens_out=10)
        step: Any = Some(target=Some(provider="p", model=""), request=Some(asked=asked), reported=Some(usage=usage))
        estimates.learn(step)
    assert len(estimates._usual) == estimate.SEEN
