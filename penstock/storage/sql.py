"""A connection to either engine, in the SQL that both speak: SQLite (``storage.sqlite``), PostgreSQL (``postgres``).

It blocks, so it is for threads and processes of their own: the log's writer and its readers, the start, the command
line. What people and programs change through the API goes by ``storage.engine``.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

Row = tuple[Any, ...]


class Dialect(NamedTuple):
    """Words that the engines have of their own."""

    name: str
    greatest: str  # of several values, null if one is (SQLite) or if all are (PostgreSQL)
    least: str
    text: str  # a text, compared character by character
    spelt: str  # the text of 16 bytes of an id
    members: str  # the members e of a JSON object: their key, and as SQL …
    member_text: str  # … text, others than text as JSON
    member_number: str  # … a number; null: it is none
    alone: str  # ends a SELECT of rows that nobody else may change before the transaction ends


_HEX = "lower(substr(hex({0}), %d, %d))"
SQLITE = Dialect(
    "sqlite",
    greatest="max",
    least="min",
    text="{}",
    spelt="(" + " || '-' || ".join(_HEX % part for part in ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))) + ")",
    members="json_each({}) e",
    member_text="CASE e.type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE CAST(e.value AS TEXT) END",
    member_number="CASE WHEN e.type IN ('integer', 'real') THEN e.value END",
    alone="",
)
POSTGRES = Dialect(
    "postgresql",
    greatest="greatest",
    least="least",
    text='{} COLLATE "C"',
    spelt="encode({0}, 'hex')::uuid::text",
    members="json_each(replace({}, '\\u0000', '\\ufffd')::json) e",  # it has no NUL
    member_text="(e.value #>> '{}') COLLATE \"C\"",
    member_number="CASE WHEN json_typeof(e.value) = 'number' THEN (e.value #>> '{}')::numeric END",
    alone=" FOR UPDATE",
)


class Limit:
    """Until when statements may run, on the monotonic clock. Any thread may ``end`` it."""

    __slots__ = ("ended", "until")

    def __init__(self, until: float = float("inf")) -> None:
        self.until = until
        self.ended: Callable[[], None] = _nobody

    def passed(self) -> bool:
        return time.monotonic() > self.until

    def end(self) -> None:
        """What runs is cut short."""
        self.until = float("-inf")
        self.ended()


class Statements(Protocol):
    """What a transaction needs. Parameters are ``?``; no text within the SQL has a question mark."""

    dialect: Dialect

    def execute(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """The rows, if there are any. Outside a transaction only what may safely run twice."""
        ...

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None: ...

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Many rows, the quickest way there is."""
        ...


class Sql(Statements, Protocol):
    """A connection, for one thread at a time.

    Everything raises StoreUnavailable: what is passing, or StoreRefused: what somebody must mend. Writing raises
    Duplicate and Unwritable too, and what has a limit TooSlow. A connection that is lost is opened again by the next
    statement, unless it was lost within a transaction, which then fails as a whole.
    """

    def insert_numbered(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[int]:
        """The same for a table that numbers its rows in a column ``id``; returns the numbers."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing. Each statement sees what others have committed."""
        ...

    def view(self) -> AbstractContextManager[None]:
        """One state of the database for all statements, of which none writes."""
        ...

    def lock_gateways(self, numbers: Iterable[int]) -> None:
        """Nobody else counts rows of these gateways before the transaction ends. Last before it ends, and only once."""
        ...

    def lock_names(self, *, alone: bool) -> None:
        """Until the transaction ends, no word that a row may use is taken out; ``alone``: nobody writes rows either."""
        ...

    def has_table(self, name: str) -> bool: ...

    def limit(self, limit: Limit) -> None:
        """Statements from now on end in TooSlow when it has passed."""
        ...

    def close(self) -> None: ...


def marks(count: int) -> str:
    """``(?, ?, …)``."""
    return f"({', '.join('?' * count)})"


def inserting(table: str, columns: Sequence[str]) -> str:
    """The statement that adds a row."""
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {marks(len(columns))}"  # noqa: S608  names of ours


@lru_cache(1000)
def numbered(sql: str) -> str:
    """``$1, $2, …`` where the SQL says ``?``."""
    first, *rest = sql.split("?")
    return first + "".join(f"${number}{part}" for number, part in enumerate(rest, 1))


def filled(values: Sequence[Any]) -> list[Any]:
    """The values of an IN list, the last of them repeated up to a power of two: few texts for many lengths."""
    size = 1 << (len(values) - 1).bit_length()
    return [*values, *[values[-1]] * (size - len(values))]


def _nobody() -> None:
    """Nobody waits for the end of the limit."""
