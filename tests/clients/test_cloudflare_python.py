"""The official ``cloudflare`` SDK for Python, answers validated strictly: gateways, their settings, and who may."""

from datetime import UTC, datetime, timedelta
from typing import Any, get_type_hints

import cloudflare
import openai
import pytest
from cloudflare.types.ai_gateway.ai_gateway_update_params import AIGatewayUpdateParams

MESSAGES: Any = [{"role": "user", "content": "Tell me of the sea."}]
READ_ONLY = {"id", "account_id", "created_at", "modified_at", "is_default"}
REQUIRED: Any = {
    "cache_invalidate_on_update": False,
    "cache_ttl": 0,
    "collect_logs": True,
    "rate_limiting_interval": 0,
    "rate_limiting_limit": 0,
}
SETTINGS = set(get_type_hints(AIGatewayUpdateParams)) - {"account_id"}
OPTIONAL = SETTINGS - set(REQUIRED)
DLP = {"action": "FLAG", "enabled": True, "profiles": ["b", "a"]}


def wire(gateway) -> dict[str, Any]:
    """What came, by the names of the API, absent fields absent."""
    return gateway.to_dict()


def settings(gateway) -> dict[str, Any]:
    """The same without what the server adds."""
    return {name: value for name, value in wire(gateway).items() if name not in READ_ONLY}


def only(caught: Any) -> dict[str, Any]:
    """The one error in the envelope of a refusal."""
    assert caught.value.body["success"] is False
    assert caught.value.body["result"] is None
    assert caught.value.body["messages"] == []
    (error,) = caught.value.body["errors"]
    return error


# Settings make the round trip


def test_the_table_of_settings_is_the_sdks(everything):
    assert set(everything.settings) == SETTINGS


def test_every_setting_comes_back_as_it_was_sent(house, sdk, make, name, everything):
    made = make(name, **everything.settings)
    mask = wire(made)["stripe"]["authorization"]
    sent = everything.masked(mask)
    got = sdk.ai_gateway.get(name, account_id=house.account)
    (listed,) = [one for one in sdk.ai_gateway.list(account_id=house.account, search=name) if one.id == name]
    for shown in (made, got, listed):
        assert settings(shown) == sent
        assert wire(shown) == wire(made)
    assert (made.id, wire(made)["account_id"], bool(made.is_default)) == (name, house.account, False)
    assert made.created_at == made.modified_at
    assert made.created_at.utcoffset() == timedelta(0)
    assert abs(made.created_at - datetime.now(UTC)) < timedelta(minutes=5)


def test_every_setting_can_be_set_by_an_update(house, sdk, gateway, change, everything):
    changed = change(gateway, **everything.settings)
    assert settings(changed) == everything.masked(wire(changed)["stripe"]["authorization"])
    assert wire(sdk.ai_gateway.get(gateway, account_id=house.account)) == wire(changed)


def test_the_other_shape_of_dlp(make, change, name, everything):
    assert wire(make(name, dlp=DLP))["dlp"] == DLP
    assert wire(change(name, dlp=everything.settings["dlp"]))["dlp"] == everything.settings["dlp"]


def test_settings_of_our_own_beside_the_sdks(make, change, name):
    ours = {"ask_usage": False, "collect_log_payloads": False, "log_retention_days": 30, "log_body_retention_days": 7}
    made = make(name, extra_body=ours)
    assert {field: wire(made).get(field) for field in ours} == ours
    assert settings(change(name)) == settings(made)


@pytest.mark.parametrize("field", ["cache_ttl", "rate_limiting_interval", "rate_limiting_limit"])
def test_null_is_a_value_of_the_limits(make, name, field):
    assert wire(make(name, **{field: None}))[field] is None


def test_optional_fields_never_set_are_absent(house, sdk, make, name):
    made = make(name)
    assert set(wire(made)) & OPTIONAL == set()
    assert set(wire(sdk.ai_gateway.get(name, account_id=house.account))) & OPTIONAL == set()


