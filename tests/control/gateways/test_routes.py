import copy
import json
import re
from typing import Any

import pytest
from cloudflare import AsyncCloudflare, NotFoundError
from cloudflare.types.ai_gateway import AIGatewayGetResponse
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from penstock.control.gateways.schema import MASK, Settings

SOME = settings(suppress_health_check=[HealthCheck.too_slow])
ACCOUNT, OTHER = "0" * 31 + "a", "0" * 31 + "b"
OURS = {
    *("analytics_metadata_keys", "ask_usage", "cache_streams", "collect_log_payloads"),
    *("log_body_retention_days", "log_redact", "log_retention_days"),
}  # that the SDK does not have
NEEDED = {
    "cache_invalidate_on_update": True,
    "cache_ttl": 0,
    "collect_logs": True,
    "rate_limiting_interval": 0,
    "rate_limiting_limit": None,
}
READ_ONLY = ("id", "account_id", "is_default", "created_at", "modified_at")
SECRETS = {
    "otel": [{"url": "https://a.example/v1/traces", "headers": {"b": "1", "a": "2"}, "authorization": "Bearer one"}],
    "stripe": {"authorization": "sk_two", "usage_events": [{"payload": "{}"}]},
}


def settings_of(result):
    return {name: value for name, value in result.items() if name not in READ_ONLY}


def unmasked(sent):
    """What was sent, as it must be answered."""
    shown = copy.deepcopy(sent)
    for entry in shown.get("otel") or ():
        if entry.get("authorization") is not None:
            entry["authorization"] = MASK
    if shown.get("stripe"):
        shown["stripe"]["authorization"] = MASK
    return shown


# What is sent comes back


def test_a_new_gateway_is_answered_as_it_was_sent(world):
    made = world.made("my-gateway", cache_ttl=0, authentication=True)
    assert settings_of(made) == NEEDED | {"authentication": True}
    assert {name: made[name] for name in READ_ONLY[:3]} == {
        "id": "my-gateway",
        "account_id": ACCOUNT,
        "is_default": False,
    }
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", made["created_at"])
    assert made["modified_at"] == made["created_at"]
    assert world.call("GET", "/my-gateway")[1]["result"] == made
    assert world.call("GET")[1]["result"] == [made]
    assert world.refreshed == 1


@SOME
@given(data=st.data())
def test_whatever_is_allowed_makes_the_round_trip(lasting_world, bodies, data):
    world, at = lasting_world, "/round-trip"
    body = data.draw(bodies.valid()) | {"id": at[1:]}
    other = data.draw(bodies.valid()) | {"id": at[1:]}
    assume(MASK not in json.dumps([body, other]))
    try:
        status, answer = world.call("POST", "", body)
        made, sent = answer["result"], settings_of(body)
        assert status == 200
        assert json.dumps(settings_of(made)) == json.dumps(unmasked(sent))

        # What GET returns can be sent back, and changes nothing; nor does what was sent at first.
        before = len(world.audited())
        assert world.call("GET", at)[1]["result"] == made
        assert world.call("PUT", at, made)[1]["result"] == made
        assert world.call("PUT", at, body)[1]["result"] == made
        assert len(world.audited()) == before

        # Anything else that is allowed takes its place; what is left out stays.
        changed = world.call("PUT", at, other)[1]["result"]
        assert settings_of(changed) == unmasked(sent | settings_of(other))
        assert world.call("GET", at)[1]["result"] == changed
    finally:
        world.call("DELETE", at)


@SOME
@given(data=st.data())
def test_whatever_is_forbidden_is_refused_with_the_name_of_the_field(lasting_world, bodies, data):
    body, path = bodies.broken(data.draw, data.draw(bodies.valid()))
    status, answer = lasting_world.call("POST", "", body)
    assert status == 400
    assert answer["success"] is False
    assert answer["result"] is None
    paths = [tuple(error["path"][1:]) for error in answer["errors"]]
    assert not path or any(found[: len(path)] == path or found[:-1] == path[:-1] for found in paths)
    assert all(error["code"] == 7001 for error in answer["errors"])


