"""Which credential travels: the client's own, a stored key, the operator's key, or none."""

import dataclasses
import json
from pathlib import Path

import pytest
import pytest_asyncio

from penstock.features.keys import Keys, header
from penstock.gateway.compile import operators
from penstock.gateway.snapshot import Snapshot
from penstock.model.credential import StoredKey
from penstock.providers import catalog
from tests.kit.exchange import an_exchange
from tests.kit.house import envelope, house, request
from tests.kit.store import ACCOUNT, SECRET

pytestmark = pytest.mark.asyncio(loop_scope="module")

OPENAI = StoredKey("1", "openai", "default", True, "sk-stored", 1)
OTHER = StoredKey("2", "openai", "other", False, "sk-other", 1)
CLAUDE = StoredKey("3", "anthropic", "only", True, "sk-claude", 1)
GEMINI = StoredKey("4", "google-ai-studio", "default", False, "gemini-key", 1)
STORED = (OPENAI, OTHER, CLAUDE, GEMINI)
TOKEN = {"cf-aig-authorization": f"Bearer {SECRET}"}
WRONG = {"cf-aig-authorization": "Bearer pst_nobody_knows_this_token_at_all"}
OWN = {"authorization": "Bearer sk-own"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there():
    """The gateways ``stored`` and ``bare`` are with and without stored keys; both have a key of the operator's."""

    def with_operators(app):
        current = app.snapshots.current

        def keyed(gateway_id, stored, *, byok_only=False):
            plain = current.gateway(an_exchange(gateway=gateway_id))
            keys = Keys(stored, operators({"openai": "sk-operator"}), {}, byok_only=byok_only)
            return dataclasses.replace(plain, keys=keys)

        made = {"stored": keyed("stored", STORED), "bare": keyed("bare", ())}
        made |= {"only": keyed("only", (), byok_only=True), "stored-only": keyed("stored-only", STORED, byok_only=True)}
        made["none"] = current.gateway(an_exchange(gateway="none"))
        return Snapshot(2, {(ACCOUNT, name): gateway for name, gateway in made.items()})

    names = ("stored", "bare", "only", "stored-only", "none")
    async with house(gateways={name: {} for name in names}, adjust=with_operators) as made:
        yield made
        await made.quiet()


async def travelled(there, gateway, headers, path="openai/chat/completions", name="authorization"):
    """The credential that the provider got, or the refusal's status and code."""
    async with there.client() as client:
        answer = await client.ask(request(path, gateway=gateway, headers={"x-mock-echo": "1", **headers}))
    told = json.loads(answer.body)
    if answer.status != 200:
        envelope(answer, answer.status, told["internalCode"])
        return answer.status, told["internalCode"]
    sent = dict(told["headers"])
    assert not any(header.startswith("cf-aig-") for header in sent)
    return sent.get(name)


NO_TOKEN = (401, 2009)
NO_KEY = (400, 2040)
OPERATORS = "Bearer sk-operator"
STORED_KEY = "Bearer sk-stored"
MINE = "Bearer sk-own"


@pytest.mark.parametrize("token", ["valid", "missing", "wrong"])
@pytest.mark.parametrize(
    ("gateway", "client", "valid", "otherwise"),
    [
        ("stored", {}, STORED_KEY, NO_TOKEN),
        ("stored", OWN, MINE, MINE),
        ("stored", {"authorization": "Bearer CF_TEMP_TOKEN"}, STORED_KEY, NO_TOKEN),
        ("stored", {"authorization": "Bearer "}, STORED_KEY, NO_TOKEN),
        ("stored", {"authorization": "Bearer unused"}, STORED_KEY, NO_TOKEN),
        ("stored", {"cf-aig-no-wholesale": "true"}, STORED_KEY, NO_TOKEN),
        ("stored", {"cf-aig-byok-alias": "unknown"}, NO_KEY, NO_TOKEN),
        ("bare", {"cf-aig-byok-alias": "unknown"}, NO_KEY, NO_KEY),
        ("stored-only", {}, STORED_KEY, NO_TOKEN),
        ("stored-only", OWN, MINE, MINE),
        ("bare", {}, OPERATORS, NO_TOKEN),
        ("bare", OWN, MINE, MINE),
        ("bare", {"cf-aig-no-wholesale": "true"}, NO_KEY, NO_KEY),
        ("bare", {"cf-aig-no-wholesale": "false"}, OPERATORS, NO_TOKEN),
        ("only", {}, NO_KEY, NO_KEY),
        ("only", {"cf-aig-no-wholesale": "false"}, NO_KEY, NO_KEY),
        ("only", OWN, MINE, MINE),
        ("none", {}, None, None),
        ("none", OWN, MINE, MINE),
    ],
)
async def test_precedence(there, gateway, client, valid, otherwise, token):
    headers = client | {"valid": TOKEN, "missing": {}, "wrong": WRONG}[token]
    assert await travelled(there, gateway, headers) == (valid if token == "valid" else otherwise)


async def test_a_token_in_the_place_of_the_providers_key_opens_the_gateway_and_the_stored_key_travels(there):
    assert await travelled(there, "stored", {"authorization": f"Bearer {SECRET}"}) == STORED_KEY


async def test_an_alias_names_the_key_and_an_unknown_one_is_refused_with_those_there_are(there):
    assert await travelled(there, "stored", TOKEN | {"cf-aig-byok-alias": "other"}) == "Bearer sk-other"
    async with there.client() as client:
        headers = TOKEN | {"cf-aig-byok-alias": "third"}
        answer = await client.ask(request("openai/chat/completions", gateway="stored", headers=headers))
    assert envelope(answer, 400, 2040) == (
        "Provider 'openai' has no BYOK credential named 'third'. Configured aliases: 'default', 'other'"
    )


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        ("anthropic/v1/messages", "x-api-key", "sk-claude"),
        ("google-ai-studio/v1beta/models/m:generateContent", "x-goog-api-key", "gemini-key"),
    ],
)
async def test_a_key_stands_where_its_provider_expects_it(there, path, name, value):
    assert await travelled(there, "stored", TOKEN, path, name) == value