def test_an_omitted_optional_field_stays_as_it_was(make, change, name, everything):
    made = make(name, **everything.settings)
    kept = settings(change(name, cache_ttl=60))
    assert {field: kept[field] for field in OPTIONAL} == {field: settings(made)[field] for field in OPTIONAL}
    assert kept["cache_ttl"] == 60


@pytest.mark.parametrize(
    "field",
    [
        *("guardrails", "log_management", "log_management_strategy", "logpush_public_key", "otel"),
        *("rate_limiting_technique", "retry_backoff", "retry_delay", "retry_max_attempts"),
        *("spend_limits", "store_id", "stripe"),
    ],
)
def test_an_explicit_null_clears(house, sdk, make, change, name, everything, field):
    before = settings(make(name, **everything.settings))
    after = settings(change(name, **(everything.settings | {field: None})))
    assert after.get(field) is None
    assert {key: after[key] for key in after if key != field} == {key: before[key] for key in before if key != field}
    assert wire(sdk.ai_gateway.get(name, account_id=house.account)).get(field) is None


def test_updating_with_what_was_returned_changes_nothing(house, sdk, make, name, everything):
    made = make(name, **everything.settings)
    again = sdk.ai_gateway.update(name, account_id=house.account, **settings(made))
    assert wire(again) == wire(made)
    assert again.modified_at == made.modified_at


def test_putting_the_whole_result_back_changes_nothing(house, sdk, make, name, everything):
    make(name, **everything.settings)
    path = house.gateway(name)
    got = sdk.get(path, cast_to=object)["result"]
    put = sdk.put(path, body=got, cast_to=object)
    assert put["result"] == got


def test_a_change_moves_modified_at_alone(make, change, gateway):
    first = change(gateway)
    second = change(gateway, cache_ttl=60)
    assert second.modified_at > first.modified_at
    assert second.created_at == first.created_at


# Secrets


def test_secrets_come_back_as_one_fixed_mask(house, sdk, make, name, everything):
    mask = make(name, **everything.settings).stripe.authorization
    one, _, three = sdk.ai_gateway.get(name, account_id=house.account).otel
    assert {one.authorization, three.authorization} == {mask}
    assert not [secret for secret in everything.secrets if secret in mask]
    for path in (house.gateway(name), f"{house.gateway()}?search={name}"):
        text = sdk.get(path, cast_to=str)
        assert name in text
        assert not [secret for secret in everything.secrets if secret in text]


def test_secrets_are_nowhere_in_the_clear(house, make, name, everything):
    make(name, **everything.settings)
    files = [file for file in house.server.data_dir.rglob("*") if file.is_file()]
    assert not [file for file in files for secret in everything.secrets if secret.encode() in file.read_bytes()]
    assert not [secret for secret in everything.secrets if secret in house.server.said]


def test_a_write_with_the_mask_keeps_the_secret(make, change, name, everything):
    made = make(name, **everything.settings)
    masked = settings(made)
    kept = change(name, **(masked | {"cache_ttl": 77}))
    assert settings(kept) == masked | {"cache_ttl": 77}
    # The secret is not shown; but writing the very same one again changes nothing, and writing another does.
    same = change(name, **(everything.settings | {"cache_ttl": 77}))
    assert same.modified_at == kept.modified_at
    stripe = everything.settings["stripe"] | {"authorization": "sk_live_another"}
    other = change(name, **(masked | {"cache_ttl": 77, "stripe": stripe}))
    assert other.modified_at > same.modified_at
    assert settings(other) == settings(kept)


# Settings that do not act yet say so


def raw(answer) -> dict[str, Any]:
    return answer.http_response.json()


def test_a_write_says_which_settings_do_not_act_yet(house, sdk, name, everything):
    write = sdk.ai_gateway.with_raw_response
    made = raw(write.create(account_id=house.account, id=name, **everything.settings))
    assert "guardrails" in " ".join(message["message"] for message in made["messages"])
    plain = raw(write.create(account_id=house.account, id=f"{name}-plain", authentication=True, **REQUIRED))
    assert plain["messages"] == []


