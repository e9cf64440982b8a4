"""What people say of a call: by whom, of which, and that it stays."""

import asyncio
import dataclasses

import pytest

from penstock.control.logs import service
from penstock.core import ids
from penstock.core.codec import encode
from penstock.storage.errors import StoreUnavailable
from tests.kit.logsink import a_record

OTHER = "f" * 32


def name(record):
    return ids.text(record.id)


async def shown(world, record):
    row = (await world.get(f"/{name(record)}")).json()["result"]
    return row["feedback"], row["score"], row["metadata"]


async def test_what_is_sent_is_set_and_the_rest_stays(world):
    record = a_record(metadata='{"user":"u1"}')
    world.write(record)
    answer = await world.patch(record, feedback=1)
    assert answer.status_code == 200
    assert answer.json() == {"success": True, "errors": [], "messages": [], "result": {}}
    assert await shown(world, record) == (1, None, '{"user":"u1"}')
    await world.patch(record, score=87.5, metadata={"user": "u2", "trial": True, "n": 1.5})
    assert await shown(world, record) == (1, 87.5, '{"user":"u2","trial":true,"n":1.5}')
    await world.patch(record, feedback=None, score=0)
    assert await shown(world, record) == (None, 0, '{"user":"u2","trial":true,"n":1.5}')
    await world.patch(record, metadata=None)
    await world.patch(record, feedback=-1.0)
    assert await shown(world, record) == (-1, 0, None)
    await world.patch(record, metadata={})
    assert (await world.patch(record)).status_code == 200
    assert await shown(world, record) == (-1, 0, None)


@pytest.mark.parametrize(("body", "field"), [
    ({"feedback": 0}, "feedback"), ({"feedback": 2}, "feedback"), ({"feedback": True}, "feedback"),
    ({"feedback": "1"}, "feedback"), ({"score": -0.1}, "score"), ({"score": 100.5}, "score"), ({"score": "5"}, "score"),
    ({"score": True}, "score"), ({"metadata": []}, "metadata"), ({"metadata": {"a": None}}, "metadata"),
    ({"metadata": {"a": {"b": 1}}}, "metadata"), ({"metadata": {"cf.user_id": "x"}}, "metadata"),
    ({"metadata": {"a": "x" * 1025}}, "metadata"), ({"metadata": {"x" * 129: 1}}, "metadata"),
    ({"metadata": {str(n): n for n in range(6)}}, "metadata"), ({"feedback": 10**30}, "feedback"),
    ({"metadata": {"a": "pst_" + "x" * 40}}, "metadata"), ({"metadata": {"a": "\ud800"}}, "metadata"),
    ({"rating": 1}, "rating"), ({"model": "x"}, "model"),
])  # fmt: skip
async def test_what_cannot_be_said_is_refused_with_its_name(world, body, field):
    record = a_record()
    world.write(record)
    answer = await world.patch(record, **body)
    assert answer.status_code == 400
    errors = answer.json()["errors"]
    assert {error["code"] for error in errors} == {7001}
    assert {tuple(error["path"][:2]) for error in errors} == {("body", field)}
    assert await shown(world, record) == (None, None, record.metadata)


async def test_only_who_may_write_to_that_gateway(world):
    record = a_record()
    world.write(record)
    assert (await world.patch(record, token="run", feedback=1)).status_code == 200  # has Write too
    for token in ("read", "metadata"):
        assert (await world.patch(record, token=token, feedback=1)).status_code == 403
    for where in ({"gateway": "elsewhere"}, {"token": "other", "account": OTHER}, {"token": "limited"}):
        assert (await world.patch(record, **where, feedback=-1)).status_code == 404
    assert (await shown(world, record))[0] == 1


@pytest.mark.parametrize("log_id", ["x", "01900000-0000-7000-8000-000000000000"])
async def test_a_row_that_there_is_not(world, log_id):
    for body in ({"feedback": 1}, {}):
        answer = await world.patch(log_id, **body)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, 7002)


async def test_a_row_on_its_way_is_waited_for(world):
    record = a_record()
    world.sink.offer(record)
    assert (await world.patch(record, feedback=1)).status_code == 200
    assert (await shown(world, record))[0] == 1


class Meanwhile:
    """The log; rows on their way arrive while somebody looks for one."""

    def __init__(self, world):
        self.world = world

    async def get(self, number, log_id):
        row = await self.world.logs.get(number, log_id)
        await self.world.sink.settled()
        return row

    def __getattr__(self, name):
        return getattr(self.world.logs, name)


async def test_a_row_that_arrives_while_it_is_looked_for_is_found(world):
    state = world.app.state
    state.control = dataclasses.replace(state.control, logs=Meanwhile(world))
    record = a_record()
    world.sink.offer(record)
    assert (await world.patch(record, feedback=1)).status_code == 200
    assert (await shown(world, record))[0] == 1


async def test_so_is_a_row_of_another_process(world):
    state = world.app.state
    state.control = dataclasses.replace(state.control, shared=True)
    record = a_record()
    asked = asyncio.ensure_future(world.patch(record, feedback=1))
    await asyncio.sleep(3 * service.LOOK)
    assert not asked.done()
    world.write(record)
    assert (await asked).status_code == 200
    assert (await shown(world, record))[0] == 1


async def test_while_the_log_is_far_behind_it_is_to_be_tried_again(world, monkeypatch):
    monkeypatch.setattr(service.settled, "__defaults__", (0.05,))
    there, record = a_record(), a_record()
    world.write(there)
    world.sink.offer(record)
    world.sink.held = True
    with pytest.raises(StoreUnavailable, match="1 rows wait"):
        await world.patch(record, feedback=1)
    assert (await world.patch(there, feedback=1)).status_code == 200


async def test_edits_at_once_are_all_there(world):
    records = [a_record() for _ in range(30)]
    world.write(*records)
    answers = await asyncio.gather(*[world.patch(record, score=place) for place, record in enumerate(records)])
    assert {answer.status_code for answer in answers} == {200}
    assert [(await shown(world, record))[1] for record in records] == list(range(30))


async def test_what_the_gateway_does_not_store_is_not_stored_by_an_edit_either(world):
    settings = encode({"log_redact": ["metadata.email", "request.user"]}).decode()
    world.connection.execute("UPDATE gateways SET settings = ? WHERE number = ?", (settings, world.number))
    record = a_record(gateway=world.number)
    world.write(record)
    assert (await world.patch(record, metadata={"email": "a@b.example", "team": "a"})).status_code == 200
    assert (await shown(world, record))[2] == '{"email":"[redacted]","team":"a"}'
