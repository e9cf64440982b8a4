"""What arrives in the log, as it does, for whoever watches it."""

from penstock.storage.log.reader import LogReader, LogRow
from penstock.storage.sql import SQLITE

IN_FLIGHT = 10_000  # blocks that may have a number and not be committed yet, of all writers


class Tail:
    """Each row once. Long calls arrive late, so ids of rows cannot tell what is new.

    Blocks are numbered as they are written. Where several writers do so at once, a lower number may appear after a
    higher one: so the newest ``IN_FLIGHT`` are looked through again and again.
    """

    def __init__(self, reader: LogReader, gateway: str | None = None) -> None:
        self._reader = reader
        self._gateway = gateway
        self._in_flight = 0 if reader.dialect is SQLITE else IN_FLIGHT
        self._settled = self._settled_now()  # no other block up to here will appear
        self._seen = set(reader.blocks_after(self._settled, gateway))
        self._shown: set[str] = set()

    def newest(self, count: int) -> list[LogRow]:
        """The newest rows there are, newest first: to be asked first, and once."""
        rows = self._reader.newest(count, self._gateway) if count else []
        self._shown = {row.id for row in rows}  # some may have come since the blocks were looked at
        return rows

    def arrived(self) -> list[LogRow]:
        """What has come since the last look, newest first."""
        settled = self._settled_now()
        new = [block for block in self._reader.blocks_after(self._settled, self._gateway) if block not in self._seen]
        self._settled = settled
        self._seen = {block for block in (*self._seen, *new) if block > settled}
        return [row for row in self._reader.rows_of(new) if row.id not in self._shown] if new else []

    def _settled_now(self) -> int:
        return max(0, self._reader.newest_block() - self._in_flight)