# Lists


def test_the_sdk_pages_through_all_gateways(house, connect, make, name):
    names = [f"{name}-{number:02}" for number in range(23)]
    for one in names:
        make(one)
    client, requests = connect()
    assert sorted(one.id for one in client.ai_gateway.list(account_id=house.account, search=name)) == names
    assert [request.url.params.get("page") for request in requests] == [None, "2", "3"]
    five = client.ai_gateway.list(account_id=house.account, search=name, per_page=5)
    assert sorted(one.id for one in five) == names
    second = client.ai_gateway.list(account_id=house.account, search=name, per_page=5, page=5)
    assert len(second.result) == 3
    assert wire(second.result_info) == {"page": 5, "per_page": 5, "count": 3, "total_count": 23, "total_pages": 5}


def test_a_page_past_the_end_is_empty(house, sdk):
    assert sdk.ai_gateway.list(account_id=house.account, page=1_000, per_page=50).result == []


def test_search_is_by_id(house, sdk, make, name):
    make(f"{name}-fish")
    make(f"{name}-bird")
    found = sdk.ai_gateway.list(account_id=house.account, search=f"{name}-f")
    assert [one.id for one in found] == [f"{name}-fish"]
    assert list(sdk.ai_gateway.list(account_id=house.account, search=f"{name}-%")) == []


async def test_the_asynchronous_client(house, name):
    async with cloudflare.AsyncCloudflare(
        base_url=house.api, api_token=house.token, _strict_response_validation=True
    ) as client:
        gateways = client.ai_gateway
        made = await gateways.create(account_id=house.account, id=name, **REQUIRED)
        assert [one.id async for one in gateways.list(account_id=house.account, search=name)] == [name]
        assert settings(await gateways.update(name, account_id=house.account, **REQUIRED)) == settings(made)
        assert (await gateways.delete(name, account_id=house.account)).id == name
        with pytest.raises(cloudflare.NotFoundError):
            await gateways.get(name, account_id=house.account)


# Refusals


def test_a_duplicate_is_a_conflict_and_not_asked_again(house, connect, gateway):
    client, requests = connect()
    with pytest.raises(cloudflare.ConflictError) as caught:
        client.ai_gateway.create(account_id=house.account, id=gateway, **REQUIRED)
    assert only(caught)["code"] == 7009
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert len(requests) == 1


def test_an_unknown_gateway_is_not_found(house, sdk, change, name):
    for act in (sdk.ai_gateway.get, sdk.ai_gateway.delete):
        with pytest.raises(cloudflare.NotFoundError) as caught:
            act(name, account_id=house.account)
        assert only(caught)["code"] == 7002
    with pytest.raises(cloudflare.NotFoundError) as caught:
        change(name)
    assert only(caught)["code"] == 7002