ENTRA = "eyJ0eXAiOiJKV1Qi.eyJhdWQiOiJo.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("provider", "key", "travels"),
    [
        ("azure-openai", "0123456789abcdef", ("api-key", "0123456789abcdef")),
        ("azure-openai", "eyJ0eXAiOiJKV1Qi", ("api-key", "eyJ0eXAiOiJKV1Qi")),
        ("azure-openai", ENTRA, ("authorization", f"Bearer {ENTRA}")),
        ("google-vertex-ai", "ya29.a0AfH6", ("authorization", "Bearer ya29.a0AfH6")),
        ("google-vertex-ai", "AIzaSyD4", ("x-goog-api-key", "AIzaSyD4")),
        ("google-vertex-ai", "AQ.Ab8RN6", ("x-goog-api-key", "AQ.Ab8RN6")),
        ("openai", ENTRA, ("authorization", f"Bearer {ENTRA}")),
    ],
)
async def test_a_key_of_another_form_travels_in_the_header_for_that(provider, key, travels):
    name, value = header(catalog.load()[provider], key)
    assert (name.decode(), value.decode()) == travels


async def test_a_key_of_the_clients_in_the_query_is_its_own(there):
    path = "google-ai-studio/v1beta/models/m:generateContent?key=AIzaOwn"
    assert await travelled(there, "stored", TOKEN, path, "x-goog-api-key") is None


async def test_the_row_says_which_key_travelled_and_not_its_value(there):
    async with there.client() as client:
        for gateway, headers in (
            ("stored", {}),
            ("stored", {"cf-aig-byok-alias": "other"}),
            ("bare", {}),
            ("bare", OWN),
        ):
            await client.ask(request(gateway=gateway, headers=TOKEN | headers, event="said"))
    rows = await there.rows("said", 4)
    told = [json.loads(row.detail)["decisions"].get("key") for row in rows]
    assert told == [
        {"source": "byok", "alias": "default"},
        {"source": "byok", "alias": "other"},
        {"source": "wholesale"},
        None,
    ]
    assert not any(b"sk-" in row.detail for row in rows)


async def test_a_step_that_may_not_use_a_key_leads_on(there):
    steps = [
        {"provider": "openai", "endpoint": "chat/completions", "query": {}, "headers": {"cf-aig-byok-alias": "none"}},
        {"provider": "openai", "endpoint": "chat/completions", "query": {}, "headers": {"x-mock-echo": "1"}},
    ]
    async with there.client() as client:
        answer = await client.ask(request("", gateway="stored", headers=TOKEN, body=json.dumps(steps).encode()))
    assert (answer.status, answer.headers["cf-aig-step"]) == (200, "1")
    assert dict(json.loads(answer.body)["headers"])["authorization"] == STORED_KEY


