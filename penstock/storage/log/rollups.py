"""Roll-ups: what the calls of each minute, hour and day come to (docs/analytics.md).

They are written in the transaction that writes the rows, of all calls, whether they have a row or not, and outlive the
rows. A call counts for the value of each metadata key in ``LogRecord.rolled`` too.
"""

from collections.abc import Iterable
from functools import cache
from operator import attrgetter
from typing import Any

from penstock.core import codec
from penstock.model.record import LogRecord
from penstock.storage.log.measures import COLUMNS, DAY, KEY, LONG_SPANS, OTHER, SPANS, WHOLE, taken
from penstock.storage.log.names import Names, stored
from penstock.storage.sql import Sql, marks

VALUES = 1000  # of one metadata key that have roll-ups of their own, for each gateway, day and writer
_MINUTE = 60_000  # milliseconds
_DAY = DAY * _MINUTE
_KEYS = 10_000  # keys of gateways, on days, whose values are remembered

_of = attrgetter("provider", "model", "status_code", "outcome", "success", "cached")

# Calls by gateway, metadata key, minute since the epoch, value of the key, and measures.DIMENSIONS.
Rolled = dict[tuple[Any, ...], list[LogRecord]]


class Rollups:
    """Those of one database, for one of its writers."""

    def __init__(self, connection: Sql, names: Names) -> None:
        self._connection = connection
        self._names = names
        self._values: dict[tuple[int, str, int], set[str]] = {}  # by gateway, key and day
        self._sweep = -1  # with whose number ``_marked`` are known to be marked
        self._marked: set[int | None] = set()

    def sorted(self, records: Iterable[LogRecord]) -> Rolled:
        """The calls of each minute, by what tells them apart. Asks the database for the values of metadata keys."""
        rolled: Rolled = {}
        for record in records:
            if not record.gateway:
                continue  # nobody can ask for it
            minute = record.created_at // _MINUTE
            key = (record.gateway, None, minute, None, *_of(record))
            if (there := rolled.get(key)) is None:
                rolled[key] = [record]
            else:
                there.append(record)
            if record.rolled and record.metadata:
                for name, value in self._pairs(record):
                    rolled.setdefault((record.gateway, name, minute, value, *key[4:]), []).append(record)
        return rolled

    def words(self, rolled: Rolled) -> set[str | None]:
        return {word for key in rolled for word in (key[1], key[3], key[4], key[5], key[7])}

    def mark(self, words: set[str | None]) -> None:
        """Says of each word that a roll-up uses it, in a transaction of its own: the sweep that goes on leaves it then.

        Raises NewWord.
        """
        sweep = self._names.sweep
        if sweep != self._sweep:
            self._sweep = sweep
            self._marked.clear()
        new = {self._names[word] for word in words} - self._marked
        if new:
            sql = "UPDATE log_names SET sweep = ? WHERE id = ? AND sweep < ?"
            with self._connection.transaction():
                self._connection.executemany(sql, [(sweep, number, sweep) for number in sorted(filter(None, new))])
            self._marked |= new

    def add(self, rolled: Rolled) -> None:
        """Counts the calls in; nobody else may do so for these gateways meanwhile."""
        names, rows = self._names, dict[tuple[Any, ...], list[int]]()
        for (gateway, key, minute, value, provider, model, status, outcome, success, cached), records in rolled.items():
            number, of = names[key] or WHOLE, names[value] or WHOLE
            after = (of, names[provider], names[model], status, names[outcome], int(success), int(cached))
            values = taken(records)
            for span in SPANS if key is None else LONG_SPANS:
                place = (gateway, span, number, minute - minute % span, *after)
                if (there := rows.get(place)) is None:
                    rows[place] = values
                else:
                    rows[place] = [a + b for a, b in zip(there, values, strict=True)]
        self._connection.executemany(_adding(), [(*place, *values) for place, values in rows.items()])

    def _pairs(self, record: LogRecord) -> Iterable[tuple[str, str]]:
        pairs = codec.decode(record.metadata or "{}")
        for name in record.rolled:
            value = pairs.get(name)
            if value is not None:
                text = value if isinstance(value, str) else codec.encode(value).decode()
                yield name, self._bounded(record, stored(name), stored(text))

    def _bounded(self, record: LogRecord, name: str, value: str) -> str:
        """The value, or OTHER where the day has enough of them."""
        day = record.created_at // _DAY
        known = self._values.get((record.gateway, name, day))
        if known is None:
            if len(self._values) >= _KEYS:
                self._values.clear()
            known = self._values[record.gateway, name, day] = self._known(record.gateway, name, day)
        if value not in known and len(known) >= VALUES:
            return OTHER
        known.add(value)
        return value

    def _known(self, gateway: int, name: str, day: int) -> set[str]:
        sql = (
            "SELECT DISTINCT v.name FROM log_rollups r JOIN log_names k ON k.id = r.key"
            " JOIN log_names v ON v.id = r.value WHERE r.gateway = ? AND r.span = ? AND k.name = ? AND r.start = ?"
        )
        return {value for (value,) in self._connection.execute(sql, (gateway, DAY, name, day * DAY))} - {OTHER}


@cache
def _adding() -> str:
    columns = [*KEY, *COLUMNS]
    sums = ", ".join(f"{name} = log_rollups.{name} + excluded.{name}" for name in COLUMNS)
    return (
        f"INSERT INTO log_rollups ({', '.join(columns)}) VALUES {marks(len(columns))}"  # noqa: S608
        f" ON CONFLICT ({', '.join(KEY)}) DO UPDATE SET {sums}"
    )
