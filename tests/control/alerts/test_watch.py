"""Alerts on a real server: what happens fires them, and they say when it is over."""

import asyncio

import pytest

from penstock.control.alerts.watch import watch
from penstock.control.provider_configs.uses import write
from penstock.storage.errors import StoreUnavailable
from tests.control.alerts.conftest import ALERTS
from tests.control.alerts.test_deliver import right
from tests.kit.client import until
from tests.kit.house import request
from tests.kit.store import SECRET

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = {"alias": "main", "default_config": True, "provider_slug": "openai", "secret": "sk-canary-0123456789"}
KEYS = "/gateways/default/provider_configs"


async def used(api, status):
    """A call with the stored key, which its provider answers so."""
    headers = {"cf-aig-authorization": f"Bearer {SECRET}", "x-mock-status": status}
    async with api.house.client() as client:
        await client.ask(request(headers=headers))
    app = api.house.server.app
    await write(app.control.database, app.key_uses)


async def test_a_refused_credential_fires_once_and_is_over_when_it_is_accepted(either):
    key = await either.done("POST", KEYS, KEY)
    alert = await either.alert(window_seconds=60)
    await used(either, "401")
    (fired,) = await either.receiver.wait(1)
    assert right(alert["secret"], fired)
    refused = (await either.done("GET", f"{KEYS}/{key['id']}"))["last_refused_at"]
    assert fired.type == "alert.firing"
    assert fired.data == {
        "alert_id": alert["id"],
        "name": "mine",
        "kind": "credential_refused",
        "account_id": fired.data["account_id"],
        "gateway_id": "default",
        "key_id": key["id"],
        "provider": "openai",
        "alias": "main",
        "value": 401,
        "threshold": None,
        "window_seconds": 60,
        "refused_at": refused,
        "since": refused,
        "message": "openai refused the key 'main' of the gateway default with status 401.",
    }
    told = await either.done("GET", f"{ALERTS}/{alert['id']}")
    assert (told["firing"], told["firing_since"]) == (1, refused)
    await used(either, "403")  # it goes on
    await used(either, "200")
    over = (await either.receiver.wait(2))[-1]
    assert (over.type, over.data["since"], over.data["value"]) == ("alert.resolved", refused, None)
    assert over.data["message"].startswith("openai no longer refuses the key 'main' of the gateway default")
    await used(either, "401")  # within the window: nothing is told
    while (await either.done("GET", f"{ALERTS}/{alert['id']}"))["firing"]:
        pass
    assert [got.type for got in either.receiver.got] == ["alert.firing", "alert.resolved"]
    assert b"canary" not in b"".join(got.body for got in either.receiver.got)


async def test_it_is_over_when_the_key_is_replaced_or_deleted(either):
    alert = await either.alert()
    key = await either.done("POST", KEYS, KEY)
    at = f"{KEYS}/{key['id']}"
    await used(either, "401")
    await either.receiver.wait(1)
    await either.done("PUT", at, {"secret": "sk-another"})
    assert (await either.receiver.wait(2))[-1].type == "alert.resolved"
    await either.done("DELETE", at)
    key = await either.done("POST", KEYS, KEY)
    await used(either, "401")
    await either.receiver.wait(3)
    await either.done("DELETE", f"{KEYS}/{key['id']}")
    assert (await either.receiver.wait(4))[-1].type == "alert.resolved"
    assert len(await either.deliveries(alert)) == 4


async def test_a_disabled_alert_says_nothing_and_tells_anew_when_it_is_enabled(either):
    await either.done("POST", KEYS, KEY)
    alert = await either.alert(enabled=False)
    other = await either.alert(name="other")
    await used(either, "401")
    assert [got.data["name"] for got in await either.receiver.wait(1)] == ["other"]
    await either.done("PATCH", f"{ALERTS}/{alert['id']}", {"enabled": True})
    assert [got.data["name"] for got in await either.receiver.wait(2)] == ["other", "mine"]
    await either.done("PATCH", f"{ALERTS}/{other['id']}", {"enabled": False})
    await either.done("PATCH", f"{ALERTS}/{other['id']}", {"enabled": True})
    assert [got.data["name"] for got in await either.receiver.wait(3)][2:] == ["other"]


async def test_it_goes_on_after_the_store_was_away(quick, caplog):
    class Away:
        asked = 0

        def reading(self):
            self.asked += 1
            raise StoreUnavailable("away")

    away = Away()
    task = asyncio.ensure_future(watch(away, None))
    await until(lambda: away.asked > 1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert "away" in caplog.text
