"""The official SDKs of providers, given a gateway's address and its token alone: a stored key travels in their stead.

Each SDK is used in both ways that docs/keys.md tells: with the placeholder ``unused`` for a key and the token in a
header, and with the token for a key. The simulated providers tell what came to them, where they are asked to.
"""

import asyncio
import json
import re
import ssl
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from typing import Any, NamedTuple

import anthropic
import boto3
import botocore
import cloudflare
import httpx
import openai
import pytest
from botocore.config import Config
from google import genai

from tests.kit.certificates import self_signed
from tests.kit.process import serving

PROMPT = "Tell me of the sea."
ANSWER = f"You said: {PROMPT}"
MESSAGES: Any = [{"role": "user", "content": PROMPT}]
CLAUDE = "anthropic.claude-haiku-4-5-20251001-v1:0"
CLOSED = "stored-keys"  # the gateway
AWS = {"accessKeyId": "AKIAIOSFODNN7EXAMPLE", "secretAccessKey": "canary-that-signs", "region": "eu-west-1"}
KEYS = {
    "openai": "sk-of-the-team-0123456789",
    "anthropic": "sk-ant-of-the-team-0123456789",
    "google-ai-studio": "AIza-of-the-team-0123456789",
    "google-vertex-ai": "AQ.of-the-team-0123456789",
    "azure-openai": "eyJ0eXAiOiJKV1Qi.eyJhdWQiOiJo.c2lnbmF0dXJl",
    "aws-bedrock": json.dumps(AWS),
}
ECHO = {"x-mock-echo": "1"}
SECOND = "sk-of-the-other-team-0123456789"

Headers = Mapping[str, str]


class Calls(NamedTuple):
    """What a client of a provider can do here."""

    chat: Callable[[], str | None]  # the text of the answer
    stream: Callable[[], str]
    echo: Callable[[], Any]  # what came to the provider


def completions(client: openai.OpenAI) -> Calls:
    asked: Any = {"model": "gpt-4o-mini", "messages": MESSAGES}
    create = client.chat.completions.create

    def echo() -> Any:
        raw = client.chat.completions.with_raw_response.create(**asked, extra_headers=ECHO)
        return raw.http_response.json()

    return Calls(
        lambda: create(**asked).choices[0].message.content,
        lambda: "".join(chunk.choices[0].delta.content or "" for chunk in create(**asked, stream=True)),
        echo,
    )


def gpt(stack: ExitStack, url: str, key: str, headers: Headers) -> Calls:
    client = openai.OpenAI(base_url=f"{url}/openai", api_key=key, default_headers=headers, max_retries=0)
    return completions(stack.enter_context(client))


def azure(stack: ExitStack, url: str, key: str, headers: Headers) -> Calls:
    return azures(stack, headers, api_key=key, azure_endpoint=f"{url}/azure-openai/res")


def azure_bearer(stack: ExitStack, url: str, key: str, headers: Headers) -> Calls:
    return azures(stack, headers, azure_ad_token=key, base_url=f"{url}/azure-openai/res/gpt-4o-mini")


def azures(stack: ExitStack, headers: Headers, **where: Any) -> Calls:
    client = openai.AzureOpenAI(api_version="2024-10-21", default_headers=headers, max_retries=0, **where)
    return completions(stack.enter_context(client))


def claude(stack: ExitStack, url: str, key: str, headers: Headers) -> Calls:
    return claudes(stack, url, headers, api_key=key)


def claude_bearer(stack: ExitStack, url: str, key: str, headers: Headers) -> Calls:
    return claudes(stack, url, headers, auth_token=key)


