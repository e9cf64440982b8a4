"""Taking out the words of the log (``storage.log.names``) that no row uses any more, a bounded piece of work at a time.

Nothing counts the uses of a word. A sweep walks the log once, block by block, and notes what it meets; what it did not
meet goes. Its last steps hold ``lock_names`` alone, so that no row that it has not seen can use what it takes out.
Every function raises StoreUnavailable, and may then be called again.
"""

from itertools import groupby
from operator import itemgetter

from penstock.storage.log import blocks, columns
from penstock.storage.sql import Sql, filled, marks

BLOCKS = 200  # walked in one step
WORDS = 5_000  # taken out in one step
_ASKED = 256  # values in one question
_USES = ", ".join(column.name for column in columns.WORDS)


class Sweep:
    """One walk over the log. Of no use once rows were taken out meanwhile: SQLite gives a block's number again."""

    def __init__(self, connection: Sql) -> None:
        self._connection = connection
        with connection.transaction():
            connection.lock_names(alone=True)
            self._end = self._newest()  # the blocks up to here are there, or never will be
            known = connection.execute("SELECT id FROM log_names ORDER BY id")
        self._unmet = {number for (number,) in known[:-1]}  # SQLite would give the last one's number again
        self._at = 0  # the blocks up to here are walked

    def step(self) -> bool:
        """Does a bounded piece of the work; returns whether there is more."""
        if self._at < self._end:
            self._walk()
            return True
        connection = self._connection
        with connection.transaction():
            connection.lock_names(alone=True)
            self._end = self._newest()
            if self._end > self._at + BLOCKS:
                return True
            self._walk()
            gone = sorted(self._unmet)[:WORDS]
            for at in range(0, len(gone), _ASKED):
                some = filled(gone[at : at + _ASKED])
                connection.execute(f"DELETE FROM log_names WHERE id IN {marks(len(some))}", some)  # noqa: S608
        self._unmet.difference_update(gone)
        return bool(self._unmet)

    def _newest(self) -> int:
        return self._connection.execute("SELECT coalesce(max(id), 0) FROM log_bodies")[0][0]

    def _walk(self) -> None:
        connection = self._connection
        found = connection.execute(
            "SELECT id, gateway, ids FROM log_bodies WHERE id > ? AND id <= ? ORDER BY id LIMIT ?",
            (self._at, self._end, BLOCKS),
        )
        for gateway, group in groupby(sorted(found, key=itemgetter(1)), itemgetter(1)):
            log_ids = [log_id for _, _, column in group for log_id in blocks.ids(column)]
            for at in range(0, len(log_ids), _ASKED):
                some = filled(log_ids[at : at + _ASKED])
                sql = f"SELECT DISTINCT {_USES} FROM logs WHERE gateway = ? AND id IN {marks(len(some))}"  # noqa: S608
                for numbers in connection.execute(sql, (gateway, *some)):
                    self._unmet.difference_update(numbers)
        self._at = found[-1][0] if len(found) == BLOCKS else self._end
