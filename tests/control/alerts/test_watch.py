"""Alerts on a real server: what happens fires them, and they say when it is over."""

import asyncio
from contextlib import closing
from typing import Any

import pytest

from penstock.control.alerts.watch import watch
from penstock.control.provider_configs.uses import write
from penstock.storage import opening
from penstock.storage.errors import StoreUnavailable
from penstock.storage.log.table import LogTable
from tests.control.alerts.conftest import ALERTS
from tests.control.alerts.test_deliver import right
from tests.kit.client import until
from tests.kit.house import request
from tests.kit.store import SECRET

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = {"alias": "main", "default_config": True, "provider_slug": "openai", "secret": "sk-canary-0123456789"}
NOTHING: Any = None
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


async def called(api, count, **headers):
    """So many calls, whose records are written."""
    house = api.house
    async with house.client() as client:
        for _ in range(count):
            await client.ask(request(headers={f"x-mock-{name}": value for name, value in headers.items()}))
    await until(lambda: len(house.sink.records) == count)
    await asyncio.to_thread(
        written, house.server.app.place.url, [*house.sink.records]
    )  # the server may be writing, too
    house.sink.records.clear()


def written(url, records):
    with closing(opening.connect(url)) as connection:
        LogTable(connection).write(records)


async def test_failing_calls_fire_and_good_ones_are_the_end_of_it(either):
    alert = await either.alert(kind="error_rate", threshold=0.5, minimum_calls=4, gateway_id="default")
    await called(either, 3, status="500")
    assert (await either.done("GET", f"{ALERTS}/{alert['id']}"))["firing"] == 0
    await called(either, 1, status="500")
    (fired,) = await either.receiver.wait(1)
    assert (fired.type, fired.data["value"], fired.data["calls"], fired.data["failed"]) == ("alert.firing", 1, 4, 4)
    assert fired.data["message"].startswith("4 of 4 calls of the gateway default failed in the last 5 minutes")
    assert (await either.done("GET", f"{ALERTS}/{alert['id']}"))["firing"] == 1
    await called(either, 5)
    over = (await either.receiver.wait(2))[-1]
    assert (over.type, over.data["since"]) == ("alert.resolved", fired.data["since"])
    assert over.data["value"] == pytest.approx(4 / 9)


async def test_slow_answers_fire(either):
    alert = await either.alert(kind="latency", threshold=60_000, minimum_calls=1)
    await called(either, 2, delay="60")
    await either.done("PATCH", f"{ALERTS}/{alert['id']}", {"threshold": 40})
    (fired,) = await either.receiver.wait(1)
    assert (fired.type, fired.data["gateway_id"], fired.data["calls"]) == ("alert.firing", "default", 2)
    assert fired.data["value"] >= 50
    await either.done("PATCH", f"{ALERTS}/{alert['id']}", {"threshold": 60_000})
    assert (await either.receiver.wait(2))[-1].type == "alert.resolved"


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

    away: Any = Away()
    task = asyncio.ensure_future(watch(away, NOTHING))
    await until(lambda: away.asked > 1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert "away" in caplog.text