def claudes(stack: ExitStack, url: str, headers: Headers, **key: Any) -> Calls:
    client = anthropic.Anthropic(base_url=f"{url}/anthropic", default_headers=headers, max_retries=0, **key)
    messages = stack.enter_context(client).messages
    asked: Any = {"model": "claude-haiku-4-5", "max_tokens": 100, "messages": MESSAGES}

    def stream() -> str:
        with messages.stream(**asked) as events:
            return events.get_final_text()

    def echo() -> Any:
        return messages.with_raw_response.create(**asked, extra_headers=ECHO).http_response.json()

    return Calls(
        lambda: "".join(block.text for block in messages.create(**asked).content if block.type == "text"),
        stream,
        echo,
    )


def gemini(stack: ExitStack, url: str, key: str, headers: Headers) -> Calls:
    return geminis(stack, headers, api_key=key, base_url=f"{url}/google-ai-studio")


def vertex(stack: ExitStack, url: str, key: str, headers: Headers) -> Calls:
    where = {"base_url": f"{url}/google-vertex-ai", "api_version": "v1"}
    return geminis(stack, headers, api_key=key, vertexai=True, **where)


def geminis(stack: ExitStack, headers: Headers, *, api_key: str, vertexai: bool = False, **where: str) -> Calls:
    bodies: list[bytes] = []
    http = stack.enter_context(httpx.Client(event_hooks={"response": [lambda answer: bodies.append(answer.read())]}))
    options: Any = {"headers": dict(headers), "httpx_client": http, **where}
    client = stack.enter_context(genai.Client(api_key=api_key, vertexai=vertexai, http_options=options))
    models = client.models
    asked: Any = {"model": "gemini-2.5-flash", "contents": PROMPT}

    def echo() -> Any:
        models.generate_content(**asked, config={"http_options": {"headers": ECHO}})
        return json.loads(bodies[-1])

    return Calls(
        lambda: models.generate_content(**asked).text,
        lambda: "".join(chunk.text or "" for chunk in models.generate_content_stream(**asked)),
        echo,
    )


def converse(stack: ExitStack, url: str, key: str, headers: Headers) -> Calls:
    return conversing(*bedrock(stack, url, headers, config=UNSIGNED))


def conversing(client: Any, added: dict[str, str]) -> Calls:
    asked = {"modelId": CLAUDE, "messages": [{"role": "user", "content": [{"text": PROMPT}]}]}
    told: list[bytes] = []
    client.meta.events.register("before-parse", lambda response_dict, **_: told.append(response_dict["body"]))

    def stream() -> str:
        events = client.converse_stream(**asked)["stream"]
        return "".join(event["contentBlockDelta"]["delta"]["text"] for event in events if "contentBlockDelta" in event)

    def echo() -> Any:
        added.update(ECHO)
        client.converse(**asked)
        return json.loads(told[-1])

    return Calls(lambda: client.converse(**asked)["output"]["message"]["content"][0]["text"], stream, echo)


def invoke(stack: ExitStack, url: str, key: str, headers: Headers) -> Calls:
    client, added = bedrock(stack, url, headers, config=UNSIGNED)
    asked = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 100, "messages": MESSAGES}
    call = {"modelId": CLAUDE, "body": json.dumps(asked)}

    def whole() -> Any:
        return json.load(client.invoke_model(**call)["body"])

    def stream() -> str:
        answer = client.invoke_model_with_response_stream(**call)
        events = [json.loads(event["chunk"]["bytes"]) for event in answer["body"]]
        return "".join(event["delta"]["text"] for event in events if event["type"] == "content_block_delta")

    def echo() -> Any:
        added.update(ECHO)
        return whole()

    return Calls(lambda: whole()["content"][0]["text"], stream, echo)


def bedrock(stack: ExitStack, url: str, headers: Headers, **more: Any) -> tuple[Any, dict[str, str]]:
    """A client, and the headers that it adds to a request."""
    where = f"{url}/aws-bedrock/bedrock-runtime/us-east-1"
    client = boto3.client("bedrock-runtime", region_name="us-east-1", endpoint_url=where, **more)
    added = dict(headers)

    def add(request: Any, **_: Any) -> None:
        for name, value in added.items():
            request.headers.add_header(name, value)

    client.meta.events.register("before-sign.bedrock-runtime", add)
    return stack.enter_context(closing(client)), added


