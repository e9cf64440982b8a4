"""A provider is asked not to keep what a key of the operator's pays; where it cannot be asked, the log row says so."""

import json

import pytest
import pytest_asyncio

from penstock.model.credential import StoredKey
from penstock.providers import catalog
from tests.kit.house import house, request
from tests.kit.store import SECRET

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOKEN = {"cf-aig-authorization": f"Bearer {SECRET}"}
GATEWAYS = {"zdr": {"zdr": True}, "plain": {}, "cached": {"zdr": True, "cache_ttl": 600}}
KEYS = dict.fromkeys(("deepgram", "elevenlabs", "fal", "openai"), "key")
STORED = StoredKey("1", "cohere", "default", True, "sk-stored", 1)
SPEECH = "elevenlabs/v1/text-to-speech/v"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there():
    async with house(gateways=GATEWAYS, provider_keys=KEYS, keys=[STORED]) as made:
        yield made
        await made.quiet()


async def asked(there, path, headers, event, gateway="zdr"):
    """What the provider is sent: query and headers."""
    async with there.client() as client:
        answer = await client.ask(
            request(path, gateway=gateway, headers=TOKEN | {"x-mock-echo": "1"} | headers, event=event)
        )
    assert answer.status == 200, answer.body
    told = json.loads(answer.body)
    return told["target"].partition("?")[2], dict(told["headers"])


async def said(there, event):
    """What the row says of it: the decision about the key, and the warnings about it."""
    told = json.loads((await there.row(event)).detail)
    return told["decisions"].get("key", {}), [one for one in told.get("warnings", []) if "zdr" in one]


@pytest.mark.parametrize(
    ("path", "query", "header"),
    [
        (SPEECH, "enable_logging=false", None),
        (f"{SPEECH}?output_format=mp3", "output_format=mp3&enable_logging=false", None),
        (f"{SPEECH}?enable_logging=true&a=b", "a=b&enable_logging=false", None),
        ("deepgram/v1/listen?model=nova-3", "model=nova-3&mip_opt_out=true", None),
        ("fal/fal-ai/fast-sdxl", "", "0"),
    ],
)
async def test_the_request_has_what_the_row_names(there, path, query, header):
    event = f"acts {path}"
    sent, headers = await asked(there, path, {"x-fal-store-io": "1"}, event)
    assert sent == query
    assert headers["x-fal-store-io"] == (header or "1")
    assert await said(there, event) == ({"source": "wholesale", "zero_retention": True}, [])


NONE = "zdr does not act: it concerns keys of the configuration, and none travelled"


@pytest.mark.parametrize(
    ("path", "headers", "warning"),
    [
        ("openai/v1/chat/completions", {}, "zdr does not act: no header or parameter asks openai for it"),
        ("deepgram/v1/read", {}, "zdr does not act: deepgram knows it at listen, speak alone"),
        ("cohere/v2/chat", {}, NONE),
        (SPEECH, {"xi-api-key": "sk-own"}, NONE),
        ("groq/chat/completions", {}, NONE),
    ],
)
async def test_where_it_does_not_act_the_row_says_so(there, path, headers, warning):
    event = f"does not {path} {len(headers)}"
    assert (await asked(there, path, headers, event))[0] == ""
    key, warnings = await said(there, event)
    assert "zero_retention" not in key
    assert warnings == [warning]


@pytest.mark.parametrize(
    ("gateway", "call", "acts"),
    [("zdr", "false", False), ("plain", "true", True), ("plain", "", False), ("zdr", "perhaps", True)],
)
async def test_the_calls_word_goes_before_the_gateways(there, gateway, call, acts):
    event = f"{gateway} {call}"
    query, _ = await asked(there, SPEECH, {"cf-aig-zdr": call} if call else {}, event, gateway)
    assert bool(query) is acts
    warnings = (await said(there, event))[1]
    assert warnings == (["cf-aig-zdr ignored: 'perhaps' is neither true nor false"] if call == "perhaps" else [])


async def test_each_step_of_a_universal_call_has_its_own(there):
    steps = [
        {"provider": "elevenlabs", "endpoint": "v1/text-to-speech/v", "query": {}, "headers": headers}
        for headers in ({"x-mock-status": "500"}, {"cf-aig-zdr": "false"})
    ]
    async with there.client() as client:
        body = json.dumps(steps).encode()
        await client.ask(request("", gateway="zdr", headers=TOKEN, body=body, event="steps"))
    rows = sorted(await there.rows("steps", 2), key=lambda row: row.step)
    told = [json.loads(row.detail)["decisions"]["key"].get("zero_retention") for row in rows]
    assert told == [True, None]


async def test_what_was_kept_for_calls_without_it_is_not_their_answer(there):
    async with there.client() as client:
        seen = [
            (
                await client.ask(
                    request(SPEECH, gateway="cached", headers=TOKEN | {"cf-aig-zdr": word, "x-mock-echo": "1"})
                )
            ).headers["cf-aig-cache-status"]
            for word in ("true", "true", "false")
        ]
    assert seen == ["MISS", "HIT", "MISS"]


async def test_rows_name_operations_that_they_have():
    for row in catalog.load().values():
        if row.zero_retention is not None:
            assert row.zero_retention.operations <= {one.request_type for one in row.endpoints}
            assert row.zero_retention.headers or row.zero_retention.query
