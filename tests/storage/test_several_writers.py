"""Several processes write the log of one PostgreSQL database, also the same rows."""

import threading
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.core import ids
from penstock.storage import opening
from penstock.storage.log import blocks, reap, zones
from penstock.storage.log.reader import LogReader
from penstock.storage.log.table import LogTable
from tests.kit.databases import database_of
from tests.kit.logsink import a_gateway, a_record

GATEWAYS = (1, 2, 1 + 64)  # two share a stripe of locks
ZONE = 5

FATES = st.tuples(
    st.sampled_from(GATEWAYS),
    st.integers(0, 30),  # when
    st.booleans(),
    st.booleans(),
    st.none() | st.integers(0, 9),  # cost
    st.sampled_from("abcdef"),  # model
)
BATCHES = st.lists(st.lists(FATES, min_size=1, max_size=12), max_size=5)


@pytest.fixture(scope="module")
def connections(tmp_path_factory):
    with database_of("postgresql", tmp_path_factory.mktemp("several")) as url:
        opened = [opening.connect(url) for _ in range(3)]
        for number in range(70):
            a_gateway(opened[0], f"g{number}")
        yield opened
        for connection in opened:
            connection.close()


def made(fates, start):
    return [
        a_record(
            id=when.to_bytes(6, "big") + number.to_bytes(10, "big"),
            gateway=gateway,
            created_at=when,
            success=success,
            cached=cached,
            cost=cost,
            model=model,
            request=b"%d" % number,
        )
        for number, (gateway, when, success, cached, cost, model) in enumerate(fates, start)
    ]


def write(connection, batches, faults):
    """``batches``: records, and where among those of the one sender they stand; None: they are of no sender."""
    table, of_sender = LogTable(connection, ZONE), LogTable(connection, ZONE, sender=b"sender")
    try:
        for batch, start in batches:
            if start is None:
                table.write(batch)
            else:
                of_sender.write(batch, start)
    except BaseException as fault:
        faults.append(fault)


def side_by_side(*work):
    """What the threads raised."""
    faults = []
    threads = [threading.Thread(target=target, args=(*args, faults)) for target, *args in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return faults


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(mine=BATCHES, others=BATCHES, twice=BATCHES)
def test_two_writers_side_by_side_leave_rows_once_and_zones_exact(connections, mine, others, twice):
    first, second, reader = emptied(connections)
    number, batches = 0, []
    for group in (twice, mine, others):
        batches.append([])
        for fates in group:
            batches[-1].append((made(fates, number), number if group is twice else None))
            number += len(fates)
    sent_again = batches.pop(0)
    faults = side_by_side(
        (write, first, interleaved(batches[0], sent_again)), (write, second, interleaved(sent_again, batches[1]))
    )
    assert faults == []
    records = [record for group in (*batches, sent_again) for batch, _ in group for record in batch]
    check(reader, records)


def interleaved(one, other):
    return [batch for pair in zip(one, other, strict=False) for batch in pair] + [
        *one[len(other) :],
        *other[len(one) :],
    ]


def test_reaping_beside_two_writers_leaves_the_rest_whole(connections):
    first, second, reader = emptied(connections)
    rows = [(made([(1, n, True, False, n % 7, "a")], n), None) for n in range(200)]
    gone = []

    def taking_out(connection, faults):
        try:
            while len(gone) < 8:
                if reap.reap(connection, 1, 10):
                    gone.append(10)
        except BaseException as fault:
            faults.append(fault)

    third = connections[2]
    faults = side_by_side((write, first, rows[::2]), (write, second, rows[1::2]), (taking_out, third))
    assert faults == []
    left = {row.id for row in LogReader(reader).list_rows(1, limit=1000)}
    check(reader, [record for (record,), _ in rows if ids.text(record.id) in left], exact=False)
    assert len(left) >= 200 - 80


def emptied(connections):
    for table in ("logs", "log_bodies", "log_zones", "log_metadata", "log_names", "log_rollups", "log_senders"):
        connections[0].execute(f"DELETE FROM {table}")
    return connections


def check(connection, records, *, exact=True):
    """Every row is there once, in a block and in a zone, and each zone says exactly what it holds.

    Not ``exact``: its least and greatest may be those of rows that were taken out.
    """
    kept = Counter((r.gateway, r.id) for r in records)
    assert Counter(connection.execute("SELECT gateway, id FROM logs")) == kept
    places = connection.execute("SELECT gateway, ids FROM log_bodies")
    assert not exact or Counter((g, one) for g, column in places for one in blocks.ids(column)) == kept
    numbers = dict(connection.execute("SELECT name, id FROM log_names"))
    for gateway in {*GATEWAYS}:
        columns = "first, last, rows, success_rows, cached_rows, models, min_cost, max_cost"
        sql = f"SELECT {columns} FROM log_zones WHERE gateway = ?"
        found = connection.execute(f"{sql} ORDER BY first", (gateway,))
        mine = sorted((r for r in records if r.gateway == gateway), key=lambda r: r.id)
        assert bool(found) == bool(mine)
        ends = [*(zone[0] for zone in found[1:]), b"\xff" * 17][: len(found)]
        assert all(one[1] < two[0] for one, two in pairwise(found))
        for (first, last, *told), end in zip(found, ends, strict=True):
            held = [r for r in mine if first <= r.id < end]
            costs = [r.cost for r in held if r.cost is not None]
            counts = [len(held), sum(r.success for r in held), sum(r.cached for r in held)]
            assert told[:3] == counts
            assert last == held[-1].id
            assert not exact or told[3:] == [
                sum({zones.bit(numbers[r.model]) for r in held}),
                min(costs, default=zones.NOTHING),
                max(costs, default=-zones.NOTHING),
            ]
    assert sum(n for (n,) in connection.execute("SELECT rows FROM log_zones")) == len(records)
