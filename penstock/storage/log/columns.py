"""The columns of a log row: what the table, the writer, filters, zones and order are made of.

A column is one line here, a member of ``model.record.LogRecord`` and of ``storage.log.reader.LogRow``, and a line of a
migration.
"""

from typing import Literal

import msgspec

Kind = Literal["word", "media", "flag", "small", "number", "moment", "text", "id"]
Zone = Literal["", "words", "count", "range"]


class Column(msgspec.Struct, frozen=True):
    """``kind``: how a value is stored and compared. ``zone``: what a zone tells of the values of its rows
    (``storage.log.zones``). ``later``: not known when the row is written; people add it.

    word: a number in log_names; media: likewise, and its parameters do not count when it is compared; flag: 0 or 1;
    small: 16 bits; number: 64 bits; moment: the milliseconds that the id begins with; text: as it is; id: the row's id,
    which also stands for a text that is null.

    Of the API: ``wire``, the column's name where that is another; ``unit``, of its numbers, in the stored ones;
    ``key``, whether filters may name it; ``order``, whether lists can be ordered by it.
    """

    name: str
    kind: Kind
    zone: Zone = ""
    null: bool = False
    later: bool = False
    unit: int = 1
    wire: str = ""
    key: bool = True
    order: bool = False

    @property
    def said(self) -> str:
        """Its name in the API."""
        return self.wire or self.name


NANO = 10**9

COLUMNS = (
    Column("created_at", "moment", order=True),
    Column("duration", "number", "range", order=True),
    Column("latency", "number", "range", null=True, order=True),
    Column("provider", "word", "words", order=True),
    Column("model", "word", "words", order=True),
    Column("model_type", "word", "words", null=True, order=True),
    Column("request_type", "word", "words", null=True),
    Column("path", "text"),
    Column("status_code", "small", "range", order=True),
    Column("success", "flag", "count", order=True),
    Column("cached", "flag", "count", order=True),
    Column("step", "small", "range"),
    Column("tokens_in", "number", "range", null=True, order=True),
    Column("tokens_out", "number", "range", null=True, order=True),
    Column("cost", "number", "range", null=True, unit=NANO, order=True),
    Column("custom_cost", "flag", "count"),
    Column("charge", "number", null=True, unit=NANO, key=False),
    Column("metadata", "text", null=True, key=False),
    Column("request_content_type", "media", "words", null=True),
    Column("response_content_type", "media", "words", null=True),
    Column("request_size", "number"),
    Column("response_size", "number"),
    Column("user_agent", "word", "words", null=True),
    Column("outcome", "word", "words"),
    Column("event_id", "id", null=True),
    Column("authentication", "flag", "count"),
    Column("wholesale", "flag", "count"),
    Column("compatibility_mode", "flag", "count", wire="compatibilityMode"),
    Column("dlp_action", "word", "words", null=True),
    Column("feedback", "small", "range", null=True, later=True, order=True),
    Column("score", "number", "range", null=True, later=True, unit=1000, order=True),
)

KEYS = ("gateway", "id", "block")  # what every row has beside its columns: whose it is, and where its bodies lie
STORED = (*KEYS, *(column.name for column in COLUMNS))
WRITTEN = (*KEYS, *(column.name for column in COLUMNS if not column.later))

WORDS = tuple(column for column in COLUMNS if column.kind in ("word", "media"))
FLAGS = tuple(column for column in COLUMNS if column.kind == "flag")
ZONED_WORDS = tuple(column for column in COLUMNS if column.zone == "words")
COUNTED = tuple(column for column in COLUMNS if column.zone == "count")

ID = Column("id", "id")  # the row's own
TOTAL = Column("total_tokens", "number", "range", null=True, wire="tokens", order=True)  # of no column: a sum
BY_NAME = {column.name: column for column in (ID, *COLUMNS, TOTAL)}
BY_KEY = {column.said: column for column in BY_NAME.values() if column.key}
ORDERS = {column.said: column for column in BY_NAME.values() if column.order}
NAMED = tuple(column for column in ORDERS.values() if column.kind == "word")  # zones have their first and last word
RANGED = (*(column for column in COLUMNS if column.zone == "range"), TOTAL)
SUMMED = tuple(c for c in RANGED if c.name in ("cost", "duration", "tokens_in", "tokens_out", "total_tokens"))


def term(column: Column) -> str:
    """SQL of its value in the row ``l``."""
    return "l.tokens_in + l.tokens_out" if column is TOTAL else f"l.{column.name}"
