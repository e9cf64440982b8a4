"""Taking out the words of the log (``storage.log.names``) that nothing uses any more, a bounded piece at a time.

Nothing counts the uses of a word. A sweep walks the log once, block by block, then the roll-ups of days, which have
every word that one of a minute or an hour has, and notes what it meets; what it did not meet goes. Its last steps hold
``lock_names`` alone, so that no row that it has not seen can use what it takes out. What a roll-up comes to use while a
sweep goes on is marked with the sweep's number (``rollups.mark``).
Every function raises StoreUnavailable, and may then be called again.
"""

from itertools import groupby
from operator import itemgetter

from penstock.storage.log import blocks, columns, measures
from penstock.storage.sql import Sql, filled, marks

BLOCKS = 200  # walked in one step
ROLLUPS = 2_000  # the same
WORDS = 5_000  # taken out in one step
_ASKED = 256  # values in one question
_USES = ", ".join(column.name for column in columns.WORDS)
_REST = [name for name in measures.KEY if name not in ("gateway", "span")]
_PLACES = [_REST.index(name) for name in measures.WORDS]
_NEXT = (
    f"SELECT {', '.join(_REST)} FROM log_rollups WHERE gateway = ? AND span = {measures.DAY}"  # noqa: S608
    f" AND ({', '.join(_REST)}) > {marks(len(_REST))} ORDER BY {', '.join(_REST)} LIMIT ?"
)


class Sweep:
    """One walk over the log. Rows may come and go meanwhile: no number of a block is given again."""

    def __init__(self, connection: Sql) -> None:
        self._connection = connection
        with connection.transaction():
            connection.lock_names(alone=True)
            connection.execute("UPDATE configuration SET sweep = sweep + 1")
            ((self._number,),) = connection.execute("SELECT sweep FROM configuration")
            self._end = self._newest()  # the blocks up to here are there, or never will be
            known = connection.execute("SELECT id FROM log_names")
        self._unmet = {number for (number,) in known}
        self._at = 0  # the blocks up to here are walked
        self._gateway: int | None = -1  # whose roll-ups are walked; None: all are
        self._rollup: tuple[int, ...] = ()  # the last of them that was

    def step(self) -> bool:
        """Does a bounded piece of the work; returns whether there is more."""
        if self._at < self._end:
            self._walk()
            return True
        if self._gateway is not None:
            self._walk_rollups(self._gateway)
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
                sql = f"DELETE FROM log_names WHERE id IN {marks(len(some))} AND sweep < ?"  # noqa: S608
                connection.execute(sql, (*some, self._number))
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

    def _walk_rollups(self, gateway: int) -> None:
        """Some of one gateway, or on to the next gateway."""
        after = self._rollup or [-1] * len(_REST)
        found = self._connection.execute(_NEXT, (gateway, *after, ROLLUPS))
        for row in found:
            self._unmet.difference_update([row[place] for place in _PLACES])
        if len(found) == ROLLUPS:
            self._rollup = found[-1]
            return
        sql = "SELECT min(gateway) FROM log_rollups WHERE gateway > ?"
        ((self._gateway,),) = self._connection.execute(sql, (gateway,))
        self._rollup = ()
