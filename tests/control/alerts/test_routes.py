"""Alerts as clients see them."""

import re

import pytest

from penstock.control.alerts import service
from penstock.model.token import Scope
from tests.control.alerts.conftest import ALERTS, OTHER, alerting
from tests.kit.store import SECRET, a_token

pytestmark = pytest.mark.asyncio(loop_scope="module")

AUDIT = "/audit-logs"
MASK = "********"
MINE = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
NEW = {"name": "x", "kind": "credential_refused", "url": "https://hooks.example/a"}


async def test_an_alert_is_answered_with_all_its_members_and_its_secret_once(api):
    made = await api.alert()
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", made.pop("secret"))
    at = f"{ALERTS}/{made['id']}"
    assert await api.done("GET", at) == made
    assert await api.done("GET", ALERTS) == [made]
    assert re.fullmatch(r"[0-9a-f]{32}", made.pop("id"))
    assert made.pop("created_at") == made.pop("modified_at")
    assert made == {
        "name": "mine",
        "kind": "credential_refused",
        "gateway_id": None,
        "threshold": None,
        "window_seconds": 300,
        "minimum_calls": None,
        "url": api.receiver.url,
        "enabled": True,
        "firing": 0,
        "firing_since": None,
    }


async def test_a_secret_that_was_sent_is_kept(api):
    assert (await api.alert(secret=MINE))["secret"] == MINE


async def test_an_update_changes_what_it_names(api):
    made = await api.alert()
    del made["secret"]
    at = f"{ALERTS}/{made['id']}"
    changed = await api.done("PATCH", at, {"name": "other", "window_seconds": 60.0, "enabled": False})
    assert {name for name in made if made[name] != changed[name]} == {
        *("name", "window_seconds", "enabled", "modified_at")
    }
    lines = await api.done("GET", AUDIT)
    assert await api.done("PATCH", at, {"name": "other"}) == changed
    assert await api.done("GET", AUDIT) == lines


async def test_a_deleted_one_is_answered_once_more(api):
    made = await api.alert()
    del made["secret"]
    at = f"{ALERTS}/{made['id']}"
    await api.done("POST", f"{at}/test")
    assert await api.done("DELETE", at) == made
    for method, path, body in (
        ("GET", at, None),
        ("PATCH", at, {"name": "x"}),
        ("DELETE", at, None),
        ("POST", f"{at}/test", None),
        ("GET", f"{at}/deliveries", None),
    ):
        assert await api.refused(method, path, body) == (404, 7002, [])


async def test_alerts_of_a_gateway_go_with_it(api):
    gateway = {"id": "short", "cache_ttl": 0, "cache_invalidate_on_update": False, "collect_logs": True}
    gateway |= {"rate_limiting_interval": 0, "rate_limiting_limit": 0}
    await api.done("POST", "/gateways", gateway)
    made = await api.alert(gateway_id="short")
    assert made["gateway_id"] == "short"
    await api.done("DELETE", "/gateways/short")
    assert await api.refused("GET", f"{ALERTS}/{made['id']}") == (404, 7002, [])


async def test_the_audit_trail_tells_who_changed_what_without_the_secret(api):
    made = await api.alert()
    at = f"{ALERTS}/{made['id']}"
    await api.done("PATCH", at, {"secret": MINE, "name": "other"})
    await api.done("DELETE", at)
    deleted, updated, created = (await api.done("GET", AUDIT))[:3]
    assert [line["action"] for line in (created, updated, deleted)] == ["alert.create", "alert.update", "alert.delete"]
    assert {line["subject"] for line in (created, updated, deleted)} == {made["id"]}
    assert created["after"]["secret"] == MASK
    assert updated["after"]["secret"] == f"{MASK} (changed)"
    assert updated["before"]["name"] == "mine"
    assert "whsec" not in str((deleted, updated, created))


async def test_lists_are_paged(api):
    made = [(await api.alert(name=str(number)))["id"] for number in range(3)]
    _, body = await api.ask("GET", ALERTS, params={"per_page": 2, "page": 2})
    assert [one["id"] for one in body["result"]] == made[2:]
    assert body["result_info"]["total_count"] == 3


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/a",
        "http://8.8.8.8/a",
        "https://10.0.0.1/a",
        "https://169.254.169.254/latest/meta-data",
        "https://metadata.google.internal/a",
        "https://name:secret@hooks.example/a",
        "ftp://hooks.example",
        "hooks.example",
        "",
    ],
)
async def test_a_url_that_may_not_be_called_is_refused(refusing, url):
    assert await refusing.refused("POST", ALERTS, NEW | {"url": url}) == (400, 7001, ["body", "url"])


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"kind": "weather"},
        {"gateway_id": "A"},
        {"threshold": 0.5},
        {"minimum_calls": 5},
        {"window_seconds": 59},
        {"window_seconds": 86_401},
        {"secret": "secret"},
        {"secret": "whsec_MDEyMzQ1Njc4OWFiY2RlZg=="},
        {"enabled": "yes"},
        {"other": 1},
    ],
)
async def test_what_is_wrong_is_named(refusing, fields):
    (field,) = fields
    assert await refusing.refused("POST", ALERTS, NEW | fields) == (400, 7001, ["body", field])


async def test_a_gateway_must_be_there(refusing):
    assert await refusing.refused("POST", ALERTS, NEW | {"gateway_id": "nowhere"}) == (404, 7002, [])


async def test_an_account_has_so_many_alerts_at_most(api, monkeypatch):
    monkeypatch.setattr(service, "MOST", 2)
    await api.alert()
    made = await api.alert()
    assert await api.refused("POST", ALERTS, NEW) == (409, 7009, [])
    await api.done("DELETE", f"{ALERTS}/{made['id']}")
    await api.alert()


async def test_who_may():
    known = {
        "limited": a_token("limited", gateways=frozenset({"default"})),
        "read": a_token("read", scopes=frozenset({Scope.READ})),
        "run": a_token("run", scopes=frozenset({Scope.RUN})),
        "theirs": a_token("theirs", account=OTHER),
    }
    async with alerting(tokens=known.values()) as api:
        at = f"{ALERTS}/{(await api.alert())['id']}"
        reads = [("GET", ALERTS, None), ("GET", at, None), ("GET", f"{at}/deliveries", None)]
        writes = [("POST", ALERTS, NEW), ("PATCH", at, {"name": "y"}), ("POST", f"{at}/test", None)]
        for call in [*reads, *writes, ("DELETE", at, None)]:
            assert (await api.ask(*call, secret="limited"))[0] == 403
            assert (await api.ask(*call, secret="run"))[0] == 403
            assert (await api.ask(*call, secret="read"))[0] == (200 if call in reads else 403)
            if call[1] != ALERTS:
                assert (await api.ask(*call, secret="theirs", account=OTHER))[0] == 404
        assert await api.done("GET", ALERTS, secret="theirs", account=OTHER) == []
        assert (await api.ask("DELETE", at, secret=SECRET))[0] == 200
