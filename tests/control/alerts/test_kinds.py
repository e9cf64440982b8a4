"""What each kind of alert is judged by."""

from contextlib import closing

import pytest

from penstock.control.alerts import kinds
from penstock.control.alerts.kinds import KINDS
from penstock.control.alerts.messages import FIRING, RESOLVED, sentence, told
from penstock.core import ids
from penstock.core.codec import encode
from penstock.model.money import NANO
from penstock.storage import ledger, opening, spending
from penstock.storage.alerts import AlertRow
from penstock.storage.engine import Database
from penstock.storage.ledger import Entry
from penstock.storage.log.table import LogTable
from tests.kit.databases import KINDS as ENGINES
from tests.kit.databases import database_of
from tests.kit.logsink import ACCOUNT, a_gateway, a_record, delete_gateway

NOW = 1_800_000_000_000
MINUTE = 60_000
HOUR = 60 * MINUTE


@pytest.fixture(params=ENGINES)
async def world(request, tmp_path):
    """A database with the gateways 1 and 2, and what reads it."""
    with database_of(request.param, tmp_path) as url, closing(opening.connect(url)) as connection:
        assert (a_gateway(connection), a_gateway(connection, "other")) == (1, 2)
        a_gateway(connection, "theirs", account="f" * 32)
        database = Database(url)
        yield connection, database
        await database.close()


def a_row(kind, gateway=None, **settings):
    known = {"name": "a", "threshold": 0.5, "window_seconds": 300, "minimum_calls": 1} | settings
    return AlertRow("id", ACCOUNT, gateway, None, kind, known, "", 0, 0, 0)


async def read(world, row):
    """Readings by gateway: value, and figures."""
    async with world[1].reading() as connection:
        found = await KINDS[row.kind].measure(connection, row, NOW)
    assert {one.about["gateway_id"]: one.subject for one in found}.items() <= {"default": "1", "other": "2"}.items()
    return {one.about["gateway_id"]: (one.value, one.figures) for one in found}


def write(world, count, ago=0, **fields):
    LogTable(world[0]).write([a_record(created_at=NOW - ago, **fields) for _ in range(count)])


async def test_the_share_of_calls_that_failed(world):
    write(world, 3)
    write(world, 1, success=False, status_code=502, outcome="failed")
    write(world, 2, gateway=2, success=False, status_code=500, outcome="answered")
    write(world, 9, gateway=3, success=False, outcome="failed")
    for outcome in ("refused", "client_gone", "cancelled"):  # says nothing of how it goes
        write(world, 5, success=False, outcome=outcome)
    write(world, 5, ago=6 * MINUTE, success=False, outcome="failed")
    row = a_row("error_rate")
    one, other = (0.25, {"calls": 4, "failed": 1}), (1.0, {"calls": 2, "failed": 2})
    assert await read(world, row) == {"default": one, "other": other}
    assert await read(world, a_row("error_rate", gateway=2)) == {"other": other}
    assert await read(world, a_row("error_rate", minimum_calls=3)) == {"default": one}
    assert (await read(world, a_row("error_rate", window_seconds=360)))["default"] == (6 / 9, {"calls": 9, "failed": 6})
    delete_gateway(world[0], 2)
    assert await read(world, row) == {"default": one}


async def test_calls_without_a_row_count(world):
    write(world, 2, logged=False, success=False, outcome="failed")
    assert await read(world, a_row("error_rate")) == {"default": (1.0, {"calls": 2, "failed": 2})}


async def test_how_long_the_slowest_wait(world):
    write(world, 90, latency=40)
    write(world, 10, latency=4000)
    write(world, 50, latency=1, cached=True)
    write(world, 50, latency=1, outcome="failed", success=False)
    ((value, figures),) = (await read(world, a_row("latency"))).values()
    assert (value, figures) == (4000.0, {"calls": 100})  # half of those between 3 and 5 seconds


async def test_a_long_window_is_read_by_the_hour(world):
    write(world, 1, ago=3 * HOUR, success=False, outcome="failed")
    write(world, 2)
    write(world, 4, ago=5 * HOUR, success=False, outcome="failed")
    long = a_row("error_rate", window_seconds=3 * 3600)
    assert await read(world, long) == {"default": (1 / 3, {"calls": 3, "failed": 1})}
    assert await read(world, a_row("error_rate", window_seconds=3600)) == {"default": (0.0, {"calls": 2, "failed": 0})}