def test_the_example_of_the_documents_makes_the_round_trip(world):
    sent = {
        "cache_invalidate_on_update": True,
        "cache_ttl": 0,
        "collect_logs": True,
        "rate_limiting_interval": 0,
        "rate_limiting_limit": 0,
        "authentication": True,
        "dlp": {"action": "BLOCK", "enabled": True, "profiles": ["string"]},
        "guardrails": {"prompt": {"P1": "FLAG", "S10": "BLOCK"}, "response": {"S9": "FLAG"}},
        "log_management": 10000,
        "log_management_strategy": "STOP_INSERTING",
        "logpush": True,
        "logpush_public_key": "xxxxxxxxxxxxxxxx",
        "otel": [
            {
                "authorization": "authorization",
                "headers": {"foo": "string"},
                "url": "https://example.com",
                "content_type": "json",
            }
        ],
        "rate_limiting_technique": "fixed",
        "retry_backoff": "constant",
        "retry_delay": 0,
        "retry_max_attempts": 1,
        "store_id": "store_id",
        "stripe": {"authorization": "authorization", "usage_events": [{"payload": "payload"}]},
        "workers_ai_billing_mode": "postpaid",
        "zdr": True,
    }
    made = world.made("my-gateway", **sent)
    assert settings_of(made) == unmasked(sent)
    AIGatewayGetResponse.model_validate(made)
    assert AIGatewayGetResponse.construct(**made).id == "my-gateway"


# PUT


def test_what_is_left_out_stays_and_null_clears(world):
    world.made(authentication=True, retry_max_attempts=3, store_id="x")
    changed = world.put(store_id=None, cache_ttl=9)
    assert settings_of(changed) == NEEDED | {
        "authentication": True,
        "retry_max_attempts": 3,
        "store_id": None,
        "cache_ttl": 9,
    }


def test_a_change_is_seen_by_its_time(world):
    made = world.made()
    changed = world.put(cache_ttl=9)
    assert changed["created_at"] == made["created_at"]
    assert changed["modified_at"] >= made["modified_at"]
    assert world.row().version == world.version()


def test_a_put_that_changes_nothing_leaves_no_trace(world):
    keeps = {"cache_invalidate_on_update": False}
    world.made(**keeps, **SECRETS)
    before = (world.version(), world.row(), len(world.audited()), world.refreshed)
    world.put(**keeps, **SECRETS)
    world.put(**keeps, **unmasked(SECRETS))
    world.put(**keeps)
    assert (world.version(), world.row(), len(world.audited()), world.refreshed) == before


def test_neither_the_order_of_members_nor_the_spelling_of_a_number_is_a_change(world):
    rule = {"limit": 5, "limitType": "cost", "window": 60}
    made = world.made(spend_limits={"rules": [rule]})
    before = len(world.audited())
    assert world.put(spend_limits={"rules": [dict(reversed(rule.items())) | {"limit": 5.0}]}) == made
    assert len(world.audited()) == before


@pytest.mark.parametrize("drops", [True, False])
def test_every_put_drops_what_is_cached_where_the_gateway_says_so_afterwards(world, drops):
    """Also one that changes nothing else, which leaves no other trace."""
    made = world.made(cache_invalidate_on_update=not drops)
    world.put(cache_invalidate_on_update=drops)
    assert world.row().generation == drops
    written, changed = len(world.audited()), world.call("GET", "/g")[1]["result"]
    version = world.version()
    assert world.put(cache_invalidate_on_update=drops) == changed
    assert world.row().generation == 2 * drops
    assert world.version() - version == drops
    assert len(world.audited()) == written
    assert made["created_at"] == changed["created_at"]


