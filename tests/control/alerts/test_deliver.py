"""Webhooks of alerts, at a receiver that is there, that is not, and that says no."""

import base64
import hashlib
import hmac
import time

import pytest

from penstock.control.alerts import deliver
from penstock.control.alerts.messages import FIRING, message, told
from penstock.core import instants
from penstock.storage import alert_deliveries, alerts
from tests.control.alerts.conftest import ALERTS
from tests.kit.client import until
from tests.kit.store import ACCOUNT

pytestmark = pytest.mark.asyncio(loop_scope="module")

ABOUT = {"gateway_id": "default", "key_id": "k", "provider": "openai", "alias": "main"}


def right(secret, got):
    """Whether what came is signed with that secret, by the letter of the specification."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join([got.headers["webhook-id"].encode(), got.headers["webhook-timestamp"].encode(), got.body])
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return got.headers["webhook-signature"] == f"v1,{expected}"


async def enqueue(api, alert, subject="k"):
    """A webhook that is due; returns its id."""
    async with api.house.server.app.control.database.writing() as connection:
        row = await alerts.get(connection, ACCOUNT, alert["id"])
        assert row is not None
        data = told(row, ABOUT, None) | {"value": 401}
        made = message(row, FIRING, subject, data, instants.now(), instants.now())
        await alert_deliveries.add(connection, made)
    return made.id


async def states(api, alert):
    return [one["state"] for one in await api.deliveries(alert)]


async def ended(api, alert):
    """The deliveries, newest first, once none waits."""
    while "waiting" in await states(api, alert):
        pass
    return await api.deliveries(alert)


async def test_the_test_button_tells_what_came_of_it(api):
    alert = await api.alert(gateway_id="default")
    told = await api.done("POST", f"{ALERTS}/{alert['id']}/test")
    (got,) = api.receiver.got
    assert got.line == "POST /hook?team=a HTTP/1.1"
    assert got.headers["content-type"] == "application/json"
    assert (got.type, got.data["alert_id"], got.data["gateway_id"]) == ("alert.test", alert["id"], "default")
    assert got.data["message"] == "This is a test of the alert 'mine'."
    assert right(alert["secret"], got)
    assert abs(int(got.headers["webhook-timestamp"]) - time.time()) < 60
    assert (told["id"], told["state"], told["attempts"], told["status"]) == (got.id, "delivered", 1, 204)
    assert told["error"] is told["next_attempt_at"] is None
    assert told["payload"] == {"type": "alert.test", "timestamp": told["created_at"], "data": got.data}
    assert await api.deliveries(alert) == [told]


async def test_a_test_that_fails_is_not_tried_again(api):
    alert = await api.alert()
    at = f"{ALERTS}/{alert['id']}/test"
    api.receiver.status = 302
    told = await api.done("POST", at)
    assert (told["state"], told["status"], told["error"]) == ("failed", 302, "the answer has status 302")
    await api.receiver.down()
    told = await api.done("POST", at)
    assert (told["state"], told["status"], told["next_attempt_at"]) == ("failed", None, None)
    assert "no connection" in told["error"]
    await api.receiver.up()


async def test_another_secret_and_another_url_hold_at_once(api):
    alert = await api.alert()
    secret = "whsec_" + base64.b64encode(bytes(24)).decode()
    await api.done("PATCH", f"{ALERTS}/{alert['id']}", {"secret": secret, "url": f"{api.receiver.url}&more=1"})
    await api.done("POST", f"{ALERTS}/{alert['id']}/test")
    (got,) = api.receiver.got
    assert got.line == "POST /hook?team=a&more=1 HTTP/1.1"
    assert right(secret, got)
    assert not right(alert["secret"], got)


async def test_a_receiver_that_was_down_gets_the_same_webhook_later(either, monkeypatch):
    monkeypatch.setattr(deliver, "WAITS", (0.05,) * 1000)
    alert = await either.alert()
    await either.receiver.down()
    made = await enqueue(either, alert)
    while (await either.deliveries(alert))[0]["attempts"] < 3:
        pass
    assert (await either.deliveries(alert))[0]["state"] == "waiting"
    await either.receiver.up()
    (got,) = await either.receiver.wait(1)
    assert got.id == made
    assert right(alert["secret"], got)
    (told,) = await ended(either, alert)
    assert (told["state"], told["status"], told["error"]) == ("delivered", 204, None)
    assert len(either.receiver.got) == 1


async def test_each_attempt_is_the_same_but_for_its_time_and_they_end(either):
    either.receiver.status = 500
    alert = await either.alert()
    await enqueue(either, alert)
    (told,) = await ended(either, alert)
    assert (told["state"], told["attempts"], told["error"]) == ("failed", 4, "the answer has status 500")
    assert len({(got.id, got.body) for got in either.receiver.got}) == 1
    assert len(either.receiver.got) == 4
    assert all(right(alert["secret"], got) for got in either.receiver.got)


async def test_of_one_subject_they_come_in_order_and_others_need_not_wait(either):
    alert = await either.alert()
    await either.receiver.down()
    first = await enqueue(either, alert, "a")
    await until_attempted(either, alert, 1)
    second = await enqueue(either, alert, "a")
    other = await enqueue(either, alert, "b")
    await until_attempted(either, alert, 2)
    attempts = {one["id"]: one["attempts"] for one in await either.deliveries(alert)}
    assert attempts[second] == 0
    assert attempts[first] and attempts[other]
    await either.receiver.up()
    await either.receiver.wait(3)
    ids = [got.id for got in either.receiver.got]
    assert ids.index(first) < ids.index(second)


async def until_attempted(api, alert, count):
    """Returns once so many deliveries have been tried."""
    while len([one for one in await api.deliveries(alert) if one["attempts"]]) < count:
        pass


async def test_a_disabled_alert_delivers_nothing_more(api):
    alert = await api.alert()
    await api.receiver.down()
    await enqueue(api, alert)
    await api.house.server.app.control.sender.due()
    assert await states(api, alert) == ["waiting"]
    await api.done("PATCH", f"{ALERTS}/{alert['id']}", {"enabled": False})
    await api.receiver.up()
    (told,) = await api.deliveries(alert)
    assert (told["state"], told["error"], told["attempts"]) == ("failed", "the alert was disabled", 1)


async def test_an_attempt_whose_process_is_gone_is_made_again(api, monkeypatch):
    alert = await api.alert()
    made = await enqueue(api, alert)
    database, sender = api.house.server.app.control.database, api.house.server.app.control.sender
    async with database.writing() as connection:
        (due,) = await alert_deliveries.due(connection, instants.now(), 10)
        claimed = await alert_deliveries.claim(connection, due.row, instants.now() + 100)
        assert await alert_deliveries.claim(connection, due.row, instants.now() + 100) is None
    assert claimed is not None
    assert claimed.attempts == 1
    while not await sender.due():
        pass
    assert [got.id for got in await api.receiver.wait(1)] == [made]


async def test_the_newest_are_kept(api, monkeypatch):
    monkeypatch.setattr(alert_deliveries, "KEPT", 3)
    alert = await api.alert()
    made = [await enqueue(api, alert, str(number)) for number in range(5)]
    assert [one["id"] for one in await api.deliveries(alert)] == made[:1:-1]


async def test_what_is_tried_is_counted(api):
    alert = await api.alert()
    await api.done("POST", f"{ALERTS}/{alert['id']}/test")
    api.receiver.status = 500
    await api.done("POST", f"{ALERTS}/{alert['id']}/test")
    counted = api.house.server.app.telemetry.alert_webhooks
    await until(lambda: counted.values == {("delivered",): 1, ("failed",): 1})
