import copy
import json

import pytest
from cloudflare.types.ai_gateway import AIGatewayGetResponse, ai_gateway_create_params, ai_gateway_update_params
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from penstock.control.gateways import compile_settings, schema
from penstock.control.gateways.schema import GatewayCreate, GatewayUpdate, Settings
from penstock.core.sealing import Vault
from penstock.storage.definitions import Definition
from penstock.storage.gateways import GatewayRow

NEEDED = {
    "cache_invalidate_on_update": True,
    "cache_ttl": 0,
    "collect_logs": True,
    "rate_limiting_interval": 0,
    "rate_limiting_limit": None,
}
OURS = {
    *("analytics_metadata_keys", "ask_usage", "cache_streams", "collect_log_payloads"),
    *("log_body_retention_days", "log_redact", "log_retention_days"),
}


def faults(body, kind=GatewayCreate):
    """Paths of what is wrong."""
    with pytest.raises(ValidationError) as refused:
        kind.model_validate(body)
    return [error["loc"] for error in refused.value.errors(include_input=False, include_url=False)]


def row(gateway_id="g", **settings):
    return GatewayRow(7, "account", gateway_id, settings, 1, 2, None, 3)


@given(st.data())
def test_what_the_schema_allows_is_taken_as_it_was_sent(bodies, data):
    body = data.draw(bodies.valid())
    made = GatewayCreate.model_validate(copy.deepcopy(body))
    assert made.id == body.pop("id")
    assert json.dumps(made.sent) == json.dumps(body)


@given(st.data())
def test_what_the_schema_forbids_is_refused_with_the_path_of_the_field(bodies, data):
    body, path = bodies.broken(data.draw, data.draw(bodies.valid()))
    found = faults(body)
    if path:
        assert any(at[: len(path)] == path or at[:-1] == path[:-1] for at in found), (path, found)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"cache_ttl": -1}, ("cache_ttl",)),
        ({"cache_ttl": 2**53}, ("cache_ttl",)),
        ({"cache_ttl": 1.5}, ("cache_ttl",)),
        ({"cache_ttl": "1"}, ("cache_ttl",)),
        ({"cache_ttl": True}, ("cache_ttl",)),
        ({"collect_logs": None}, ("collect_logs",)),
        ({"collect_logs": 1}, ("collect_logs",)),
        ({"id": ""}, ("id",)),
        ({"id": "a" * 65}, ("id",)),
        ({"id": "A"}, ("id",)),
        ({"id": "a\n"}, ("id",)),
        ({"id": "ä"}, ("id",)),
        ({"log_management": 9_999}, ("log_management",)),
        ({"log_management": 10_000_001}, ("log_management",)),
        ({"logpush_public_key": "x" * 15}, ("logpush_public_key",)),
        ({"logpush_public_key": "x" * 1025}, ("logpush_public_key",)),
        ({"retry_max_attempts": 0}, ("retry_max_attempts",)),
        ({"retry_max_attempts": 6}, ("retry_max_attempts",)),
        ({"retry_delay": 60_001}, ("retry_delay",)),
        ({"rate_limiting_technique": "Sliding"}, ("rate_limiting_technique",)),
        ({"workers_ai_billing_mode": "prepaid"}, ("workers_ai_billing_mode",)),
        ({"dlp": {}}, ("dlp", "enabled")),
        ({"dlp": {"enabled": True, "action": "FLAG", "profiles": [1]}}, ("dlp", "profiles", 0)),
        ({"dlp": {"enabled": True, "policies": [], "action": "FLAG"}}, ("dlp", "action")),
        ({"guardrails": {"prompt": {}}}, ("guardrails", "response")),
        ({"guardrails": {"prompt": {"S14": "FLAG"}, "response": {}}}, ("guardrails", "prompt", "S14")),
        ({"guardrails": {"prompt": {"S1": "IGNORE"}, "response": {}}}, ("guardrails", "prompt", "S1")),
        ({"otel": [{"url": "https://a.example", "headers": {}}, {"url": "ftp://a"}]}, ("otel", 1, "url")),
        ({"otel": [{"url": "https://me:secret@a.example/", "headers": {}}]}, ("otel", 0, "url")),
        ({"otel": [{"url": "https://a.example/" + "a" * 2048, "headers": {}}]}, ("otel", 0, "url")),
        ({"otel": [{"url": "https://a.example", "headers": {"a": "b\r\nc: d"}}]}, ("otel", 0, "headers", "a")),
        ({"otel": [{"url": "https://a.example", "headers": {"a b": "c"}}]}, ("otel", 0, "headers", "a b", "[key]")),
        ({"stripe": {"authorization": "x"}}, ("stripe", "usage_events")),
        ({"stripe": {"authorization": "x", "usage_events": [{}]}}, ("stripe", "usage_events", 0, "payload")),
        (
            {"spend_limits": {"rules": [{"limit": 0, "limitType": "cost", "window": 1}]}},
            ("spend_limits", "rules", 0, "limit"),
        ),
        (
            {"spend_limits": {"rules": [{"limit": 1, "limitType": "cost", "window": 0}]}},
            ("spend_limits", "rules", 0, "window"),
        ),
        (
            {"spend_limits": {"rules": [{"limit": 1, "limit_type": "cost", "window": 1}]}},
            ("spend_limits", "rules", 0, "limit_type"),
        ),
        ({"account_id": "x"}, ("account_id",)),
        ({"is_default": False}, ("is_default",)),
    ],
)
def test_ranges(change, path):
    assert path in faults(NEEDED | {"id": "g"} | change)


@pytest.mark.parametrize("name", sorted({"id", *NEEDED}))
def test_needed_fields(name):
    body = NEEDED | {"id": "g"}
    del body[name]
    assert faults(body) == [(name,)]