def test_another_account_answers_as_an_unknown_gateway_does(house, sdk, gateway):
    with pytest.raises(cloudflare.NotFoundError) as unknown:
        sdk.ai_gateway.get("never-made", account_id=house.account)
    for there in (gateway, "never-made"):
        with pytest.raises(cloudflare.NotFoundError) as foreign:
            sdk.ai_gateway.get(there, account_id="0" * 32)
        assert foreign.value.body == unknown.value.body


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"cache_ttl": -1}, ["cache_ttl"]),
        ({"cache_ttl": "60"}, ["cache_ttl"]),
        ({"cache_ttl": 1.5}, ["cache_ttl"]),
        ({"cache_ttl": True}, ["cache_ttl"]),
        ({"collect_logs": "yes"}, ["collect_logs"]),
        ({"collect_logs": None}, ["collect_logs"]),
        ({"authentication": 1}, ["authentication"]),
        ({"rate_limiting_limit": -1}, ["rate_limiting_limit"]),
        ({"rate_limiting_technique": "leaky"}, ["rate_limiting_technique"]),
        ({"retry_max_attempts": 0}, ["retry_max_attempts"]),
        ({"retry_max_attempts": 6}, ["retry_max_attempts"]),
        ({"retry_delay": 60_001}, ["retry_delay"]),
        ({"retry_backoff": "sometimes"}, ["retry_backoff"]),
        ({"log_management_strategy": "KEEP"}, ["log_management_strategy"]),
        ({"workers_ai_billing_mode": "free"}, ["workers_ai_billing_mode"]),
        ({"otel": [{"headers": {}}]}, ["otel", 0, "url"]),
        ({"otel": [{"url": "https://example.com", "headers": {"a": 1}}]}, ["otel", 0, "headers", "a"]),
        ({"guardrails": {"prompt": {}}}, ["guardrails", "response"]),
        ({"guardrails": {"prompt": {"S1": "MAYBE"}, "response": {}}}, ["guardrails", "prompt", "S1"]),
        ({"guardrails": {"prompt": {"S14": "FLAG"}, "response": {}}}, ["guardrails", "prompt", "S14"]),
        ({"stripe": {"authorization": "x"}}, ["stripe", "usage_events"]),
        ({"spend_limits": {"rules": [{"limit": 1, "limitType": "cost"}]}}, ["spend_limits", "rules", 0, "window"]),
        ({"extra_body": {"colour": "red"}}, ["colour"]),
    ],
    ids=repr,
)
def test_a_wrong_value_is_refused_with_the_name_of_its_field(house, sdk, connect, gateway, change, wrong, path):
    before = wire(sdk.ai_gateway.get(gateway, account_id=house.account))
    with pytest.raises(cloudflare.BadRequestError) as caught:
        change(gateway, **wrong)
    error = only(caught)
    assert error["code"] == 7001
    assert error["path"] == ["body", *path]
    assert str(path[-1]) in error["message"] or len(error["message"]) > 10
    assert wire(sdk.ai_gateway.get(gateway, account_id=house.account)) == before


@pytest.mark.parametrize("field", ["cache_invalidate_on_update", "cache_ttl", "collect_logs", "rate_limiting_limit"])
def test_a_missing_field_is_refused_by_its_name(house, sdk, gateway, field):
    body = settings(sdk.ai_gateway.get(gateway, account_id=house.account))
    del body[field]
    with pytest.raises(cloudflare.BadRequestError) as caught:
        sdk.put(house.gateway(gateway), body=body, cast_to=object)
    assert (only(caught)["code"], only(caught)["path"]) == (7001, ["body", field])


def test_wrong_dlp_is_refused_by_its_name(change, gateway):
    with pytest.raises(cloudflare.BadRequestError) as caught:
        change(gateway, dlp={"enabled": True, "profiles": [], "action": "LOOK"})
    assert only(caught)["path"] == ["body", "dlp", "action"]


@pytest.mark.parametrize("wrong", ["Capital", "with space", "dot.dot", "x" * 65, "", "ü"])
def test_a_wrong_id_is_refused(make, wrong):
    with pytest.raises(cloudflare.BadRequestError) as caught:
        make(wrong)
    assert only(caught)["path"] == ["body", "id"]


def test_the_longest_id_is_good(make, name):
    longest = f"{name}_".ljust(64, "x")
    assert make(longest).id == longest


def test_a_wrong_query_is_refused_by_its_name(house, sdk):
    for query in ({"page": 0}, {"per_page": "many"}, {"colour": "red"}):
        with pytest.raises(cloudflare.BadRequestError) as caught:
            sdk.ai_gateway.list(account_id=house.account, extra_query=query)
        assert only(caught)["path"] == ["query", *query]


# Who may


def test_a_token_is_verified(house, sdk, connect, grant):
    assert sdk.user.tokens.verify().status == "active"
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    granted = grant("AI Gateway Run", expires_on=until.isoformat())
    verified = connect(api_token=granted["value"]).client.user.tokens.verify()
    assert (verified.id, verified.status, verified.expires_on) == (granted["id"], "active", until)