def test_the_order_of_a_list_is_a_change(world):
    world.made(dlp={"enabled": False, "action": "FLAG", "profiles": ["a", "b"]})
    changed = world.put(dlp={"enabled": False, "action": "FLAG", "profiles": ["b", "a"]})
    assert changed["dlp"]["profiles"] == ["b", "a"]
    assert world.call("GET", "/g")[1]["result"] == changed


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_an_address_that_would_never_be_called_is_refused_with_its_field(world, method):
    """A name for the metadata service stands for all: what else is refused is the matter of the values."""
    world.made("there")
    collectors = [{"url": f"http://{host}/x", "headers": {}} for host in ("a.example", "169.254.169.254")]
    body = NEEDED | {"otel": collectors} | ({"id": "new"} if method == "POST" else {})
    status, answer = world.call(method, "" if method == "POST" else "/there", body)
    assert (status, answer["errors"][0]["message"]) == (
        400,
        "otel.1.url: 169.254.169.254 may not be called: its address is link-local or that of a metadata service",
    )


@pytest.mark.parametrize("change", [{"id": "other"}, {"account_id": OTHER}, {"is_default": True}])
def test_what_can_only_be_read_cannot_be_changed(world, change):
    made = world.made()
    status, body = world.call("PUT", "/g", made | change)
    assert status == 400
    assert body["errors"][0]["path"] == ["body", *change]
    assert world.call("GET", "/g")[1]["result"] == made


def test_times_in_a_put_are_passed_over(world):
    made = world.made()
    sent = made | {"created_at": "2019-12-27T18:11:19.117Z", "modified_at": "yesterday"}
    assert world.call("PUT", "/g", sent)[1]["result"] == made


# Secrets


def test_no_secret_is_ever_answered_or_stored_or_audited_in_the_clear(world):
    seen = [world.made(**SECRETS), world.put(**SECRETS, cache_ttl=1), world.call("GET", "/g"), world.call("GET")]
    stored = world.row().settings
    seen += [stored, world.call("DELETE", "/g"), [(row.before, row.after) for row in world.audited()]]
    told = json.dumps(seen)
    assert "Bearer one" not in told
    assert "sk_two" not in told
    vault = world.control.vault
    opened = vault.open(stored["otel"][0]["authorization"], "gateways", ACCOUNT, "g", "otel.authorization")
    assert opened == "Bearer one"
    assert vault.open(stored["stripe"]["authorization"], "gateways", ACCOUNT, "g", "stripe.authorization") == "sk_two"


def test_a_mask_where_nothing_is_stored_is_refused(world):
    world.made()
    sent = NEEDED | unmasked({"stripe": SECRETS["stripe"]})
    for method, path, body in (("POST", "", sent | {"id": "h"}), ("PUT", "/g", sent)):
        status, answer = world.call(method, path, body)
        assert (status, answer["errors"][0]["path"]) == (400, ["body", "stripe", "authorization"])


# What does not act yet


def test_a_setting_that_does_not_act_yet_is_told(world):
    status, body = world.call("POST", "", NEEDED | {"id": "g", "logpush": True, "log_classification": True})
    assert status == 200
    assert body["messages"] == [
        {
            "code": 7100,
            "message": "log_classification is stored, but does not act in this release.",
            "path": ["body", "log_classification"],
        },
        {
            "code": 7100,
            "message": "logpush is stored, but does not act in this release.",
            "path": ["body", "logpush"],
        },
    ]
    assert world.call("PUT", "/g", NEEDED)[1]["messages"] == []


# Errors


def test_a_second_of_the_same_id_is_a_conflict(world):
    world.made()
    status, body = world.call("POST", "", NEEDED | {"id": "g"})
    assert (status, body["errors"][0]["code"], body["errors"][0]["path"]) == (409, 7009, ["body", "id"])
    assert world.call("POST", "", NEEDED | {"id": "g"}, token="other", account=OTHER)[0] == 200


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("PUT", NEEDED), ("DELETE", None)])
@pytest.mark.parametrize("path", ["/none", "/" + "a" * 500, "/A%00", "/%F0%9F%A6%A9"])
def test_what_is_not_there_is_not_found(world, method, body, path):
    status, answer = world.call(method, path, body)
    assert (status, answer["errors"][0]["code"]) == (404, 7002)


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("PUT", NEEDED), ("DELETE", None)])
def test_of_another_account_nothing_is_told(world, method, body):
    world.made("theirs")
    missing = world.call(method, "/none", body, token="other", account=OTHER)
    assert world.call(method, "/theirs", body, token="other", account=OTHER) == missing
    assert world.call(method, "/theirs", body, token="other") == missing
    assert world.call(method, "/theirs", body, token="other", account="f" * 32) == missing
    assert world.call("GET", token="other", account=OTHER)[1]["result"] == []
    assert world.row("theirs") is not None