async def test_a_key_of_the_configuration_goes_under_every_name_of_its_provider():
    async with house(provider_keys={"xai": "xai-key"}) as made:
        for name in ("grok", "xai"):
            assert await travelled(made, "default", TOKEN, f"{name}/chat/completions") == "Bearer xai-key"
        assert await travelled(made, "default", {}, "grok/chat/completions") == NO_TOKEN


async def test_who_pays_workers_ai_decides_whether_a_key_of_the_configuration_travels_there():
    gateways = {mode: {"workers_ai_billing_mode": mode} for mode in ("postpaid", "unified")} | {"default": {}}
    async with house(gateways=gateways, provider_keys={"workers-ai": "operator", "openai": "sk-operator"}) as made:
        path = "workers-ai/@cf/meta/llama"
        for gateway, there in (("postpaid", NO_KEY), ("unified", "Bearer operator"), ("default", "Bearer operator")):
            assert await travelled(made, gateway, TOKEN, path) == there
            assert await travelled(made, gateway, TOKEN | OWN, path) == MINE
            assert await travelled(made, gateway, TOKEN) == OPERATORS


async def test_a_stored_key_pays_workers_ai_where_the_configurations_does_not():
    key = StoredKey("1", "workers-ai", "default", True, "stored", 1)
    settings = {"workers_ai_billing_mode": "postpaid"}
    async with house(gateways={"default": settings}, keys=[key], provider_keys={"workers-ai": "operator"}) as made:
        assert await travelled(made, "default", TOKEN, "workers-ai/@cf/meta/llama") == "Bearer stored"


async def test_what_is_stored_is_sealed_and_opens_again():
    async with house(keys=[OPENAI]) as made:
        assert await travelled(made, "default", TOKEN) == STORED_KEY
        file = Path(made.server.app.place.url.removeprefix("sqlite:///"))
        assert b"sk-stored" not in b"".join(one.read_bytes() for one in file.parent.iterdir() if one.is_file())


CHAT = b'{"model":"gpt-4o","messages":[{"role":"user","content":"hello"}]}'


async def test_calls_with_one_stored_key_share_what_is_cached_and_those_with_another_do_not():
    async with house(gateways={"default": {"cache_ttl": 600}}, keys=[OPENAI, OTHER]) as made, made.client() as client:
        seen = [
            (await client.ask(request(headers=TOKEN | more, body=CHAT))).headers["cf-aig-cache-status"]
            for more in ({}, {}, {"cf-aig-byok-alias": "other"}, OWN, {})
        ]
    assert seen == ["MISS", "HIT", "MISS", "MISS", "HIT"]


ACCOUNT_FILE = {
    "type": "service_account",
    "client_email": "me@project.example",
    "private_key": "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----",
    "private_key_id": "k1",
    "project_id": "project:1",
}


@pytest.mark.parametrize(
    ("key", "model", "stream", "place"),
    [
        (ACCOUNT_FILE, "gemini-x", False, "/projects/project%3A1/locations/us-central1"),
        (ACCOUNT_FILE | {"region": "eu"}, "google/gemini-x", True, "/projects/project%3A1/locations/eu"),
        ("AIzaSyD4", "google/gemini-x", False, ""),
    ],
)
async def test_a_chat_of_the_unified_api_goes_to_the_project_and_region_of_a_service_account(key, model, stream, place):
    secret = key if isinstance(key, str) else json.dumps(key)
    body = json.loads(CHAT) | {"model": f"google-vertex-ai/{model}", "stream": stream}
    async with house(keys=[StoredKey("1", "google-vertex-ai", "default", True, secret, 1)]) as made:
        async with made.client() as client:
            await client.ask(
                request("compat/chat/completions", headers=TOKEN, body=json.dumps(body).encode(), event="vertex")
            )
        operation = "streamGenerateContent" if stream else "generateContent"
        assert (await made.row("vertex")).path == f"v1{place}/publishers/google/models/gemini-x:{operation}"