def test_a_secret_is_shown_once(house, sdk, grant):
    granted = grant()
    assert granted["value"].startswith("pst_")
    for path in (f"/accounts/{house.account}/tokens", f"/accounts/{house.account}/tokens/{granted['id']}"):
        text = sdk.get(path, cast_to=str)
        assert granted["id"] in text
        assert granted["value"] not in text


@pytest.mark.parametrize("wrong", ["pst_of-nobody-and-of-nothing", "x"])
def test_a_wrong_token_is_refused_once(connect, wrong):
    client, requests = connect(api_token=wrong)
    with pytest.raises(cloudflare.AuthenticationError) as caught:
        client.user.tokens.verify()
    assert only(caught)["code"] == 10000
    assert len(requests) == 1


def test_a_revoked_token_is_refused_at_once(house, sdk, connect, grant, make, name, gpt):
    make(name, authentication=True)
    granted = grant()
    client = connect(api_token=granted["value"]).client
    caller = gpt(name, cf_aig_authorization=f"Bearer {granted['value']}")
    assert client.user.tokens.verify().status == "active"
    caller.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)
    sdk.delete(f"/accounts/{house.account}/tokens/{granted['id']}", cast_to=object)
    with pytest.raises(cloudflare.AuthenticationError):
        client.user.tokens.verify()
    with pytest.raises(openai.AuthenticationError):
        caller.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)


def test_email_and_key(house, connect, grant, gateway):
    key = grant(email="Ada@example.com")["value"]
    client = connect(api_email="ada@example.com", api_key=key).client
    assert client.ai_gateway.get(gateway, account_id=house.account).id == gateway
    assert client.user.tokens.verify().status == "active"


def test_email_and_key_that_do_not_match(house, connect, grant):
    with_all, without_email = grant(email="ada@example.com")["value"], grant()["value"]
    with_few = grant("AI Gateway Read", email="ada@example.com")["value"]
    right, wrong = "ada@example.com", "eve@example.com"
    for email, key in [(wrong, with_all), (right, without_email), (right, with_few)]:
        with pytest.raises(cloudflare.AuthenticationError) as caught:
            connect(api_email=email, api_key=key).client.ai_gateway.list(account_id=house.account)
        assert only(caught)["code"] == 10000


def test_a_token_that_may_read_may_not_write(house, connect, grant, gateway, name):
    client = connect(api_token=grant("AI Gateway Read")["value"]).client
    assert client.ai_gateway.get(gateway, account_id=house.account).id == gateway
    required = REQUIRED | {"account_id": house.account}
    for act in (
        lambda: client.ai_gateway.create(id=name, **required),
        lambda: client.ai_gateway.update(gateway, **required),
        lambda: client.ai_gateway.delete(gateway, account_id=house.account),
    ):
        with pytest.raises(cloudflare.PermissionDeniedError) as caught:
            act()
        assert only(caught)["code"] == 10000


def test_a_token_that_may_run_may_do_nothing_else(house, connect, grant, gateway):
    client = connect(api_token=grant("AI Gateway Run")["value"]).client
    for act in (client.ai_gateway.get, client.ai_gateway.delete, client.ai_gateway.logs.list):
        with pytest.raises(cloudflare.PermissionDeniedError):
            act(gateway, account_id=house.account)


def test_a_token_for_one_gateway_sees_no_other(house, connect, grant, make, name):
    mine, other = make(f"{name}-mine").id, make(f"{name}-other").id
    client = connect(api_token=grant(gateways=[mine])["value"]).client
    assert [one.id for one in client.ai_gateway.list(account_id=house.account)] == [mine]
    assert client.ai_gateway.get(mine, account_id=house.account).id == mine
    with pytest.raises(cloudflare.NotFoundError) as hidden:
        client.ai_gateway.get(other, account_id=house.account)
    with pytest.raises(cloudflare.NotFoundError) as unknown:
        client.ai_gateway.get(f"{name}-none", account_id=house.account)
    assert hidden.value.body == unknown.value.body