@pytest.mark.parametrize(
    ("method", "path", "token", "status"),
    [
        ("GET", "", "read", 200),
        ("GET", "/g", "read", 200),
        ("GET", "/g", "run", 403),
        ("POST", "", "read", 403),
        ("PUT", "/g", "read", 403),
        ("DELETE", "/g", "read", 403),
        ("DELETE", "/g", "nobody's", 401),
    ],
)
def test_permissions(world, method, path, token, status):
    world.made()
    assert world.call(method, path, {}, token=token)[0] == status


def test_a_token_limited_to_gateways_knows_no_others(world):
    world.made("theirs")
    world.made("mine")
    assert [one["id"] for one in world.call("GET", token="limited")[1]["result"]] == ["mine"]
    assert world.call("GET", token="limited")[1]["result_info"]["total_count"] == 1
    assert world.call("GET", "/mine", token="limited")[0] == 200
    for method in ("GET", "PUT", "DELETE"):
        assert world.call(method, "/theirs", NEEDED, token="limited")[0] == 404
    assert world.call("POST", "", NEEDED | {"id": "ours"}, token="limited")[0] == 200
    for name in ("theirs", "new"):
        assert world.call("POST", "", NEEDED | {"id": name}, token="limited")[0] == 403
    world.call("DELETE", "/ours", token="limited")
    assert world.call("POST", "", NEEDED | {"id": "ours", "store_id": "s"}, token="limited")[0] == 403


# The list


def test_pages(world):
    for n in range(5):
        world.made(f"g{n}")
    status, body = world.call("GET", "?per_page=2&page=2")
    assert [one["id"] for one in body["result"]] == ["g2", "g3"]
    assert body["result_info"] == {"page": 2, "per_page": 2, "count": 2, "total_count": 5, "total_pages": 3}
    status, body = world.call("GET", "?per_page=2&page=4")
    assert (status, body["result"], body["result_info"]["total_count"]) == (200, [], 5)


def test_search_takes_every_sign_for_itself(world):
    for name in ("a_b", "axb", "a-b", "b"):
        world.made(name)

    def found(search):
        return [one["id"] for one in world.call("GET", f"?search={search}")[1]["result"]]

    assert found("a_b") == ["a_b"]
    assert found("%25") == []
    assert found("A") == ["a_b", "axb", "a-b"]
    assert found("") == ["a_b", "axb", "a-b", "b"]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("page=0", "page"),
        ("page=x", "page"),
        ("per_page=1001", "per_page"),
        ("per_page=0", "per_page"),
        ("order=asc", "order"),
        ("search=" + "a" * 65, "search"),
    ],
)
def test_a_wrong_query_is_refused_with_its_name(world, query, name):
    status, body = world.call("GET", f"?{query}")
    assert (status, body["errors"][0]["path"]) == (400, ["query", name])


# The end


def test_a_deleted_gateway_is_gone_and_its_id_is_free(world):
    made = world.made(store_id="old")
    first = world.row()
    status, body = world.call("DELETE", "/g")
    assert (status, body["result"]) == (200, made)
    assert world.call("GET", "/g")[0] == 404
    assert world.call("DELETE", "/g")[0] == 404
    assert world.call("GET")[1]["result"] == []
    assert "store_id" not in world.made()
    assert world.row().number > first.number


def test_every_change_leaves_who_what_before_and_after(world):
    world.made(store_id="a")
    world.put(store_id="b")
    world.call("DELETE", "/g")
    rows = world.audited()
    assert [(row.actor_name, row.action, row.subject) for row in rows] == [
        ("all", "gateway.create", "g"),
        ("all", "gateway.update", "g"),
        ("all", "gateway.delete", "g"),
    ]
    one, two = NEEDED | {"store_id": "a"}, NEEDED | {"store_id": "b"}
    assert [(row.before, row.after) for row in rows] == [(None, one), (one, two), (two, None)]