UNSIGNED = Config(signature_version=botocore.UNSIGNED, retries={"total_max_attempts": 1})  # has no place for a key
SIGNED = rf"AWS4-HMAC-SHA256 Credential={AWS['accessKeyId']}/\d{{8}}/us-east-1/bedrock/aws4_request, .+"
ENTRA = re.escape(f"Bearer {KEYS['azure-openai']}")
SDKS = {  # what makes the client; the provider, the header in which that gets the key, and what stands there
    "openai": (gpt, "openai", "authorization", re.escape(f"Bearer {KEYS['openai']}")),
    "openai for Azure": (azure, "azure-openai", "authorization", ENTRA),
    "openai for Azure, with a bearer": (azure_bearer, "azure-openai", "authorization", ENTRA),
    "anthropic": (claude, "anthropic", "x-api-key", re.escape(KEYS["anthropic"])),
    "anthropic, with a bearer": (claude_bearer, "anthropic", "x-api-key", re.escape(KEYS["anthropic"])),
    "google-genai": (gemini, "google-ai-studio", "x-goog-api-key", re.escape(KEYS["google-ai-studio"])),
    "google-genai for Vertex AI": (vertex, "google-vertex-ai", "x-goog-api-key", re.escape(KEYS["google-vertex-ai"])),
    "boto3 converse": (converse, "aws-bedrock", "authorization", SIGNED),
    "boto3 invoke_model": (invoke, "aws-bedrock", "authorization", SIGNED),
}
PLACEHOLDER, TOKEN = "a placeholder", "the token for a key"
WAYS = [(name, way) for name in SDKS for way in (PLACEHOLDER, TOKEN) if way == PLACEHOLDER or "boto3" not in name]
PLACES = {"api-key", "authorization", "x-api-key", "x-goog-api-key"}


def store(sdk: cloudflare.Cloudflare, account: str) -> None:
    """Makes a gateway that asks for a token, and has a key of each of these providers, two of OpenAI."""
    required: Any = {"cache_ttl": 0, "cache_invalidate_on_update": False, "collect_logs": True}
    required |= {"rate_limiting_interval": 0, "rate_limiting_limit": 0, "extra_body": {"byok_only": True}}
    sdk.ai_gateway.create(id=CLOSED, account_id=account, authentication=True, **required)
    keys = [("main", provider, secret) for provider, secret in KEYS.items()]
    for alias, provider, secret in [("second", "openai", SECOND), *keys]:
        sdk.ai_gateway.provider_configs.create(
            CLOSED, account_id=account, alias=alias, default_config=True, provider_slug=provider, secret=secret
        )


@pytest.fixture(scope="module")
def closed(house, sdk):
    """The address of such a gateway."""
    store(sdk, house.account)
    return f"{house.origin}/v1/{house.account}/{CLOSED}"


@pytest.fixture
def calls(closed):
    """Makes the client of one of ``SDKS``."""
    with ExitStack() as stack:
        yield lambda name, key="unused", **headers: SDKS[name][0](
            stack, closed, key, {other.replace("_", "-"): value for other, value in headers.items()}
        )


@pytest.fixture
def keys(house, sdk):
    """Of each row of an event: provider, status, and which key travelled."""

    def keys(event: str) -> list[Any]:
        where = {"account_id": house.account}
        rows = [row.to_dict() for row in sdk.ai_gateway.logs.list(CLOSED, per_page=50, **where)]
        ids = [row["id"] for row in rows if row["event_id"] == event]
        told = [sdk.ai_gateway.logs.get(one, gateway_id=CLOSED, **where).to_dict() for one in ids]
        return [(row["provider"], row["status_code"], row["decisions"].get("key")) for row in told]

    return keys


def told(error: BaseException) -> str:
    """What an exception says; that of ``openai`` prints the status alone."""
    return error.body[0]["message"] if isinstance(error, openai.APIStatusError) else str(error)  # type: ignore[index]