async def test_how_full_a_log_is(world):
    connection = world[0]
    write(world, 25)
    write(world, 5, gateway=2)
    assert await read(world, a_row("log_cap")) == {}
    connection.execute("UPDATE gateways SET settings = ? WHERE number = 1", ('{"log_management":100}',))
    connection.execute("UPDATE gateways SET settings = ? WHERE number = 2", ('{"log_management":null}',))
    assert await read(world, a_row("log_cap")) == {"default": (0.25, {"rows": 25, "most": 100})}


async def test_how_much_is_spent_of_each_limit(world):
    connection = world[0]
    rule = {"limit": 10, "limitType": "cost", "window": 3600}
    each = rule | {"id": "each", "technique": "sliding", "metadata": {"user": {"mode": "partition"}}}
    settings = encode({"spend_limits": {"rules": [rule | {"id": "all"}, each]}}).decode()
    connection.execute("UPDATE gateways SET settings = ? WHERE number = 1", (settings,))
    hour = NOW - NOW % HOUR
    spends = [
        ("rule:1:all", hour, hour + HOUR, 8 * NANO),
        ("rule:1:all", hour - HOUR, hour, 9 * NANO),
        ("rule:1:each:b%3Ab", NOW - HOUR // 2, NOW + HOUR, 5 * NANO),
        ("rule:1:each:ann", NOW - 2 * HOUR, NOW - HOUR, 9 * NANO),
        ("rule:1:each:eve", NOW, NOW + HOUR, 4 * NANO),
        ("rule:11:all", hour, hour + HOUR, 9 * NANO),
    ]
    with connection.transaction():
        spending.add(connection, [a_record(spends=tuple(spends))])
    async with world[1].reading() as reading:
        found = await KINDS["spend_limit"].measure(reading, a_row("spend_limit", threshold=0.5), NOW)
    assert {one.subject: (one.about["rule"], one.value, one.figures) for one in found} == {
        "rule:1:all": ("all", 0.8, {"spent": 8.0, "limit": 10.0}),
        "rule:1:each:b%3Ab": ("each of b:b", 0.5, {"spent": 5.0, "limit": 10.0}),
    }


@pytest.mark.parametrize(("threshold", "holds"), [(4.99, False), (5, True), (6, True)])
async def test_how_much_credit_is_left(world, threshold, holds):
    entry = Entry(ids.new(), ACCOUNT, ledger.GRANT, NOW, "x", None, (("credit", 5 * NANO), ("grants", -5 * NANO)))
    with world[0].transaction():
        ledger.post(world[0], [entry])
    row = a_row("credit_low", threshold=threshold)
    async with world[1].reading() as connection:
        (reading,) = await KINDS["credit_low"].measure(connection, row, NOW)
    assert reading.value == 5
    assert KINDS["credit_low"].holds(reading, row.settings) is holds


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_says_it_in_words(kind):
    figures = {"calls": 1200, "failed": 150, "rows": 9000, "most": 10_000, "refused_at": ""}
    about = {"gateway_id": "g", "provider": "openai", "alias": "main", "key_id": "k"}
    reading = kinds.Reading("1", about, 0.125 if kind == "error_rate" else 401, figures)
    figures |= {"spent": 8.125, "limit": 10.0}
    about["rule"] = "all"
    row = a_row(kind, threshold=0.05 if kind in {"error_rate", "log_cap", "spend_limit"} else 100)
    fired = sentence(FIRING, told(row, about, reading))
    assert fired == {
        "error_rate": "150 of 1,200 calls of the gateway g failed in the last 5 minutes: 12.5%, where "
        "5.0% are too many.",
        "latency": "The slowest 5 % of 1,200 calls of the gateway g waited 401 ms or longer for their answer in "
        "the last 5 minutes, where 100 ms are too long.",
        "log_cap": "The log of the gateway g has 9,000 of the 10,000 rows that it may have.",
        "spend_limit": "$ 8.12 of the $ 10.00 that rule 'all' of the gateway g allows are spent: 40100%.",
        "credit_low": "The account has $ 401.00 of credit left, where $ 100.00 are too little.",
        "credential_refused": "openai refused the key 'main' of the gateway g with status 401.",
    }.get(kind, fired)
    over = sentence(RESOLVED, told(row, about, None))
    assert "None" not in over
    assert "gateway g" in over or kind == "credit_low"
