"""Tokens as virtual keys: how often their holders call, and which models, on a real server."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
import pytest_asyncio

from penstock.model.credential import StoredKey
from penstock.model.limits import RateLimit
from penstock.model.token import Scope
from tests.kit.house import House, envelope, house, request
from tests.kit.routes import deployed, end, model, start
from tests.kit.store import ACCOUNT, SECRET, a_token

pytestmark = pytest.mark.asyncio(loop_scope="module")

MESSAGES = [{"role": "user", "content": "hello"}]
RUN = frozenset({Scope.RUN})


def key(name, *models, **more):
    return a_token(f"pst_{name}", name=name, scopes=RUN, models=models or None, **more)


TOKENS = [
    key("minis", "openai/*-mini", "anthropic/claude-haiku-*"),
    key("openai", "openai/*"),
    key("google", "google-vertex-ai/google/gemini-2.5-*"),
    key("alias", "grok/*"),
    key("all", "*"),
    key("dear"),
    key("rare", rate_limit=RateLimit(10**6, 2, "sliding")),
    key("other", rate_limit=RateLimit(10**6, 2, "sliding")),
]
KEYS = [
    StoredKey("one", "openai", "default", True, "sk-1", 1),
    StoredKey("two", "anthropic", "default", True, "sk-2", 1),
]
ROUTES = {
    "leads-on": [
        start("dear"),
        model("dear", fallback="cheap", model="gpt-4o"),
        model("cheap", model="gpt-4o-mini"),
        end(),
    ],
    "dear": [start("dear"), model("dear", model="gpt-4o"), end()],
}
GATEWAYS = {"default": {}, "caching": {"cache_ttl": 600}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place():
    async with house(tokens=TOKENS, keys=KEYS, gateways=GATEWAYS, adjust=deployed(ROUTES)) as served:
        yield served
        await served.quiet()


async def ask(
    place: House,
    token: str,
    path: str = "openai/v1/chat/completions",
    named: str | None = "gpt-4o-mini",
    *,
    headers: Mapping[str, str] | None = None,
    **more: Any,
):
    """The answer to a call; ``named`` None: a call without a body."""
    asked = {"input": "hello"} if "embeddings" in path else {"max_tokens": 9, "messages": MESSAGES}
    body = None if named is None else json.dumps({"model": named} | asked | more)
    sent = {"cf-aig-authorization": f"Bearer pst_{token}"} if token else {}
    sent |= headers or {}
    gateway = sent.pop("gateway", "default")
    async with place.client() as client:
        return await client.ask(
            request(
                path,
                method="POST" if body else "GET",
                gateway=gateway,
                headers=sent,
                body=None if body is None else body.encode(),
                event="event",
            )
        )


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("openai/v1/chat/completions", "gpt-4o-mini"),
        ("openai/v1/embeddings", "text-embedding-3-mini"),
        ("anthropic/v1/messages", "claude-haiku-4-5"),
        ("compat/chat/completions", "openai/gpt-4o-mini"),
        ("compat/chat/completions", "anthropic/claude-haiku-4-5"),
        ("compat/chat/completions", "dynamic/leads-on"),
    ],
)
async def test_a_token_calls_the_models_of_its_list(place, path, named):
    assert (await ask(place, "minis", path, named)).status == 200


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("openai/v1/chat/completions", "gpt-4o"),
        ("openai/v1/chat/completions", "GPT-4O-MINI"),
        ("openai/v1/chat/completions", ""),
        ("openai/v1/chat/completions", None),
        ("openai/v1/files", None),
        ("openai/v1/models", None),
        ("anthropic/v1/messages", "gpt-4o-mini"),
        ("anthropic/v1/messages", "claude-sonnet-4-5"),
        ("compat/chat/completions", "openai/gpt-4o"),
        ("google-ai-studio/v1beta/models/gemini-2.5-pro:generateContent", "gpt-4o-mini"),
    ],
)
async def test_and_no_others_nor_what_names_no_model(place, path, named):
    before = place.mock.stats()["requests_begun"]
    answer = await ask(place, "minis", path, named)
    assert answer.status == 403, answer.body
    message = envelope(answer, 403, 2011)
    assert "'minis' may call openai/*-mini, anthropic/claude-haiku-*" in message
    if named:
        assert f"not {path.split('/')[0] if 'compat' not in path else 'openai'}/" in message
    assert place.mock.stats()["requests_begun"] == before
    assert (await place.rows("event"))[-1].outcome == "refused"


async def test_what_names_no_model_is_for_who_may_call_all_of_the_provider(place):
    assert (await ask(place, "openai", "openai/v1/models", None)).status == 200
    assert (await ask(place, "all", "anthropic/v1/models", None)).status == 200
    message = envelope(await ask(place, "openai", "anthropic/v1/models", None), 403, 2011)
    assert message.endswith("names no model that can be read, which only a token for anthropic/* may make.")


async def test_a_model_is_known_by_what_lists_of_models_call_it_and_a_provider_by_each_of_its_names(place):
    vertex = "google-vertex-ai/v1/projects/p/locations/us-east1/publishers/google/models/{}:generateContent"
    assert (await ask(place, "google", vertex.format("gemini-2.5-pro"))).status != 403
    assert (await ask(place, "google", vertex.format("gemini-2.0-flash"))).status == 403
    assert (await ask(place, "alias", "xai/v1/chat/completions", "grok-4")).status != 403


async def test_a_long_body_is_read_for_its_model(place):
    long: dict[str, Any] = {"messages": [{"role": "user", "content": "x" * 3_000_000}]}
    assert (await ask(place, "minis", named="gpt-4o-mini", **long)).status == 200
    assert (await ask(place, "minis", named="gpt-4o", **long)).status == 403


@pytest.mark.parametrize("second", ["model", "\\u006dodel"])
async def test_a_name_in_the_middle_of_a_long_body_is_not_passed_over(place, second):
    long = "x" * 1_000_000
    told = f'"messages":{json.dumps(MESSAGES)}'
    body = f'{{"model":"gpt-4o-mini","user":"{long}","{second}":"gpt-4o",{told},"stop":"{long}"}}'
    async with place.client() as client:
        for token, status in (("minis", 403), ("openai", 200)):
            call = {"cf-aig-authorization": f"Bearer pst_{token}"}
            asked = request("openai/v1/chat/completions", headers=call, body=body.encode())
            assert (await client.ask(asked)).status == status


async def test_in_a_list_of_steps_and_in_a_route_the_next_one_is_taken(place):
    steps: list[dict[str, Any]] = [
        {"provider": "openai", "endpoint": "v1/chat/completions", "headers": {}, "query": {"model": one}}
        for one in ("gpt-4o", "gpt-4o-mini")
    ]
    for each in steps:
        each["query"]["messages"] = MESSAGES
    async with place.client() as client:
        body = json.dumps(steps).encode()
        head = f"POST /v1/{ACCOUNT}/default HTTP/1.1\r\nhost: x\r\ncf-aig-authorization: Bearer pst_minis\r\n"
        answer = await client.ask(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
    assert (answer.status, answer.headers["cf-aig-step"]) == (200, "1")
    answer = await ask(place, "minis", "compat/chat/completions", "dynamic/leads-on")
    assert (answer.status, answer.headers["cf-aig-step"]) == (200, "1")
    message = envelope(await ask(place, "minis", "compat/chat/completions", "dynamic/dear"), 400, 2005)
    assert "Model not allowed: token 'minis' may call" in message


@pytest.mark.parametrize("own", [{}, {"cf-aig-cache-key": "k"}], ids=["its own", "the client's"])
async def test_nobody_gets_a_kept_answer_of_a_model_that_is_not_for_them(place, own):
    caching = {"gateway": "caching"} | own
    for status in ("MISS", "HIT"):
        dear = await ask(place, "dear", named="gpt-4o", headers=caching, seed=len(own))
        assert (dear.status, dear.headers["cf-aig-cache-status"]) == (200, status)
        await place.quiet()
    assert (await ask(place, "minis", named="gpt-4o", headers=caching, seed=len(own))).status == 403
    cheap = await ask(place, "minis", named="gpt-4o-mini", headers=caching, seed=len(own))
    assert (cheap.status, cheap.headers["cf-aig-cache-status"]) == (200, "MISS")


async def test_the_list_of_models_has_what_the_token_may_call(place):
    async def listed(token):
        answer = await ask(place, token, "compat/models", None)
        return {one["id"] for one in json.loads(answer.body)["data"]}

    everything = await listed("all")
    assert {"openai/gpt-4o", "anthropic/claude-haiku-4-5", "dynamic/dear", "dynamic/leads-on"} <= everything
    few = await listed("minis")
    assert {"openai/gpt-4o-mini", "anthropic/claude-haiku-4-5", "dynamic/leads-on"} <= few
    assert few == {
        one
        for one in everything
        if (one.startswith("openai/") and one.endswith("-mini"))
        or one.startswith("anthropic/claude-haiku-")
        or one == "dynamic/leads-on"
    }


async def test_the_next_call_too_many_is_refused_and_says_whose_limit_it_is(place):
    assert [(await ask(place, "rare")).status for _ in range(2)] == [200, 200]
    answer = await ask(place, "rare")
    message = envelope(answer, 429, 2003)
    wait = int(answer.headers["retry-after"])
    assert 1 <= wait <= 10**6 * 1.001
    assert message == (
        f"Rate limited: token 'rare' may make 2 calls in 1000000 seconds; try again in {message.split()[-2]} s."
    )
    told = json.loads((await place.rows("event"))[-1].detail)["decisions"]["token"]
    assert (told["limit"], told["used"], told["technique"]) == (2, 2, "sliding")
    assert (await ask(place, "other")).status == 200
    assert (await ask(place, "", headers={"authorization": "Bearer sk-own"})).status == 200  # an open gateway
    assert (await ask(place, "rare", "compat/models", None)).status == 429


async def test_a_change_acts_on_the_next_call_and_the_secret_stays(place):
    token = next(token for token in TOKENS if token.name == "other")
    at = f"/client/v4/accounts/{ACCOUNT}/tokens/{token.id}"

    async def change(**fields):
        body = json.dumps(fields).encode()
        head = f"PATCH {at} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {SECRET}\r\ncontent-type: application/json\r\n"
        async with place.client() as client:
            return await client.ask(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)

    assert (await change(models=["anthropic/*"], rate_limit=None)).status == 200
    assert (await ask(place, "other")).status == 403
    assert (await change(models=["openai/*"])).status == 200
    assert [(await ask(place, "other")).status for _ in range(3)] == [200] * 3
