"""The list of models that a caller reaches, on a real server."""

import openai
import pytest
import pytest_asyncio

from penstock.core.codec import decode, encode
from penstock.model.credential import StoredKey
from tests.kit.house import envelope, house, request
from tests.kit.store import ACCOUNT, SECRET

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEYS = [
    StoredKey("one", "anthropic", "default", True, "sk-1", 1),
    StoredKey("two", "mistral", "second", False, "sk-2", 1),
    StoredKey("three", "google-vertex-ai", "default", True, "sk-3", 1),
]
PRICES = '[[prices]]\nprovider = "custom-mine"\nmodel = "{}"\ntokens = {{input = 1}}\n'
TOKEN = {"authorization": f"Bearer {SECRET}"}
GATEWAYS = {"default": {}, "locked": {"authentication": True}, "own": {"byok_only": True}}
API = f"/client/v4/accounts/{ACCOUNT}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place():
    settings = {"prices": PRICES.format("ours-1") + PRICES.format("many-*"), "provider_keys": {"groq": "gsk"}}
    async with house(gateways=GATEWAYS, keys=KEYS, **settings) as served:
        async with served.client() as client:
            for slug, on in (("mine", True), ("off", False)):
                told = {"name": slug, "slug": slug, "base_url": "https://mine.example", "enable": on}
                answer = await client.ask(at_api("POST", "/ai-gateway/custom-providers", encode(told)))
                assert decode(answer.body)["success"]
        yield served
        await served.quiet()


def at_api(method, path, body=b"", more=""):
    lines = [f"{method} {API}{path} HTTP/1.1", "host: x", f"authorization: Bearer {SECRET}"]
    lines += ["content-type: application/json", f"content-length: {len(body)}"]
    return "\r\n".join([*lines, *([more] if more else []), "", ""]).encode() + body


async def listed(place, path="compat/models", headers=TOKEN, gateway="default"):
    async with place.client() as client:
        answer = await client.ask(
            request(path, method="GET", gateway=gateway, headers=headers, body=None, event="list")
        )
    assert answer.status == 200
    told = decode(answer.body)
    assert told.pop("object") == "list"
    return told["data"]


def of(models):
    return {model["owned_by"] for model in models}


@pytest.mark.parametrize("path", ["compat/models", "compat/v1/models"])
async def test_it_lists_the_models_of_providers_that_there_are_keys_for(place, path):
    models = await listed(place, path)
    assert {"id": "anthropic/claude-haiku-4-5", "object": "model", "created": 0, "owned_by": "anthropic"} in models
    assert of(models) == {"anthropic", "mistral", "google-vertex-ai", "groq", "custom-mine"}
    assert len({model["id"] for model in models}) == len(models)
    assert (await place.rows("list"))[-1].status_code == 200


async def test_of_custom_providers_it_lists_what_the_operators_prices_name(place):
    assert [model["id"] for model in await listed(place) if "custom" in model["id"]] == ["custom-mine/ours-1"]


async def test_a_name_is_one_that_the_unified_api_takes(place):
    vertex = [model["id"] for model in await listed(place) if model["owned_by"] == "google-vertex-ai"]
    assert "google-vertex-ai/google/gemini-2.5-pro" in vertex
    assert not [name for name in vertex if "claude" in name]


async def test_a_key_of_the_configuration_counts_only_where_it_may_be_used(place):
    assert "groq" not in of(await listed(place, gateway="own"))


async def test_without_a_token_no_key_goes_with_a_call(place):
    assert await listed(place, headers={}) == []
    async with place.client() as client:
        answer = await client.ask(request("compat/models", method="GET", gateway="locked", body=None))
    envelope(answer, 401, 2009)


async def test_at_the_apis_address_it_lists_what_is_reached_there(place):
    async with place.client() as client:
        answer = await client.ask(at_api("GET", "/ai/v1/models", more="cf-aig-gateway-id: own"))
        assert of(decode(answer.body)["data"]) == {"anthropic", "google-vertex-ai"}
        answer = await client.ask(request("compat/models", body=b""))
    assert (answer.status, answer.headers["allow"]) == (405, "GET")


async def test_the_sdk_reads_it(place):
    base = f"http://127.0.0.1:{place.server.port}/v1/{ACCOUNT}/default/compat"
    async with openai.AsyncOpenAI(api_key=SECRET, base_url=base, max_retries=0) as client:
        assert "anthropic/claude-haiku-4-5" in [model.id async for model in client.models.list()]