def test_a_refused_write_changes_nothing(world):
    world.made()
    before = (world.version(), len(world.audited()), world.refreshed)
    world.call("POST", "", NEEDED | {"id": "g"})
    world.call("PUT", "/g", NEEDED | {"id": "h"})
    world.call("PUT", "/none", NEEDED)
    world.call("DELETE", "/none")
    assert (world.version(), len(world.audited()), world.refreshed) == before


def test_the_document_describes_every_address(world):
    document = world.app.openapi()
    paths = {(path.rpartition("/gateways")[2], method) for path, one in document["paths"].items() for method in one}
    assert paths == {("", "get"), ("", "post"), *(("/{gateway_id}", method) for method in ("get", "put", "delete"))}
    for operations in document["paths"].values():
        for operation in operations.values():
            assert operation["summary"]
            assert operation["description"]


FULL: dict[str, Any] = {
    "authentication": True,
    "byok_only": True,
    "dlp": {
        "enabled": True,
        "policies": [
            {"id": "p", "action": "FLAG", "check": ["RESPONSE", "REQUEST"], "enabled": True, "profiles": ["b", "a"]}
        ],
    },
    "guardrails": {"prompt": {"p1": "FLAG", "s1": "BLOCK"}, "response": {"s13": "FLAG"}},
    "log_classification": True,
    "log_management": 10000,
    "log_management_strategy": "DELETE_OLDEST",
    "logpush": True,
    "logpush_public_key": "x" * 16,
    "otel": [{"url": "https://example.com", "headers": {"foo": "bar"}, "content_type": "protobuf"}],
    "rate_limiting_technique": "sliding",
    "retry_backoff": "linear",
    "retry_delay": 60000,
    "retry_max_attempts": 5,
    "spend_limits": {
        "enabled": True,
        "rules": [
            {
                "id": "r",
                "limit": 1.5,
                "limit_type": "cost",
                "window": 60,
                "metadata": {"team": {"mode": "partition"}, "user": {"mode": "filter", "values": ["a"]}},
                "model": {"mode": "filter", "values": ["gpt-4o"]},
                "provider": {"mode": "filter", "values": ["openai"]},
                "technique": "fixed",
            }
        ],
    },
    "store_id": "store",
    "stripe": {"authorization": "sk", "usage_events": [{"payload": "{}"}]},
    "workers_ai_billing_mode": "unified",
    "zdr": True,
}


async def sdk_round_trip(world):
    client: Any = AsyncCloudflare(
        api_token="all", base_url="http://control/client/v4", http_client=world.http, _strict_response_validation=True
    )
    gateways = client.ai_gateway
    made = await gateways.create(account_id=ACCOUNT, id="g", **NEEDED, **FULL)
    for name, value in (FULL | NEEDED).items():
        if name not in ("stripe", "guardrails", "spend_limits"):
            assert json.loads(json.dumps(made.to_dict(mode="json")[name])) == value
    assert made.guardrails.prompt.p1 == "FLAG"
    assert made.spend_limits.rules[0].limit_type == "cost"
    assert made.stripe.authorization == MASK

    read = await gateways.get("g", account_id=ACCOUNT)
    assert read.to_dict(mode="json") == made.to_dict(mode="json")
    sent = settings_of(read.to_dict(mode="json"))
    again = await gateways.update("g", account_id=ACCOUNT, **sent)
    assert again.to_dict(mode="json") == made.to_dict(mode="json")
    assert [one.id async for one in gateways.list(account_id=ACCOUNT, per_page=1, search="g")] == ["g"]
    assert (await gateways.delete("g", account_id=ACCOUNT)).id == "g"
    with pytest.raises(NotFoundError):
        await gateways.get("g", account_id=ACCOUNT)


def test_the_sdk_makes_the_round_trip_with_every_setting(world):
    assert FULL.keys() | NEEDED.keys() == set(Settings.model_fields) - OURS
    world.run(sdk_round_trip(world))
    assert len(world.audited()) == 2  # the update changed nothing