@pytest.mark.parametrize(
    "settings",
    [
        {"cache_ttl": None, "rate_limiting_interval": 2**53 - 1},
        {"log_management": 10_000, "log_management_strategy": "STOP_INSERTING"},
        {"log_management": 10_000_000, "log_management_strategy": "DELETE_OLDEST"},
        {"retry_max_attempts": 5, "retry_delay": 60_000, "retry_backoff": "exponential"},
        {"retry_max_attempts": 1, "retry_delay": 0, "retry_backoff": "linear"},
        {"workers_ai_billing_mode": "unified", "logpush_public_key": "-----BEGIN PUBLIC KEY-----\nMII="},
        {"dlp": {"enabled": True, "action": "BLOCK", "profiles": ["string"]}},
        {"guardrails": {"prompt": {"P1": "BLOCK", "S1": None}, "response": {}}},
        {"spend_limits": {}},
        {"spend_limits": {"rules": None}},
        {"otel": [{"url": "http://[::1]:4318/v1/traces?a=b", "headers": {"x-a": "b"}, "authorization": "Bearer x"}]},
        {
            "spend_limits": {
                "enabled": True,
                "rules": [
                    {
                        "id": "r",
                        "limit": 0.01,
                        "limitType": "cost",
                        "window": 60,
                        "metadata": {"team": {"mode": "partition"}, "user": {"mode": "filter", "values": ["a"]}},
                        "model": {"mode": "filter", "values": []},
                        "provider": {"mode": "filter", "values": ["openai"]},
                        "technique": "sliding",
                    }
                ],
            }
        },
    ],
)
def test_what_is_in_range_is_taken(settings):
    body = NEEDED | {"id": "a" * 64} | settings
    assert GatewayCreate.model_validate(copy.deepcopy(body)).sent == NEEDED | settings


def test_everything_optional_can_be_null():
    optional = {name: None for name, field in Settings.model_fields.items() if not field.is_required()}
    assert GatewayUpdate.model_validate(NEEDED | optional).sent == NEEDED | optional


def test_the_fields_are_those_of_the_sdk_and_ours():
    create = set(ai_gateway_create_params.AIGatewayCreateParams.__annotations__) - {"account_id"}
    update = set(ai_gateway_update_params.AIGatewayUpdateParams.__annotations__) - {"account_id"}
    assert set(GatewayCreate.model_fields) == create | OURS
    assert set(Settings.model_fields) == update | OURS
    answered = set(AIGatewayGetResponse.model_fields)
    assert answered == set(schema.Gateway.model_fields) - OURS - {"account_id"}


def compiled(row):
    return compile_settings.config(Definition(row, [], []), Vault(bytes(32)))


def test_defaults_act_where_nothing_was_set():
    plain = compiled(row())
    assert (plain.number, plain.account, plain.id) == (7, "account", "g")
    assert not plain.authentication
    assert plain.collect_logs
    assert plain.collect_log_payloads
    assert plain.ask_usage
    assert compiled(row(collect_logs=None, ask_usage=None)) == plain


def test_settings_act():
    off = compiled(row(authentication=True, collect_logs=False, collect_log_payloads=False, ask_usage=False))
    assert off.authentication
    assert not (off.collect_logs or off.collect_log_payloads or off.ask_usage)
    assert compiled(row(analytics_metadata_keys=["user", "team", "user"])).analytics_metadata_keys == ("user", "team")


def test_the_default_gateway_is_authenticated_unless_it_says_otherwise():
    assert compiled(row("default")).authentication
    assert compiled(row("default", **schema.DEFAULT_GATEWAY)).authentication
    assert not compiled(row("default", authentication=False)).authentication


def test_the_default_gateway_is_one_that_could_be_sent():
    sent = GatewayCreate.model_validate(schema.DEFAULT_GATEWAY | {"id": schema.DEFAULT}).sent
    assert sent == schema.DEFAULT_GATEWAY
    assert compile_settings.messages(sent) == []


@given(st.data())
def test_every_setting_either_acts_or_is_told_to_be_stored_only(bodies, data):
    sent = GatewayCreate.model_validate(data.draw(bodies.valid())).sent
    told = compile_settings.messages(sent)
    assert {message["path"][1] for message in told} <= compile_settings.NOT_YET.keys() & sent.keys()
    assert all(message["path"][1] in message["message"] and message["code"] == 7100 for message in told)


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ({"cache_ttl": 0}, False),
        ({"cache_ttl": 60}, False),
        ({"rate_limiting_limit": 0}, False),
        ({"rate_limiting_limit": 1}, False),
        ({"retry_max_attempts": 1}, False),
        ({"retry_max_attempts": 2}, False),
        ({"dlp": {"enabled": False, "policies": []}}, False),
        ({"dlp": {"enabled": True, "policies": []}}, True),
        ({"guardrails": {"prompt": {}, "response": {"S1": None}}}, False),
        ({"guardrails": {"prompt": {}, "response": {"S1": "FLAG"}}}, True),
        ({"spend_limits": {}}, False),
        ({"spend_limits": {"enabled": False, "rules": [{}]}}, False),
        ({"spend_limits": {"rules": [{}]}}, False),
        ({"otel": []}, False),
        ({"otel": [{}]}, True),
        ({"stripe": {"usage_events": [{}]}}, True),
        ({"log_management": 10_000}, False),
        ({"logpush": False, "log_classification": False}, False),
        ({"byok_only": True, "zdr": True, "store_id": "s", "workers_ai_billing_mode": "unified"}, False),
        ({"authentication": True, "collect_logs": False, "collect_log_payloads": False, "ask_usage": False}, False),
    ],
)
def test_what_does_not_act_yet_is_told_when_it_is_switched_on(setting, told):
    assert bool(compile_settings.messages(setting)) is told
