"""How much of a log is read to put it in order; that the order is right is the law of ``test_reader``."""

from collections.abc import Sequence
from typing import Any

import pytest

from penstock.storage.log.columns import ORDERS
from penstock.storage.log.filters import ANY
from penstock.storage.log.order import Place, ordered
from penstock.storage.log.reader import LogReader
from penstock.storage.log.table import LogTable
from penstock.storage.sql import Row, Sql
from tests.kit.logsink import a_record


class Counting:
    """A connection that counts the questions it is asked."""

    def __init__(self, connection: Sql) -> None:
        self._connection = connection
        self.asked = 0
        self.dialect = connection.dialect

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        self.asked += 1
        return self._connection.execute(sql, values)


@pytest.mark.parametrize("order", ["cost", "model", "cached"])
def test_the_first_page_is_found_in_few_zones(connection: Sql, order: str):
    records = [a_record(cost=at % 7, model=f"m{at % 3}") for at in range(200)]
    dear = a_record(cost=99, model="z", cached=True)
    records.insert(50, dear)
    LogTable(connection, zone_rows=5).write(records)
    counting: Any = Counting(connection)
    found, skipped = ordered(counting, 1, ANY, lambda _, __: [], ORDERS[order], Place(limit=1))
    assert (found, skipped) == ([dear.id], 0)
    assert counting.asked == 2  # for the zones, and for the first few of them


def test_words_are_in_the_order_of_their_names_however_late_they_were_learnt(connection: Sql):
    LogTable(connection).write([a_record(model=model) for model in ("m", "z", "a", "\0", "é", "Z")])
    rows = LogReader(connection).list_rows(1, order="model", ascending=True)
    assert [row.model for row in rows] == ["Z", "a", "m", "z", "é", "\ufffd"]
