"""Several providers in one call, on Node: ``ai-gateway-provider`` with the AI SDK, and one step as ``tanstack-ai`` has.

The binding and the sample are those that docs/universal.md shows.
"""

import re
from pathlib import Path

import pytest

from tests.kit.journey import CLIENTS

PAGE = Path(__file__).parents[2] / "docs" / "universal.md"
PROMPT = "Tell me of the sea."
GATEWAYS = {"steps": {}, "steps-cached": {"cache_ttl": 600}, "steps-closed": {"authentication": True}}
WAYS = ("generate", "stream")
ENDPOINTS = [  # what the packages make of the SDKs' addresses, and where it leads: where not told, the same
    ("openai", "v1/embeddings", "/openai/embeddings"),
    ("anthropic", "v1/messages", None),
    ("anthropic", "messages?beta=true", "/anthropic/v1/messages?beta=true"),  # of tanstack-ai; so is the next
    ("openrouter", "api/v1/chat/completions", "/openrouter/v1/chat/completions"),
    ("google-ai-studio", "v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse", None),
    ("google-vertex-ai", "v1/projects/p/locations/us-east5/publishers/google/models/gemini:generateContent", None),
    ("grok", "v1/chat/completions", "/grok/chat/completions"),
    ("groq", "chat/completions", None),
    ("deepseek", "chat/completions", None),
    ("deepseek", "v1/chat/completions", None),
    ("mistral", "v1/chat/completions", None),
    ("perplexity-ai", "chat/completions", None),
    ("cerebras", "v1/chat/completions", "/cerebras/chat/completions"),
    ("openrouter", "v1/chat/completions", None),
    ("fireworks", "chat/completions", None),
    ("cohere", "v2/chat", None),
    ("azure-openai", "resource/model/chat/completions?api-version=1", "/azure-openai/chat/completions?api-version=1"),
    ("aws-bedrock", "bedrock-runtime/us-east-1/model/m%3A0/converse", "/aws-bedrock/model/m%3A0/converse"),
    ("replicate", "v1/predictions", "/replicate/predictions"),
    ("huggingface", "org/model", None),
    ("workers-ai", "run/@cf/meta/llama-3.1-8b-instruct", None),
]


@pytest.fixture(scope="module")
def journey(house, sdk, walk, tmp_path_factory):
    """Everything, walked once."""
    required = {"cache_ttl": 0, "cache_invalidate_on_update": False, "collect_logs": True}
    required |= {"rate_limiting_interval": 0, "rate_limiting_limit": 0}
    for name, settings in GATEWAYS.items():
        sdk.ai_gateway.create(account_id=house.account, id=name, **(required | settings))
    place = tmp_path_factory.mktemp("page")
    (place / "node_modules").symlink_to(CLIENTS / "node_modules")
    for name, text in re.findall(r"```js\n// (\S+\.mjs)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL):
        (place / name).write_text(text.replace("127.0.0.1:8787", f"127.0.0.1:{house.server.port}"))
    environ = {"PENSTOCK_ACCOUNT_ID": house.account, "PENSTOCK_API_TOKEN": house.token}
    environ |= {"OPENAI_API_KEY": "any", "ANTHROPIC_API_KEY": "any"}
    page = {"binding": str(place / "penstock.mjs"), "sample": str(place / "fallback.mjs")}
    return walk("universal.mjs", environ, endpoints=[row[:2] for row in ENDPOINTS], **page)


@pytest.fixture(scope="module")
def rows(house, sdk, journey):
    """The rows of an event in the order of their steps, each with its details."""
    where = {"account_id": house.account}
    every = {name: list(sdk.ai_gateway.logs.list(name, per_page=50, **where)) for name in GATEWAYS}

    def rows(event: str, gateway: str = "steps"):
        found = sorted([row for row in every[gateway] if row.event_id == event], key=lambda row: row.step)
        return [sdk.ai_gateway.logs.get(row.id, gateway_id=gateway, **where).to_dict() for row in found]

    return rows


def answered(journey, name, model, step, shown=""):
    """The text came from that model, read as the answer of that step."""
    told = journey.value(name)
    assert (told["text"], told["model"], told["step"]) == (f"You said: {PROMPT}{shown}", model, str(step))
    assert all(told["usage"])
    return told


def failed(journey, name):
    """The kind of an error, its status, and the provider's own words as the SDK has read them."""
    error = journey.steps[name]["error"]
    return error["kind"], error["status"], error["body"]


# Fallback


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("case", "model", "step", "statuses"),
    [
        ("the first answers", "gpt-4o-mini", 0, [200]),
        ("the second answers", "claude-haiku-4-5", 1, [500, 200]),
        ("the other way round", "gpt-4o-mini", 1, [401, 200]),
        ("the third answers", "gpt-5-mini", 2, [404, 429, 200]),
        ("one model", "gpt-5-mini", 0, [200]),
    ],
)
def test_the_answer_is_read_by_the_model_that_gave_it_and_each_step_has_its_row(
    journey, rows, way, case, model, step, statuses
):
    told = answered(journey, f"{way}: {case}", model, step)
    found = rows(told["event"])
    assert [(row["step"], row["status_code"], row["success"]) for row in found] == [
        (index, status, status == 200) for index, status in enumerate(statuses)
    ]
    assert found[-1]["model"] == model
    assert [found[-1]["tokens_in"], found[-1]["tokens_out"]] == told["usage"]


@pytest.mark.parametrize("way", WAYS)
def test_where_all_fail_the_error_is_the_last_providers_own(journey, way):
    kind, status, body = failed(journey, f"{way}: all fail")
    assert (kind, status, body["error"]["type"]) == ("APICallError", 429, "rate_limit_error")
    kind, status, body = failed(journey, f"{way}: all fail, the other way round")
    assert (kind, status, body["error"]["code"]) == ("APICallError", 401, "invalid_api_key")


