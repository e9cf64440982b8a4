"""What a run of about a thousand rows of one gateway can contain.

A query for a rare value would read millions of rows to fill a page, and an index for each thing one can filter by
would cost the writer more than the row. A zone costs a thousandth of a row, and lets the query skip every thousand
rows that cannot match (``storage.log_query`` has the conditions).
"""

import sqlite3
from bisect import bisect_left
from typing import Any

from penstock.model.record import LogRecord

ROWS = 1024
NOTHING = 2**62  # least of no values; -1 is the greatest

_RANGES = ("cost", "duration", "tokens_in", "tokens_out", "total_tokens")
_FIND = "SELECT first, last, rows FROM log_zones WHERE gateway = ? AND first <= ? ORDER BY first DESC LIMIT 1"
_ADD = f"""
INSERT INTO log_zones (gateway, first, last, rows, failures, hits, providers, models, model_types,
  {", ".join(f"min_{name}, max_{name}" for name in _RANGES)})
VALUES ({", ".join("?" * 19)})
ON CONFLICT (gateway, first) DO UPDATE SET
  last = max(last, excluded.last), rows = rows + excluded.rows,
  failures = failures + excluded.failures, hits = hits + excluded.hits,
  providers = providers | excluded.providers, models = models | excluded.models,
  model_types = model_types | excluded.model_types,
  {", ".join(f"min_{n} = min(min_{n}, excluded.min_{n}), max_{n} = max(max_{n}, excluded.max_{n})" for n in _RANGES)}
"""  # noqa: S608  column names of this module


def bit(name: int) -> int:
    """The bit of a name's number in ``providers``, ``models`` and ``model_types``."""
    return 1 << name % 63


def add(
    connection: sqlite3.Connection, gateway: int, records: list[LogRecord], names: dict[Any, Any], full: int = ROWS
) -> None:
    """Counts new rows in; ``records`` are of one gateway and in order of id. A late row goes to its older zone.

    A zone of ``full`` rows gets a successor, but may grow by what comes late.
    """
    ids = [record.id for record in records]
    end = len(ids)
    while end:
        newest = ids[end - 1]
        first, last, rows = connection.execute(_FIND, (gateway, newest)).fetchone() or (b"", b"", 0)
        if rows >= full and newest > last:
            first = (int.from_bytes(last, "big") + 1).to_bytes(16, "big")
        start = bisect_left(ids, first)
        connection.execute(_ADD, (gateway, first, newest, *_summary(records[start:end], names)))
        end = start


def _summary(records: list[LogRecord], names: dict[Any, Any]) -> list[int]:
    costs = [r.cost for r in records if r.cost is not None]
    durations = [r.duration for r in records]
    ins = [r.tokens_in for r in records if r.tokens_in is not None]
    outs = [r.tokens_out for r in records if r.tokens_out is not None]
    totals = [r.tokens_in + r.tokens_out for r in records if r.tokens_in is not None and r.tokens_out is not None]
    summary = [
        len(records),
        sum(not r.success for r in records),
        sum(r.cached for r in records),
        _bits({names[r.provider] for r in records}),
        _bits({names[r.model] for r in records}),
        _bits({names[r.model_type] for r in records} - {None}),
    ]
    for values in (costs, durations, ins, outs, totals):
        summary.append(min(values, default=NOTHING))
        summary.append(max(values, default=-1))
    return summary


def _bits(numbers: set[int]) -> int:
    return sum({bit(number) for number in numbers})
