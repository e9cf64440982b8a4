"""Deleting calls from a log: which, how many, by whom, and that nothing of them is left."""

import json

import pytest

from penstock.control.logs.schema import DELETED, MOST_DELETED
from penstock.core import ids
from tests.control.logs.conftest import ACCOUNT
from tests.kit.logsink import a_record

OTHER = "f" * 32
JAN_31 = 1_706_659_200_000  # 2024-01-31T00:00:00Z


def name(record):
    return ids.text(record.id)


def at(moment, **fields):
    """A record of that millisecond."""
    return a_record(id=moment.to_bytes(6, "big") + ids.new()[6:], created_at=moment, **fields)


def told(answer):
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["success"], body["errors"], body["result"]) == (True, [], None)
    return body["result_info"]


async def test_without_filters_all_goes(world):
    records = [a_record() for _ in range(70)]
    world.write(*records, a_record(gateway=world.elsewhere))
    assert told(await world.delete()) == {"count": 70, "more": False}
    assert await world.ids() == []
    assert len(await world.ids(gateway="elsewhere")) == 1
    assert (await world.get(f"/{name(records[3])}/request")).status_code == 404
    for table in ("logs", "log_bodies", "log_zones", "log_metadata"):
        sql = f"SELECT count(*) FROM {table} WHERE gateway = ?"
        assert world.connection.execute(sql, (world.number,)) == [(0,)]
    assert told(await world.delete()) == {"count": 0, "more": False}


async def test_what_is_on_its_way_goes_too(world):
    world.sink.offer(a_record())
    assert told(await world.delete())["count"] == 1


async def test_the_oldest_go_first_and_no_more_than_asked_for(world):
    records = [a_record() for _ in range(20)]
    world.write(*records)
    assert told(await world.delete(limit=5)) == {"count": 5, "more": True}
    assert await world.ids(direction="asc", per_page=50) == [name(record) for record in records[5:]]
    assert told(await world.delete(limit=3, order_by_direction="desc"))["count"] == 3
    assert await world.ids(direction="asc", per_page=50) == [name(record) for record in records[5:17]]


@pytest.mark.parametrize("column", ["cost", "tokens_in", "tokens_out", "tokens", "duration"])
async def test_the_greatest_of_anything(world, column):
    values = [5, 90, 7, 80, 1]
    records = [a_record(**{"tokens_in" if column == "tokens" else column: value}) for value in values]
    world.write(*records)
    assert told(await world.delete(limit=2, order_by=column, order_by_direction="desc"))["count"] == 2
    assert set(await world.ids()) == {name(records[place]) for place in (0, 2, 4)}
    assert told(await world.delete(limit=1, order_by=column))["count"] == 1
    assert set(await world.ids()) == {name(records[place]) for place in (0, 2)}


async def test_rows_without_a_value_go_last(world):
    records = [a_record(cost=cost) for cost in (None, 7, None)]
    world.write(*records)
    await world.delete(limit=2, order_by="cost", order_by_direction="desc")
    assert await world.ids() == [name(records[0])]


@pytest.mark.parametrize("query", [
    {"filters": json.dumps([{"key": "provider", "operator": "eq", "value": ["openai"]}])},
    {"filters.key": "provider", "filters.operator": "eq", "filters.value": "openai"},
    {"filters[0][key]": "provider", "filters[0][operator]": "eq", "filters[0][value]": "openai"},
])  # fmt: skip
async def test_filters_in_every_form(world, query):
    stays, goes = a_record(provider="anthropic"), a_record(provider="openai")
    world.write(stays, goes)
    assert told(await world.delete(**query)) == {"count": 1, "more": False}
    assert await world.ids() == [name(stays)]


async def test_before_a_moment(world):
    records = [at(JAN_31 - 1), at(JAN_31), at(JAN_31 + 1)]
    world.write(*records)
    assert told(await world.delete(before="2024-01-31"))["count"] == 1
    assert told(await world.delete(before="2024-01-31T00:00:00.001Z"))["count"] == 1
    assert await world.ids() == [name(records[2])]


@pytest.mark.parametrize(("query", "field"), [
    ({"limit": 0}, "limit"), ({"limit": MOST_DELETED + 1}, "limit"), ({"order_by": "size"}, "order_by"),
    ({"order_by_direction": "down"}, "order_by_direction"), ({"before": "yesterday"}, "before"),
    ({"filters": "[1]"}, "filters"), ({"filters": "[]"}, "filters"), ({"filters": " [ ] "}, "filters"),
    ({"filters": ""}, "filters"), ({"filters": "null"}, "filters"),
    ({"filters": "[]", "before": "2999-01-01"}, "filters"),
    ({"provider": "openai"}, "provider"),
])  # fmt: skip
async def test_what_cannot_be_read_deletes_nothing(world, query, field):
    world.write(a_record())
    answer = await world.delete(**query)
    assert answer.status_code == 400
    assert {tuple(error["path"][:2]) for error in answer.json()["errors"]} == {("query", field)}
    assert len(await world.ids()) == 1


async def test_filters_in_the_body_delete_nothing(world):
    world.write(a_record())
    address = f"/client/v4/accounts/{ACCOUNT}/ai-gateway/gateways/default/logs"
    for body, status in ((b'{"filters": []}', 400), (b"limit=1", 400), (b"{}", 200)):
        answer = await world.http.request("DELETE", address, content=body, headers={"authorization": "Bearer all"})
        assert answer.status_code == status
        assert len(await world.ids()) == (status == 400)


async def test_only_who_may_write_to_that_gateway(world):
    world.write(a_record())
    for token in ("read", "metadata"):
        assert (await world.delete(token=token)).status_code == 403
    for where in ({"gateway": "nowhere"}, {"token": "other"}, {"token": "limited"}):
        assert (await world.delete(**where)).status_code == 404
    assert told(await world.delete(token="other", account=OTHER))["count"] == 0
    assert len(await world.ids()) == 1
    assert told(await world.delete(token="run"))["count"] == 1


async def test_the_audit_trail_tells_who_deleted_what(world):
    world.write(a_record(), a_record(provider="anthropic"))
    assert DELETED == 10_000
    await world.delete(filters='[{"key": "provider", "operator": "eq", "value": ["openai"]}]', before="2999-01-01")
    await world.delete(before="2000-01-01")  # there is none: nothing to tell
    ((actor, action, subject, before),) = world.connection.execute("SELECT actor, action, subject, before FROM audit")
    assert (actor, action, subject) == ("all", "logs.delete", "default")
    found = json.loads(before)
    assert (found["rows"], found["before"]) == (1, "2999-01-01T00:00:00.000Z")
    assert found["filters"][0]["values"] == ["openai"]