def test_a_picture_goes_to_every_provider(journey, rows):
    answered(journey, "picture", "claude-haiku-4-5", 1, f" You showed: image/png, {2 << 20} bytes.")
    assert all(row["request_size"] > 2 << 20 for row in rows("picture"))


def test_a_client_that_leaves_ends_the_call(journey, rows):
    assert journey.value("leaves").startswith("You")
    (row,) = rows("leaves")
    assert (row["step"], row["outcome"]) == (0, "client_gone")


# Options


def test_options_act_in_each_step(journey, rows):
    answered(journey, "options", "claude-haiku-4-5", 1)
    first, second = rows("options", "steps-cached")
    assert (first["provider"], first["status_code"], len(first["attempts"])) == ("openai", 503, 2)
    assert (second["provider"], second["status_code"], len(second["attempts"])) == ("anthropic", 200, 1)
    for row in (first, second):
        assert row["metadata"] == '{"team":"tide","count":"9007199254740993"}'
        assert row["decisions"]["cache"].items() >= {"status": "MISS", "ttl": 120}.items()
        assert row["cached"] is False


def test_a_step_is_answered_from_the_cache_unless_it_asks_for_a_fresh_answer(journey, rows):
    for event, ways in {
        "again": [("MISS", None), ("HIT", None)],
        "fresh": [("MISS", True), ("MISS", True)],
        "uncached": [None, None],
    }.items():
        answered(journey, event, "claude-haiku-4-5", 1)
        caches = [row["decisions"].get("cache") for row in rows(event, "steps-cached")]
        assert [cache and (cache["status"], cache.get("skipped")) for cache in caches] == ways, event


def test_a_key_of_the_clients_own_is_for_the_step_that_can_read_the_answer(journey, rows):
    answered(journey, "key", "gpt-4o-mini", 0)
    answered(journey, "same key", "gpt-4o-mini", 0)
    assert [row["cached"] for row in rows("key") + rows("same key")] == [False, True]
    answered(journey, "shared key", "claude-haiku-4-5", 1)
    answered(journey, "shared key, again", "gpt-4o-mini", 0)


def test_a_call_without_a_log_has_no_row_of_any_step(journey, rows):
    answered(journey, "no log", "claude-haiku-4-5", 1)
    assert rows("no log") == []


def test_a_time_limit_leads_on(journey, rows):
    answered(journey, "timeout", "claude-haiku-4-5", 1)
    first, second = rows("timeout")
    assert (first["status_code"], first["outcome"], second["success"]) == (504, "failed", True)


@pytest.mark.parametrize(
    ("case", "path", "keys"),
    [
        ("a key", "/openai/chat/completions", {"authorization": "Bearer sk-of-the-provider"}),
        ("no key", "/openai/chat/completions", {}),
        ("no key, Anthropic", "/anthropic/v1/messages", {}),
    ],
)
def test_what_travels_is_the_sdks_request_and_nothing_of_ours(journey, case, path, keys):
    told = journey.value(case)
    headers = dict(told["headers"])
    assert (told["target"], headers["content-type"]) == (path, "application/json")
    assert headers["user-agent"].startswith("ai-sdk-")
    assert {name: headers[name] for name in ("authorization", "x-api-key") if name in headers} == keys
    assert not [name for name in headers if name.startswith("cf-")]


@pytest.mark.parametrize(("index", "row"), list(enumerate(ENDPOINTS)), ids=[" ".join(row[:2]) for row in ENDPOINTS])
def test_an_endpoint_leads_where_the_sdk_would_have_called(journey, index, row):
    provider, endpoint, target = row
    assert journey.value("endpoints")[index] == (target or f"/{provider}/{endpoint}")


def test_the_unified_provider_answers_and_leads_on_where_the_model_has_no_provider(journey):
    answered(journey, "unified", "claude-haiku-4-5", 0)
    answered(journey, "unified leads on", "claude-haiku-4-5", 1)


# Who may, and the docs


@pytest.mark.parametrize("case", ["unauthorised", "no API key, unauthorised"])
def test_a_closed_gateway(journey, case):
    assert journey.steps[case]["error"]["kind"] == "AiGatewayUnauthorizedError"


@pytest.mark.parametrize("case", ["missing", "API key, missing"])
def test_no_such_gateway(journey, case):
    assert journey.steps[case]["error"]["kind"] == "AiGatewayDoesNotExist"


def test_the_sample_of_the_docs_prints_the_answer(journey):
    assert journey.value("sample") == ["You said: Hello"]


def test_with_an_api_key(journey):
    answered(journey, "API key", "claude-haiku-4-5", 1)
    answered(journey, "API key, streamed", "gpt-4o-mini", 1)


def test_bearer_undefined_is_no_token(journey):
    answered(journey, "no API key", "claude-haiku-4-5", 1)


# One step


@pytest.mark.parametrize("case", ["one step", "one step/"])
def test_one_step_is_a_call_to_its_provider(journey, case):
    told = journey.value(case)
    assert (told["object"], told["choices"][0]["message"]["content"]) == ("chat.completion", f"You said: {PROMPT}")


def test_one_step_for_workers_ai(journey):
    assert journey.value("one step, Workers AI")["result"]["response"] == f"You said: {PROMPT}"


@pytest.mark.parametrize("case", ["one step, streamed", "one step, Workers AI, streamed"])
def test_one_step_that_streams(journey, case):
    assert journey.value(case) == f"You said: {PROMPT}"


def test_one_step_that_cannot_be_taken(journey):
    kind, status, body = failed(journey, "one step fails")
    assert (kind, status, body[0]["code"]) == ("BadRequestError", 400, 2008)
