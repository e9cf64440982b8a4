"""The columns of a log row: what the table, the writer, filters, zones and order are made of.

A column is one line here, a member of ``model.record.LogRecord`` and of ``storage.log.reader.LogRow``, and a line of a
migration.
"""

from typing import Literal

import msgspec

Kind = Literal["word", "media", "flag", "small", "number", "text"]
Zone = Literal["", "words", "count", "range"]


class Column(msgspec.Struct, frozen=True):
    """``kind``: how a value is stored and compared. ``zone``: what a zone tells of the values of its rows
    (``storage.log.zones``). ``later``: not known when the row is written; people add it.

    word: a number in log_names; media: likewise, and its parameters do not count when it is compared; flag: 0 or 1;
    small: 16 bits; number: 64 bits; text: as it is. ``unit``: of the API's numbers, in the stored ones.
    """

    name: str
    kind: Kind
    zone: Zone = ""
    null: bool = False
    later: bool = False
    unit: int = 1


NANO = 10**9

COLUMNS = (
    Column("created_at", "number"),
    Column("duration", "number", "range"),
    Column("latency", "number", "range", null=True),
    Column("provider", "word", "words"),
    Column("model", "word", "words"),
    Column("model_type", "word", "words", null=True),
    Column("request_type", "word", "words", null=True),
    Column("path", "text"),
    Column("status_code", "small", "range"),
    Column("success", "flag", "count"),
    Column("cached", "flag", "count"),
    Column("step", "small", "range"),
    Column("tokens_in", "number", "range", null=True),
    Column("tokens_out", "number", "range", null=True),
    Column("cost", "number", "range", null=True, unit=NANO),
    Column("custom_cost", "flag", "count"),
    Column("metadata", "text", null=True),
    Column("request_content_type", "media", "words", null=True),
    Column("response_content_type", "media", "words", null=True),
    Column("request_size", "number"),
    Column("response_size", "number"),
    Column("user_agent", "word", "words", null=True),
    Column("outcome", "word", "words"),
    Column("event_id", "text", null=True),  # null: the row's own id
    Column("authentication", "flag", "count"),
    Column("wholesale", "flag", "count"),
    Column("compatibility_mode", "flag", "count"),
    Column("dlp_action", "word", "words", null=True),
    Column("feedback", "small", "range", null=True, later=True),
    Column("score", "number", "range", null=True, later=True, unit=1000),
)

BY_NAME = {column.name: column for column in COLUMNS}
KEYS = ("gateway", "id", "block")  # what every row has beside its columns: whose it is, and where its bodies lie
STORED = (*KEYS, *(column.name for column in COLUMNS))
WRITTEN = (*KEYS, *(column.name for column in COLUMNS if not column.later))

WORDS = tuple(column for column in COLUMNS if column.kind in ("word", "media"))
FLAGS = tuple(column for column in COLUMNS if column.kind == "flag")
ZONED_WORDS = tuple(column for column in COLUMNS if column.zone == "words")
COUNTED = tuple(column for column in COLUMNS if column.zone == "count")

TOTAL = Column("total_tokens", "number", "range", null=True)  # of no column: the sum of two
RANGED = (*(column for column in COLUMNS if column.zone == "range"), TOTAL)
SUMMED = tuple(c for c in RANGED if c.name in ("cost", "duration", "tokens_in", "tokens_out", "total_tokens"))


def term(column: Column) -> str:
    """SQL of its value in the row ``l``."""
    return "l.tokens_in + l.tokens_out" if column is TOTAL else f"l.{column.name}"
