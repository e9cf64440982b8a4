"""What the database says of money, of both engines."""

from contextlib import closing

import pytest

from penstock.backends.reservations.known import Draft, Known, known
from penstock.core import instants
from penstock.storage import opening
from penstock.storage.engine import Database
from penstock.storage.log.table import LogTable
from tests.kit.databases import KINDS, database_of
from tests.kit.logsink import a_gateway, a_record

SENDER = b"s" * 16


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_spent_and_reserved_and_how_far_it_was_written(kind, tmp_path):
    ends = instants.now() + 10**6
    runs = a_record(spends=(("token:a", 0, 0, 7), ("rule", 5, ends, 7)), draft=True)
    ended = [a_record(spends=(("rule", 5, ends, amount),)) for amount in (3, 4)]
    over = a_record(spends=(("rule", 1, 5, 1),))
    with database_of(kind, tmp_path) as url:
        with closing(opening.connect(url)) as connection:
            a_gateway(connection)
            LogTable(connection, sender=SENDER).write([*ended, over, runs])
        database = Database(url)
        found = await known(database)
        await database.close()
    assert found == Known([("rule", 5, ends, 7)], {SENDER: 4}, [Draft(runs.id, found.drafts[0].at, runs.spends)])
    assert 0 <= instants.now() - found.drafts[0].at < 10**6
