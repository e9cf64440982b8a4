"""The official ``cloudflare`` and ``openai`` SDKs for TypeScript: Node walks the journeys, we look at every step."""

import json

import pytest

from tests.control.routes.conftest import SAMPLE, a_graph

READ_ONLY = {"id", "account_id", "created_at", "modified_at", "is_default"}
MESSAGES = [{"role": "user", "content": "Tell me of the sea."}]
SECRET = "sk-of-the-team-0123456789"


@pytest.fixture(scope="module")
def guide(walk, house):
    environ = {"CLOUDFLARE_BASE_URL": house.api, "CLOUDFLARE_API_TOKEN": house.token, "OPENAI_API_KEY": "sk-x"}
    return walk("guide.mjs", environ)


@pytest.fixture(scope="module")
def gateways(walk, everything, grant):
    email = "ada@example.com"
    reader, key = grant("AI Gateway Read")["value"], grant(email=email)["value"]
    return walk("gateways.mjs", settings=everything.settings, email=email, key=key, reader=reader)


@pytest.fixture(scope="module")
def logs(walk, grant):
    return walk("logs.mjs", metadata=grant("AI Gateway Metadata Read")["value"])


@pytest.fixture(scope="module")
def customs(walk):
    return walk("customs.mjs")


@pytest.fixture(scope="module")
def configs(walk, grant):
    return walk("configs.mjs", secret=SECRET, reader=grant("AI Gateway Read")["value"])


@pytest.fixture(scope="module")
def routes(walk):
    return walk("routes.mjs", first=a_graph("m1"), second=a_graph("m2"))


@pytest.fixture(scope="module")
def billing(walk, grant):
    return walk("billing.mjs", reader=grant("AI Gateway Read")["value"])


# The guide's own samples


def test_the_guide_on_gateways(house, guide):
    made = guide.value("create")
    sent = {"id": "my-gateway", "cache_invalidate_on_update": True, "cache_ttl": 3600, "collect_logs": True}
    sent |= {"rate_limiting_interval": 60, "rate_limiting_limit": 100, "rate_limiting_technique": "sliding"}
    assert made.items() >= (sent | {"account_id": house.account}).items()
    assert set(made) == set(sent) | READ_ONLY
    assert made["created_at"] == made["modified_at"]
    assert made["created_at"].endswith("Z")
    assert made in guide.value("list")
    assert guide.value("get") == made
    updated = guide.value("update")
    same = {"modified_at": made["modified_at"], "cache_ttl": 3600, "rate_limiting_limit": 100}
    assert (updated["cache_ttl"], updated["rate_limiting_limit"]) == (7200, 200)
    assert updated | same == made
    assert updated["modified_at"] >= made["modified_at"]
    off = guide.value("disable")
    assert (off["cache_ttl"], off["rate_limiting_limit"], off["rate_limiting_interval"]) == (None, None, None)
    assert guide.value("delete")["id"] == "my-gateway"
    guide.refused("get after delete", "NotFoundError", 404, 7002, requests=0)  # the guide's client does not count


def test_the_guide_on_logs(guide):
    call, log = guide.value("call"), guide.value("log")
    assert call["completion"]["choices"][0]["message"]["content"] == "You said: Hello!"
    assert log["id"] == call["logId"]
    assert (log["provider"], log["model"], log["status_code"], log["cached"]) == ("openai", "gpt-3.5-turbo", 200, False)
    assert log["timestamp"] == log["created_at"]
    assert log["timestamp"].endswith("Z")
    assert log["duration_ms"] == log["duration"]
    assert isinstance(log["duration_ms"], int)
    assert [row["id"] for row in guide.value("logs")] == [log["id"]]
    assert guide.value("logs of that January") == []
    assert guide.value("request") == {"model": "gpt-3.5-turbo", "messages": [{"role": "user", "content": "Hello!"}]}
    assert guide.value("response") == call["completion"]
    assert guide.value("delete logs")["success"] is True


# Gateways


def test_every_setting_comes_back_as_it_was_sent(house, gateways, everything):
    mask = gateways.value("create")["stripe"]["authorization"]
    sent = everything.masked(mask)
    for step in ("create", "get", "update with what was returned", "update bare with everything"):
        assert gateways.settings(step) == sent
    assert gateways.value("list") == [gateways.value("get")] == [gateways.value("create")]
    assert gateways.value("create")["account_id"] == house.account


def test_updating_with_what_was_returned_changes_nothing(gateways):
    assert gateways.value("update with what was returned") == gateways.value("create")


