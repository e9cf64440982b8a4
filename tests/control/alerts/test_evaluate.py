"""When an alert fires, and when it is over."""

import asyncio

import pytest

from penstock.control.alerts import evaluate
from penstock.control.alerts.evaluate import turns
from penstock.control.alerts.kinds import KINDS, Kind, Reading
from penstock.core import instants
from penstock.core.codec import decode
from penstock.storage import alerts
from penstock.storage.alerts import AlertRow, State
from penstock.storage.engine import Database
from tests.control.alerts.conftest import ALERTS
from tests.control.alerts.test_watch import KEY, KEYS, used
from tests.kit.store import ACCOUNT

pytestmark = pytest.mark.asyncio(loop_scope="module")

WINDOW = 60_000
ABOUT = {"gateway_id": "g"}


@pytest.fixture
def share(monkeypatch):
    """A kind with a threshold, whose readings a test sets."""
    readings: list[Reading] = []

    async def measure(_connection, _row, _now):
        return list(readings)

    kind = Kind(measure, "{value:.0%} in {window}, of {gateway_id}", "less than {threshold:.0%}", (0, 1), counts=True)
    monkeypatch.setitem(KINDS, "share", kind)
    return readings


def a_row():
    settings = {"name": "a", "threshold": 0.5, "window_seconds": 60, "minimum_calls": 1, "url": "https://a.example"}
    return AlertRow("id", ACCOUNT, None, None, "share", settings, "", 0, 0, 0)


def reading(value, subject="1", **fields):
    return Reading(subject, ABOUT, value, {"calls": 10}, **fields)


def said(found):
    """Type, subject and sentence of the webhooks."""
    told = [(turn, decode(turn.message.body)) for turn in found if turn.message is not None]
    return [(body["type"], turn.subject, body["data"]["message"]) for turn, body in told]


async def test_it_fires_when_the_threshold_is_reached_and_once(share):
    assert turns(a_row(), [reading(0.49)], {}, 1000) == []
    (turn,) = turns(a_row(), [reading(0.5)], {}, 1000)
    assert turn.state is not None
    assert turn.state == State("1", 1000, 1000, ABOUT)
    assert said([turn]) == [("alert.firing", "1", "50% in minute, of g")]
    assert turns(a_row(), [reading(0.9)], {"1": turn.state}, 10 * WINDOW) == []


async def test_it_says_when_it_is_over_with_or_without_a_reading(share):
    fired = State("1", 1000, 1000, ABOUT)
    for now in ([reading(0.1)], []):
        (turn,) = turns(a_row(), now, {"1": fired}, 2000)
        assert turn.state == State("1", None, 1000, ABOUT)
        assert said([turn]) == [("alert.resolved", "1", "less than 50%")]
        assert turn.message is not None
        data = decode(turn.message.body)["data"]
        assert data["since"] == "1970-01-01T00:00:01.000Z"
        assert (data["value"], data.get("calls")) == ((0.1, 10) if now else (None, None))


async def test_it_fires_again_a_window_later_at_the_earliest(share):
    over = {"1": State("1", None, 1000, ABOUT)}
    assert turns(a_row(), [reading(0.9)], over, 1000 + WINDOW - 1) == []
    (turn,) = turns(a_row(), [reading(0.9)], over, 1000 + WINDOW)
    assert turn.state == State("1", 1000 + WINDOW, 1000 + WINDOW, ABOUT)
    (forgotten,) = turns(a_row(), [], over, 1000 + WINDOW)
    assert forgotten == ("1", None, None)
    assert turns(a_row(), [], over, 1000 + WINDOW - 1) == []


async def test_subjects_are_apart_and_many_are_told_in_several_turns(share, monkeypatch):
    monkeypatch.setattr(evaluate, "MOST", 2)
    now = [reading(0.9, str(number)) for number in range(3)]
    first = turns(a_row(), now, {"x": State("x", 5, 5, ABOUT)}, 1000)
    assert [(kind, subject) for kind, subject, _ in said(first)] == [
        *(("alert.firing", "0"), ("alert.firing", "1"), ("alert.resolved", "x"))
    ]
    states = {turn.subject: turn.state for turn in first if turn.state is not None}
    assert [subject for _, subject, _ in said(turns(a_row(), now, states, 1001))] == ["2"]


async def test_what_several_processes_see_at_once_is_told_once(either, share):
    share.append(reading(0.9))
    alert = await either.alert(kind="share", threshold=0.5)
    others = [Database(either.house.server.app.place.url) for _ in range(2)]
    await asyncio.gather(*(evaluate.evaluate(database, 0.0) for database in others for _ in range(3)))
    await either.receiver.wait(1)
    share.clear()
    await asyncio.gather(*(evaluate.evaluate(database, 0.0) for database in others for _ in range(3)))
    await either.receiver.wait(2)
    for database in others:
        await database.close()
    assert [one["type"] for one in await either.deliveries(alert)] == ["alert.resolved", "alert.firing"]


async def test_one_process_evaluates_what_is_due(api, share):
    alert = await api.alert(kind="share", threshold=0.5, minimum_calls=None)
    database, now = api.house.server.app.control.database, instants.now() + 100_000
    async with database.writing() as connection:
        assert await alerts.due(connection, now, 10) == [alert["id"]]
        (row,) = await alerts.claim(connection, [alert["id"]], now, now + 1)
        assert (row.id, row.due_at) == (alert["id"], now + 1)
        assert await alerts.claim(connection, [alert["id"]], now, now + 1) == []
        assert await alerts.due(connection, now, 10) == []


async def test_a_look_is_bounded_and_says_whether_more_are_due(api, share, monkeypatch):
    monkeypatch.setattr(evaluate, "AT_ONCE", 2)
    share.append(reading(0.9))
    made = [await api.alert(kind="share", threshold=0.5) for _ in range(3)]
    while await evaluate.evaluate(api.house.server.app.control.database, 1000.0):
        pass
    assert [len(await api.deliveries(alert)) for alert in made] == [1, 1, 1]


async def test_a_kind_of_a_later_version_is_left_to_that(either, share):
    share.append(reading(0.9))
    await either.alert(kind="share", threshold=0.5, name="later")
    await either.receiver.wait(1)
    del KINDS["share"]
    await either.alert(name="mine")
    await either.done("POST", KEYS, KEY)
    await used(either, "401")
    assert (await either.receiver.wait(2))[-1].data["name"] == "mine"


async def test_a_threshold_must_be_one_of_the_kind(refusing, share):
    new = {"name": "x", "kind": "share", "url": "https://hooks.example/a"}
    for fields in ({}, {"threshold": None}, {"threshold": 1.1}):
        assert await refusing.refused("POST", ALERTS, new | fields) == (400, 7001, ["body", "threshold"])
    made = await refusing.done("POST", ALERTS, new | {"threshold": 1})
    at = f"{ALERTS}/{made['id']}"
    assert made["minimum_calls"] == 20
    assert await refusing.refused("PATCH", at, {"threshold": 2}) == (400, 7001, ["body", "threshold"])
    changed = await refusing.done("PATCH", at, {"threshold": 0.25, "minimum_calls": None})
    assert (changed["threshold"], changed["minimum_calls"]) == (0.25, 20)
    await refusing.done("DELETE", at)
