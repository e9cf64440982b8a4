"""What the database says of money: what reservations begin from at a start, and when Redis has lost what it held."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from penstock.core import instants
from penstock.storage import spending
from penstock.storage.engine import Database, within
from penstock.storage.log import drafts, senders
from penstock.storage.sql import Statements

Row = tuple[str, int, int, int]  # owner, bucket, when that counts no more (0: never), amount


class Draft(NamedTuple):
    """A call that has reserved money and not ended, or died. ``at``: when; milliseconds since the epoch."""

    reservation: bytes
    at: int
    rows: Sequence[Row]


class Known(NamedTuple):
    """Of one moment: what was spent, how many records of each sender that contains, and what is reserved."""

    rows: Sequence[Row]
    written: Mapping[bytes, int]
    drafts: Sequence[Draft] = ()


Load = Callable[[], Awaitable[Known]]


async def known(database: Database) -> Known:
    """Raises StoreUnavailable."""
    async with database.reading() as connection:
        return await within(connection, partial(_known, instants.now()))


def _known(now: int, connection: Statements) -> Known:
    reserved = [Draft(*found) for found in drafts.reserved(connection)]
    return Known(spending.rows(connection, now), senders.positions(connection), reserved)