def test_omitted_stays_and_null_clears(gateways, everything):
    kept, before = gateways.settings("update without optional fields"), gateways.settings("create")
    sent = {"cache_invalidate_on_update": False, "cache_ttl": 0, "collect_logs": True}
    assert kept == before | sent | {"rate_limiting_interval": 0, "rate_limiting_limit": 0}
    cleared = gateways.settings("update with nulls")
    assert not [name for name in ("retry_delay", "guardrails", "otel", "stripe") if cleared.get(name) is not None]
    assert cleared["dlp"] == everything.settings["dlp"]


def test_what_was_never_set_is_absent(gateways):
    required = {"cache_invalidate_on_update", "cache_ttl", "collect_logs"}
    assert set(gateways.settings("create bare")) == required | {"rate_limiting_interval", "rate_limiting_limit"}


def test_pages_and_search(gateways):
    names = [f"js-page-{number}" for number in range(7)]
    assert sorted(gateways.value("all pages")) == names
    assert gateways.steps["all pages"]["requests"] == 4  # the last one is empty
    third = gateways.value("third page")
    assert third["info"] == {"page": 3, "per_page": 3, "count": 1, "total_count": 7, "total_pages": 3}
    assert len(third["ids"]) == 1
    assert gateways.value("past the end") == []
    assert gateways.value("search") == ["js-page-4"]


def test_a_duplicate_is_a_conflict_and_not_asked_again(gateways):
    gateways.refused("duplicate", "ConflictError", 409, 7009, requests=1)


def test_what_is_not_there(gateways):
    unknown = gateways.refused("unknown", "NotFoundError", 404, 7002)
    assert gateways.refused("another account", "NotFoundError", 404, 7002) == unknown


@pytest.mark.parametrize(
    ("step", "path"),
    [
        ("wrong value", ["cache_ttl"]),
        ("wrong nested value", ["otel", 0, "url"]),
        ("unknown field", ["colour"]),
        ("wrong id", ["id"]),
    ],
)
def test_a_wrong_value_is_refused_with_the_name_of_its_field(gateways, step, path):
    assert gateways.refused(step, "BadRequestError", 400, 7001)["path"] == ["body", *path]


def test_who_may(gateways):
    assert gateways.value("verify")["status"] == "active"
    assert gateways.value("email and key")["id"] == "js-bare"
    gateways.refused("another email", "AuthenticationError", 401, 10000)
    gateways.refused("wrong token", "AuthenticationError", 401, 10000)
    assert gateways.value("reader reads")["id"] == "js-bare"
    gateways.refused("reader deletes", "PermissionDeniedError", 403, 10000)


def test_a_deleted_gateway_leaves_nothing_to_the_next_of_its_id(gateways):
    assert gateways.value("delete")["id"] == "js-full"
    gateways.refused("get after delete", "NotFoundError", 404, 7002)
    assert gateways.settings("create again") == gateways.settings("create bare")


# Logs


def test_a_log_right_after_the_call(logs):
    row = logs.value("get right after")
    assert row["id"] == logs.value("call")
    assert (row["provider"], row["model"], row["success"], row["cached"]) == ("openai", "gpt-4o-mini", True, False)
    assert json.loads(row["metadata"]) == {"team": "tide", "count": 3, "live": True}
    assert row["event_id"] == "an-event-of-ours"
    assert row["custom_cost"] is True
    assert row["cost"] == pytest.approx(row["tokens_in"] * 0.001 + row["tokens_out"] * 0.002)
    assert logs.value("request") == {"model": "gpt-4o-mini", "messages": MESSAGES}
    response = logs.value("response")
    assert response["choices"][0]["message"]["content"] == "You said: Tell me of the sea."
    assert (response["usage"]["prompt_tokens"], response["usage"]["completion_tokens"]) == (
        *(row["tokens_in"], row["tokens_out"]),
    )
    assert json.loads(row["request_head"]) == logs.value("request")


def test_calls_that_say_what_is_kept(logs):
    assert logs.value("call without a log") is None
    row = logs.value("get without payload")
    assert row["id"] == logs.value("call without payload")
    assert (row.get("request_head"), row.get("response_head")) == (None, None)
    logs.refused("request without payload", "NotFoundError", 404, 7002)