@pytest.mark.parametrize(("name", "way"), WAYS)
def test_the_stored_key_travels(house, calls, keys, name, way):
    _, provider, place, value = SDKS[name]
    headers = {"cf_aig_event_id": f"{name}, {way}"}
    key = house.token
    if way == PLACEHOLDER:
        key, headers["cf_aig_authorization"] = "unused", f"Bearer {house.token}"
    client = calls(name, key, **headers)
    assert (client.chat(), client.stream()) == (ANSWER, ANSWER)
    came = client.echo()
    sent = {header.lower(): text for header, text in came["headers"]}
    assert re.fullmatch(value, sent[place])
    assert sent.keys() & PLACES == {place}
    assert not [text for text in (came["target"], *sent.values()) if house.token in text or "unused" in text]
    assert not [header for header in sent if header.startswith("cf-aig-")]
    assert keys(f"{name}, {way}") == [(provider, 200, {"source": "byok", "alias": "main"})] * 3


def test_the_key_that_an_alias_names_travels(house, calls, keys):
    came = calls("openai", house.token, cf_aig_byok_alias="second", cf_aig_event_id="second").echo()
    assert ["authorization", f"Bearer {SECOND}"] in came["headers"]
    assert keys("second") == [("openai", 200, {"source": "byok", "alias": "second"})]


@pytest.mark.parametrize(
    ("headers", "status", "said"),
    [
        ({}, 401, "Unauthorized: no gateway token came; send it in cf-aig-authorization."),
        ({"cf_aig_authorization": "Bearer pst_nobody_knows_this_token_at_all"}, 401, "Unauthorized: "),
        ({"cf_aig_byok_alias": "no"}, 400, "has no BYOK credential named 'no'. Configured aliases: 'main'"),
    ],
    ids=["no token", "an unknown token", "an unknown alias"],
)
@pytest.mark.parametrize("name", ["openai", "anthropic", "google-genai", "boto3 converse"])
def test_a_refusal_says_why_in_the_sdks_own_exception(house, calls, name, headers, status, said):
    token = {"cf_aig_authorization": f"Bearer {house.token}"} if status == 400 else {}
    client = calls(name, **token, **headers)
    for act in (client.chat, client.stream):
        with pytest.raises(Exception, match=str(status)) as caught:
            act()
        assert said in told(caught.value)


def test_where_the_gateway_has_no_key_that_may_travel_the_exception_says_so(house, closed):
    with openai.OpenAI(base_url=f"{closed}/groq", api_key=house.token, max_retries=0) as client:
        with pytest.raises(openai.BadRequestError) as caught:
            completions(client).chat()
        assert told(caught.value).startswith("Provider 'groq' has no BYOK credential that the call may use.")


async def test_boto3_takes_the_token_for_its_api_key_over_https(tmp_path, monkeypatch):
    certificate, key = map(str, self_signed(tmp_path, "127.0.0.1"))
    flags = ("--tls-certificate", certificate, "--tls-key", key)
    async with serving(tmp_path / "data", *flags, gateways=()) as server:
        origin, token = f"https://127.0.0.1:{server.port}", server.token
        monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", token)

        def call() -> tuple[Any, Any]:
            http = cloudflare.DefaultHttpxClient(verify=ssl.create_default_context(cafile=certificate))
            with cloudflare.Cloudflare(base_url=f"{origin}/client/v4", api_token=token, http_client=http) as sdk:
                store(sdk, server.account)
            with ExitStack() as stack:
                url = f"{origin}/v1/{server.account}/{CLOSED}"
                client = conversing(*bedrock(stack, url, {}, verify=certificate))
                return client.chat(), client.echo()

        answer, came = await asyncio.to_thread(call)
    assert answer == ANSWER
    assert re.fullmatch(SIGNED, dict(came["headers"])["authorization"])
    assert token not in repr(came)
