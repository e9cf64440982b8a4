"""Rows of calls that nobody served: so many a day, and without the words of strangers."""

import pytest

from penstock.core import ids
from penstock.core.telemetry import Counter
from penstock.model.outcome import Outcome
from penstock.model.refusals import RefusedRows
from tests.kit.client import until
from tests.kit.exchange import an_exchange
from tests.kit.house import house, request
from tests.kit.store import SECRET

CLOSED = {"default": {}, "closed": {"authentication": True}}
STRANGE = {"user-agent": "word-1", "content-type": "word-2"}
BODY = b'{"model":"word-3"}'


@pytest.mark.parametrize(
    ("gateway", "path", "status"),
    [("closed", "openai/" + "p" * 2000, 401), ("nowhere", "word-4/x", 400), ("default", "word-4/x", 400)],
)
async def test_refused_calls_leave_a_number_of_rows_without_their_words(gateway, path, status):
    async with house(gateways=CLOSED, refused_rows=3) as made, made.client() as client:
        for _ in range(5):
            answer = await client.ask(request(path, gateway=gateway, headers=STRANGE, body=BODY))
            assert answer.status == status
        unkept = made.server.app.telemetry.rows_unkept
        await until(lambda: sum(unkept.values.values()) == 2)
        rows = made.sink.records
        assert len(rows) == 3
        for row in rows:
            assert (row.provider, row.model, row.user_agent, row.request_content_type) == ("", "", None, None)
            assert len(row.path) <= 256
        answer = await client.ask(request(headers=STRANGE, event="served"))
        assert (await made.row("served")).user_agent == "word-1"


async def test_each_gateway_has_its_own_number_and_whoever_has_a_token_keeps_its_words():
    async with house(gateways=CLOSED, refused_rows=1) as made, made.client() as client:
        token = {"cf-aig-authorization": f"Bearer {SECRET}"} | STRANGE
        for gateway in ("closed", "default", "closed", "default"):
            assert (await client.ask(request("word-4/x", gateway=gateway, headers=token))).status == 400
        rows = made.sink.records
        assert sorted((row.gateway, row.provider, row.user_agent) for row in rows) == [
            (1, "word-4", "word-1"),
            (2, "word-4", "word-1"),
        ]


def test_the_next_day_begins_anew():
    rows = RefusedRows(1, Counter())
    ex = an_exchange()
    ex.outcome = Outcome.REFUSED
    assert [rows.keeps(ex.step), rows.keeps(ex.step)] == [True, False]
    ex.id = (ids.millis(ex.id) + 24 * 3600 * 1000).to_bytes(6, "big") + ex.id[6:]
    assert [rows.keeps(ex.step), rows.keeps(ex.step)] == [True, False]