def test_what_people_say_of_a_call(logs):
    assert logs.value("edit") == {}
    row = logs.value("get edited")
    assert (row["feedback"], row["score"], json.loads(row["metadata"])) == (1, 99.5, {"team": "ebb"})
    assert logs.refused("edit with nonsense", "BadRequestError", 400, 7001)["path"] == ["body", "feedback"]
    logs.refused("edit what is not there", "NotFoundError", 404, 7002)


def test_deleting(logs):
    assert logs.value("delete by filters")["success"] is True
    left = logs.value("ids after filters")
    assert logs.value("last call") not in left
    assert logs.value("call") in left
    assert logs.value("delete all")["success"] is True
    assert logs.value("ids after all") == []


def test_lists(logs):
    rows = logs.value("all pages")
    newest_first = [row["id"] for row in rows]
    last, failed, bodiless, first, unauthorized = newest_first
    assert newest_first == sorted(newest_first, reverse=True)
    assert last == logs.value("last call")
    assert bodiless == logs.value("call without payload")
    assert first == logs.value("call")
    assert [row["status_code"] for row in rows] == [200, 429, 200, 200, 401]
    assert logs.steps["all pages"]["requests"] == 3
    assert logs.value("oldest first") == newest_first[::-1]
    assert logs.value("by provider") == newest_first[:-1]  # of a stranger, no word is kept
    assert logs.value("by another provider") == []
    assert logs.value("by model") == logs.value("since") == [last]
    assert logs.value("failed") == [failed, unauthorized]
    assert logs.value("cached") == []
    assert logs.value("until") == []
    assert logs.value("by one of two models") == [last]
    assert logs.value("by several filters") == [bodiless, first]
    assert logs.value("by no cost") == [failed]
    assert logs.value("by no feedback") == []
    assert logs.value("by status") == [unauthorized, failed, first, bodiless, last]
    told = logs.value("by metadata")
    assert told == [last, failed, bodiless, first]
    assert logs.value("by a name of metadata") == logs.value("search page by page") == told
    assert logs.value("search") == [last, first]
    path = ["query", "filters", 0, "key"]
    assert logs.refused("by what there is not", "BadRequestError", 400, 7001)["path"] == path
    assert logs.refused("too many a page", "BadRequestError", 400, 7001)["path"] == ["query", "per_page"]
    logs.refused("unknown", "NotFoundError", 404, 7002)


def test_who_may_call_and_who_may_read(logs):
    logs.turned_away("without a token", "AuthenticationError", 401, 2009)
    assert [row["id"] for row in logs.value("metadata lists")] == [row["id"] for row in logs.value("all pages")]
    logs.refused("metadata reads a body", "PermissionDeniedError", 403, 10000)


def test_a_deleted_gateway_takes_its_log_along(logs):
    assert logs.value("delete")["id"] == "js-logs"
    logs.refused("logs after delete", "NotFoundError", 404, 7002)
    logs.turned_away("call after delete", "BadRequestError", 400, 2001)
    assert logs.value("create again")["id"] == "js-logs"
    assert logs.value("logs of the new") == []
    logs.refused("old log in the new", "NotFoundError", 404, 7002)


# Providers of the account's own


def test_a_custom_provider_there_and_back(house, customs):
    made = customs.value("create")
    assert (made["name"], made["slug"], made["enable"], made["beta"]) == ("From Node", "from-node", True, False)
    assert json.loads(made["headers"]) == {"x-org": "********"}
    assert customs.value("get") == made
    assert customs.value("list") == [made]
    assert customs.value("delete") == made
    assert customs.value("url") == f"{house.origin}/v1/{house.account}/js-urls/custom-from-node"


def test_refusals_of_custom_providers(customs):
    assert customs.refused("duplicate", "ConflictError", 409, 1003)["path"] == ["body", "slug"]
    assert customs.refused("plain", "BadRequestError", 400, 1002)["path"] == ["body", "base_url"]
    customs.refused("get after delete", "NotFoundError", 404, 1004)


# Keys that a gateway stores


def test_a_key_comes_back_without_its_secret(configs):
    made, bare = configs.value("create"), configs.value("create bare")
    sent = {"alias": "main", "provider_slug": "openai", "default_config": True, "gateway_id": "js-keys"}
    sent |= {"secret_id": "vault-7", "rate_limit": 100, "rate_limit_period": 60, "secret_preview": SECRET[-4:]}
    assert made.items() >= sent.items()
    assert made["modified_at"].endswith("Z")
    assert set(made) - set(bare) == {"rate_limit", "rate_limit_period"}
    assert (bare["secret_id"], bare["secret_preview"]) == ("", "")
    assert configs.value("list") == [made | {"default_config": False}, bare]  # the second took that from the first
    assert SECRET not in json.dumps(configs.steps)


def test_pages_of_keys(configs):
    assert configs.value("pages") == configs.value("list") == configs.value("reader lists")
    assert configs.steps["pages"]["requests"] == 3  # the last one is empty
    assert configs.value("past the end") == []


def test_refusals_of_keys(configs):
    assert configs.refused("duplicate", "ConflictError", 409, 7009)["path"] == ["body", "alias"]
    assert configs.refused("unknown provider", "BadRequestError", 400, 7001)["path"] == ["body", "provider_slug"]
    assert configs.refused("half of a limit", "BadRequestError", 400, 7001)["path"] == ["body", "rate_limit_period"]
    configs.refused("no such gateway", "NotFoundError", 404, 7002)
    configs.refused("reader creates", "PermissionDeniedError", 403, 10000)


# Dynamic routes


def test_the_whole_life_of_a_route(house, routes):
    made = routes.value("create")
    assert (made["name"], made["gateway_id"], made["elements"]) == ("r", "js-routes", a_graph("m1"))
    assert routes.value("get") == made
    draft, versions = routes.value("create version"), routes.value("versions")["data"]["versions"]
    assert (draft["id"], draft["elements"]) == (made["id"], a_graph("m2"))
    assert [version["active"] for version in versions] == ["false", "true"]
    assert versions[1] == made["version"]
    assert routes.value("get version") == draft
    assert routes.value("deploy")["elements"] == a_graph("m2")
    assert routes.value("roll back")["version"] == made["version"]
    history = routes.value("deployments")["data"]["deployments"]
    assert [one["version_id"] for one in history] == [versions[at]["version_id"] for at in (1, 0, 1)]
    renamed = routes.value("rename")
    assert (renamed["success"], renamed["route"]["name"]) == (True, "Route Name")
    assert routes.value("list")["data"]["routes"] == [renamed["route"]]
    assert routes.value("delete") == renamed["route"]
    routes.refused("get after delete", "NotFoundError", 404, 7002)


def test_refusals_of_routes(routes):
    assert routes.refused("duplicate", "ConflictError", 409, 7009)["path"] == ["body", "name"]
    sample = routes.value("sample")
    assert (sample["elements"], sample["version"]["is_valid"]) == (SAMPLE, False)
    path = ["elements", 0, "outputs", "next", "elementId"]
    assert routes.refused("deploy the sample", "BadRequestError", 400, 7001)["path"] == path


# Money


def test_balance_and_usage(billing):
    balance = billing.value("balance")
    assert (balance["has_default_payment_method"], balance["topup_config"]) == (False, {})
    assert [one["end_time"] - one["start_time"] for one in billing.value("usage")["history"]] == [86_400_000] * 2
    only = billing.refused("usage by week", "BadRequestError", 400, 7001)
    assert only["path"] == ["query", "value_grouping_window"]


def test_a_top_up_and_when_credit_is_topped_up(billing):
    made = billing.value("top-up")
    assert billing.value("status") == {"payment_intent_id": made["payment_intent_id"], "status": "pending"}
    assert billing.refused("small top-up", "BadRequestError", 400, 7001)["path"] == ["body", "amount"]
    billing.refused("status of none", "NotFoundError", 404, 7002)
    assert billing.value("config") == {"amount": 5000, "threshold": 500}
    assert billing.value("get config").items() >= {"amount": 5000, "threshold": 500}.items()
    assert billing.refused("small threshold", "BadRequestError", 400, 7001)["path"] == ["body", "threshold"]
    billing.value("delete config")
    assert "amount" not in billing.value("no config")


def test_invoices(billing):
    assert billing.value("invoices")["pagination"]["page"] == 1
    preview = billing.value("preview")
    assert (preview["status"], preview["currency"]) == ("draft", "usd")
    assert preview["amount_due"] == sum(line["amount"] for line in preview["invoice_lines"])


def test_the_spending_limit_of_an_account(billing):
    limit = {"amount": 1_000_000, "duration": "monthly", "strategy": "fixed"}
    billing.value("limit")
    assert billing.value("get limit") == {"config": limit, "enabled": True}
    assert billing.refused("small limit", "BadRequestError", 400, 7001)["path"] == ["body", "amount"]
    billing.value("delete limit")
    assert billing.value("no limit")["enabled"] is False
    assert billing.value("reader looks")["enabled"] is False
    billing.refused("reader tops up", "PermissionDeniedError", 403, 10000)
